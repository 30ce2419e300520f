/** Why a rule did or did not fire about something at an instant. */
import { useEffect, useId, useState } from "preact/hooks";
import { rulesApi, type Rule, type RuleExplanation } from "../../api/rules";
import { plainValue, valueWithUnit } from "../../format/number";
import { clockTime, dateTime, inCityTime, zoneOffset } from "../../format/time";
import { parseWallClock, wallClock } from "../../format/wall-clock";
import { local, t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { metricName, metricOf, zones } from "../../state/city";
import { now } from "../../state/clock";
import { fleet } from "../../state/fleet";
import { useResource } from "../../state/resource";
import { DataTable } from "../../ui/data-table";
import { ResourceView } from "../../ui/resource-view";
import { QualityWord } from "../../ui/quality";

const MOST_OFFERED = 400;

export function ExplainPanel({ rule }: { rule: Rule }) {
  const params = query.value;
  const subject = params.get("subject");
  const at = params.get("at");
  const resource = useResource(subject === null ? null : `explain|${rule.id}|${subject}|${at ?? ""}`, (signal) => rulesApi.explain(rule.id, { subject, at }, signal));
  return (
    <div class="explain">
      <Question rule={rule} subject={subject ?? ""} at={at} />
      {subject === null ? <p class="state">{t("explain.ask")}</p> : <ResourceView resource={resource} compact missing="explain.no_subject">{(held) => <Answer rule={rule} held={held} />}</ResourceView>}
    </div>
  );
}

function Question({ rule, subject, at }: { rule: Rule; subject: string; at: string | null }) {
  const given = at !== null && Number.isFinite(Date.parse(at)) ? wallClock(Date.parse(at)) : "";
  const [what, setWhat] = useState(subject);
  const [when, setWhen] = useState(given);
  const list = useId();
  useEffect(() => setWhat(subject), [subject]);
  useEffect(() => setWhen(given), [given]);
  const moment = when.trim() === "" ? null : parseWallClock(when);
  const wrong = when.trim() !== "" && moment === null;
  return (
    <form class="filters" onSubmit={(event) => (event.preventDefault(), !wrong && what.trim() !== "" && setQuery({ subject: what.trim(), at: moment === null ? null : new Date(moment).toISOString() }, { push: true }))}>
      <label class="filter">
        <span>{t("explain.subject")}</span>
        <input class="input subject" list={list} value={what} autocomplete="off" spellcheck={false} onInput={(event) => setWhat(event.currentTarget.value)} />
      </label>
      <datalist id={list}>{offered(rule).map((id) => <option key={id} value={id} />)}</datalist>
      <label class="filter">
        <span>{t("explain.at")}</span>
        <input class="input moment" value={when} placeholder={t("explain.now")} aria-invalid={wrong} title={wrong ? t("audit.moment.wrong") : undefined} autocomplete="off" spellcheck={false} onInput={(event) => setWhen(event.currentTarget.value)} />
      </label>
      <span class="muted">{zoneOffset(now.value)}</span>
      <button type="submit" class="button primary" disabled={wrong || what.trim() === ""}>{t("explain.go")}</button>
    </form>
  );
}

/** What the rule can be about, as far as a list helps. */
function offered({ kind, select }: Rule): string[] {
  const zoned = kind === "zone_aggregate" || kind === "k_of_n";
  if (zoned) return (zones.value?.features ?? []).map(({ properties }) => properties.id).slice(0, MOST_OFFERED);
  const found: string[] = [];
  for (let at = 0; at < fleet.size && found.length < MOST_OFFERED; at += 1) {
    const device = fleet.at(at);
    if (device && (select.kind.length === 0 || select.kind.includes(device.kind))) found.push(select.metric.length > 1 ? `${device.id}/${select.metric[0]}` : device.id);
  }
  return found;
}

function Answer({ rule, held }: { rule: Rule; held: RuleExplanation }) {
  const metric = metricOf(held.subject.type === "series" ? held.subject.metric : rule.select.metric[0]);
  const decimals = metric?.decimals ?? 1;
  // What other kinds judge is made of readings and need not have their unit.
  const judged = { decimals, symbol: rule.kind === "threshold" ? (metric?.symbol ?? "") : "" };
  return (
    <div class="answer">
      <p class={`outcome outcome-${held.verdict}`} data-verdict={held.verdict}>
        <span class="badge badge-open">{t(`explain.verdict.${held.verdict}`)}</span> <strong>{inCityTime(local(held.sentence))}</strong>
      </p>
      <p class="muted">
        {t("explain.rule.looked", { from: dateTime(held.from), at: `${dateTime(held.at)} ${zoneOffset(held.at)}`, n: held.readings })}
        {held.until !== null && ` ${t("explain.until", { time: dateTime(held.until) })}`}
      </p>
      {held.nearest_miss !== null && <p>{t("explain.nearest", { value: valueWithUnit(held.nearest_miss.value, judged), limit: valueWithUnit(held.nearest_miss.limit, judged), time: dateTime(held.nearest_miss.at) })}</p>}
      {held.mismatches.length > 0 && <ul class="plain-list">{held.mismatches.map((each, at) => <li key={at}>{inCityTime(local(each.text))}</li>)}</ul>}
      {Object.entries(held.untrusted).length > 0 && (
        <p>{t("explain.rule.untrusted")} {Object.entries(held.untrusted).map(([flag, count]) => `${isQuality(flag) ? t(`quality.${flag}`) : flag}: ${count}`).join(t("list.and"))}</p>
      )}
      {held.silences.length > 0 && <ul class="plain-list">{held.silences.map((each) => <li key={each.id}>{t("explain.rule.silenced", { owner: each.owner, reason: each.reason, time: dateTime(each.ends_at) })}</li>)}</ul>}
      {held.alerts.length > 0 && (
        <p>
          {t("explain.alerts")}{" "}
          {held.alerts.map((alert) => <a key={alert.id} class="chip" href={to.alert(alert.id)}>{dateTime(alert.fired_at)}</a>)}
        </p>
      )}
      {held.steps.length > 0 && <Steps held={held} decimals={decimals} symbol={judged.symbol} />}
      {held.steps_left_out > 0 && <p class="muted">{t("explain.left_out", { n: held.steps_left_out })}</p>}
      {held.caveats.length > 0 && <p class="muted">{held.caveats.map((each) => inCityTime(local(each))).join(" · ")}</p>}
    </div>
  );
}

const isQuality = (flag: string): flag is "pass" | "not_evaluated" | "suspect" | "fail" | "missing" => ["pass", "not_evaluated", "suspect", "fail", "missing"].includes(flag);

const STEPS = ["retained", "future", "duplicate", "out_of_order", "inserted", "late", "untrusted", "not_numeric", "no_limit", "outside_zones", "no_result", "too_few_devices", "judged", "followed", "off_schedule", "on_schedule", "held_back", "heard", "silent", "pending", "ceased", "recovering", "fired", "escalated", "deescalated", "resolved", "overdue"] as const;

const stepName = (decision: string) => (STEPS.includes(decision as (typeof STEPS)[number]) ? t(`explain.step.${decision as (typeof STEPS)[number]}`) : decision);

function Steps({ held, decimals, symbol }: { held: RuleExplanation; decimals: number; symbol: string }) {
  const unit = symbol === "" ? "" : ` (${symbol})`;
  return (
    <div class="steps" tabIndex={0} role="region" aria-label={t("explain.rule.steps")}>
      <DataTable>
        <thead>
          <tr>
            <th scope="col">{t("explain.time")}</th>
            <th scope="col">{t("explain.decision")}</th>
            <th scope="col">{t("explain.why")}</th>
            <th scope="col" class="right">{t("alert.value") + unit}</th>
            <th scope="col" class="right">{t("alert.limit") + unit}</th>
            <th scope="col">{t("quality.label")}</th>
          </tr>
        </thead>
        <tbody>
          {[...held.steps].reverse().map((step, at) => (
            <tr key={at}>
              <td><time dateTime={step.at} title={dateTime(step.at)}>{clockTime(step.at)}</time></td>
              <td>{stepName(step.decision)}</td>
              <td class="wide">{inCityTime(local(step.text))}</td>
              <td class="right">{plainValue(step.value ?? step.reading?.value ?? null, decimals)}</td>
              <td class="right">{plainValue(step.limit, decimals)}</td>
              <td>{step.reading && <QualityWord quality={step.reading.quality} />}{step.reading?.metric && held.subject.type !== "series" && <span class="under">{metricName(step.reading.metric)}</span>}</td>
            </tr>
          ))}
        </tbody>
      </DataTable>
    </div>
  );
}
