/** Dead letters: by reason and source, or one by one; replayed one or many; filters are in the address. */
import { useState } from "preact/hooks";
import { intakeApi, type DeadLetter } from "../../api/intake";
import { number } from "../../format/number";
import { counted, t } from "../../i18n";
import { useKeys } from "../../keys";
import { go, query, setQuery, to } from "../../router";
import { isAtLeast } from "../../state/session";
import { whyNot } from "../../state/rights";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { GuardedButton } from "../../ui/guarded-button";
import { Pager } from "../../ui/pager";
import { Quoted } from "../../ui/quoted";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { SearchField } from "../../ui/search-field";
import { groupsOf, type LetterGroup } from "./letter-groups";
import { REASONS, detailText, reasonName, reasonWhy } from "./reasons";
import { useReplay, type LetterHead } from "./replay";
import { ReplayView } from "./replay-view";

type Row = LetterHead & Pick<DeadLetter, "topic" | "size" | "hint" | "replayed_at">;

const REFRESH_MS = 15_000;
const PAGE_SIZE = 100;
/** So many of the newest are counted together. */
const COUNTED = 1000;
const FIELDS = "id,at,source,topic,device,reason,detail,hint,size,replayed_at";
const FILTERS = ["reason", "source", "device", "q"] as const;

export const whyNoReplay = () => (isAtLeast("engineer") ? null : whyNot("engineer", null));

export function LettersScreen() {
  const params = query.value;
  const single = params.get("view") === "each";
  const ask = Object.fromEntries(FILTERS.map((name) => [name, params.get(name)]));
  const refilter = (change: Record<string, string | null>) => setQuery({ ...change, cursor: null, page: null });
  const filtered = FILTERS.some((name) => params.get(name) !== null);
  return (
    <>
      <header class="list-head">
        <h1>{t("letters.title")}</h1>
        <div class="segments" role="group" aria-label={t("letters.view")}>
          <button type="button" aria-pressed={!single} onClick={() => refilter({ view: null })}>{t("letters.grouped")}</button>
          <button type="button" aria-pressed={single} onClick={() => refilter({ view: "each" })}>{t("letters.each")}</button>
        </div>
        <SearchField label={t("letters.search")} value={params.get("q") ?? ""} onSearch={(q) => refilter({ q })} />
        <Choice label={t("letters.reason")} value={params.get("reason") ?? ""} options={[["", t("letters.reason.any")], ...REASONS.map((reason) => [reason, reasonName(reason)] as const)]} onChange={(reason) => refilter({ reason })} />
        {(["source", "device"] as const).map((name) => params.get(name) !== null && (
          <button key={name} type="button" class="chip" aria-pressed="true" onClick={() => refilter({ [name]: null })}>{t(`letters.${name}`)}: {params.get(name)} ✕</button>
        ))}
        {filtered && <button type="button" class="plain" onClick={() => refilter(Object.fromEntries(FILTERS.map((name) => [name, null])))}>{t("alerts.filter.clear")}</button>}
        <span class="list-total"><a class="button" href={intakeApi.lettersCsv(ask)} download>CSV</a></span>
      </header>
      {single ? <Each ask={ask} filtered={filtered} /> : <Grouped ask={ask} filtered={filtered} />}
    </>
  );
}

type Ask = Record<string, string | null>;

const none = (filtered: boolean) => <p class="state">{t(filtered ? "letters.none.filtered" : "letters.none")}</p>;

function Grouped({ ask, filtered }: { ask: Ask; filtered: boolean }) {
  const resource = useResource(`letters|${JSON.stringify(ask)}`, async (signal) => (await intakeApi.letters({ ...ask, limit: COUNTED, fields: FIELDS }, signal)) as { items: Row[]; next_cursor: string | null }, { everyMs: REFRESH_MS });
  const replay = useReplay();
  const groups = groupsOf(resource.data?.items ?? []);
  const open = (key: string) => {
    const group = groups.find((each) => each.key === key);
    if (group) setQuery({ view: "each", reason: group.reason, source: group.source, q: null }, { push: true });
  };
  const { selected } = useRowKeys(groups.map(({ key }) => key), open);
  const run = async (group: LetterGroup<Row>) => {
    await replay.run(group.letters.filter(({ replayed_at }) => replayed_at === null));
    resource.reload();
  };
  return (
    <>
      <ReplayView replay={replay} />
      {resource.data?.next_cursor != null && <p class="note">{t("letters.newest", { n: number(COUNTED) })}</p>}
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("letters.title")}>
        <ResourceView resource={resource}>
          {() => (groups.length === 0 ? none(filtered) : (
            <DataTable class="letter-groups">
              <thead>
                <tr>
                  <th scope="col">{t("letters.reason")}</th>
                  <th scope="col">{t("letters.source")}</th>
                  <th scope="col" class="right">{t("letters.count")}</th>
                  <th scope="col" class="right">{t("letters.waiting")}</th>
                  <th scope="col">{t("letters.first")}</th>
                  <th scope="col">{t("letters.last")}</th>
                  <th scope="col">{t("letters.example")}</th>
                  <th scope="col"><span class="spoken">{t("letters.replay")}</span></th>
                </tr>
              </thead>
              <tbody>
                {groups.map((group) => (
                  <tr key={group.key} id={rowId(group.key)} data-reason={group.reason} {...(group.key === selected && { "aria-current": "true" as const })}>
                    <th scope="row"><a href={to.deadLetters({ view: "each", reason: group.reason, source: group.source })}>{reasonName(group.reason)}</a></th>
                    <td>{group.source === "" ? <span class="muted">{t("letters.no_source")}</span> : <code>{group.source}</code>}</td>
                    <td class="right">{number(group.letters.length)}</td>
                    <td class="right">{number(group.waiting)}</td>
                    <td><Age at={group.first} past /></td>
                    <td><Age at={group.last} past /></td>
                    <td class="wide">
                      <a href={to.deadLetter(group.letters[0]?.id ?? "")}><Quoted text={detailText(group.letters[0]?.detail ?? "")} /></a>
                      <span class="under">{reasonWhy(group.reason)}</span>
                    </td>
                    <td><GuardedButton reason={whyNoReplay()} disabled={replay.step !== null || group.waiting === 0} onPress={() => void run(group)}>{counted("letters.replay.all", group.waiting)}</GuardedButton></td>
                  </tr>
                ))}
              </tbody>
            </DataTable>
          ))}
        </ResourceView>
      </div>
    </>
  );
}

function Each({ ask, filtered }: { ask: Ask; filtered: boolean }) {
  const cursor = query.value.get("cursor");
  const resource = useResource(`letters-each|${JSON.stringify(ask)}|${cursor ?? ""}`, async (signal) => (await intakeApi.letters({ ...ask, cursor, limit: PAGE_SIZE, fields: FIELDS }, signal)) as { items: Row[]; next_cursor: string | null }, { everyMs: REFRESH_MS });
  const items = resource.data?.items ?? [];
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const replay = useReplay();
  const { selected } = useRowKeys(items.map(({ id }) => id), (id) => go(to.deadLetter(id)));
  const pick = (id: string) => setPicked((now) => (now.has(id) ? new Set([...now].filter((each) => each !== id)) : new Set([...now, id])));
  useKeys({ x: () => (selected === null ? false : pick(selected)) });
  const chosen = items.filter(({ id }) => picked.has(id));
  const run = async () => {
    await replay.run(chosen);
    setPicked(new Set());
    resource.reload();
  };
  return (
    <>
      <div class="pane-row letters-bar">
        <GuardedButton class="button primary" reason={whyNoReplay()} disabled={chosen.length === 0 || replay.step !== null} onPress={() => void run()}>{counted("letters.replay.picked", chosen.length)}</GuardedButton>
        <button type="button" class="plain" disabled={items.length === 0} onClick={() => setPicked(chosen.length === items.length ? new Set() : new Set(items.map(({ id }) => id)))}>{t(chosen.length === items.length && items.length > 0 ? "letters.pick.none" : "letters.pick.all")}</button>
      </div>
      <ReplayView replay={replay} />
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("letters.title")}>
        <ResourceView resource={resource}>
          {() => (items.length === 0 ? none(filtered) : (
            <DataTable class="letters-each">
              <thead>
                <tr>
                  <th scope="col"><span class="spoken">{t("letters.pick")}</span></th>
                  <th scope="col">{t("letters.at")}</th>
                  <th scope="col">{t("letters.reason")}</th>
                  <th scope="col">{t("letters.source")}</th>
                  <th scope="col">{t("letters.device")}</th>
                  <th scope="col">{t("letters.detail")}</th>
                  <th scope="col" class="right">{t("letters.size")}</th>
                  <th scope="col">{t("letters.replayed")}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((letter) => (
                  <tr key={letter.id} id={rowId(letter.id)} data-letter={letter.id} {...(letter.id === selected && { "aria-current": "true" as const })}>
                    <td><input type="checkbox" checked={picked.has(letter.id)} aria-label={t("letters.pick.one", { id: letter.id })} onChange={() => pick(letter.id)} /></td>
                    <td><Age at={letter.at} past /></td>
                    <td><a href={to.deadLetter(letter.id)}>{reasonName(letter.reason)}</a></td>
                    <td><code>{letter.source}</code></td>
                    <td>{letter.device === null ? t("value.none") : <code>{letter.device}</code>}</td>
                    <td class="wide"><Quoted text={detailText(letter.detail)} /><code class="under">{letter.topic}</code></td>
                    <td class="right nowrap">{t("letters.bytes", { n: number(letter.size) })}</td>
                    <td>{letter.replayed_at === null ? <span class="muted">{t("letters.not_replayed")}</span> : <Age at={letter.replayed_at} past />}</td>
                  </tr>
                ))}
              </tbody>
            </DataTable>
          ))}
        </ResourceView>
      </div>
      <Pager next={resource.data?.next_cursor ?? null} />
    </>
  );
}
