/** What went wrong, in the language that is on: by the server's code where it is one that people meet. */
import { t, type TextKey } from "../i18n";
import { span } from "../format/time";
import { ApiError } from "./client";
import type { Problem } from "./types";

/** Codes whose texts stand in both catalogues. Others say what the server says. */
const TEXTS: Readonly<Record<string, TextKey>> = {
  bad_token: "problem.bad_token",
  bad_login: "problem.bad_login",
  bad_external_login: "problem.bad_external_login",
  no_rights: "problem.no_rights",
  provider_refused: "problem.provider_refused",
  provider_unavailable: "problem.provider_unavailable",
  bad_setup_token: "problem.bad_setup_token",
  setup_done: "problem.setup_done",
  changed_meanwhile: "problem.changed_meanwhile",
  already_exists: "problem.already_exists",
  forbidden: "problem.forbidden",
  last_administrator: "problem.last_admin",
  csrf_header_missing: "problem.csrf",
  cross_origin: "problem.csrf",
  busy: "problem.busy",
  too_many_streams: "problem.too_many_streams",
  body_too_slow: "problem.body_too_slow",
};

/** Of these the catalogues say all that there is to say. */
const WHOLE: ReadonlySet<string> = new Set(["bad_external_login", "no_rights", "provider_refused", "provider_unavailable"]);

export interface ProblemText {
  what: string;
  /** How to mend it; empty if nobody knows. */
  hint: string;
}

export function problemText(error: unknown): ProblemText {
  if (error instanceof ApiError) return textOf(error.problem);
  return { what: t("state.unreachable"), hint: t("problem.unreachable.hint") };
}

export function textOf(problem: Problem | "unreachable"): ProblemText {
  if (problem === "unreachable") return problemText(null);
  const wait = problem.retry_after_s ?? 0;
  if (problem.status === 429) return { what: t("problem.too_many"), hint: wait > 0 ? t("problem.too_many.wait", { time: span(wait) }) : t("problem.too_many.later") };
  const key = TEXTS[problem.code];
  const said = problem.detail ?? problem.title;
  if (problem.code === "bad_fields" && problem.fields?.every(({ field }) => field === "password" || field === "new")) return { what: t("problem.bad_password"), hint: said };
  if (problem.code === "bad_fields") return { what: t("problem.bad_fields"), hint: [said, problem.hint ?? ""].filter((part) => part !== "").join(" · ") };
  if (key) return { what: t(key), hint: said === t(key) || WHOLE.has(problem.code) ? "" : said };
  return { what: said, hint: problem.hint ?? "" };
}
