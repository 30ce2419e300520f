/** The wall: what everybody in the room sees. No controls; sizes by the screen; honest about its age. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import "../../styles/wall.css";
import "../../styles/wall-panels.css";
import { clockTime, date, zoneOffset } from "../../format/time";
import { local, t } from "../../i18n";
import { useKeys } from "../../keys";
import { query, setQuery } from "../../router";
import { departmentName, departments, system, zoneName } from "../../state/city";
import { now, refetchEverything } from "../../state/clock";
import { changeLanguage, takeLanguage } from "../../state/language";
import { linkWord, loaded, staleSince } from "../../state/live";
import { askSession, session } from "../../state/session";
import { setTheme, toggleTheme, type Theme } from "../../state/theme";
import { staySignedIn } from "../../state/wall-session";
import { Age } from "../../ui/age";
import { THE_BAND, useDocumentNames } from "../../ui/shell";
import { Board } from "./board";
import { viewKey } from "./scope";
import { isDim, planOf, shiftAt, turnAt, type WallView } from "./views";

/** The screen that the sizes are made for. */
const DESIGN_HEIGHT = 1080;
const CHART_FONT_PX = 15;
const SESSION_CHECK_MS = 300_000;

export function WallScreen() {
  const params = query.value;
  const plan = planOf(params, departments.value.map((department) => department.id));
  const turn = turnAt(plan, now.value);
  const view = plan.views[turn.index] ?? { kind: "city" };
  const height = useHeight();
  const scale = height / DESIGN_HEIGHT;
  useAddressLook(params);
  useDocumentNames();
  useVersionWatch();
  useEffect(() => staySignedIn(refetchEverything), []);
  useEffect(() => {
    const timer = setInterval(() => session.peek().phase === "in" && void askSession(), SESSION_CHECK_MS);
    return () => clearInterval(timer);
  }, []);
  // Charts draw on canvases, which know no sizes of style sheets.
  useLayoutEffect(() => {
    const { style } = document.documentElement;
    style.setProperty("--chart-font", String(Math.round(CHART_FONT_PX * scale)));
    return () => style.removeProperty("--chart-font");
  }, [scale]);
  const pin = (by: number) => setQuery({ view: String(((turn.index + by + plan.views.length) % plan.views.length) + 1) });
  useKeys({
    l: changeLanguage,
    t: toggleTheme,
    p: () => setQuery({ view: plan.pinned === null ? String(turn.index + 1) : null }),
    ArrowRight: () => pin(1),
    ArrowLeft: () => pin(-1),
  });
  const trouble = troubleOf();
  const [x, y] = shiftAt(now.value);
  const hour = Number(clockTime(now.value).slice(0, 2));
  return (
    <div class={["wall", trouble ? "wall-stale" : "", isDim(plan.dim, hour) ? "wall-dim" : ""].join(" ")} style={{ fontSize: `${16 * scale}px` }} data-view={viewKey(view)}>
      <h1 class="spoken">{t("wall.title")}</h1>
      {trouble && (
        <div class={`wall-trouble wall-${trouble.kind}`} role="alert">
          <strong>{trouble.title}</strong>
          <span>{trouble.why}</span>
        </div>
      )}
      <div class="wall-stage" style={{ transform: `translate(${(x * height).toFixed(1)}px, ${(y * height).toFixed(1)}px)` }}>
        <header class="wall-head">
          <strong class="wall-city">{local(system.value?.city.name)}</strong>
          <span class="wall-view">{titleOf(view)}</span>
          <ol class="wall-dots" aria-hidden="true">
            {plan.views.map((each, at) => (
              <li key={viewKey(each)} class={at === turn.index ? "here" : ""} />
            ))}
          </ol>
          <WallLink trouble={trouble} />
          <span class="wall-age">
            {t("wall.data_age")} <b>{system.value?.last_reading_at ? <Age at={system.value.last_reading_at} past /> : t("figure.none_yet")}</b>
          </span>
          <time class="wall-clock" dateTime={new Date(now.value).toISOString()}>
            <span>{date(now.value)}</span> <strong>{clockTime(now.value)}</strong> <small>{zoneOffset(now.value)}</small>
          </time>
        </header>
        {system.value?.simulated && <p class="wall-simulated">{THE_BAND}</p>}
        <main class="wall-main">
          <Board view={view} plan={plan} round={turn.round} scale={scale} />
        </main>
      </div>
    </div>
  );
}

function titleOf(view: WallView): string {
  if (view.kind === "department") return departmentName(view.id);
  if (view.kind === "zone") return zoneName(view.id);
  return t(view.kind === "city" ? "wall.view.city" : "wall.view.alerts");
}

function WallLink({ trouble }: { trouble: Trouble | null }) {
  const word = trouble ? TROUBLE_WORDS[trouble.kind] : linkWord.value === "live" ? "live" : "connecting";
  return (
    <span class={`wall-link wall-link-${word}`} role="status">
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {word === "live" ? <circle cx="8" cy="8" r="6" /> : <path d="m3 3 10 10M13 3 3 13" />}
      </svg>
      {t(`wall.${word}`)}
    </span>
  );
}

const TROUBLE_WORDS = { lost: "lost", out: "signed_out" } as const;

interface Trouble {
  kind: "lost" | "out";
  title: string;
  why: string;
}

let seenLiveAt: number | null = null;

/** What makes the picture old: no session goes before no connection, because somebody must come. */
function troubleOf(): Trouble | null {
  const since = staleSince.value;
  const stamp = (at: number) => `${clockTime(at)} ${zoneOffset(at)}`;
  if (session.value.phase === "out") {
    const at = since ?? seenLiveAt ?? now.value;
    return { kind: "out", title: t("wall.signed_out"), why: t("wall.signed_out.why", { time: stamp(at) }) };
  }
  if (since !== null) return { kind: "lost", title: t("wall.lost"), why: t("wall.lost.since", { time: stamp(since) }) };
  if (loaded.value) seenLiveAt = now.value;
  return null;
}

/** Before anybody was signed in on this screen. */
export function WallSignedOut() {
  useEffect(() => staySignedIn(() => undefined), []);
  return (
    <div class="wall wall-alone">
      <div class="wall-trouble wall-out" role="alert">
        <strong>{t("wall.signed_out")}</strong>
        <span>{t("wall.signed_out.never")}</span>
      </div>
    </div>
  );
}

function useHeight(): number {
  const [height, setHeight] = useState(innerHeight);
  useEffect(() => {
    const measure = () => setHeight(innerHeight);
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  return height;
}

/** Nobody presses keys in front of a wall: its address says how it looks. */
function useAddressLook(params: URLSearchParams): void {
  const [lang, look] = [params.get("lang"), params.get("theme")];
  useEffect(() => {
    if (lang === "en" || lang === "zh") takeLanguage(lang);
    if (look === "dark" || look === "light") setTheme(look as Theme);
  }, [lang, look]);
}

/** A page that is open for weeks follows the server to its next version. */
function useVersionWatch(): void {
  const first = useRef<string | null>(null);
  const version = system.value?.version ?? null;
  useEffect(() => {
    if (version === null) return;
    first.current ??= version;
    if (version !== first.current) location.reload();
  }, [version]);
}
