/** Two texts line by line: what is gone, what is new; by sign and word, not by colour alone. */
import { useMemo } from "preact/hooks";
import { t } from "../i18n";
import { diffLines, withContext } from "../rulefile/diff";

const SIGNS = { same: " ", added: "+", removed: "−" } as const;

export function TextDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  const shown = useMemo(() => withContext(lines), [lines]);
  const count = (kind: "added" | "removed") => lines.filter((line) => line.kind === kind).length;
  if (count("added") + count("removed") === 0) return <p class="state">{t("diff.same")}</p>;
  return (
    <>
      <p class="diff-sum">{t("diff.sum", { added: count("added"), removed: count("removed") })}</p>
      <div class="text-diff" tabIndex={0} role="region" aria-label={label}>
        <table>
          <tbody>
            {shown.map((line, at) =>
              line === null ? (
                <tr key={at} class="diff-gap">
                  <td colSpan={4}>⋯</td>
                </tr>
              ) : (
                <tr key={at} class={`diff-${line.kind}`}>
                  <td class="diff-number">{line.before ?? ""}</td>
                  <td class="diff-number">{line.after ?? ""}</td>
                  <td class="diff-sign">
                    <span aria-hidden="true">{SIGNS[line.kind]}</span>
                    {line.kind !== "same" && <span class="spoken">{t(`diff.${line.kind}`)}</span>}
                  </td>
                  <td><code>{line.text}</code></td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </>
  );
}
