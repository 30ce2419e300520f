/**
 * A wall stays signed in: nobody stands there with a keyboard. The access token of its login link is kept for as
 * long as the browser's tab lives, and used again when the session ends. Only for addresses of the wall.
 */
import { logIn, session } from "./session";

const KEY = "citybrain.wall-token";
const RETRY_MS = 30_000;

export function rememberWallToken(token: string, next: string | null): void {
  if (!/^\/wall([?/]|$)/.test(next ?? "")) return;
  try {
    sessionStorage.setItem(KEY, token);
  } catch {
    // storage may be forbidden; the wall then says loudly when its session is over
  }
}

function wallToken(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Signs in again whenever the session has ended, until it is stopped. */
export function staySignedIn(done: () => void): () => void {
  let busy = false;
  const tryAgain = async () => {
    const token = wallToken();
    if (token === null || busy || session.peek().phase !== "out") return;
    busy = true;
    const inAgain = await logIn({ token });
    busy = false;
    if (inAgain) done();
  };
  const stop = session.subscribe(() => void tryAgain());
  const timer = setInterval(() => void tryAgain(), RETRY_MS);
  return () => {
    stop();
    clearInterval(timer);
  };
}
