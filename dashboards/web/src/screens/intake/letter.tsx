/** One dead letter: why, where it failed, its bytes, and how to mend and replay it. */
import { useMemo } from "preact/hooks";
import { intakeApi, type DeadLetter } from "../../api/intake";
import { number } from "../../format/number";
import { dateTime, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { GuardedButton } from "../../ui/guarded-button";
import { Facts, Panel } from "../../ui/panel";
import { Quoted } from "../../ui/quoted";
import { ResourceView } from "../../ui/resource-view";
import { byteAt, bytesOf, hex, hexRows, printed } from "./bytes";
import { whyNoReplay } from "./letters";
import { MappingForm } from "./mapping-form";
import { detailText, hintText, mappingOf, mendable, placeOf, reasonName, reasonWhy } from "./reasons";
import { useReplay } from "./replay";
import { ReplayView } from "./replay-view";

/** More rows of hexadecimal than this are not looked through on a screen. */
const MOST_ROWS = 512;

export function LetterScreen({ id }: { id: string }) {
  const resource = useResource(`letter|${id}`, (signal) => intakeApi.letter(id, signal));
  return (
    <ResourceView resource={resource} missing="letter.gone">
      {(letter) => <LetterPage letter={letter} reload={resource.reload} />}
    </ResourceView>
  );
}

function LetterPage({ letter, reload }: { letter: DeadLetter; reload(): void }) {
  const replay = useReplay();
  const run = async () => {
    const result = await replay.run([letter]);
    reload();
    return result;
  };
  return (
    <article class="letter-page">
      <header class="page-head">
        <div class="page-title">
          <p class="alert-badges">
            <span class="muted">{t("letter.title")} {letter.id}</span>
            {letter.replayed_at !== null && <span class="badge">{t("letters.replayed")} <Age at={letter.replayed_at} past /></span>}
          </p>
          <h1>{reasonName(letter.reason)}</h1>
          <p><Quoted text={detailText(letter.detail)} /></p>
        </div>
        <p class="buttons">
          <GuardedButton class="button primary" reason={whyNoReplay()} disabled={replay.step !== null} onPress={() => void run()}>{t("letters.replay")}</GuardedButton>
          <a class="button" href={to.deadLetters({ view: "each", reason: letter.reason, source: letter.source })}>{t("letter.alike")}</a>
        </p>
      </header>
      <ReplayView replay={replay} />
      <div class="columns">
        <div class="column-main">
          <Payload letter={letter} />
        </div>
        <div class="column-side">
          <Panel title={t("letter.mend")}>
            <div class="panel-form">
              <p>{reasonWhy(letter.reason)}</p>
              {hintText(letter.hint) !== "" && <p class="muted"><Quoted text={hintText(letter.hint)} /></p>}
              {letter.reason === "unknown_device" && letter.device !== null && <a class="button primary" href={to.unknownDevice(letter.device)}>{t("letter.to_device")}</a>}
              {mendable(letter.reason) && <MappingForm key={letter.id} initial={mappingOf(letter)} fixedName={false} onSaved={reload} trial={{ letter, run }} />}
              {!mendable(letter.reason) && <a class="link" href={to.mappings()}>{t("letter.to_mappings")}</a>}
            </div>
          </Panel>
          <Panel title={t("letter.about")}>
            <Facts
              items={[
                [t("letters.at"), <>{dateTime(letter.at)} <span class="muted">{zoneOffset(letter.at)}</span></>],
                [t("letters.reason"), <code>{letter.reason}</code>],
                [t("letters.source"), letter.source === "" ? t("letters.no_source") : <code>{letter.source}</code>],
                [t("letters.topic"), <code>{letter.topic}</code>],
                [t("letters.device"), letter.device === null ? t("value.none") : <a href={letter.reason === "unknown_device" ? to.unknownDevice(letter.device) : to.device(letter.device)}>{letter.device}</a>],
                [t("letters.size"), t("letters.bytes", { n: number(letter.size) })],
              ]}
            />
          </Panel>
        </div>
      </div>
    </article>
  );
}

function Payload({ letter }: { letter: DeadLetter }) {
  const bytes = useMemo(() => bytesOf(letter.payload_base64), [letter.payload_base64]);
  const asked = query.value.get("as");
  const asHex = asked === "hex" || (asked === null && letter.payload_text === null);
  const place = placeOf(letter.detail);
  const failed = place.byte ?? (place.line !== null && place.column !== null ? byteAt(bytes, place.line, place.column) : null);
  return (
    <Panel
      title={t("letter.payload")}
      note={failed === null ? "" : t("letter.failed_at", { byte: number(failed) })}
      actions={
        <div class="segments" role="group" aria-label={t("letter.as")}>
          <button type="button" aria-pressed={!asHex} disabled={letter.payload_text === null} onClick={() => setQuery({ as: "text" })}>{t("letter.as.text")}</button>
          <button type="button" aria-pressed={asHex} onClick={() => setQuery({ as: "hex" })}>{t("letter.as.hex")}</button>
        </div>
      }
    >
      {bytes.length === 0 && <p class="state">{t("letter.empty")}</p>}
      {bytes.length > 0 && (asHex ? <Hex bytes={bytes} failed={failed} /> : <Text text={letter.payload_text ?? ""} bytes={bytes} failed={failed} />)}
    </Panel>
  );
}

/** The text with the place marked where it cannot be read; JSON is not laid out anew, it is as it came. */
function Text({ text, bytes, failed }: { text: string; bytes: Uint8Array; failed: number | null }) {
  const at = failed === null ? null : new TextDecoder().decode(bytes.subarray(0, failed)).length;
  return (
    <pre class="payload" tabIndex={0} aria-label={t("letter.payload")}>
      {at === null ? text : <>{text.slice(0, at)}<mark>{text.slice(at, at + 1) || " "}</mark>{text.slice(at + 1)}</>}
    </pre>
  );
}

function Hex({ bytes, failed }: { bytes: Uint8Array; failed: number | null }) {
  const rows = hexRows(bytes);
  return (
    <div class="hex" tabIndex={0} role="region" aria-label={t("letter.as.hex")}>
      <table>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row) => (
            <tr key={row.offset}>
              <th scope="row">{hex(row.offset, 4)}</th>
              <td>{row.bytes.map((value, at) => (row.offset + at === failed ? <mark key={at}>{hex(value)}</mark> : <span key={at}>{hex(value)}</span>))}</td>
              <td class="hex-text">{row.bytes.map(printed).join("")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && <p class="note">{t("letter.hex.cut", { n: number(bytes.length - MOST_ROWS * 16) })}</p>}
    </div>
  );
}
