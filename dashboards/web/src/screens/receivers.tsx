/** Who is told about alerts, and whether they can be told: for operators; engineers can try one. */
import { useState } from "preact/hooks";
import { ApiError, api } from "../api/client";
import type { Receiver, ReceiverTrial } from "../api/types";
import { number } from "../format/number";
import { span } from "../format/time";
import { t } from "../i18n";
import { now } from "../state/clock";
import { may } from "../state/session";
import { useResource } from "../state/resource";
import { Age } from "../ui/age";
import { DataTable } from "../ui/data-table";
import { CheckIcon } from "../ui/icons";
import { SeverityWord } from "../ui/marks";
import { ResourceView } from "../ui/resource-view";

const REFRESH_MS = 5_000;

export function ReceiversScreen() {
  const resource = useResource("receivers", (signal) => api.receivers(signal), { everyMs: REFRESH_MS });
  return (
    <div class="page list-page">
      <header class="list-head">
        <h1>{t("receivers.title")}</h1>
        <span class="list-total">{t("receivers.why")}</span>
      </header>
      <div class="panel table-frame">
        <ResourceView resource={resource}>{({ items }) => <ReceiverTable items={items} onTried={resource.reload} />}</ResourceView>
      </div>
    </div>
  );
}

function ReceiverTable({ items, onTried }: { items: readonly Receiver[]; onTried(): void }) {
  const tries = may("engineer", null);
  return (
    <DataTable class="receivers">
      <thead>
        <tr>
          <th scope="col">{t("receivers.receiver")}</th>
          <th scope="col">{t("receivers.told")}</th>
          <th scope="col">{t("receivers.state")}</th>
          <th scope="col">{t("receivers.delivered")}</th>
          <th scope="col" class="right">{t("receivers.waiting")}</th>
          <th scope="col" class="right">{t("receivers.given_up")}</th>
          {tries && <th scope="col">{t("receivers.test")}</th>}
        </tr>
      </thead>
      <tbody>
        {items.map((receiver) => (
          <tr key={receiver.id} data-receiver={receiver.id}>
            <th scope="row">
              {receiver.id}
              <span class="under">{receiver.inside ? t("receivers.inside") : receiver.type}</span>
            </th>
            <td><Told receiver={receiver} /></td>
            <td class="wide"><State receiver={receiver} /></td>
            <td>{receiver.last_delivery === null ? <span class="muted">{t("receivers.never")}</span> : <Age at={receiver.last_delivery} past />}</td>
            <td class="right">
              {number(receiver.waiting)}
              {receiver.oldest_waiting_at !== null && <span class="under">{t("receivers.oldest")} <Age at={receiver.oldest_waiting_at} past /></span>}
            </td>
            <td class="right">
              {number(receiver.given_up)}
              {receiver.last_given_up && <span class="under" title={receiver.last_given_up.message}><Age at={receiver.last_given_up.at} past /></span>}
            </td>
            {tries && <td class="wide">{!receiver.inside && <Trial id={receiver.id} onTried={onTried} />}</td>}
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

/** Works or does not, with a mark and a word, never by colour alone. */
function State({ receiver }: { receiver: Receiver }) {
  const { error, failing_since, next_try_at, last_failure } = receiver;
  if (receiver.ok) {
    return (
      <>
        <span class="works"><CheckIcon /> {t("receivers.works")}</span>
        {last_failure && <span class="under" title={last_failure.message}>{t("receivers.last_failure")} <Age at={last_failure.at} past /></span>}
      </>
    );
  }
  return (
    <>
      <strong class="fails">{t("receivers.fails")} {failing_since && <Age at={failing_since} />}</strong>
      <span class="under">{error}</span>
      <span class="under">{next_try_at === null ? t("receivers.trying") : <>{t("receivers.next_try")} <Until at={next_try_at} /></>}</span>
    </>
  );
}

/** How long it is until then; 0 s once it is past. */
function Until({ at }: { at: string }) {
  return <time dateTime={at}>{span((Date.parse(at) - now.value) / 1000)}</time>;
}

function Told({ receiver }: { receiver: Receiver }) {
  const { route, unknown_rules } = receiver;
  const labels = Object.entries(route.labels).map(([name, values]) => `${name}=${values.join("|")}`);
  const parts: [string, readonly string[]][] = [
    [t("alert.department"), route.departments],
    [t("alert.zones"), route.zones],
    [t("alert.rule"), route.rules],
    [t("alert.kind"), route.device_kinds],
    [t("alert.labels"), labels],
  ];
  return (
    <>
      {route.severity === "low" ? t("receivers.every_severity") : <>{t("receivers.at_least")} <SeverityWord severity={route.severity} /></>}
      {parts.map(([name, values]) => values.length > 0 && <span key={name} class="under">{`${name} · ${values.join(", ")}`}</span>)}
      {!route.resolved && <span class="under">{t("receivers.no_ends")}</span>}
      {unknown_rules.length > 0 && <span class="under fails">{t("receivers.unknown_rules", { rules: unknown_rules.join(", ") })}</span>}
    </>
  );
}

function Trial({ id, onTried }: { id: string; onTried(): void }) {
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<ReceiverTrial | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const go = async () => {
    setBusy(true);
    setOutcome(null);
    setRefused(null);
    try {
      setOutcome(await api.testReceiver(id));
    } catch (error) {
      setRefused(error instanceof ApiError ? (error.problem.detail ?? error.problem.title) : t("state.unreachable"));
    }
    setBusy(false);
    onTried();
  };
  return (
    <>
      <button type="button" class="button" disabled={busy} title={t("receivers.test.why")} onClick={() => void go()}>
        {t(busy ? "receivers.test.wait" : "receivers.test.go")}
        <span class="spoken">{`: ${id}`}</span>
      </button>
      <span class="trial" role="status">
        {outcome?.taken && <span class="under">{t("receivers.test.taken", { ms: number(outcome.took_ms) })}</span>}
        {outcome && !outcome.taken && <span class="under fails">{outcome.error}</span>}
        {outcome?.hint && <span class="under">{outcome.hint}</span>}
        {refused !== null && <span class="under fails">{refused}</span>}
      </span>
    </>
  );
}
