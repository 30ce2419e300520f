/** The versions of a group: what changed between two of them, and going back to one. */
import { useState } from "preact/hooks";
import { problemText } from "../../api/problem-text";
import { rulesApi, type RuleGroupVersion } from "../../api/rules";
import { dateTime, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { GuardedButton } from "../../ui/guarded-button";
import { Mishap } from "../../ui/mishap";
import { ResourceView } from "../../ui/resource-view";
import { TextDiff } from "../../ui/text-diff";
import type { GroupEditor } from "./use-group-editor";

interface Props {
  group: string | null;
  editor: GroupEditor;
  readOnly: boolean;
  reason: string | null;
  onRestored(): void;
}

export function HistoryPane({ group, editor, readOnly, reason, onRestored }: Props) {
  const resource = useResource(group === null ? null : `history|${group}|${editor.base.tag ?? ""}`, (signal) => rulesApi.history(group ?? "", signal));
  if (group === null) return <p class="state">{t("history.new")}</p>;
  return (
    <ResourceView resource={resource} compact>
      {(versions) =>
        versions.length === 0 ? (
          <p class="state">{t(readOnly ? "history.files" : "history.none")}</p>
        ) : (
          <Versions group={group} editor={editor} versions={versions} reason={reason} onRestored={onRestored} />
        )
      }
    </ResourceView>
  );
}

/** Stands for the text in the editor. */
const DRAFT = "draft";

function Versions({ group, editor, versions, reason, onRestored }: Omit<Props, "group" | "readOnly"> & { group: string; versions: readonly RuleGroupVersion[] }) {
  const [newest, before] = versions;
  const after = query.value.get("to") ?? (editor.dirty ? DRAFT : String(newest?.version ?? ""));
  const from = query.value.get("from") ?? String((editor.dirty ? newest : before)?.version ?? newest?.version ?? "");
  const texts = useResource(`versions|${group}|${from}|${after}`, async (signal) => {
    const load = async (version: string) => (version === DRAFT ? null : ((await rulesApi.version(group, Number(version), signal)).text ?? ""));
    const [old, next] = await Promise.all([load(from), load(after)]);
    return { old, next };
  });
  const [restoring, setRestoring] = useState<number | null>(null);
  const names = [...(editor.dirty ? [[DRAFT, t("history.draft")] as const] : []), ...versions.map(({ version }) => [String(version), t("rules.version", { n: version })] as const)];
  return (
    <div class="history-pane">
      <DataTable class="history-table">
        <thead>
          <tr>
            <th scope="col">{t("alert.rule.version")}</th>
            <th scope="col">{t("history.what")}</th>
            <th scope="col">{t("history.why")}</th>
            <th scope="col">{t("history.by")}</th>
            <th scope="col">{t("history.when")}</th>
            <th scope="col"><span class="spoken">{t("history.restore")}</span></th>
          </tr>
        </thead>
        <tbody>
          {versions.map((each, at) => (
            <tr key={each.version} {...(String(each.version) === after && { "aria-current": "true" as const })}>
              <th scope="row">
                <button type="button" class="plain" onClick={() => setQuery({ to: String(each.version), from: String(versions[at + 1]?.version ?? each.version) })}>{each.version}</button>
              </th>
              <td>{t(`history.step.${each.step}`)}{each.restored_from !== null && ` (${t("rules.version", { n: each.restored_from })})`}</td>
              <td class="wide">{each.why}</td>
              <td>{each.by}</td>
              <td title={`${dateTime(each.at)} ${zoneOffset(each.at)}`}><Age at={each.at} past /></td>
              <td>
                {at > 0 && each.step !== "deleted" && <GuardedButton reason={reason} onPress={() => setRestoring(each.version)}>{t("history.restore")}</GuardedButton>}
              </td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      <div class="history-diff">
        <p class="diff-choice">
          <label>{t("history.from")} <VersionChoice value={from} options={names} onChange={(version) => setQuery({ from: version })} /></label>
          <label>{t("history.to")} <VersionChoice value={after} options={names} onChange={(version) => setQuery({ to: version })} /></label>
        </p>
        <ResourceView resource={texts} compact>
          {({ old, next }) => <TextDiff before={old ?? editor.text} after={next ?? editor.text} label={t("history.diff")} />}
        </ResourceView>
      </div>
      {restoring !== null && <Restore group={group} version={restoring} tag={editor.base.tag} onClose={() => setRestoring(null)} onDone={onRestored} />}
    </div>
  );
}

function VersionChoice({ value, options, onChange }: { value: string; options: readonly (readonly [string, string])[]; onChange(value: string): void }) {
  return (
    <select class="choice" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {options.map(([each, text]) => <option key={each} value={each} selected={each === value}>{text}</option>)}
    </select>
  );
}

export function Restore({ group, version, tag, onClose, onDone }: { group: string; version: number; tag: string | null; onClose(): void; onDone(): void }) {
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const restore = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await rulesApi.restore(group, version, why.trim(), tag);
      onDone();
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("history.restore.title", { n: version })} onClose={onClose}>
      <form class="dialog-form" onSubmit={(event) => (event.preventDefault(), void restore())}>
        <p>{t("history.restore.why")}</p>
        <TextField label={t("history.why")} value={why} onInput={setWhy} maxLength={1000} required autofocus />
        {failure !== null && <Mishap {...problemText(failure)} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>{t("form.cancel")}</button>
          <button type="submit" class="button primary" disabled={busy || why.trim() === ""}>{busy ? t("form.wait") : t("history.restore")}</button>
        </div>
      </form>
    </Dialog>
  );
}
