/** The way that a moving device came, drawn behind it and growing with it. */
import { useEffect } from "preact/hooks";
import type { LonLat } from "../api/types";
import { serverNow } from "../state/clock";
import { fleet } from "../state/fleet";
import type { Replay } from "../state/replay";
import { loadTrack } from "../state/replay-load";
import type { CityMap } from "./city-map";

const TRAIL_MS = 30 * 60_000;
/** A trail that is watched for hours does not grow for hours. */
const MOST_PLACES = 2000;

export function useTrail(map: CityMap | null, device: string | null, replay: Replay | null, at: number | null): void {
  useEffect(() => {
    if (!map || device === null || replay !== null || !fleet.byId(device)?.moving) return;
    const abort = new AbortController();
    let places: LonLat[] = [];
    const unlisten = fleet.listen((change) => {
      const index = fleet.indexOf(device);
      if (index === null || (!change.reset && !change.indexes.includes(index))) return;
      const seen = fleet.at(index);
      const last = places.at(-1);
      if (seen?.lon == null || seen.lat === null || (last && last[0] === seen.lon && last[1] === seen.lat)) return;
      places = [...places, [seen.lon, seen.lat] as LonLat].slice(-MOST_PLACES);
      map.setTrail(places);
    });
    loadTrack(device, serverNow() - TRAIL_MS, serverNow(), abort.signal).then(
      (track) => {
        places = [...track.places, ...places];
        map.setTrail(places);
      },
      () => undefined, // without its past the trail begins now
    );
    return () => {
      abort.abort();
      unlisten();
      map.setTrail([]);
    };
  }, [map, device, replay]);

  useEffect(() => {
    if (!map || replay === null) return;
    map.setTrail(device === null || at === null ? [] : replay.trail(device, at, TRAIL_MS));
    return () => map.setTrail([]);
  }, [map, device, replay, at]);
}
