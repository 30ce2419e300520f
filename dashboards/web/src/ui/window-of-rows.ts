/** Which rows of a long list are near enough to the viewport to exist. */
export interface RowWindow {
  first: number;
  /** One past the last. */
  end: number;
}

const SPARE_ROWS = 8;

export function windowOfRows(scrollTop: number, viewport: number, rowHeight: number, rows: number): RowWindow {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - SPARE_ROWS);
  const end = Math.min(rows, Math.ceil((scrollTop + viewport) / rowHeight) + SPARE_ROWS);
  return { first: Math.min(first, Math.max(0, end)), end };
}
