/** A place, typed in the coordinate system that it is known in, or found on the map under a cross. */
import { useState } from "preact/hooks";
import type { DeviceEntry } from "../../api/intake";
import { t } from "../../i18n";
import { MapPanel } from "../../map/map-panel";
import { system } from "../../state/city";
import { Field, TextField } from "../../ui/field";
import type { Bounds, LonLat } from "../../api/types";

export const CRS = ["WGS-84", "GCJ-02", "BD-09", "CGCS2000"] as const;

export interface PlaceDraft {
  crs: (typeof CRS)[number];
  lat: string;
  lon: string;
}

type Declared = NonNullable<DeviceEntry["position"]>;

/** Null if nothing is said. */
export function placeOfText({ crs, lat, lon }: PlaceDraft): Declared | "wrong" | null {
  if (lat.trim() === "" && lon.trim() === "") return null;
  const [y, x] = [Number(lat.replace(",", ".")), Number(lon.replace(",", "."))];
  const good = lat.trim() !== "" && lon.trim() !== "" && Math.abs(y) <= 90 && Math.abs(x) <= 180;
  return good ? { crs, lat: y, lon: x } : "wrong";
}

/** What a place of this city looks like. */
export function middleOf(bounds: Bounds | undefined): LonLat | null {
  if (!bounds) return null;
  const [west, south, east, north] = bounds;
  return [(west + east) / 2, (south + north) / 2];
}

export function PlaceField({ value, onChange }: { value: PlaceDraft; onChange(value: PlaceDraft): void }) {
  const [centre, setCentre] = useState<LonLat | null>(null);
  const place = placeOfText(value);
  const example = middleOf(system.value?.city.bounds);
  const wrong = place === "wrong" ? t("unknown.place.wrong") : null;
  const shown: LonLat | null = place !== null && place !== "wrong" && (place.crs === "WGS-84" || place.crs === "CGCS2000") ? [place.lon, place.lat] : null;
  return (
    <fieldset class="place-field">
      <legend>{t("device.position")}</legend>
      <div class="place-inputs">
        <Field label={t("unknown.place.crs")} hint={t("unknown.place.crs.why")}>
          {(parts) => (
            <select {...parts} class="choice" value={value.crs} onChange={(event) => onChange({ ...value, crs: event.currentTarget.value as PlaceDraft["crs"] })}>
              {CRS.map((each) => <option key={each} value={each} selected={each === value.crs}>{each}</option>)}
            </select>
          )}
        </Field>
        <TextField label={t("unknown.place.lat")} value={value.lat} onInput={(lat) => onChange({ ...value, lat })} error={wrong} placeholder={example?.[1].toFixed(4)} />
        <TextField label={t("unknown.place.lon")} value={value.lon} onInput={(lon) => onChange({ ...value, lon })} placeholder={example?.[0].toFixed(4)} />
        <button type="button" class="button" disabled={centre === null} onClick={() => centre && onChange({ crs: "WGS-84", lon: centre[0].toFixed(6), lat: centre[1].toFixed(6) })}>{t("unknown.place.take")}</button>
        <p class="field-hint">{t("unknown.place.why")}</p>
      </div>
      <div class="place-map">
        <MapPanel focus={shown} follow onView={(view) => setCentre(view === null ? null : [view.lon, view.lat])}>
          <span class="place-cross" aria-hidden="true" />
        </MapPanel>
      </div>
    </fieldset>
  );
}
