/** A secret that is shown this one time, to be copied. */
import { useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { CheckIcon, CopyIcon } from "./icons";

export function ShownOnce({ secret, label }: { secret: string; label: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<boolean | null>(null);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
    } catch {
      setCopied(false); // no clipboard over plain HTTP; it is selected, so Ctrl-C works
    }
  };
  return (
    <div class="once">
      <span class="once-line">
        <input ref={field} class="input" readOnly value={secret} aria-label={label} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="button" onClick={() => void copy()}>
          {copied === true ? <CheckIcon /> : <CopyIcon />} {t(copied === true ? "once.copied" : "once.copy")}
        </button>
      </span>
      <p role="status">{t(copied === false ? "once.by_hand" : "once.why")}</p>
    </div>
  );
}
