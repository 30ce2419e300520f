/** What is edited, whose it is, what became of the draft, and undo. */
import { dateTime, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { to } from "../../router";
import { departmentName } from "../../state/city";
import { scalarAt } from "../../rulefile/yaml";
import { Age } from "../../ui/age";
import { GuardedButton } from "../../ui/guarded-button";
import type { EditorProps } from "./editor";
import type { GroupEditor } from "./use-group-editor";

interface Props extends EditorProps {
  editor: GroupEditor;
  reason: string | null;
  onPublish(): void;
}

export function EditorHead({ group, info, editor, reason, onPublish }: Props) {
  const department = scalarAt(editor.root, ["department"]);
  const changed = editor.base.tag !== null && info !== null && info.etag !== "" && `"${info.etag}"` !== editor.base.tag && info.etag !== editor.base.tag;
  return (
    <>
      <header class="list-head editor-head">
        <h1>
          <a class="crumb" href={to.ruleGroups()}>{t("rules.groups")}</a> {group ?? (editor.name || t("rules.group.new"))}
        </h1>
        {department !== "" && <span class="muted">{departmentName(department)}</span>}
        {info?.read_only && <span class="badge">{t("rules.read_only")}</span>}
        {info?.version != null && (
          <span class="muted">
            {t("rules.version", { n: info.version })} · {info.by} · <Age at={info.at} past />
          </span>
        )}
        {editor.dirty && <span class="badge badge-open">{t("rules.unpublished")}</span>}
        <span class="list-total head-buttons">
          <button type="button" class="button" disabled={!editor.history.canUndo} onClick={() => editor.history.undo()} title="Ctrl+Z">{t("editor.undo")}</button>
          <button type="button" class="button" disabled={!editor.history.canRedo} onClick={() => editor.history.redo()} title="Ctrl+Y">{t("editor.redo")}</button>
          <GuardedButton class="button primary" reason={reason} onPress={onPublish}>{t("rules.publish.open")}</GuardedButton>
        </span>
      </header>
      {info?.read_only && <p class="note" role="note">{t("rules.read_only.try", { files: info.files.join(", ") })}</p>}
      {info !== null && info.problems.length > 0 && <p class="note" role="alert">{t("rules.group.disabled", { why: info.problems[0]?.message ?? "" })}</p>}
      {editor.restored !== null && (
        <p class="note draft-note" role="status">
          <span>{t("rules.draft.restored", { time: `${dateTime(editor.restored)} ${zoneOffset(editor.restored)}` })}</span>
          <button type="button" class="button" onClick={editor.discard}>{t("rules.draft.discard")}</button>
        </p>
      )}
      {changed && <p class="note" role="status">{t("rules.changed_meanwhile")}</p>}
      {!editor.kept && <p class="note" role="alert">{t("rules.draft.not_kept")}</p>}
    </>
  );
}
