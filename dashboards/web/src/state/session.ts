/** Who is signed in, what they may do, and whether the server lets them. */
import { computed, signal } from "@preact/signals";
import { ApiError, Unreachable, api, type LoginProof } from "../api/client";
import type { AlertItem, Grant, Problem, Role, Session } from "../api/types";

export type SessionState =
  | { phase: "unknown" }
  | { phase: "in"; session: Session }
  | { phase: "out"; why: "none" }
  /** Whose session it was: what they had open stays as it was, for when they are back. */
  | { phase: "out"; why: "expired"; session: Session }
  | { phase: "forbidden" }
  | { phase: "unreachable" };

export const session = signal<SessionState>({ phase: "unknown" });

/** Why the last attempt to sign in came to nothing. */
export const refusal = signal<Problem | "unreachable" | null>(null);

/** Who was here last: somebody else must not come back to what they had open. */
let lastSeen: string | null = null;

/** Who is signed in, or was until a moment ago. */
export const whoIs = computed<Session | null>(() => {
  const state = session.value;
  if (state.phase === "in") return state.session;
  return state.phase === "out" && state.why === "expired" ? state.session : null;
});

/** The roles of people, mildest first, as the server has them. */
export const ROLES: readonly Role[] = ["viewer", "operator", "engineer", "admin"];

/** The department that stands for the whole city in a grant. */
export const EVERYWHERE = "*";

const NONE: readonly Grant[] = [];
export const grants = computed<readonly Grant[]>(() => whoIs.value?.grants ?? NONE);

export function rankOf(role: string): number {
  return ROLES.indexOf(role as Role);
}

/** The highest role that these grants give in a department; null for what belongs to the whole city. */
export function roleIn(given: readonly Grant[], department: string | null): Role | null {
  const here = given.filter((grant) => grant.department === EVERYWHERE || grant.department === department);
  return here.reduce<Role | null>((best, { role }) => (best === null || rankOf(role) > rankOf(best) ? role : best), null);
}

/** Whether who is signed in has at least this role there: what they may not do is not offered. */
export function may(role: Role, department: string | null): boolean {
  const mine = roleIn(grants.value, department);
  return mine !== null && rankOf(mine) >= rankOf(role);
}

/** Whether who is signed in has at least this role in some department. */
export function isAtLeast(role: Role): boolean {
  return grants.value.some((grant) => rankOf(grant.role) >= rankOf(role));
}

/** The departments in which who is signed in has at least this role; null means all of them. */
export function departmentsWith(role: Role): readonly string[] | null {
  const there = grants.value.filter((grant) => rankOf(grant.role) >= rankOf(role)).map((grant) => grant.department);
  return there.includes(EVERYWHERE) ? null : there;
}

/** Whose an alert is: of the department that has it, and of one that was asked to take it. */
export function departmentsOf({ rule, handling }: Pick<AlertItem, "rule" | "handling">): string[] {
  const holder = handling.holder ?? rule.department;
  return handling.department === null ? [holder] : [holder, handling.department];
}

export async function askSession(): Promise<SessionState> {
  session.value = await readSession();
  return session.value;
}

async function readSession(): Promise<SessionState> {
  try {
    const found = await api.session();
    const known = lastSeen;
    lastSeen = found.user;
    // Whoever takes over begins anew: forms and lists of another person are not theirs.
    if (known !== null && known !== found.user) location.reload();
    return { phase: "in", session: found };
  } catch (error) {
    const now = session.peek();
    if (error instanceof ApiError && error.status === 401) return now.phase === "out" ? now : { phase: "out", why: "none" };
    if (error instanceof ApiError && error.status === 403) return { phase: "forbidden" };
    return { phase: "unreachable" };
  }
}

/** Signs in; whether it worked. Why not is in `refusal`. */
export async function logIn(proof: LoginProof): Promise<boolean> {
  refusal.value = null;
  try {
    await api.logIn(proof);
  } catch (error) {
    refusal.value = error instanceof ApiError ? error.problem : "unreachable";
    // A form says why itself; a login link has only the page.
    if (session.peek().phase !== "out") session.value = error instanceof Unreachable ? { phase: "unreachable" } : { phase: "out", why: "none" };
    return false;
  }
  return (await askSession()).phase === "in";
}

export async function logOut(): Promise<void> {
  await api.logOut();
  lastSeen = null;
  session.value = { phase: "out", why: "none" };
}

/** A call answered that the session is over. */
export function sessionLost(): void {
  const now = session.peek();
  if (now.phase === "in") session.value = { phase: "out", why: "expired", session: now.session };
}
