/** Something could not be done: what, and how to mend it. */
import type { ProblemText } from "../api/problem-text";
import { WarnIcon } from "./icons";

export function Mishap({ what, hint }: ProblemText) {
  return (
    <div class="mishap" role="alert">
      <WarnIcon />
      <p>
        <strong>{what}</strong>
        {hint !== "" && <span>{hint}</span>}
      </p>
    </div>
  );
}
