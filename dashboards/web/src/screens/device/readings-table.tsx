/** The readings of one series as they are: time, value and quality, newest first. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { isTrusted, qualityOfCode } from "../../api/codes";
import type { Quality, RawReadings, ReadingValue } from "../../api/types";
import { iso } from "../../charts/ranges";
import { clockTime, date, zoneOffset } from "../../format/time";
import { counted, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { now } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { FileLinks } from "../../ui/file-links";
import { LongTable, type Column } from "../../ui/long-table";
import { QualityWord, trustedText } from "../../ui/quality";
import { ResourceView } from "../../ui/resource-view";

interface Props {
  device: string;
  metric: string;
  windowKey: string;
  window(): { from: number; to: number };
}

export interface ReadingRow {
  time: number;
  value: ReadingValue | null;
  quality: Quality;
  doubted: boolean;
}

/** Newest first. */
export function rowsOf(raw: RawReadings, onlyDoubted: boolean): ReadingRow[] {
  const rows = raw.time.map((time, at) => {
    const code = raw.quality[at] ?? 2;
    return { time, value: raw.value[at] ?? null, quality: qualityOfCode(code), doubted: !isTrusted(code) };
  });
  return (onlyDoubted ? rows.filter((row) => row.doubted) : rows).reverse();
}

export function ReadingsTable({ device, metric, windowKey, window }: Props) {
  const onlyDoubted = query.value.get("doubted") === "1";
  const resource = useResource(`rows|${device}|${metric}|${windowKey}`, async (signal) => {
    const { from, to } = window();
    return { from, to, readings: await api.readings({ device, metric, from: iso(from), to: iso(to), step: "raw" }, signal) };
  });
  const { data } = resource;
  const rows = useMemo(() => (data?.readings.raw ? rowsOf(data.readings.raw, onlyDoubted) : []), [data, onlyDoubted]);
  return (
    <div class="readings">
      <div class="readings-head">
        <label class="check">
          <input type="checkbox" checked={onlyDoubted} onChange={(event) => setQuery({ doubted: event.currentTarget.checked ? "1" : null })} />
          <span>{t("history.only_doubted")}</span>
        </label>
        <span class="muted" role="status">{data && counted("history.readings", rows.length)}</span>
        <span class="muted">{zoneOffset(now.value)}</span>
        <button type="button" class="plain" onClick={resource.reload}>{t("history.again")}</button>
        {data && <FileLinks path="/readings/export" query={{ device, metric, from: iso(data.from), to: iso(data.to) }} name={`${device}-${metric}`} formats={["csv"]} />}
      </div>
      <ResourceView resource={resource} compact>
        {(held) => (
          <>
            {held.readings.truncated && <p class="note">{t("chart.truncated")}</p>}
            {rows.length === 0 ? <p class="state">{t(onlyDoubted ? "history.none_doubted" : "chart.none")}</p> : <LongTable key={`${metric}|${onlyDoubted}`} class="readings-table" label={t("history.list")} columns={columns(metric)} count={rows.length} rowAt={(index) => rows[index]} idOf={(row) => String(row.time)} />}
          </>
        )}
      </ResourceView>
    </div>
  );
}

function columns(metric: string): readonly Column<ReadingRow>[] {
  return [
    {
      key: "time",
      class: "c-time",
      head: t("history.time"),
      cell: (row) => (
        <time dateTime={iso(row.time)}>
          {date(row.time)} <strong>{clockTime(row.time)}</strong>
        </time>
      ),
    },
    { key: "age", class: "c-age right", head: t("device.age"), cell: (row) => <Age at={iso(row.time)} /> },
    { key: "value", class: "c-value right value", head: t("device.value"), cell: (row) => (row.value === null ? t("value.none") : trustedText({ value: row.value, quality: row.quality, metric })) },
    { key: "quality", class: "c-quality", head: t("quality.label"), cell: (row) => <QualityWord quality={row.quality} /> },
  ];
}
