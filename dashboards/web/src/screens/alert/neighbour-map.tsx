/** A small plan of the neighbours with their values: drawn as lines, so it needs neither tiles nor a GPU. */
import { useMemo } from "preact/hooks";
import type { LastValue, LonLat, Severity, ZoneFeature } from "../../api/types";
import { t } from "../../i18n";
import { zones } from "../../state/city";
import { SHAPES } from "../../ui/marks";
import { trustedText } from "../../ui/quality";
import type { Neighbour } from "./neighbours";

const WIDTH = 440;
const HEIGHT = 230;
const EDGE = 46;
/** No plan is narrower than this, in degrees of latitude. */
const LEAST_DEGREES = 0.004;

export type Project = (place: LonLat) => [x: number, y: number];

/** Fits these places into the plan, north up, the same scale both ways. */
export function projection(places: readonly LonLat[]): Project {
  const lons = places.map(([lon]) => lon);
  const lats = places.map(([, lat]) => lat);
  const mid: LonLat = [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
  const shrink = Math.cos((mid[1] * Math.PI) / 180);
  const wide = Math.max((Math.max(...lons) - Math.min(...lons)) * shrink, LEAST_DEGREES);
  const high = Math.max(Math.max(...lats) - Math.min(...lats), LEAST_DEGREES);
  const scale = Math.min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE * 0.7) / high);
  return ([lon, lat]) => [WIDTH / 2 + (lon - mid[0]) * shrink * scale, HEIGHT / 2 - (lat - mid[1]) * scale];
}

interface Label {
  x: number;
  y: number;
  text: string;
}

/** Moves labels up or down until none lies on another, or on a mark. */
export function spread(labels: readonly Label[], marks: readonly (readonly [x: number, y: number])[] = [], height = 15, width = 66): Label[] {
  const placed: Label[] = [];
  const taken = (x: number, y: number) =>
    placed.some((other) => Math.abs(other.x - x) < width && Math.abs(other.y - y) < height) || marks.some(([left, top]) => Math.abs(left - x) < width / 2 + 6 && Math.abs(top - (y - 5)) < height - 1);
  for (const label of labels) {
    let { y } = label;
    for (let turn = 1; turn < 14 && taken(label.x, y); turn += 1) {
      y = label.y + Math.ceil(turn / 2) * height * (turn % 2 === 0 ? -1 : 1);
    }
    placed.push({ ...label, y: Math.min(Math.max(y, 12), HEIGHT - 6) });
  }
  return placed;
}

interface Props {
  neighbours: readonly Neighbour[];
  own: LonLat | null;
  value: LastValue | null;
  severity: Severity;
}

export function NeighbourMap({ neighbours, own, value, severity }: Props) {
  const places = own === null ? neighbours.map(({ place }) => place) : [own, ...neighbours.map(({ place }) => place)];
  const project = projection(places);
  const mark = places.map((place) => place.join()).join(";");
  const outlines = useMemo(() => (zones.value?.features ?? []).flatMap((zone) => outlinesOf(zone, project)), [mark, zones.value]);
  const at = own === null ? null : project(own);
  const labels = spread([
    ...(at !== null && value !== null ? [{ x: at[0], y: at[1] - 14, text: trustedText(value) }] : []),
    ...neighbours.map((each) => {
      const [x, y] = project(each.place);
      return { x, y: y - 10, text: trustedText(each.value) };
    }),
  ], places.map(project));
  return (
    <svg class="neighbour-map" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("neighbours.map")}>
      {outlines.map((d, n) => <path key={n} class="neighbour-zone" d={d} />)}
      {neighbours.map((each, n) => {
        const [x, y] = project(each.place);
        return (
          <g key={each.value.device} class={each.value.stale ? "stale" : ""}>
            <circle class="neighbour-dot" cx={x} cy={y} r="8" />
            <text class="neighbour-number" x={x} y={y + 3.5}>{n + 1}</text>
          </g>
        );
      })}
      {at !== null && <Own x={at[0]} y={at[1]} severity={severity} />}
      {labels.map((label, n) => <text key={n} class={n === 0 && at !== null && value !== null ? "neighbour-value own" : "neighbour-value"} x={label.x} y={label.y - 2}>{label.text}</text>)}
    </svg>
  );
}

function Own({ x, y, severity }: { x: number; y: number; severity: Severity }) {
  return (
    <g class="neighbour-own">
      <circle class="neighbour-ring" cx={x} cy={y} r="13" />
      <svg class={`mark severity-${severity}`} x={x - 8} y={y - 8} width="16" height="16" viewBox="0 0 16 16">{SHAPES[severity]}</svg>
    </g>
  );
}

/** The parts of a zone's edge, cut to whole pixels: a plan this small needs no more. */
function outlinesOf(zone: ZoneFeature, project: Project): string[] {
  const geometry = zone.geometry as { type: string; coordinates: LonLat[][] | LonLat[][][] } | null;
  if (geometry === null) return [];
  const rings = geometry.type === "Polygon" ? (geometry.coordinates as LonLat[][]) : (geometry.coordinates as LonLat[][][]).flat();
  return rings.flatMap((ring) => {
    const points = ring.map(project);
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const apart = Math.max(...xs) < 0 || Math.min(...xs) > WIDTH || Math.max(...ys) < 0 || Math.min(...ys) > HEIGHT;
    return apart ? [] : [`M${points.map(([x, y]) => `${x.toFixed(0)} ${y.toFixed(0)}`).join("L")}Z`];
  });
}
