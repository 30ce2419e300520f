/** Where the app begins. */
import { render } from "preact";
import "./styles/index.css";
import { observeCalls } from "./api/client";
import { App } from "./app";
import { needTexts, setLanguage } from "./i18n";
import { startKeys } from "./keys";
import { query, startRouter, takeLoginToken, to } from "./router";
import { arrive, takeArrival } from "./screens/entry/arrival";
import { startClock } from "./state/clock";
import { reachability } from "./state/live";
import { askSession, logIn, sessionLost } from "./state/session";
import { applyTheme } from "./state/theme";
import { rememberWallToken } from "./state/wall-session";

const RELOAD_MS = 3_000;

applyTheme();
startClock();
startRouter();
startKeys();
observeCalls({ ...reachability, unauthenticated: sessionLost });

const root = document.getElementById("app");
if (root) void begin(root);

/** With the texts at hand, so that no key is seen; a server that has no answer for them has none for anything. */
async function begin(place: HTMLElement): Promise<void> {
  const asked = location.pathname === to.wall() ? query.peek().get("lang") : null;
  try {
    await (asked === "en" || asked === "zh" ? setLanguage(asked, { remember: false }) : needTexts("first"));
  } catch {
    setTimeout(() => location.reload(), RELOAD_MS);
    return;
  }
  render(<App />, place);
}

/** The token of a login link, if the address is one. */
function tokenOfLink(): string | null {
  const token = takeLoginToken();
  if (token !== null) rememberWallToken(token, new URLSearchParams(location.search).get("next"));
  return token;
}

/** Pasting a login link into a page that is already open only changes the fragment. */
addEventListener("hashchange", () => {
  const token = tokenOfLink();
  if (token !== null) void logIn({ token });
});

const token = tokenOfLink();
const arrival = takeArrival();
if (arrival !== null) void arrive(arrival);
else void (token === null ? askSession() : logIn({ token }));
