/** What a device had measured at the moment that the replay shows; never its present values. */
import { get } from "../../api/client";
import type { Page, Readings } from "../../api/types";
import { isTrusted, qualityOfCode } from "../../api/codes";
import { clockTime, span } from "../../format/time";
import { t } from "../../i18n";
import { metricName } from "../../state/city";
import { replayPlaying } from "../../state/replay-control";
import { useResource } from "../../state/resource";
import { QualityWord, trustedText } from "../../ui/quality";

const BACK_MS = 3_600_000;
/** While time runs values follow in larger steps, or the server would be asked with every tick. */
const STEP_MS = { paused: 10_000, playing: 300_000 } as const;
const SERIES = 20;

export function ValuesThen({ device, at }: { device: string; at: number }) {
  const step = STEP_MS[replayPlaying.value ? "playing" : "paused"];
  const moment = Math.ceil(at / step) * step;
  const resource = useResource(`then|${device}|${moment}`, (signal) =>
    get<Page<Readings>>("/readings/series", { device, from: new Date(moment - BACK_MS).toISOString(), to: new Date(moment).toISOString(), limit: SERIES }, signal),
  );
  if (resource.data === null) return <p class="muted">{t(resource.error === null ? "state.loading" : "state.error")}</p>;
  const lines = resource.data.items.flatMap((series) => lastOf(series, at) ?? []);
  return (
    <>
      <p class="muted">{`${t("replay.values")}: ${clockTime(at)}`}</p>
      {lines.length === 0 ? <p>{t("replay.values.none")}</p> : (
        <table class="card-values">
          <tbody>
            {lines.map((line) => (
              <tr key={line.metric}>
                <th scope="row">{metricName(line.metric)}</th>
                <td>
                  {trustedText(line)} {line.doubted && <QualityWord quality={line.quality} />}
                </td>
                <td class="muted">{span((at - line.time) / 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

/** The newest reading of a series up to a moment; null if there is none. */
export function lastOf({ metric, raw, buckets }: Pick<Readings, "metric" | "raw" | "buckets">, at: number) {
  const times = raw?.time ?? buckets?.start ?? [];
  let index = times.length - 1;
  while (index >= 0 && (times[index] ?? 0) > at) index -= 1;
  const time = times[index];
  if (time === undefined) return null;
  const value = raw ? (raw.value[index] ?? null) : (buckets?.mean[index] ?? null);
  if (value === null) return null;
  const code = raw?.quality[index] ?? 2;
  return { metric, value, quality: qualityOfCode(code), doubted: !isTrusted(code), time };
}
