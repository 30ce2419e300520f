/** Messages that could not become readings, each with the reason, what mends it, and the bytes as they came. */
import { places, type DeadLetter } from "../../api/places";
import { number } from "../../format/number";
import { dateTime, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { useResource } from "../../state/resource";
import { detailText, hintText, reasonName, reasonWhy } from "../intake/reasons";
import { Age } from "../../ui/age";
import { Quoted } from "../../ui/quoted";
import { ResourceView } from "../../ui/resource-view";

interface Props {
  letters: readonly DeadLetter[];
  more: boolean;
  open: string | null;
  onOpen(letter: string): void;
}

export function DeadLetters({ letters, more, open, onOpen }: Props) {
  return (
    <>
      <ul class="letters">
        {letters.map((letter) => (
          <li key={letter.id} data-letter={letter.id}>
            <div class="letter-line">
              <time dateTime={letter.at} title={`${dateTime(letter.at)} ${zoneOffset(letter.at)}`}>
                {dateTime(letter.at)} <span class="muted">(<Age at={letter.at} past />)</span>
              </time>
              <span class="badge" title={letter.reason}>{reasonName(letter.reason)}</span>
              <span class="muted">{t("device.letters.size", { n: number(letter.size) })}</span>
              {letter.replayed_at !== null && <span class="badge">{t("device.letters.replayed", { time: dateTime(letter.replayed_at) })}</span>}
              <button type="button" class="button" aria-expanded={letter.id === open} onClick={() => onOpen(letter.id)}>
                {t(letter.id === open ? "letters.close" : "letters.open")}
                <span class="spoken">{`: ${dateTime(letter.at)}`}</span>
              </button>
            </div>
            <p class="letter-detail"><Quoted text={detailText(letter.detail)} /></p>
            <p class="muted">
              {letter.source} · <code>{letter.topic}</code>
            </p>
            {letter.id === open && <Whole letter={letter} />}
          </li>
        ))}
      </ul>
      {more && <p class="panel-text muted">{t("letters.more", { n: number(letters.length) })}</p>}
    </>
  );
}

function Whole({ letter }: { letter: DeadLetter }) {
  const resource = useResource(`letter|${letter.id}`, (signal) => places.deadLetter(letter.id, signal));
  return (
    <div class="letter-whole">
      <p><strong>{t("letters.hint")}</strong> {reasonWhy(letter.reason)} <Quoted text={hintText(letter.hint)} /></p>
      <ResourceView resource={resource} compact missing="letters.gone">
        {(whole) => <pre class="source" tabIndex={0} aria-label={t("letters.payload")}>{whole.payload_text === null ? hexOf(whole.payload_base64) : pretty(whole.payload_text)}</pre>}
      </ResourceView>
    </div>
  );
}

/** JSON is laid out; anything else is left exactly as it came. */
export function pretty(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

const ROW = 16;

/** Bytes as they are looked at: place, sixteen bytes, and what of them is text. */
export function hexOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const lines: string[] = [];
  for (let from = 0; from < bytes.length; from += ROW) {
    const row = [...bytes.subarray(from, from + ROW)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${from.toString(16).padStart(6, "0")}  ${hex.padEnd(ROW * 3 - 1)}  ${text}`);
  }
  return lines.join("\n");
}
