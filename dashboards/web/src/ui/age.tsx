/** How old something is, counting on by itself. */
import { age, ago, dateTime, zoneOffset } from "../format/time";
import { now } from "../state/clock";

interface Props {
  at: string | null;
  /** Adds "ago". */
  past?: boolean;
}

export function Age({ at, past = false }: Props) {
  const text = past ? ago(at, now.value) : age(at, now.value);
  if (at === null) return <span class="muted">{text}</span>;
  return (
    <time dateTime={at} title={`${dateTime(at)} ${zoneOffset(at)}`}>
      {text}
    </time>
  );
}
