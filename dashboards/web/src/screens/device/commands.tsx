/** Commands to a device: what to send, where it went, and whether anybody took it. */
import { useState } from "preact/hooks";
import { places, type CommandKeep, type CommandSent } from "../../api/places";
import { problemText } from "../../api/problem-text";
import type { Device } from "../../api/types";
import { clockTime } from "../../format/time";
import { t } from "../../i18n";
import { serverNow } from "../../state/clock";
import { whyNot } from "../../state/rights";
import { Field, TextField } from "../../ui/field";
import { GuardedButton } from "../../ui/guarded-button";
import { Mishap } from "../../ui/mishap";
import { Panel } from "../../ui/panel";

const KEEPS: readonly CommandKeep[] = ["none", "until_taken", "last"];

interface Sent {
  at: number;
  payload: string;
  sent: CommandSent;
}

export function Commands({ device }: { device: Device }) {
  const [name, setName] = useState("set");
  const [payload, setPayload] = useState("");
  const [keep, setKeep] = useState<CommandKeep>("until_taken");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [sent, setSent] = useState<readonly Sent[]>([]);
  const reason = whyNot("engineer", device.department);
  const send = async (event: Event) => {
    event.preventDefault();
    if (reason !== null || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      const answer = await places.command(device.id, { name: name.trim(), payload, keep });
      setSent((before) => [{ at: serverNow(), payload, sent: answer }, ...before]);
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="columns">
      <form class="panel place-form" onSubmit={send}>
        <h2>{t("command.title")}</h2>
        <p class="muted">{t("command.why")}</p>
        {reason !== null && <p class="why-not">{reason}</p>}
        <TextField label={t("command.name")} hint={t("command.name.why")} value={name} onInput={setName} maxLength={200} autocomplete="off" readOnly={reason !== null} />
        <Field label={t("command.payload")} hint={t("command.payload.why")}>
          {(parts) => <textarea {...parts} class="mono" rows={5} spellcheck={false} readOnly={reason !== null} value={payload} onInput={(event) => setPayload(event.currentTarget.value)} />}
        </Field>
        <fieldset class="radios">
          <legend>{t("command.keep")}</legend>
          {KEEPS.map((each) => (
            <label key={each} class="check">
              <input type="radio" name="keep" disabled={reason !== null} checked={keep === each} onChange={() => setKeep(each)} />
              <span>{t(`command.keep.${each}`)}<span class="field-hint">{t(`command.keep.${each}.why`)}</span></span>
            </label>
          ))}
        </fieldset>
        {failure !== null && <Mishap {...problemText(failure)} />}
        <div class="form-actions">
          <GuardedButton reason={reason} onPress={() => undefined} type="submit" class="button primary" disabled={busy}>{busy ? t("form.wait") : t("command.send")}</GuardedButton>
        </div>
      </form>
      <Panel title={t("command.sent")} note={t("command.sent.why")}>
        <div role="status">{sent.length === 0 ? <p class="state">{t("command.sent.none")}</p> : <SentCommands sent={sent} />}</div>
      </Panel>
    </div>
  );
}

function SentCommands({ sent }: { sent: readonly Sent[] }) {
  return (
    <ul class="letters">
      {sent.map((each) => (
        <li key={each.at}>
          <div class="letter-line">
            <time>{clockTime(each.at)}</time>
            <strong>{t(`command.delivery.${each.sent.delivery}`)}</strong>
          </div>
          <p class="muted"><code>{each.sent.topic}</code></p>
          <pre class="source">{each.payload === "" ? t("command.empty") : each.payload}</pre>
        </li>
      ))}
    </ul>
  );
}
