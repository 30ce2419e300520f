/** A table whose rows can be taken along as a CSV file, as they stand there. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { t } from "../i18n";
import { serverNow } from "../state/clock";
import { PictureIcon } from "./icons";
import { fileName, saveBlob } from "./save-picture";
import { csvOf, rowsOf } from "./table-csv";

interface Props {
  class?: string;
  children: ComponentChildren;
}

export function DataTable({ class: extra = "", children }: Props) {
  const table = useRef<HTMLTableElement>(null);
  const save = () => {
    if (!table.current) return;
    const title = table.current.closest("section")?.querySelector("h2, h3")?.textContent ?? document.title;
    // Spreadsheet programs tell by the mark that it is UTF-8.
    const blob = new Blob(["\uFEFF", csvOf(rowsOf(table.current))], { type: "text/csv;charset=utf-8" });
    saveBlob(blob, fileName([title], serverNow(), "csv"));
  };
  return (
    <>
      <table ref={table} class={`table ${extra}`.trim()}>{children}</table>
      <p class="table-save no-print">
        <button type="button" class="plain" title={t("files.table")} onClick={save}><PictureIcon /> CSV</button>
      </p>
    </>
  );
}
