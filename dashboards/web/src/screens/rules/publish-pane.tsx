/** Publishing a text: what it would do, why it is done, and what to do if somebody was faster. */
import { useState } from "preact/hooks";
import { ApiError } from "../../api/client";
import { problemText } from "../../api/problem-text";
import { rulesApi, type RuleReload } from "../../api/rules";
import { local, t, counted } from "../../i18n";
import { go, to } from "../../router";
import { joined, mergeTexts, type MergePart } from "../../rulefile/diff";
import { dropDraft } from "../../state/drafts";
import { TextField } from "../../ui/field";
import { GuardedButton } from "../../ui/guarded-button";
import { CheckIcon } from "../../ui/icons";
import { Mishap } from "../../ui/mishap";
import { TextDiff } from "../../ui/text-diff";
import type { EditorProps } from "./editor";
import type { GroupEditor, Present } from "./use-group-editor";

interface Props extends EditorProps {
  editor: GroupEditor;
  reason: string | null;
}

interface Clash {
  theirs: Present & { by: string; why: string };
  parts: readonly MergePart[];
}

export function PublishPane({ group, editor, reason, reload, info, file }: Props) {
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [clash, setClash] = useState<Clash | null>(null);
  const [done, setDone] = useState<RuleReload | null>(null);
  const { checked, base, text } = editor;
  const faulty = checked !== null && checked.text === text && checked.faults.length > 0;
  const ready = why.trim() !== "" && editor.dirty && !faulty && !busy && clash === null && editor.name !== "";

  const publish = async () => {
    setBusy(true);
    setFailure(null);
    setDone(null);
    const name = group ?? editor.name;
    try {
      const { value, tag } = await rulesApi.putGroup(name, text, why.trim(), base.tag);
      editor.settle({ text, tag }, text);
      dropDraft(`rules.${group ?? ""}.${file ?? ""}`);
      setDone(value.reload);
      setWhy("");
      if (group === null) go(to.ruleGroup(name), { replace: true });
      else reload();
    } catch (error) {
      if (group !== null && error instanceof ApiError && error.status === 412) setClash(await clashOf(group, base, text).catch(() => null));
      setFailure(error);
    }
    setBusy(false);
  };

  return (
    <div class="publish-pane">
      <div class="publish-do">
        {reason !== null && <p class="note">{reason}</p>}
        {done !== null && <p class="outcome outcome-good" role="status"><CheckIcon /> <strong>{t("publish.done")}</strong></p>}
        {done !== null && <ReloadView reload={done} done />}
        {done === null && !editor.dirty && group !== null && <p class="state">{t("publish.same")}</p>}
        {editor.dirty && faulty && <p class="note" role="alert">{t("publish.faulty")}</p>}
        {editor.dirty && checked?.text === text && checked.reload !== null && <ReloadView reload={checked.reload} done={false} />}
        {clash !== null && (
          <ClashPanel
            clash={clash}
            onTake={(merged) => {
              editor.settle({ text: clash.theirs.text, tag: clash.theirs.tag }, merged);
              setClash(null);
              setFailure(null);
            }}
          />
        )}
        {failure !== null && clash === null && <Mishap {...problemText(failure)} />}
        <form class="publish-form" onSubmit={(event) => (event.preventDefault(), void (ready && publish()))}>
          <TextField label={t("publish.why")} hint={t("publish.why.why")} value={why} onInput={setWhy} maxLength={1000} required readOnly={reason !== null} />
          <GuardedButton type="submit" class="button primary" reason={reason} disabled={!ready} onPress={() => undefined}>
            {busy ? t("form.wait") : t(group === null ? "publish.make" : "publish.go")}
          </GuardedButton>
          {group !== null && info?.read_only === false && <DeleteGroup group={group} tag={base.tag ?? ""} reason={reason} why={why} />}
        </form>
      </div>
      <div class="publish-diff">
        <h3>{t("publish.diff")}</h3>
        <TextDiff before={base.tag === null ? "" : base.text} after={text} label={t("publish.diff")} />
      </div>
    </div>
  );
}

async function clashOf(group: string, base: Present, mine: string): Promise<Clash> {
  const { value, tag } = await rulesApi.group(group);
  const theirs = { text: value.texts[0]?.text ?? "", tag, by: value.by ?? "", why: value.why ?? "" };
  return { theirs, parts: mergeTexts(base.text, mine, theirs.text) };
}

/** What publishing does to the rules in force and their alerts. */
function ReloadView({ reload, done }: { reload: RuleReload; done: boolean }) {
  const lines = (["added", "changed", "retold", "removed"] as const).filter((each) => reload[each].length > 0);
  return (
    <div class="reload-view">
      <h3>{t(done ? "publish.did" : "publish.would")}</h3>
      <dl class="facts">
        {lines.map((each) => (
          <div key={each}>
            <dt>{t(`publish.${each}`)}</dt>
            <dd>{reload[each].join(", ")} <span class="muted">{t(`publish.${each}.why`)}</span></dd>
          </div>
        ))}
        <div>
          <dt>{t("publish.kept")}</dt>
          <dd>{counted("publish.rules", reload.kept)}</dd>
        </div>
      </dl>
      {reload.ended.length > 0 && (
        <>
          <p class="note">{counted("publish.ends", reload.ended.length)}</p>
          <ul class="plain-list">
            {reload.ended.slice(0, 10).map((each) => (
              <li key={each.alert}><a href={to.alert(each.alert)}>{each.rule}: {each.subject}</a> <span class="muted">{local(each.reason)}</span></li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Somebody published meanwhile: what both did is joined; where both changed the same lines, one chooses. */
function ClashPanel({ clash, onTake }: { clash: Clash; onTake(merged: string): void }) {
  const clashes = clash.parts.filter((part) => part.kind === "clash");
  const [sides, setSides] = useState<readonly ("mine" | "theirs" | null)[]>(clashes.map(() => null));
  const open = sides.some((side) => side === null);
  return (
    <section class="conflict" role="alert">
      <h2>{t("publish.clash", { by: clash.theirs.by || t("publish.somebody") })}</h2>
      {clash.theirs.why !== "" && <q>{clash.theirs.why}</q>}
      <p>{t(clashes.length === 0 ? "publish.clash.easy" : "publish.clash.why")}</p>
      {clashes.map((part, at) => (
        <fieldset key={at} class="text-clash">
          <legend>{t("publish.clash.place", { n: at + 1 })}</legend>
          {(["mine", "theirs"] as const).map((side) => (
            <label key={side}>
              <input type="radio" name={`clash-${at}`} checked={sides[at] === side} onChange={() => setSides(sides.map((each, place) => (place === at ? side : each)))} />
              <span class="muted">{t(`conflict.${side}`)}</span>
              <pre>{part[side] === "" ? t("publish.clash.nothing") : part[side]}</pre>
            </label>
          ))}
        </fieldset>
      ))}
      <button type="button" class="button primary" disabled={open} onClick={() => onTake(joined(clash.parts, (at) => sides[at] ?? "theirs"))}>{t("publish.clash.take")}</button>
    </section>
  );
}

function DeleteGroup({ group, tag, reason, why }: { group: string; tag: string; reason: string | null; why: string }) {
  const [sure, setSure] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const drop = async () => {
    if (!sure) return setSure(true);
    try {
      await rulesApi.deleteGroup(group, why.trim(), tag);
      go(to.ruleGroups());
    } catch (error) {
      setFailure(error);
      setSure(false);
    }
  };
  return (
    <>
      <GuardedButton class="button danger" reason={reason ?? (why.trim() === "" ? t("publish.delete.why") : null)} onPress={() => void drop()}>{t(sure ? "publish.delete.sure" : "publish.delete")}</GuardedButton>
      {failure !== null && <Mishap {...problemText(failure)} />}
    </>
  );
}
