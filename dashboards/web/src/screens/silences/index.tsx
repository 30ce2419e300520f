/** Silences: what outside receivers are not told of, by whom, why, until when, and how much that hid. */
import { useState } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import type { Silence, SilenceState } from "../../api/types";
import { number } from "../../format/number";
import { dateTime, zoneOffset } from "../../format/time";
import { counted, local, t } from "../../i18n";
import { useKeys } from "../../keys";
import { go, query, setQuery, to } from "../../router";
import { alertBook, alertVersion } from "../../state/alert-book";
import { loaded } from "../../state/live";
import { useResource } from "../../state/resource";
import { isAtLeast } from "../../state/session";
import { hiddenNow, whyNoSilence } from "../../state/silence-match";
import { whyNot } from "../../state/rights";
import { Countdown } from "../../ui/countdown";
import { DataTable } from "../../ui/data-table";
import { GuardedButton } from "../../ui/guarded-button";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { EndDialog } from "./end-dialog";
import { MatchWords, weeklyText } from "./match-text";

const STATES: readonly SilenceState[] = ["active", "pending", "expired"];
const REFRESH_MS = 15_000;

export function SilencesScreen() {
  const state = STATES.find((each) => each === query.value.get("state")) ?? "active";
  const cursor = query.value.get("cursor");
  const [ending, setEnding] = useState<Silence | null>(null);
  const resource = useResource(`silences|${state}|${cursor ?? ""}`, (signal) => alertWork.silences(state, cursor, signal), { everyMs: REFRESH_MS });
  const rules = useResource("rules", (signal) => alertWork.rules(signal)).data ?? [];
  const ruleName = (id: string) => local(rules.find((rule) => rule.id === id)?.name) || id;
  const items = resource.data?.items ?? [];
  const { selected } = useRowKeys(items.map(({ id }) => id), (id) => go(to.silence(id)));
  const none = isAtLeast("operator") ? null : whyNot("operator", null);
  useKeys({
    n: () => (none === null ? go(to.newSilence()) : false),
    e: () => {
      const silence = items.find(({ id }) => id === selected);
      if (!silence || silence.state === "expired" || whyNoSilence(silence.match, rules) !== null) return false;
      setEnding(silence);
      return true;
    },
  });
  return (
    <>
      <header class="list-head">
        <h1>{t("silences.title")}</h1>
        <span class="panel-note">{t("silences.why")}</span>
        <span class="list-total" />
        <div class="segments" role="group" aria-label={t("alerts.state")}>
          {STATES.map((each) => (
            <button key={each} type="button" aria-pressed={state === each} onClick={() => setQuery({ state: each === "active" ? null : each, cursor: null })}>
              {t(`silences.${each}`)}
            </button>
          ))}
        </div>
        <GuardedButton class="button primary" reason={none} onPress={() => go(to.newSilence())}>
          {t("silences.new")} <kbd>n</kbd>
        </GuardedButton>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("silences.title")}>
        <ResourceView resource={resource}>
          {(page) =>
            page.items.length === 0 ? (
              <p class="state state-page">{t(`silences.none.${state}`)}</p>
            ) : (
              <SilenceTable silences={page.items} selected={selected} ruleName={ruleName} whyNoEnd={(silence) => whyNoSilence(silence.match, rules)} onEnd={setEnding} />
            )
          }
        </ResourceView>
      </div>
      {resource.data?.next_cursor && (
        <nav class="pager"><button type="button" class="button" onClick={() => setQuery({ cursor: resource.data?.next_cursor ?? null }, { push: true })}>{t("devices.next")}</button></nav>
      )}
      {ending !== null && (
        <EndDialog
          silence={ending}
          onClose={(done) => {
            setEnding(null);
            if (done) resource.reload();
          }}
        />
      )}
    </>
  );
}

interface TableProps {
  silences: readonly Silence[];
  selected: string | null;
  ruleName(id: string): string;
  whyNoEnd(silence: Silence): string | null;
  onEnd(silence: Silence): void;
}

function SilenceTable({ silences, selected, ruleName, whyNoEnd, onEnd }: TableProps) {
  void alertVersion.value;
  return (
    <DataTable class="silences">
      <thead>
        <tr>
          <th scope="col">{t("silence.match")}</th>
          <th scope="col">{t("deed.reason")}</th>
          <th scope="col">{t("silence.owner")}</th>
          <th scope="col">{t("silence.time")}</th>
          <th scope="col" class="right">{t("silence.hides")}</th>
          <th scope="col" class="right">{t("silence.hid")}</th>
          <th scope="col"><span class="spoken">{t("silence.end")}</span></th>
        </tr>
      </thead>
      <tbody>
        {silences.map((silence) => {
          const hidden = hiddenNow(silence, alertBook.all()).length;
          return (
            <tr key={silence.id} id={rowId(silence.id)} data-silence={silence.id} {...(silence.id === selected && { "aria-current": "true" as const })}>
              <td class="wide"><MatchWords match={silence.match} ruleName={ruleName} /></td>
              <td class="wide"><a href={to.silence(silence.id)}>{silence.reason}</a></td>
              <td>{silence.owner}<span class="under">{dateTime(silence.created_at)}</span></td>
              <td><SilenceTime silence={silence} /></td>
              <td class="right">{!loaded.value ? <span class="muted">{t("value.none")}</span> : hidden > 0 ? <strong>{counted("silence.alerts", hidden)}</strong> : <span class="muted">0</span>}</td>
              <td class="right">{number(silence.hid)}{silence.unsaid > 0 && <span class="under">{t("silence.unsaid", { n: number(silence.unsaid) })}</span>}</td>
              <td>
                {silence.state !== "expired" && (
                  <GuardedButton reason={whyNoEnd(silence)} onPress={() => onEnd(silence)}>
                    {t("silence.end")}
                    <span class="spoken">{`: ${silence.reason}`}</span>
                  </GuardedButton>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </DataTable>
  );
}

/** When it holds: from, to, how long yet, and its spans of the week. */
export function SilenceTime({ silence }: { silence: Silence }) {
  const { ended, weekly } = silence;
  return (
    <>
      {silence.state === "expired" ? (
        <span>{ended === null ? dateTime(silence.ends_at) : t("silence.ended_by", { who: ended.by, time: dateTime(ended.at) })}</span>
      ) : silence.state === "pending" ? (
        <span>{t("silence.begins")} {silence.next_change_at !== null && <Countdown until={silence.next_change_at} late={false} />}</span>
      ) : (
        <span class={silence.expires_soon ? "expires-soon" : ""}>{t("silence.ends")} <Countdown until={weekly !== null && silence.next_change_at !== null ? silence.next_change_at : silence.ends_at} late={false} /></span>
      )}
      <span class="under">
        {dateTime(silence.starts_at)} – {dateTime(silence.ends_at)} {zoneOffset(silence.ends_at)}
      </span>
      {weekly !== null && <span class="under">{weeklyText(weekly)} ({weekly.time_zone})</span>}
      {ended?.reason && <q>{ended.reason}</q>}
    </>
  );
}
