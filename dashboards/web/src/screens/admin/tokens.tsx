/** Access tokens of machines: what they may do, when they were used, and how to end them. */
import { useState } from "preact/hooks";
import { admin } from "../../api/admin";
import type { AccessToken } from "../../api/types";
import { date, dateTime, span } from "../../format/time";
import { counted, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { now } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { Confirm } from "../../ui/dialog";
import { GrantChips } from "../../ui/grants";
import { ResourceView } from "../../ui/resource-view";
import { SearchField } from "../../ui/search-field";
import { MakeToken } from "./make-token";

const REFRESH_MS = 30_000;
/** What ends within this is said to end soon. */
const SOON_S = 14 * 86_400;

export type TokenState = "active" | "expired" | "revoked";

export function stateOfToken(token: AccessToken, nowMs: number): TokenState {
  if (token.revoked_at !== null) return "revoked";
  return token.expires_at !== null && Date.parse(token.expires_at) <= nowMs ? "expired" : "active";
}

export function TokensScreen() {
  const params = query.value;
  const q = params.get("q") ?? "";
  const state = params.get("state") ?? "active";
  const making = params.get("make") !== null;
  const resource = useResource("tokens", (signal) => admin.tokens(signal), { everyMs: REFRESH_MS });
  const minute = Math.floor(now.value / 60_000) * 60_000;
  const shown = (resource.data ?? []).filter((token) => (state === "all" || stateOfToken(token, minute) === state) && matchesText(token, q));
  return (
    <>
      <header class="list-head">
        <h1>{t("admin.tokens")}</h1>
        <SearchField label={t("tokens.search")} value={q} onSearch={(next) => setQuery({ q: next })} />
        <Choice label={t("user.state")} value={state} options={(["active", "expired", "revoked", "all"] as const).map((each) => [each, t(`tokens.state.${each}`)] as const)} onChange={(next) => setQuery({ state: next === "active" ? null : next })} />
        {resource.data && <span class="list-total">{counted("tokens.total", shown.length)}</span>}
        <button type="button" class="button primary" onClick={() => setQuery({ make: "1" }, { push: true })}>{t("tokens.make")}</button>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("admin.tokens")}>
        <ResourceView resource={resource}>{() => (shown.length === 0 ? <p class="state">{t("tokens.none")}</p> : <TokenTable tokens={shown} reload={resource.reload} />)}</ResourceView>
      </div>
      {making && (
        <MakeToken
          onClose={() => {
            setQuery({ make: null });
            resource.reload();
          }}
        />
      )}
    </>
  );
}

/** What the program writes about its own tokens, in the language that is on. */
function noteOf({ note, created_by }: AccessToken): string {
  if (created_by !== null) return note;
  return note === "printed at a start" ? t("tokens.note.printed") : note === "made by this instance for itself" ? t("tokens.note.own") : note;
}

function matchesText(token: AccessToken, q: string): boolean {
  const text = q.trim().toLowerCase();
  return text === "" || [noteOf(token), token.created_by ?? ""].some((each) => each.toLowerCase().includes(text));
}

function TokenTable({ tokens, reload }: { tokens: readonly AccessToken[]; reload(): void }) {
  const [revoking, setRevoking] = useState<AccessToken | null>(null);
  return (
    <>
      <DataTable>
        <thead>
          <tr>
            <th scope="col">{t("tokens.note")}</th>
            <th scope="col">{t("grants.title")}</th>
            <th scope="col">{t("tokens.made")}</th>
            <th scope="col">{t("tokens.used")}</th>
            <th scope="col">{t("tokens.ends")}</th>
            <th scope="col">{t("tokens.revoke")}</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id} data-token={token.id}>
              <th scope="row">{noteOf(token) || <span class="muted">{t("value.none")}</span>}</th>
              <td class="wide"><GrantChips grants={token.grants} /></td>
              <td>
                {date(token.created_at)}
                {token.created_by !== null && <span class="under">{token.created_by}</span>}
              </td>
              <td>
                {token.last_used_at === null ? <span class="muted">{t("user.never")}</span> : <Age at={token.last_used_at} past />}
                {token.last_used_from !== null && <code class="under">{token.last_used_from}</code>}
              </td>
              <td><Ends token={token} /></td>
              <td>
                {token.own ? <span class="muted">{t("tokens.own")}</span> : token.revoked_at === null && (
                  <button type="button" class="button" onClick={() => setRevoking(token)}>
                    {t("tokens.revoke")}
                    <span class="spoken">{`: ${token.note}`}</span>
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      {revoking && (
        <Confirm
          title={t("tokens.revoke")}
          action={t("tokens.revoke")}
          onConfirm={async () => {
            await admin.revokeToken(revoking.id);
            reload();
          }}
          onClose={() => setRevoking(null)}
        >
          <p>{t("tokens.revoke.ask", { note: revoking.note })}</p>
          {revoking.created_by === null && <p>{t("tokens.revoke.own")}</p>}
        </Confirm>
      )}
    </>
  );
}

function Ends({ token }: { token: AccessToken }) {
  const state = stateOfToken(token, now.value);
  if (token.revoked_at !== null) return <strong class="off-word">{t("tokens.revoked", { time: date(token.revoked_at) })}</strong>;
  if (token.expires_at === null) return <span class="fails">{t("tokens.endless")}</span>;
  if (state === "expired") return <strong class="off-word">{t("tokens.expired", { time: date(token.expires_at) })}</strong>;
  const left = (Date.parse(token.expires_at) - now.value) / 1000;
  return (
    <time dateTime={token.expires_at} title={dateTime(token.expires_at)} class={left < SOON_S ? "fails" : ""}>
      {date(token.expires_at)}
      <span class="under">{t("tokens.left", { time: span(left) })}</span>
    </time>
  );
}
