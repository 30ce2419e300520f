/** The states of loaded data: waiting, failed, there, and there but not refreshed. */
import type { ComponentChildren } from "preact";
import { ApiError, Unreachable } from "../api/client";
import { clockTime } from "../format/time";
import { t, type TextKey } from "../i18n";
import { FullPage } from "../screens/full-page";
import type { Resource } from "../state/resource";

interface Props<T> {
  resource: Resource<T>;
  /** What a 404 means here. */
  missing?: TextKey;
  compact?: boolean;
  children(data: T): ComponentChildren;
}

export function ResourceView<T>({ resource, missing, compact = false, children }: Props<T>) {
  const { data, error, at } = resource;
  if (data !== null) {
    return (
      <>
        {error !== null && at !== null && <p class="note" role="status">{t("state.refreshing_failed", { time: clockTime(at) })}</p>}
        {children(data)}
      </>
    );
  }
  if (error !== null) return <Failure error={error} missing={missing} compact={compact} retry={resource.reload} />;
  return <Loading />;
}

export function Loading() {
  return (
    <p class="state loading" role="status">
      {t("state.loading")}
    </p>
  );
}

interface FailureProps {
  error: unknown;
  missing?: TextKey | undefined;
  compact?: boolean;
  retry(): void;
}

export function Failure({ error, missing, compact = false, retry }: FailureProps) {
  if (!compact && error instanceof ApiError && error.status === 404) return <FullPage shape="not-found" title={missing ?? "state.not_found"} why="state.not_found.why" home />;
  const { title, why, retryable } = describe(error, missing);
  return (
    <div class={compact ? "state" : "state state-page"} role="alert">
      <h2>{title}</h2>
      {why !== "" && <p>{why}</p>}
      {retryable && (
        <button type="button" class="button" onClick={retry}>
          {t("state.retry")}
        </button>
      )}
    </div>
  );
}

function describe(error: unknown, missing: TextKey | undefined): { title: string; why: string; retryable: boolean } {
  if (error instanceof Unreachable) return { title: t("state.unreachable"), why: t("state.unreachable.why"), retryable: true };
  if (error instanceof ApiError && error.status === 403) return { title: t("state.forbidden"), why: t("state.forbidden.why"), retryable: false };
  if (error instanceof ApiError && error.status === 404) return { title: t(missing ?? "state.not_found"), why: "", retryable: false };
  if (error instanceof ApiError) return { title: t("state.error"), why: [error.problem.detail ?? error.problem.title, error.problem.hint ?? ""].join(" ").trim(), retryable: true };
  return { title: t("state.error"), why: String(error), retryable: true };
}
