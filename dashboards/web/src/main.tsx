/** Where the app begins. */
import { render } from "preact";
import "./styles/index.css";
import { observeCalls } from "./api/client";
import { App } from "./app";
import { startKeys } from "./keys";
import { startRouter, takeLoginToken } from "./router";
import { arrive, takeArrival } from "./screens/entry/arrival";
import { startClock } from "./state/clock";
import { reachability } from "./state/live";
import { askSession, logIn, sessionLost } from "./state/session";
import { applyTheme } from "./state/theme";
import { rememberWallToken } from "./state/wall-session";

applyTheme();
startClock();
startRouter();
startKeys();
observeCalls({ ...reachability, unauthenticated: sessionLost });

const root = document.getElementById("app");
if (root) render(<App />, root);

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
