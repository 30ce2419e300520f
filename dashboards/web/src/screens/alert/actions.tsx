/** What a person can do about an alert: each deed with its reason where it may not be done, one note for all. */
import { useEffect, useRef } from "preact/hooks";
import type { Tagged } from "../../api/client";
import type { AlertDetail } from "../../api/types";
import { dateTime } from "../../format/time";
import { t } from "../../i18n";
import { useKeys } from "../../keys";
import { back, go, to } from "../../router";
import { notice } from "../../state/acknowledge";
import type { Deed } from "../../state/deeds";
import { whyNot, whyNoAlertChange } from "../../state/rights";
import { GuardedButton } from "../../ui/guarded-button";
import { HandlingLine, HeldBadges } from "../../ui/handling";
import { Mishap } from "../../ui/mishap";
import { Panel } from "../../ui/panel";
import { peopleOf } from "../../state/known-people";
import { DeedFields } from "./deed-fields";
import { EntryText } from "./log";
import { asks, useDeeds, type DeedWork } from "./use-deeds";

/** Beside acknowledging and noting, in the order of an alert's way through hands. */
const BUTTONS: readonly (readonly [deed: Deed, key: string])[] = [
  ["accept", "c"],
  ["assign", "s"],
  ["hand_over", "h"],
  ["return", "b"],
];

export function Actions({ tagged }: { tagged: Tagged<AlertDetail> }) {
  const alert = tagged.value;
  const work = useDeeds(tagged);
  const field = useRef<HTMLTextAreaElement>(null);
  const panel = useRef<HTMLFormElement>(null);
  const open = alert.state === "firing" && alert.acknowledged === null;
  const noRight = whyNoAlertChange(alert);
  const onShelf: Deed = alert.shelved === null ? "shelve" : "unshelve";
  const press = (deed: Deed) => {
    const why = work.whyNot(deed);
    if (why !== null) notice.value = why;
    else if (asks(deed)) work.choose(deed);
    else void work.run(deed);
  };
  useKeys({
    a: () => (open ? press("acknowledge") : false),
    c: () => press("accept"),
    s: () => press("assign"),
    h: () => press("hand_over"),
    b: () => press("return"),
    z: () => press(onShelf),
    m: () => go(silenceThis(alert)),
    n: () => field.current?.focus(),
    r: () => {
      notice.value = t(alert.state === "firing" ? "alert.ends_itself" : "deed.not.ended");
    },
    Escape: () => {
      const here = document.activeElement;
      if (here instanceof HTMLElement && panel.current?.contains(here) && here.matches("input, textarea, select")) return here.blur();
      return work.open === null ? back() : work.close();
    },
  });
  // A form that opens by a key takes the keyboard.
  useEffect(() => {
    if (work.open !== null) panel.current?.querySelector<HTMLElement>(".deed-fields [data-first], .deed-fields select, .deed-fields textarea")?.focus();
  }, [work.open]);
  return (
    <Panel title={t(alert.acknowledged ? "alerts.acknowledged" : alert.state === "resolved" ? "alert.never_acked" : "alert.not_acked")} class="actions">
      <Standing alert={alert} />
      {work.meanwhile.length > 0 && <Meanwhile work={work} alert={alert} />}
      {work.failure !== null && <Mishap what={work.failure.what} hint={[work.failure.hint, work.input.note.trim() === "" ? "" : t("deed.note_kept")].filter((part) => part !== "").join(" ")} />}
      <form
        ref={panel}
        onSubmit={(event) => {
          event.preventDefault();
          void work.run(work.open ?? (open ? "acknowledge" : "note"));
        }}
      >
        {work.open === null ? (
          <>
            <label class="spoken" for="alert-note">{t("alert.note")}</label>
            <textarea id="alert-note" ref={field} rows={3} value={work.input.note} maxLength={2000} readOnly={noRight !== null} placeholder={noRight !== null ? "" : open ? t("alert.note.placeholder") : t("alert.note")} onInput={(event) => work.setNote(event.currentTarget.value)} />
            <div class="buttons">
              {open && (
                <GuardedButton type="submit" class="button primary" reason={work.whyNot("acknowledge")} disabled={work.busy} onPress={() => undefined}>
                  {t("alerts.ack")} <kbd>a</kbd>
                </GuardedButton>
              )}
              <GuardedButton reason={work.whyNot("note")} disabled={work.busy || !work.ready("note")} onPress={() => void work.run("note")}>
                {t("alert.note.add")}
              </GuardedButton>
            </div>
          </>
        ) : (
          <DeedForm work={work} deed={work.open} alert={alert} />
        )}
      </form>
      <div class="deed-buttons" role="group" aria-label={t("deed.more")}>
        {[...BUTTONS, [onShelf, "z"] as const].map(([deed, key]) => (
          <GuardedButton key={deed} class={`button${work.open === deed ? " chosen" : ""}`} reason={work.whyNot(deed)} disabled={work.busy} onPress={() => press(deed)}>
            {t(`deed.${deed}`)} <kbd>{key}</kbd>
          </GuardedButton>
        ))}
        <GuardedButton reason={alert.state === "resolved" ? t("deed.not.ended") : whyNot("operator", alert.rule.department)} onPress={() => go(silenceThis(alert))}>
          {t("deed.silence")} <kbd>m</kbd>
        </GuardedButton>
      </div>
      {noRight !== null && <p class="muted why-not">{noRight}</p>}
      {alert.runbook !== null && (
        <p>
          <a href={alert.runbook} target="_blank" rel="noreferrer noopener">{t("alert.runbook")} ↗</a>
        </p>
      )}
    </Panel>
  );
}

/** A silence for just this rule and subject, to be confirmed there. */
function silenceThis(alert: AlertDetail): string {
  const { subject } = alert;
  const about = subject.type === "series" ? `series:${subject.device}/${subject.metric}` : subject.type === "device" ? `device:${subject.device}` : `zone:${subject.zone}`;
  return to.newSilence({ rule: alert.rule.id, subject: about });
}

/** How it stands: who knows of it, who has it, what keeps others from hearing of it. */
function Standing({ alert }: { alert: AlertDetail }) {
  const { acknowledged, shelved, handling } = alert;
  return (
    <div class="standing">
      {acknowledged && (
        <p class="acknowledged">
          <strong>{acknowledged.by}</strong> <time dateTime={acknowledged.at}>{dateTime(acknowledged.at)}</time>
          {acknowledged.note !== null && acknowledged.note !== "" && <q>{acknowledged.note}</q>}
        </p>
      )}
      <p class="standing-handling">
        <HandlingLine alert={alert} />
        {handling.overdue_count > 0 && <span class="badge">{t("handling.overdue_count", { n: handling.overdue_count })}</span>}
      </p>
      {(shelved !== null || alert.silenced_by.length > 0 || alert.inhibited_by.length > 0) && (
        <p class="standing-held">
          <HeldBadges alert={alert} links />
          {shelved !== null && <span class="muted">{t("held.shelved.why", { who: shelved.by, time: dateTime(shelved.until), reason: shelved.reason })}</span>}
          {alert.inhibited_by.map((id) => <a key={id} href={to.alert(id)}>{t("held.inhibited.by")}</a>)}
        </p>
      )}
      {alert.state === "firing" && <p class="muted">{t("alert.ends_itself")}</p>}
    </div>
  );
}

function DeedForm({ work, deed, alert }: { work: DeedWork; deed: Deed; alert: AlertDetail }) {
  const title = t(`deed.${deed}`);
  return (
    <fieldset class="deed-form">
      <legend>{title}</legend>
      <DeedFields deed={deed} input={work.input} holder={alert.handling.holder ?? alert.rule.department} people={peopleOf(alert)} onChange={work.setInput} />
      <div class="buttons">
        <GuardedButton type="submit" class="button primary" reason={work.whyNot(deed)} disabled={work.busy || !work.ready(deed)} onPress={() => undefined}>
          {work.busy ? t("form.wait") : title}
        </GuardedButton>
        <button type="button" class="button" onClick={work.close}>{t("form.cancel")}</button>
      </div>
    </fieldset>
  );
}

/** Somebody else acted while this person wrote: who, what and when, before anything goes on. */
function Meanwhile({ work, alert }: { work: DeedWork; alert: AlertDetail }) {
  return (
    <section class="meanwhile" role="alert">
      <h3>{t("deed.meanwhile")}</h3>
      <ul>
        {work.meanwhile.map((entry) => (
          <li key={entry.seq}>
            <time dateTime={entry.at}>{dateTime(entry.at)}</time> <EntryText entry={entry} alert={alert} />
          </li>
        ))}
      </ul>
      <p>{t(work.input.note.trim() === "" ? "deed.meanwhile.why" : "deed.meanwhile.kept")}</p>
      <button
        type="button"
        class="button"
        onClick={() => {
          work.look();
          notice.value = null;
        }}
      >
        {t("deed.meanwhile.seen")}
      </button>
    </section>
  );
}
