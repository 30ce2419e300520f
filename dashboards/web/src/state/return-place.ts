/** Where the person was before a login that leads out of this app, so that they come back there. */
import { route } from "../router";

const KEY = "citybrain.return";

export function rememberPlace(): void {
  const screen = route.peek().screen;
  const place = screen === "login" || screen === "setup" ? new URLSearchParams(location.search).get("next") : location.pathname + location.search;
  try {
    if (place !== null) sessionStorage.setItem(KEY, place);
  } catch {
    // storage may be forbidden; the login then leads to the overview
  }
}

/** The place, once: a second start begins where its address says. */
export function takePlace(): string | null {
  try {
    const place = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    return place;
  } catch {
    return null;
  }
}
