/** The rows of a table on the screen as comma-separated values (RFC 4180). */

/** Its texts, row by row; a moment is told exactly, and what only buttons say is left out. */
export function rowsOf(table: HTMLTableElement): string[][] {
  return [...table.rows].filter((row) => row.cells.length > 0).map((row) => [...row.cells].flatMap((cell) => [textOf(cell), ...Array<string>(Math.max(0, cell.colSpan - 1)).fill("")]));
}

/** What begins a line of its own, or stands apart, on the screen. */
const APART = ".under, .worded, .badge, .chip, li, p, div, br";

function textOf(cell: HTMLTableCellElement): string {
  const copy = cell.cloneNode(true) as HTMLElement;
  copy.querySelectorAll("time[datetime]").forEach((time) => (time.textContent = time.getAttribute("datetime")));
  // A shape that has to be read out has no word beside it.
  copy.querySelectorAll("svg[aria-label]").forEach((shape) => shape.replaceWith(`${shape.getAttribute("aria-label")} `));
  // A head that sorts is a button, and its text is the name of the column.
  copy.querySelectorAll(`${cell.tagName === "TH" ? "" : "button, "}input, select, svg, [aria-hidden=true]`).forEach((part) => part.remove());
  copy.querySelectorAll(APART).forEach((part) => (part.before(" "), part.after(" ")));
  return plain(copy.textContent);
}

function plain(text: string | null): string {
  return (text ?? "").replace(/\s+/g, " ").trim();
}

/** Spreadsheet programs take what begins so for a formula; numbers are numbers. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?[\d.,\s]+[\p{L}\s%°/²³·]{0,12}$/u;

export function csvOf(rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => {
    const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
