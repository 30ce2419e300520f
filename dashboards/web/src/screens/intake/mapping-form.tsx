/** What a name means: which metric, in which unit, by which factor; tried on one message where there is one. */
import { useId, useState } from "preact/hooks";
import { intakeApi, type DeadLetter, type Mapping } from "../../api/intake";
import { problemText } from "../../api/problem-text";
import { t } from "../../i18n";
import { inOrder, metricName, metricOf, metrics } from "../../state/city";
import { whyNot } from "../../state/rights";
import { Field, TextField } from "../../ui/field";
import { GuardedButton } from "../../ui/guarded-button";
import { Mishap } from "../../ui/mishap";
import type { ReplayResult } from "./replay";

interface Props {
  initial: Mapping;
  /** The name and source say which mapping it is, so they stay. */
  fixedName: boolean;
  onSaved(): void;
  trial?: { letter: DeadLetter; run(): Promise<ReplayResult | null> };
}

export const sameMapping = (a: Pick<Mapping, "name" | "source">, b: Pick<Mapping, "name" | "source">) => a.name === b.name && (a.source ?? null) === (b.source ?? null);

export function MappingForm({ initial, fixedName, onSaved, trial }: Props) {
  const [draft, setDraft] = useState(initial);
  const [scale, setScale] = useState(initial.scale === undefined ? "" : String(initial.scale));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  /** What stood there before the trial: it can be put back. */
  const [before, setBefore] = useState<{ mapping: Mapping | null } | null>(null);
  const list = useId();
  const factor = scale.trim() === "" ? undefined : Number(scale.replace(",", "."));
  const wrongScale = factor !== undefined && (!Number.isFinite(factor) || factor === 0);
  const metric = metricOf(draft.metric);
  const reason = whyNot("engineer", null);
  const ready = draft.name.trim() !== "" && metric !== undefined && !wrongScale;

  const save = async () => {
    setBusy(true);
    setFailure(null);
    try {
      const { value, tag } = await intakeApi.mappings();
      const { unit = "", source = "" } = draft;
      const mapping: Mapping = { name: draft.name.trim(), metric: draft.metric, ...(source.trim() !== "" && { source: source.trim() }), ...(unit.trim() !== "" && { unit: unit.trim() }), ...(factor !== undefined && { scale: factor }) };
      await intakeApi.putMapping(mapping, tag);
      setBefore({ mapping: value.items.find((each) => sameMapping(each, mapping)) ?? null });
      if (trial) await trial.run();
      onSaved();
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  const takeBack = async () => {
    setBusy(true);
    try {
      const { tag } = await intakeApi.mappings();
      if (before?.mapping) await intakeApi.putMapping(before.mapping, tag);
      else await intakeApi.deleteMapping(draft, tag);
      setBefore(null);
      onSaved();
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  return (
    <form class="mapping-form" onSubmit={(event) => (event.preventDefault(), void (ready && reason === null && save()))}>
      <h3>{t("mapping.title")}</h3>
      <TextField label={t("mapping.name")} hint={t("mapping.name.why")} value={draft.name} onInput={(name) => setDraft({ ...draft, name })} readOnly={fixedName} required />
      <TextField label={t("letters.source")} hint={t("mapping.source.why")} value={draft.source ?? ""} onInput={(source) => setDraft({ ...draft, source })} readOnly={fixedName} />
      <Field label={t("mapping.metric")} hint={metric ? `${metricName(metric.id)}${metric.symbol === "" ? "" : ` · ${metric.symbol}`}` : t("mapping.metric.why")} error={draft.metric !== "" && !metric ? t("mapping.metric.unknown") : null}>
        {(parts) => <input {...parts} class="input" list={list} value={draft.metric} autocomplete="off" spellcheck={false} required onInput={(event) => setDraft({ ...draft, metric: event.currentTarget.value.trim() })} />}
      </Field>
      <datalist id={list}>{inOrder(metrics.value.map(({ id }) => id)).map((id) => <option key={id} value={id} label={metricName(id)} />)}</datalist>
      <div class="form-columns">
        <TextField label={t("mapping.unit")} hint={t("mapping.unit.why")} value={draft.unit ?? ""} onInput={(unit) => setDraft({ ...draft, unit })} />
        <TextField label={t("mapping.scale")} hint={t("mapping.scale.why")} value={scale} onInput={setScale} error={wrongScale ? t("mapping.scale.wrong") : null} />
      </div>
      {failure !== null && <Mishap {...problemText(failure)} />}
      {trial && <p class="field-hint">{t("mapping.trial.why")}</p>}
      <p class="buttons">
        <GuardedButton type="submit" class="button primary" reason={reason} disabled={!ready || busy} onPress={() => undefined}>{busy ? t("form.wait") : t(trial ? "mapping.trial" : "form.save")}</GuardedButton>
        {before !== null && trial && <button type="button" class="button" disabled={busy} onClick={() => void takeBack()}>{t("mapping.take_back")}</button>}
      </p>
    </form>
  );
}
