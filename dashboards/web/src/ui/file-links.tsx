/** What a table shows, as files: everything that matches, not only what is on the screen. */
import type { Query } from "../api/client";
import { fileUrl, type FileFormat } from "../api/places";
import { t } from "../i18n";

interface Props {
  path: string;
  query: Query;
  /** The file's name without its ending. */
  name: string;
  formats: readonly FileFormat[];
}

const WORDS: Readonly<Record<FileFormat, string>> = { csv: "CSV", geojson: "GeoJSON" };

export function FileLinks({ path, query, name, formats }: Props) {
  return (
    <span class="file-links">
      {formats.map((format) => (
        <a key={format} class="button" href={fileUrl(path, query, format)} download={`${name}.${format}`} title={t("files.all", { format: WORDS[format] })}>
          {WORDS[format]}
        </a>
      ))}
    </span>
  );
}
