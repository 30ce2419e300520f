/** Typed calls about people, tokens, open data and the audit log. */
import { buildUrl, call, callTagged, get, type Query, type Tagged } from "./client";
import type { AccessToken, AuditEntry, AuditVerification, Dataset, DatasetDraft, LoginMethods, MadeToken, TokenDraft, Page, User, UserDraft } from "./types";

const id = encodeURIComponent;
const PAGE = 500;
/** More than this are searched for, not scrolled through. */
const MOST = 5_000;

/** All items of a list that comes in pages. */
export async function all<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await get<Page<T>>(path, { limit: PAGE, cursor }, signal);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < MOST);
  return items;
}

/** Makes what is not there yet, or replaces the version of this tag. */
function put<Draft, Made>(path: string, draft: Draft, tag: string | null): Promise<Tagged<Made>> {
  return callTagged<Made>("PUT", path, { body: draft, ...(tag === null ? { ifNew: true } : { ifMatch: tag }) });
}

export const admin = {
  loginMethods: () => get<LoginMethods>("/login-methods"),
  /** Where to sign in; the browser is known when it comes back. */
  leaveForProvider: () => call<{ url: string }>("POST", "/session/external", { proves: true }),
  setUp: (body: { token: string; user: string; name: string; password: string }) => call<void>("POST", "/setup", { body, proves: true }),
  logOutEverywhere: () => call<void>("DELETE", "/session", { query: { everywhere: true } }),
  changePassword: (current: string, next: string) => call<void>("PUT", "/session/password", { body: { current, new: next }, proves: true }),

  users: (signal?: AbortSignal) => all<User>("/users", signal),
  user: (user: string, signal?: AbortSignal) => callTagged<User>("GET", `/users/${id(user)}`, { ...(signal && { signal }) }),
  putUser: (user: string, draft: UserDraft, tag: string | null) => put<UserDraft, User>(`/users/${id(user)}`, draft, tag),
  deleteUser: (user: string, tag: string) => call<void>("DELETE", `/users/${id(user)}`, { ifMatch: tag }),
  endSessions: (user: string) => call<void>("DELETE", `/users/${id(user)}/sessions`),

  tokens: (signal?: AbortSignal) => all<AccessToken>("/tokens", signal),
  makeToken: (body: TokenDraft) => call<MadeToken>("POST", "/tokens", { body }),
  revokeToken: (token: string) => call<void>("DELETE", `/tokens/${id(token)}`),

  datasets: async (signal?: AbortSignal) => (await get<{ items: Dataset[] }>("/datasets", {}, signal)).items,
  dataset: (dataset: string, signal?: AbortSignal) => callTagged<Dataset>("GET", `/datasets/${id(dataset)}`, { ...(signal && { signal }) }),
  putDataset: (dataset: string, draft: DatasetDraft, tag: string | null) => put<DatasetDraft, Dataset>(`/datasets/${id(dataset)}`, draft, tag),
  deleteDataset: (dataset: string, tag: string) => call<void>("DELETE", `/datasets/${id(dataset)}`, { ifMatch: tag }),

  auditLog: (query: Query, signal?: AbortSignal) => get<Page<AuditEntry>>("/audit-log", query, signal),
  /** Where the entries that match can be had as a table. */
  auditCsv: (query: Query) => buildUrl("/audit-log", { ...query, format: "csv" }),
  auditVerification: (signal?: AbortSignal) => get<AuditVerification>("/audit-log/verification", {}, signal),
};
