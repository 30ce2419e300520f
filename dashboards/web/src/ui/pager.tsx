/** Going through a list page by page, by cursor. */
import { t } from "../i18n";
import { query, setQuery } from "../router";

export function Pager({ next }: { next: string | null }) {
  const page = Number(query.value.get("page") ?? "1") || 1;
  if (page === 1 && next === null) return null;
  return (
    <nav class="pager" aria-label={t("devices.page", { n: page })}>
      {page > 1 && (
        <button type="button" class="button" onClick={() => setQuery({ cursor: null, page: null }, { push: true })}>
          {t("devices.first")}
        </button>
      )}
      <span>{t("devices.page", { n: page })}</span>
      <button type="button" class="button" disabled={next === null} onClick={() => setQuery({ cursor: next, page: String(page + 1) }, { push: true })}>
        {t("devices.next")}
      </button>
    </nav>
  );
}
