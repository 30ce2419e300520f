/** The root: who may come in, what is loaded, which screen is shown. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ApiError } from "./api/client";
import { go, query, route, to, type Route } from "./router";
import { AccountScreen } from "./screens/account";
import { LoginScreen } from "./screens/entry/login";
import { MustChangeScreen } from "./screens/entry/must-change";
import { Relogin } from "./screens/entry/relogin";
import { SetupScreen } from "./screens/entry/setup";
import { FullPage } from "./screens/full-page";
import { Overview } from "./screens/overview";
import { ReceiversScreen } from "./screens/receivers";
import { loadCity, system } from "./state/city";
import { refetchEverything, refreshEpoch } from "./state/clock";
import { startLive } from "./state/live";
import { takePlace } from "./state/return-place";
import { askSession, session, whoIs } from "./state/session";
import { lazily, withTexts } from "./ui/lazily";
import { Loading } from "./ui/resource-view";
import { Shell, SimulatedBand } from "./ui/shell";

const WallScreen = lazily(() => import("./screens/wall").then((module) => module.WallScreen));
const WallSignedOut = lazily(() => import("./screens/wall").then((module) => module.WallSignedOut));
const SystemScreen = lazily(() => import("./screens/system").then((module) => module.SystemScreen));
const ReportsScreen = lazily(() => import("./screens/reports").then((module) => module.ReportsScreen));
const HelpScreen = lazily(() => withTexts("help", import("./screens/help")).then((module) => module.HelpScreen));
const places = () => import("./screens/places");
const DevicesScreen = lazily(() => places().then((module) => module.DevicesScreen));
const DeviceScreen = lazily(() => places().then((module) => module.DeviceScreen));
const ZonesScreen = lazily(() => places().then((module) => module.ZonesScreen));
const ZoneScreen = lazily(() => places().then((module) => module.ZoneScreen));
const RulesScreen = lazily(() => withTexts("rules", import("./screens/rules")).then((module) => module.RulesScreen));
const IntakeScreen = lazily(() => withTexts("rules", import("./screens/intake")).then((module) => module.IntakeScreen));
const AdminScreen = lazily(() => import("./screens/admin").then((module) => module.AdminScreen));

const AlertWork = lazily(() => import("./screens/alerts").then((module) => module.AlertWork));

const RETRY_MS = 3_000;

type Start = "waiting" | "ready" | "unreachable" | "forbidden";
const start = signal<Start>("waiting");

async function startCity(): Promise<void> {
  try {
    await loadCity();
    start.value = "ready";
    startLive();
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) start.value = "forbidden";
    // What was seen stays while the server is away or the session ends once more: the live feed says how old it is.
    else if (start.peek() !== "ready") start.value = "unreachable";
  }
}

/** What hardly changes is loaded again too after a break: the server may be another version. */
let seenEpoch = refreshEpoch.peek();
refreshEpoch.subscribe((epoch) => {
  if (epoch !== seenEpoch && start.peek() === "ready") void loadCity().catch(() => undefined);
  seenEpoch = epoch;
});

export function App() {
  const { phase } = session.value;
  const unreachable = phase === "unreachable" || (phase === "in" && start.value === "unreachable");

  const mustChange = session.value.phase === "in" && session.value.session.password_change_needed;

  useEffect(() => {
    if (phase === "in" && !mustChange) void startCity();
  }, [phase, mustChange]);

  useEffect(() => {
    if (phase !== "in") return;
    const place = takePlace();
    if (place !== null) go(safeNext(place), { replace: true });
  }, [phase]);

  useEffect(() => {
    if (!unreachable) return;
    const timer = setInterval(again, RETRY_MS);
    return () => clearInterval(timer);
  }, [unreachable]);

  // Somebody signed in again in another tab.
  useEffect(() => {
    if (phase !== "out") return;
    const look = () => !document.hidden && void askSession();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [phase]);

  // Nobody types in front of a wall: it says in its own way what is wrong, and what was seen stays.
  if (route.value.screen === "wall" && !mustChange) {
    if (start.value === "ready") return <WallScreen />;
    if (phase === "out") return <WallSignedOut />;
  }
  if (route.value.screen === "setup" && phase !== "in") return <Entry><SetupScreen onDone={comeIn} /></Entry>;
  // What was open stays, forms included, but nobody sees it before they are in again.
  const ended = session.value.phase === "out" && session.value.why === "expired" && start.value === "ready";
  if (phase === "out" && !ended) return <Entry><LoginScreen onDone={comeIn} /></Entry>;
  if (session.value.phase === "in" && mustChange) return <Entry><MustChangeScreen own={session.value.session} /></Entry>;
  return (
    <>
      <Shell>{unreachable ? <UnreachablePage /> : phase === "forbidden" || start.value === "forbidden" ? <ForbiddenPage /> : start.value === "ready" ? <Screen route={route.value} /> : <Loading />}</Shell>
      {ended && <Relogin user={whoIs.value?.user ?? ""} onDone={refetchEverything} />}
    </>
  );
}

function Entry({ children }: { children: ComponentChildren }) {
  return (
    <>
      <header class="head">{system.value?.simulated && <SimulatedBand />}</header>
      {children}
    </>
  );
}

function again(): void {
  if (session.peek().phase === "in") void startCity();
  else void askSession();
}

/** After signing in: where the person wanted to go. */
function comeIn(): void {
  const { screen } = route.peek();
  if (screen === "login" || screen === "setup") go(safeNext(query.peek().get("next")), { replace: true });
}

/** Only places of this app: a login link must not lead elsewhere. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : to.overview();
}

function Screen({ route }: { route: Route }) {
  switch (route.screen) {
    case "overview":
      return <Overview />;
    case "alerts":
    case "alert":
    case "silences":
    case "silence":
    case "hand-overs":
    case "departments":
    case "department":
      return <AlertWork route={route} />;
    case "devices":
      return <DevicesScreen />;
    case "device":
      return <DeviceScreen key={route.id} id={route.id} />;
    case "zones":
      return <ZonesScreen />;
    case "zone":
      return <ZoneScreen key={route.id} id={route.id} />;
    case "receivers":
      return <ReceiversScreen />;
    case "account":
      return <AccountScreen />;
    case "users":
    case "user":
    case "tokens":
    case "datasets":
    case "dataset":
    case "audit":
      return <AdminScreen route={route} />;
    case "system":
      return <SystemScreen />;
    case "reports":
      return <ReportsScreen />;
    case "help":
      return <HelpScreen />;
    case "wall":
      return <Loading />;
    case "rules":
    case "rule":
    case "rule-groups":
    case "rule-group":
      return <RulesScreen route={route} />;
    case "dead-letters":
    case "dead-letter":
    case "unknown-devices":
    case "unknown-device":
    case "mappings":
      return <IntakeScreen route={route} />;
    case "login":
    case "setup":
      return <AlreadyIn />;
    case "unknown":
      return <FullPage shape="not-found" title="state.not_found" why="state.not_found.why" home />;
  }
}

function AlreadyIn() {
  useEffect(comeIn, []);
  return null;
}

const UnreachablePage = () => <FullPage shape="unreachable" title="state.unreachable" why="state.unreachable.why" retry={again} />;
const ForbiddenPage = () => <FullPage shape="forbidden" title="state.forbidden" why="state.forbidden.why" />;
