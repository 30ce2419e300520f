/** A small map around one place or zone. */
import type { Bounds, LonLat } from "../api/types";
import { MapPanel } from "../map/map-panel";
import { go, to } from "../router";

/** About one and a half kilometres each way at middle latitudes. */
const REACH_DEGREES = 0.015;

interface Props {
  place?: LonLat | null;
  device?: string | null;
  bounds?: Bounds | null;
  zone?: string | null;
}

export function MiniMap({ place = null, device = null, bounds = null, zone = null }: Props) {
  const around: Bounds | null = place
    ? [place[0] - REACH_DEGREES, place[1] - REACH_DEGREES, place[0] + REACH_DEGREES, place[1] + REACH_DEGREES]
    : bounds;
  return (
    <div class="mini-map">
      <MapPanel
        bounds={around}
        focus={device ?? place}
        follow={device !== null}
        zone={zone}
        onPick={(target) => {
          if (target?.type === "device" && target.id !== device) go(to.device(target.id));
          if (target?.type === "zone" && target.id !== zone) go(to.zone(target.id));
        }}
      />
    </div>
  );
}
