/** Coming back from the identity provider: what it gave stands in the address, and is used once. */
import { go, to } from "../../router";
import { askSession, logIn, refusal } from "../../state/session";

/** What the address of somebody who comes from the provider brings (RFC 6749, clause 4.1.2; RFC 9207). */
interface Arrival {
  state: string;
  /** Null if the provider let nobody in. */
  code: string | null;
  issuer: string | null;
}

export function arrivalOf({ pathname, search }: { pathname: string; search: string }): Arrival | null {
  const params = new URLSearchParams(search);
  const state = params.get("state");
  const code = params.get("code");
  if (pathname !== to.login() || state === null || (code === null && params.get("error") === null)) return null;
  return { state, code, issuer: params.get("iss") };
}

/** Takes it out of the address, where nobody shall read or send it again. */
export function takeArrival(): Arrival | null {
  const arrival = arrivalOf(location);
  if (arrival !== null) go(to.login(), { replace: true });
  return arrival;
}

/** Signs in with it; why that came to nothing is in `refusal`. */
export async function arrive({ state, code, issuer }: Arrival): Promise<void> {
  if (code !== null) {
    await logIn({ state, code, ...(issuer !== null && { issuer }) });
    return;
  }
  await askSession();
  refusal.value = { status: 401, code: "provider_refused", title: "provider_refused" };
}
