/** Makes a silence: which alerts, with what it would hide now beside it; until when, and why. */
import { useState } from "preact/hooks";
import { SEVERITIES } from "../../api/codes";
import { alertWork } from "../../api/alerts";
import { problemText } from "../../api/problem-text";
import type { AlertMatch, Severity } from "../../api/types";
import { counted, local, t } from "../../i18n";
import { useKeys } from "../../keys";
import { back, go, query, to } from "../../router";
import { alertBook, alertVersion, serverCounts } from "../../state/alert-book";
import { departments, zones, system } from "../../state/city";
import { serverNow } from "../../state/clock";
import { DAY_MS } from "../../state/deeds";
import { loaded } from "../../state/live";
import { useResource } from "../../state/resource";
import { isCrossed, isEmptyMatch, matchesAlert, whyNoSilence } from "../../state/silence-match";
import { Choice } from "../../ui/choice";
import { Field } from "../../ui/field";
import { GuardedButton } from "../../ui/guarded-button";
import { Mishap } from "../../ui/mishap";
import { Panel } from "../../ui/panel";
import { Loading } from "../../ui/resource-view";
import { PickList } from "../../ui/pick-list";
import { UntilField, untilIn, untilOf, type UntilDraft } from "../../ui/until-field";
import { parseWallClock } from "../../format/wall-clock";
import { zoneOffset } from "../../format/time";
import { AlertLines } from "./preview";
import { subjectName } from "./match-text";
import { labelsOf, listOf, weeklyOf, EVERY_DAY, type WeekDraft } from "./silence-draft";
import { WeeklyFields } from "./weekly-fields";

const SPANS = [60, 120, 240, 480, 1440, 4320, 10_080, 43_200] as const;

/** What the address asks for stands where it is seen. */
function pickedFirst(options: readonly (readonly [string, string])[], wanted: string | null): (readonly [string, string])[] {
  const first = listOf(wanted ?? "");
  return [...options].sort((a, b) => Number(first.includes(b[0])) - Number(first.includes(a[0])));
}

export function NewSilenceScreen() {
  void alertVersion.value;
  const params = query.peek();
  const [rule, setRule] = useState<string[]>(listOf(params.get("rule") ?? ""));
  const [zone, setZone] = useState<string[]>(listOf(params.get("zone") ?? ""));
  const [department, setDepartment] = useState<string[]>(listOf(params.get("department") ?? ""));
  const [subject, setSubject] = useState<string | null>(params.get("subject"));
  const [device, setDevice] = useState(params.get("device") ?? "");
  const [labels, setLabels] = useState("");
  const [least, setLeast] = useState<Severity | null>(null);
  const [most, setMost] = useState<Severity | null>(null);
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState<UntilDraft>(untilIn(120));
  const [begins, setBegins] = useState("");
  const [week, setWeek] = useState<WeekDraft | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const rules = useResource("rules", (signal) => alertWork.rules(signal)).data ?? [];

  const readLabels = labelsOf(labels);
  const match: AlertMatch = {
    ...(rule.length > 0 && { rule }),
    ...(zone.length > 0 && { zone }),
    ...(department.length > 0 && { department }),
    ...(subject !== null && { subject: [subject] }),
    ...(listOf(device).length > 0 && { device: listOf(device) }),
    ...(readLabels !== null && Object.keys(readLabels).length > 0 && { labels: readLabels }),
    ...(least !== null && { severity_at_least: least }),
    ...(most !== null && { severity_at_most: most }),
  };
  const empty = isEmptyMatch(match);
  const why = empty ? null : whyNoSilence(match, rules);
  const hits = empty ? [] : [...alertBook.all()].filter((alert) => alert.state === "firing" && matchesAlert(match, alert));
  const mostMs = (week === null ? 30 : 366) * DAY_MS;
  const nowMs = serverNow();
  const end = untilOf(until, nowMs);
  const start = begins.trim() === "" ? nowMs : parseWallClock(begins);
  const weekly = week === null ? null : weeklyOf(week, system.value?.city.time_zone ?? "UTC");
  const ready = !empty && !isCrossed(match) && readLabels !== null && reason.trim() !== "" && end !== null && start !== null && end > start && end - nowMs <= mostMs && (week === null || weekly !== null);

  const make = async () => {
    const endNow = untilOf(until, serverNow());
    if (!ready || busy || why !== null || endNow === null) return;
    setBusy(true);
    setFailure(null);
    try {
      const made = await alertWork.makeSilence({ match, reason: reason.trim(), starts_at: begins.trim() === "" ? null : new Date(start).toISOString(), ends_at: new Date(endNow).toISOString(), weekly });
      go(to.silence(made.id), { replace: true });
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  useKeys({ Escape: () => (document.activeElement instanceof HTMLElement && document.activeElement.matches("input, textarea, select") ? document.activeElement.blur() : back()) });

  const zoneOptions = (zones.value?.features ?? []).map(({ properties }) => [properties.id, local(properties.name) || properties.id] as const);
  zoneOptions.sort((a, b) => a[1].localeCompare(b[1]));
  const severityOptions = (any: string) => [["", any], ...SEVERITIES.map((severity) => [severity, t(`severity.${severity}`)] as const)] as const;
  return (
    <div class="columns new-silence">
      <form
        class="panel panel-form column-main"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <h1>{t("silences.new")}</h1>
        <p class="muted">{t("silence.new.why")}</p>
        {subject !== null && (
          <p class="silence-subject">
            {t("silence.only_subject")} <strong>{subjectName(subject)}</strong>
            <button type="button" class="plain" onClick={() => setSubject(null)}>{t("silence.any_subject")}</button>
          </p>
        )}
        <div class="form-columns three">
          <PickList title={t("alert.rule")} none={t("table.rule.any")} options={pickedFirst(rules.map(({ id, name }) => [id, local(name) || id] as const), params.get("rule"))} picked={rule} onPick={setRule} />
          <PickList title={t("alert.zone")} none={t("alerts.zone.any")} options={zoneOptions} picked={zone} onPick={setZone} />
          <PickList title={t("alert.department")} none={t("filter.department.any")} options={departments.value.map(({ id, name }) => [id, local(name) || id] as const)} picked={department} onPick={setDepartment} />
        </div>
        <div class="form-columns three">
          <Field label={t("alert.device")} hint={t("silence.device.hint")}>
            {(parts) => <input {...parts} class="input" value={device} autocomplete="off" spellcheck={false} onInput={(event) => setDevice(event.currentTarget.value)} />}
          </Field>
          <Field label={t("alert.labels")} hint={t("silence.labels.hint")} error={readLabels === null ? t("silence.labels.wrong") : null}>
            {(parts) => <input {...parts} class="input" value={labels} autocomplete="off" spellcheck={false} placeholder="team=north" onInput={(event) => setLabels(event.currentTarget.value)} />}
          </Field>
          <div class="field">
            <span class="field-name">{t("severity.label")}</span>
            <span class="silence-severities">
              <label>{t("silence.least")} <Choice label={t("silence.least")} value={least ?? ""} options={severityOptions(t("silence.any"))} onChange={(value) => setLeast((value || null) as Severity | null)} /></label>
              <label>{t("silence.most")} <Choice label={t("silence.most")} value={most ?? ""} options={severityOptions(t("silence.any"))} onChange={(value) => setMost((value || null) as Severity | null)} /></label>
            </span>
            {isCrossed(match) && <p class="field-error" role="alert">{t("silence.crossed")}</p>}
          </div>
        </div>
        <div class="form-columns">
          <Field label={<>{t("silence.begin")}<span class="muted"> · {t("form.optional")}</span></>} hint={t("silence.begin.hint", { offset: zoneOffset(nowMs) })} error={start === null ? t("audit.moment.wrong") : null}>
            {(parts) => <input {...parts} class="input moment" value={begins} placeholder={t("audit.moment")} autocomplete="off" onInput={(event) => setBegins(event.currentTarget.value)} />}
          </Field>
          <UntilField label={t("silence.until")} value={until} spans={SPANS} mostMs={mostMs} onChange={setUntil} />
        </div>
        <label class="check">
          <input type="checkbox" checked={week !== null} onChange={(event) => setWeek(event.currentTarget.checked ? { days: [...EVERY_DAY], from: "22:00", to: "06:00" } : null)} />
          <span>{t("silence.weekly")}<span class="field-hint">{t("silence.weekly.hint")}</span></span>
        </label>
        {week !== null && <WeeklyFields week={week} zone={system.value?.city.time_zone ?? ""} onChange={setWeek} />}
        <Field label={t("deed.reason")} hint={t("silence.reason.hint")}>
          {(parts) => <textarea {...parts} rows={2} maxLength={2000} required value={reason} onInput={(event) => setReason(event.currentTarget.value)} />}
        </Field>
        {failure !== null && <Mishap {...problemText(failure)} />}
        {why !== null && <p class="muted why-not">{why}</p>}
        <div class="form-actions">
          <GuardedButton type="submit" class="button primary" reason={why} disabled={!ready || busy} onPress={() => undefined}>
            {busy ? t("form.wait") : t("silence.make")}
          </GuardedButton>
          <a class="button" href={to.silences()}>{t("form.cancel")}</a>
          {empty && <span class="muted">{t("silence.empty")}</span>}
        </div>
      </form>
      <div class="column-side">
        <Panel title={t("silence.preview")} note={<span role="status">{empty ? t("silence.preview.none_yet") : counted("silence.alerts", hits.length)}</span>}>
          {serverCounts.value !== null && <p class="note">{t("silence.preview.part")}</p>}
          {!loaded.value ? <Loading /> : hits.length === 0 ? <p class="state">{t(empty ? "silence.empty" : "silence.preview.none")}</p> : <AlertLines alerts={hits} />}
        </Panel>
      </div>
    </div>
  );
}
