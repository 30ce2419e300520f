/** What came of replaying. */
import { problemText } from "../../api/problem-text";
import { number } from "../../format/number";
import { counted, t } from "../../i18n";
import { to } from "../../router";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { Mishap } from "../../ui/mishap";
import type { Replaying } from "./replay";
import { detailText, reasonName } from "./reasons";

export function ReplayView({ replay }: { replay: Replaying }) {
  const { step, result, failure } = replay;
  return (
    <div class="replay-view" role="status" aria-live="polite">
      {step !== null && (
        <p class="backtest-progress">
          <progress max={step.of} value={step.done} aria-label={t("replay.running")} /> {t("replay.running")} {number(step.done)} / {number(step.of)}
        </p>
      )}
      {failure !== null && <Mishap {...problemText(failure)} />}
      {result !== null && result.sent > 0 && (
        <p class={result.again.length === 0 ? "outcome outcome-good" : "outcome outcome-bad"} data-again={result.again.length}>
          {result.again.length === 0 ? <CheckIcon /> : <WarnIcon />}
          <strong>{result.again.length === 0 ? counted("replay.good", result.sent) : t("replay.again", { again: number(result.again.length), sent: number(result.sent) })}</strong>
        </p>
      )}
      {result !== null && result.refused > 0 && <Mishap what={counted("replay.refused", result.refused)} hint={problemText(result.error).what} />}
      {result !== null && result.again.length > 0 && (
        <ul class="plain-list">
          {result.again.slice(0, 5).map((letter) => (
            <li key={letter.id}><a href={to.deadLetter(letter.id)}>{reasonName(letter.reason)}</a> <span class="muted">{detailText(letter.detail)}</span></li>
          ))}
        </ul>
      )}
    </div>
  );
}
