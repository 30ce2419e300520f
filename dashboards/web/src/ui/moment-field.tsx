/** A moment by the city's clock that narrows a list; what cannot be read is said, and asks for nothing. */
import { useEffect, useState } from "preact/hooks";
import { parseWallClock, wallClock } from "../format/wall-clock";
import { t } from "../i18n";

interface Props {
  label: string;
  /** RFC 3339. */
  value: string | null;
  onChange(value: string | null): void;
}

export function MomentField({ label, value, onChange }: Props) {
  const given = value === null ? "" : Number.isFinite(Date.parse(value)) ? wallClock(Date.parse(value)) : value;
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  const wrong = text.trim() !== "" && parseWallClock(text) === null;
  const report = () => {
    const moment = parseWallClock(text);
    if (text.trim() === "" && value !== null) onChange(null);
    else if (moment !== null && text !== given) onChange(new Date(moment).toISOString());
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input class="input moment" value={text} placeholder={t("audit.moment")} aria-invalid={wrong} title={wrong ? t("audit.moment.wrong") : undefined} autocomplete="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} onBlur={report} onKeyDown={(event) => event.key === "Enter" && report()} />
    </label>
  );
}
