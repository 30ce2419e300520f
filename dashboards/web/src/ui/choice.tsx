/** A labelled drop-down whose choice is a text; the empty text means "any". */
interface Props {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange(value: string): void;
  id?: string;
}

export function Choice({ label, value, options, onChange, id }: Props) {
  return (
    <select class="choice" id={id} aria-label={label} title={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {options.map(([each, text]) => (
        <option key={each} value={each} selected={each === value}>
          {text}
        </option>
      ))}
    </select>
  );
}
