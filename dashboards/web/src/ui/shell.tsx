/** What surrounds every screen: bars, banner, navigation, notices, spoken summary, help. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { number } from "../format/number";
import { clockTime, date, shortTime, zoneOffset } from "../format/time";
import { counted, local, t, language } from "../i18n";
import { useKeys } from "../keys";
import { go, path, to } from "../router";
import { notice } from "../state/acknowledge";
import { alertCounts } from "../state/alert-book";
import { now, refetchEverything } from "../state/clock";
import { system } from "../state/city";
import { changeLanguage } from "../state/language";
import { arrived, linkWord, loaded, retryLive, staleSince } from "../state/live";
import { isAtLeast, logOut, whoIs } from "../state/session";
import { theme, toggleTheme } from "../state/theme";
import { Help } from "./help";
import { CloseIcon, LogOutIcon, MoonIcon, SunIcon, UserIcon } from "./icons";

/** How long a receiver may be away before everybody is told. */
const RECEIVER_PATIENCE_MS = 5 * 60_000;

export const THE_BAND = "SIMULATED DATA · 模拟数据";

export function Shell({ children }: { children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  useKeys({
    "g o": () => go(to.overview()),
    "g l": () => go(to.alerts()),
    "g h": () => go(to.handOvers()),
    "g s": () => go(to.silences()),
    "g p": () => go(to.departments()),
    "g d": () => go(to.devices()),
    "g z": () => go(to.zones()),
    "g r": () => (isAtLeast("operator") ? go(to.receivers()) : false),
    "g u": () => go(to.rules()),
    "g i": () => go(to.deadLetters()),
    "g a": () => (isAtLeast("admin") ? go(to.users()) : false),
    "g m": () => go(to.account()),
    "g e": () => go(to.reports()),
    "g y": () => go(to.system()),
    "g k": () => go(to.help()),
    "g w": () => go(to.wall()),
    l: changeLanguage,
    t: toggleTheme,
    "?": () => setHelp(true),
  });
  useDocumentNames();
  return (
    <div class={staleSince.value === null ? "shell" : "shell stale-data"}>
      <a class="skip" href="#content" onClick={skip}>
        {t("app.skip")}
      </a>
      <header class="head">
        <TopBar onHelp={() => setHelp(true)} />
        {system.value?.simulated && <SimulatedBand />}
        <RulesBanner />
        <StaleBanner />
        <StoreBanner />
        <ReceiverBanner />
      </header>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Notice />
      <Spoken />
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

/** The title of the window, and the language that screen readers speak. */
export function useDocumentNames(): void {
  useEffect(() => {
    const name = system.value ? local(system.value.city.name) : "";
    document.title = [t("app.name"), name].filter((part) => part !== "").join(" · ");
    document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
  });
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

export function SimulatedBand() {
  return (
    <div class="simulated" role="note">
      <strong>{THE_BAND}</strong>
      <span>{t("app.simulated.why")}</span>
    </div>
  );
}

function TopBar({ onHelp }: { onHelp(): void }) {
  const signedIn = whoIs.value;
  return (
    <div class="top">
      <a class="brand" href={to.overview()}>
        {system.value && <strong>{local(system.value.city.name)}</strong>}
        <span>{t("app.name")}</span>
      </a>
      <nav aria-label={t("nav.label")}>
        <NavLink href={to.overview()} here={path.value === "/"} text={t("nav.overview")} />
        <NavLink href={to.alerts()} here={/^\/(alerts|silences|new-silence|hand-overs|departments)/.test(path.value)} text={t("nav.alerts")} />
        <NavLink href={to.devices()} here={path.value.startsWith("/devices")} text={t("nav.devices")} />
        <NavLink href={to.zones()} here={path.value.startsWith("/zones")} text={t("nav.zones")} />
        <NavLink href={to.rules()} here={/^\/(new-)?rule/.test(path.value)} text={t("nav.rules")} />
        <NavLink href={to.deadLetters()} here={/^\/(dead-letters|unknown-devices|mappings)/.test(path.value)} text={t("nav.intake")} />
        {isAtLeast("operator") && <NavLink href={to.receivers()} here={path.value === "/receivers"} text={t("nav.receivers")} />}
        <NavLink href={to.reports()} here={path.value === "/reports"} text={t("nav.reports")} />
        <NavLink href={to.system()} here={path.value === "/system"} text={t("nav.system")} />
        {isAtLeast("admin") && <NavLink href={to.users()} here={path.value.startsWith("/admin")} text={t("nav.admin")} />}
      </nav>
      <LinkState />
      <Clock />
      <div class="top-actions">
        <button type="button" class="plain" onClick={changeLanguage} title={`${t("pref.language.label")} (l)`} lang={language.value === "zh" ? "en" : "zh-CN"}>
          {t("pref.language")}
        </button>
        <ThemeButton />
        <button type="button" class="plain icon-only" onClick={onHelp} title={`${t("help.open")} (?)`} aria-label={t("help.open")}>
          ?
        </button>
        {signedIn && (
          <>
            <a class="plain account-link" href={to.account()} title={t("nav.user", { user: signedIn.user })} {...(path.value === to.account() && { "aria-current": "page" as const })}>
              <UserIcon />
              <span>{signedIn.name || signedIn.user}</span>
              <span class="spoken">{`: ${t("account.title")}`}</span>
            </a>
            <button type="button" class="plain icon-only" onClick={() => void logOut()} title={t("nav.logout")} aria-label={t("nav.logout")}>
              <LogOutIcon />
            </button>
          </>
        )}
      </div>
    </div>
  );
}

function NavLink({ href, here, text }: { href: string; here: boolean; text: string }) {
  return (
    <a href={href} {...(here && { "aria-current": "page" as const })}>
      {text}
    </a>
  );
}

export function ThemeButton() {
  const label = t(theme.value === "dark" ? "pref.theme.to_light" : "pref.theme.to_dark");
  return (
    <button type="button" class="plain icon-only" onClick={toggleTheme} title={`${label} (t)`} aria-label={label}>
      {theme.value === "dark" ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}

function LinkState() {
  const word = linkWord.value;
  return (
    <span class={`link-state link-${word}`} role="status">
      <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
        {word === "live" && <circle cx="8" cy="8" r="4.5" />}
        {word === "offline" && <path d="m4 4 8 8M12 4l-8 8" />}
        {(word === "connecting" || word === "reconnecting") && <path d="M12.5 8a4.5 4.5 0 1 1-1.6-3.4" />}
      </svg>
      {t(`link.${word}`)}
    </span>
  );
}

function Clock() {
  return (
    <time class="clock" dateTime={new Date(now.value).toISOString()}>
      <span class="clock-date">{date(now.value)}</span> <strong>{clockTime(now.value)}</strong> <span class="muted">{zoneOffset(now.value)}</span>
    </time>
  );
}

function StaleBanner() {
  const since = staleSince.value;
  if (since === null || !loaded.value) return null;
  const again = () => {
    retryLive();
    refetchEverything();
  };
  return (
    <div class="banner" role="alert">
      <span>{t("link.banner", { time: `${clockTime(since)} ${zoneOffset(since)}` })}</span>
      <button type="button" class="button" onClick={again}>
        {t("link.retry")}
      </button>
    </div>
  );
}

/** The server runs but cannot keep what comes in, or judge it. */
function StoreBanner() {
  const { commits_failing = null, alerts_failing = null } = system.value ?? {};
  const said = [
    commits_failing === null ? null : t("link.commits_failing", { why: commits_failing }),
    alerts_failing === null ? null : t("link.alerts_failing", { why: alerts_failing }),
  ];
  return (
    <>
      {said.map((text) => text !== null && (
        <div key={text} class="banner" role="alert">
          {text}
        </div>
      ))}
    </>
  );
}

/** Somebody who should hear of alerts has not been reached for a while. */
export function ReceiverBanner() {
  const lost = (system.value?.receivers ?? []).filter(({ failing_since }) => failing_since !== null && now.value - Date.parse(failing_since) >= RECEIVER_PATIENCE_MS);
  if (lost.length === 0) return null;
  const names = lost.map((receiver) => receiver.id).join(", ");
  const since = lost.map((receiver) => receiver.failing_since ?? "").sort()[0] ?? "";
  const waiting = number(lost.reduce((sum, receiver) => sum + receiver.waiting, 0));
  return (
    <div class="banner" role="alert">
      <span>{t("link.receivers_failing", { names, time: `${shortTime(since, now.value)} ${zoneOffset(since)}`, waiting })}</span>
      {isAtLeast("operator") && path.value !== to.receivers() && <a class="button" href={to.receivers()}>{t("nav.receivers")}</a>}
    </div>
  );
}

/** Files that were refused, or groups that are disabled: what they watch, nobody watches. */
function RulesBanner() {
  const problems = system.value?.rule_problems ?? [];
  const why = problems[0]?.split("\n")[0];
  if (why === undefined) return null;
  return (
    <div class="banner" role="alert">
      {t("link.rule_problems", { count: problems.length, why })}
    </div>
  );
}

function Notice() {
  const text = notice.value;
  const close = () => {
    notice.value = null;
  };
  useKeys({ Escape: () => (notice.peek() === null ? false : close()) });
  if (text === null) return null;
  return (
    <div class="notice" role="alert">
      <span>{text}</span>
      <button type="button" class="plain icon-only" onClick={close} aria-label={t("help.close")}>
        <CloseIcon />
      </button>
    </div>
  );
}

/** For screen readers: the newest alert at once, the totals when they change; never in a hurry. */
function Spoken() {
  const counts = alertCounts.value;
  const alert = arrived.value;
  return (
    <div class="spoken" aria-live="polite">
      {loaded.value && <p>{counted("alerts.live", counts.firing, { unacknowledged: counts.unacknowledged })}</p>}
      {alert && <p>{t("alerts.arrived", { severity: t(`severity.${alert.severity}`), summary: local(alert.summary) })}</p>}
    </div>
  );
}
