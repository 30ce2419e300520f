/** The root: who may come in, what is loaded, which screen is shown. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError } from "./api/client";
import { go, query, route, to, type Route } from "./router";
import { AlertScreen } from "./screens/alert";
import { DeviceScreen } from "./screens/device";
import { DevicesScreen } from "./screens/devices";
import { FullPage } from "./screens/full-page";
import { LoginScreen } from "./screens/login";
import { Overview } from "./screens/overview";
import { ReceiversScreen } from "./screens/receivers";
import { ZoneScreen } from "./screens/zone";
import { ZonesScreen } from "./screens/zones";
import { loadCity, system } from "./state/city";
import { refreshEpoch } from "./state/clock";
import { startLive } from "./state/live";
import { askSession, session } from "./state/session";
import { Loading } from "./ui/resource-view";
import { Shell, SimulatedBand } from "./ui/shell";

const RETRY_MS = 3_000;

type Start = "waiting" | "ready" | "unreachable" | "forbidden";
const start = signal<Start>("waiting");

async function startCity(): Promise<void> {
  try {
    await loadCity();
    start.value = "ready";
    startLive();
  } catch (error) {
    start.value = error instanceof ApiError && error.status === 403 ? "forbidden" : "unreachable";
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

  useEffect(() => {
    if (phase === "in") void startCity();
  }, [phase]);

  useEffect(() => {
    if (!unreachable) return;
    const timer = setInterval(again, RETRY_MS);
    return () => clearInterval(timer);
  }, [unreachable]);

  if (phase === "out") {
    return (
      <>
        <header class="head">{system.value?.simulated && <SimulatedBand />}</header>
        <LoginScreen onDone={comeIn} />
      </>
    );
  }
  return <Shell>{unreachable ? <UnreachablePage /> : phase === "forbidden" || start.value === "forbidden" ? <ForbiddenPage /> : start.value === "ready" ? <Screen route={route.value} /> : <Loading />}</Shell>;
}

function again(): void {
  if (session.peek().phase === "in") void startCity();
  else void askSession();
}

/** After signing in: where the person wanted to go. */
function comeIn(): void {
  if (route.peek().screen === "login") go(safeNext(query.peek().get("next")), { replace: true });
}

/** Only places of this app: a login link must not lead elsewhere. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : to.overview();
}

function Screen({ route }: { route: Route }) {
  switch (route.screen) {
    case "overview":
      return <Overview />;
    case "alert":
      return <AlertScreen key={route.id} id={route.id} />;
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
    case "login":
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
