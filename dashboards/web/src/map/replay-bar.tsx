/** The time slider below the map: replays the past hour or day. */
import { useMemo } from "preact/hooks";
import { SEVERITIES } from "../api/codes";
import { number } from "../format/number";
import { clockTime, date, dateTime, minuteTime, shortTime } from "../format/time";
import { counted, t } from "../i18n";
import { useKeys } from "../keys";
import { query, setQuery } from "../router";
import { now, serverNow } from "../state/clock";
import { loadOf } from "../state/replay";
import { REPLAY_RANGES, REPLAY_SPEEDS, SPEED_DEFAULT, changeSpeed, choiceOf, closeReplay, openReplay, replayAt, replayData, replayError, replayLoading, replayPlaying, seek, toggle } from "../state/replay-control";
import { SPANS_LOADED } from "../state/replay-load";
import { Choice } from "../ui/choice";
import { PauseIcon, PlayIcon } from "../ui/icons";

/** Parts of the slider's picture of how much fired. */
const PARTS = 160;
const STEP_S = { "1h": 10, "24h": 60 } as const;

export function ReplayBar() {
  const choice = choiceOf(query.value, serverNow());
  const stepMs = choice === null ? 0 : STEP_S[choice.range] * 1000;
  const step = (by: number) => {
    const from = replayAt.peek();
    if (from !== null) seek(from + by * stepMs * 6);
  };
  useKeys({
    " ": toggle,
    ",": () => step(-1),
    ".": () => step(1),
    "<": () => changeSpeed(-1),
    ">": () => changeSpeed(1),
    Escape: closeReplay,
  });
  if (choice === null) return null;
  const data = replayData.value;
  const at = replayAt.value;
  return (
    <section class="replay-bar" aria-label={t("replay.title")}>
      <div class="replay-controls">
        <button type="button" class="button icon-only" disabled={data === null} onClick={toggle} title={`${t(replayPlaying.value ? "replay.pause" : "replay.play")} (${t("replay.space")})`} aria-label={t(replayPlaying.value ? "replay.pause" : "replay.play")}>
          {replayPlaying.value ? <PauseIcon /> : <PlayIcon />}
        </button>
        <Choice label={t("replay.speed")} value={query.value.get("speed") ?? String(SPEED_DEFAULT)} options={REPLAY_SPEEDS.map((each) => [String(each), t("replay.times", { n: each })])} onChange={(speed) => setQuery({ speed })} />
        <div class="segments" role="group" aria-label={t("replay.range")}>
          {REPLAY_RANGES.map((range) => (
            <button key={range} type="button" aria-pressed={range === choice.range} onClick={() => openReplay(range)}>
              {t(`replay.range.${range}`)}
            </button>
          ))}
        </div>
      </div>
      <div class="replay-slide">
        {data && <Load />}
        <input
          type="range"
          min={choice.from}
          max={choice.to}
          step={stepMs}
          value={at ?? choice.at}
          disabled={data === null}
          aria-label={t("replay.moment")}
          aria-valuetext={dateTime(at ?? choice.at)}
          onInput={(event) => seek(Number(event.currentTarget.value))}
          onKeyDown={(event) => {
            if (event.key !== " ") return;
            event.preventDefault();
            toggle();
          }}
        />
        <div class="replay-ends">
          <span>{shortTime(choice.from, now.value)}</span>
          <span class="replay-note" role="status">{noteOf()}</span>
          <span>{minuteTime(choice.to)}</span>
        </div>
      </div>
      <button type="button" class="button replay-back" onClick={closeReplay}>
        {t("replay.back")} <kbd>Esc</kbd>
      </button>
    </section>
  );
}

function noteOf(): string {
  if (replayError.value !== null) return t("replay.failed");
  const data = replayData.value;
  if (data === null) return t("replay.loading");
  if (replayLoading.value) return t("replay.tracks");
  if (data.capped) return t("replay.capped", { n: number(SPANS_LOADED) });
  return data.untracked > 0 ? t("replay.untracked", { n: number(data.untracked) }) : "";
}

/** How many alerts fired over the range, by severity. */
function Load() {
  const data = replayData.value;
  const parts = useMemo(() => (data ? loadOf(data.replay.spans, data.from, data.to, PARTS) : []), [data]);
  const most = Math.max(1, ...parts.map((part) => SEVERITIES.reduce((sum, severity) => sum + part[severity], 0)));
  return (
    <svg class="replay-load" viewBox={`0 0 ${PARTS} 100`} preserveAspectRatio="none" aria-hidden="true">
      {parts.map((part, at) => {
        let top = 100;
        return SEVERITIES.map((severity) => {
          const height = (part[severity] / most) * 96;
          top -= height;
          return height > 0 && <rect key={`${at}${severity}`} class={`severity-${severity}`} x={at} y={top} width={1.02} height={height} />;
        });
      })}
    </svg>
  );
}

/** Over the map while it is not live: cannot be taken for now. */
export function ReplayFrame() {
  const at = replayAt.value;
  const data = replayData.value;
  return (
    <>
      <div class="replay-frame" aria-hidden="true" />
      <p class="replay-badge" role="status">
        <strong>{at === null ? t("replay.title") : t("replay.of", { time: clockTime(at) })}</strong>
        {at !== null && <span>{date(at)}</span>}
        {at !== null && data && <span>{counted("replay.firing", data.replay.firing(at))}</span>}
        <span>{t("replay.map_only")}</span>
        <span>{t("replay.no_silence")}</span>
      </p>
    </>
  );
}
