/** Pages that say why there is nothing else: not found, no permission, server unreachable. */
import { t, type TextKey } from "../i18n";
import { to } from "../router";

interface Props {
  title: TextKey;
  why: TextKey;
  retry?(): void;
  home?: boolean;
  shape: "unreachable" | "forbidden" | "not-found";
}

const SHAPES = {
  unreachable: <path d="M6 20a14 14 0 0 1 20 0M10.5 24.5a7.5 7.5 0 0 1 11 0M16 28h.01M5 5l22 22" />,
  forbidden: <path d="M9 15v-4a7 7 0 0 1 14 0v4M6 15h20v13H6zM16 20v3" />,
  "not-found": <path d="M14 6a8 8 0 1 0 0 16 8 8 0 0 0 0-16M20 20l7 7M11.5 11.5l5 5M16.5 11.5l-5 5" />,
} as const;

export function FullPage({ title, why, retry, home = false, shape }: Props) {
  return (
    <div class={`full-page full-page-${shape}`} role="alert">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        {SHAPES[shape]}
      </svg>
      <h1>{t(title)}</h1>
      <p>{t(why)}</p>
      {retry && (
        <button type="button" class="button" onClick={retry}>
          {t("state.retry")}
        </button>
      )}
      {home && (
        <a class="button" href={to.overview()}>
          {t("state.to_overview")}
        </a>
      )}
    </div>
  );
}
