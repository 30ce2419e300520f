/** Before and after, line by line: what is gone, what is new. */
import { difference } from "../../format/difference";
import { t } from "../../i18n";

const SIGNS = { added: "+", removed: "−", changed: "±", same: "=" } as const;

export function DifferenceView({ before, after }: { before: unknown; after: unknown }) {
  const { parts, more } = difference(before, after);
  if (parts.length === 0) return <p class="muted">{t("audit.no_change")}</p>;
  return (
    <>
      <table class="difference">
        <thead>
          <tr>
            <th scope="col"><span class="spoken">{t("audit.change")}</span></th>
            <th scope="col">{t("audit.field")}</th>
            <th scope="col">{t("audit.before")}</th>
            <th scope="col">{t("audit.after")}</th>
          </tr>
        </thead>
        <tbody>
          {parts.map(({ path, kind, before: was, after: is }) => (
            <tr key={path} class={`part-${kind}`}>
              <td>
                <span aria-hidden="true">{SIGNS[kind]}</span>
                <span class="spoken">{t(`audit.part.${kind}`)}</span>
              </td>
              <th scope="row"><code>{path === "" ? t("audit.whole") : path}</code></th>
              <td>{kind === "added" ? "" : kind === "same" ? was : <del>{was}</del>}</td>
              <td>{kind === "removed" ? "" : kind === "same" ? is : <ins>{is}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="muted">{t("audit.more_parts", { n: more })}</p>}
    </>
  );
}
