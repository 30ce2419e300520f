/**
 * What the brain's HTTP API answers about people, tokens, open data and the audit log, as this app
 * reads and sends it. Named like the schemas of the OpenAPI document; see types.ts.
 */
import type { LocalText } from "./types";

/** `engine` is for alert engines: it pushes what they find, and sees nothing. */
export type Role = "viewer" | "operator" | "engineer" | "admin" | "engine";

/** A role in one department, or with `*` in the whole city. */
export interface Grant {
  department: string;
  role: Role;
}

export interface Session {
  user: string;
  /** What people call the user. */
  name: string;
  /** The highest of the grants; null if there is none. */
  role: string | null;
  grants: Grant[];
  csrf_header: string;
  expires_at: string | null;
  password_change_needed: boolean;
  /** Whether it is a session of a user who has a password here. */
  password_changeable: boolean;
}

export interface LoginMethods {
  password: boolean;
  /** No administrator has been made yet. */
  setup_needed: boolean;
  /** An identity provider. */
  oidc: { name: LocalText } | null;
}

export interface User {
  id: string;
  name: string;
  email: string | null;
  grants: Grant[];
  enabled: boolean;
  /** Whether they sign in through the identity provider. */
  external: boolean;
  /** The password was set by an administrator and must be changed at the next login. */
  password_change_needed: boolean;
  created_at: string;
  last_login_at: string | null;
}

/** What is sent to make or change a user; `password` only sets a one-time password. */
export interface UserDraft {
  name: string;
  email: string | null;
  grants: Grant[];
  enabled: boolean;
  password?: string;
}

export interface AccessToken {
  id: string;
  note: string;
  grants: Grant[];
  created_at: string;
  created_by: string | null;
  /** The program made it for itself, and cannot do without it. */
  own: boolean;
  expires_at: string | null;
  last_used_at: string | null;
  last_used_from: string | null;
  revoked_at: string | null;
}

/** What is sent to make one. */
export interface TokenDraft {
  note: string;
  grants: Grant[];
  expires_at?: string;
}

/** The only time that a token is shown. */
export interface MadeToken {
  id: string;
  token: string;
}

export interface DatasetSelect {
  kinds: string[];
  metrics: string[];
  zones?: string[];
}

/** What a department makes public. */
export interface Dataset {
  id: string;
  title: LocalText;
  description: LocalText;
  department: string;
  licence: string;
  publisher?: LocalText | null;
  /** Whom to ask: an e-mail address, or one that begins with https. */
  contact?: string | null;
  /** Codes of the European "data theme" table, such as `ENVI`. */
  themes?: string[];
  /** Whether devices are called by their names, and not only by their ids. */
  names?: boolean;
  /** The attributes of devices that are told. */
  attributes?: string[];
  select: DatasetSelect;
  positions: "exact" | "zone";
  history_days: number;
  enabled: boolean;
}

/** What is sent of it: all that there is, because it replaces what was said before. */
export type DatasetDraft = Omit<Required<Dataset>, "id" | "select"> & { select: Required<DatasetSelect> };

export type AuditVia = "session" | "token" | "cli" | "system" | "anonymous";

export interface AuditEntry {
  number: number;
  at: string;
  user: string | null;
  /** One of `AuditVia`. */
  via: string;
  address: string | null;
  action: string;
  target: string | null;
  department: string | null;
  before: unknown;
  after: unknown;
  /** `done`, the code of the problem that it was refused with, or `unknown`. */
  outcome: string;
  /** The HTTP status of the answer. */
  status: number | null;
  /** More than 1 for refusals that were counted together. */
  times: number;
  hash: string;
}

export interface AuditVerification {
  entries: number;
  first: number | null;
  last: number | null;
  intact: boolean;
  /** The number of the first entry that is not as it was written. */
  broken_at: number | null;
  /** What is wrong, in a sentence. */
  detail: string | null;
}
