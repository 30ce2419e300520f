/** Who is signed in, and whether the server lets them. */
import { signal } from "@preact/signals";
import { ApiError, Unreachable, api } from "../api/client";
import type { Session } from "../api/types";

export type SessionState =
  | { phase: "unknown" }
  | { phase: "in"; session: Session }
  | { phase: "out"; why: "none" | "expired" | "bad_token" }
  | { phase: "forbidden" }
  | { phase: "unreachable" };

export const session = signal<SessionState>({ phase: "unknown" });

/** Mildest first, as the server has them. */
const ROLES = ["viewer", "operator", "engineer", "admin"] as const;

/** Whether who is signed in has at least this role: what it may not do is not offered. */
export function isAtLeast(role: (typeof ROLES)[number]): boolean {
  const state = session.value;
  return state.phase === "in" && ROLES.indexOf(state.session.role as typeof role) >= ROLES.indexOf(role);
}

export async function askSession(): Promise<SessionState> {
  session.value = await readSession();
  return session.value;
}

async function readSession(): Promise<SessionState> {
  try {
    return { phase: "in", session: await api.session() };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return { phase: "out", why: "none" };
    if (error instanceof ApiError && error.status === 403) return { phase: "forbidden" };
    return { phase: "unreachable" };
  }
}

export async function logIn(token: string): Promise<SessionState> {
  try {
    await api.logIn(token);
  } catch (error) {
    if (error instanceof Unreachable) session.value = { phase: "unreachable" };
    else session.value = { phase: "out", why: "bad_token" };
    return session.value;
  }
  return askSession();
}

export async function logOut(): Promise<void> {
  await api.logOut();
  session.value = { phase: "out", why: "none" };
}

/** A call answered that the session is over. */
export function sessionLost(): void {
  if (session.peek().phase === "in") session.value = { phase: "out", why: "expired" };
}
