/** What one can do with the map beside moving it: as a list, layers, the past, a picture. */
import type { RefObject } from "preact";
import { t } from "../i18n";
import { to } from "../router";
import { notice } from "../state/acknowledge";
import { serverNow } from "../state/clock";
import { closeReplay, openReplay, replayAt, replayWanted } from "../state/replay-control";
import { ClockBackIcon, ListIcon, PictureIcon } from "../ui/icons";
import type { CityMap } from "./city-map";
import { LayerChoice } from "./layer-choice";

export function MapTools({ map, zone }: { map: RefObject<CityMap | null>; zone: string | null }) {
  const replaying = replayWanted.value;
  const save = async () => {
    if (!map.current) return;
    try {
      const { saveMap } = await import("./map-picture");
      await saveMap(map.current, replayAt.peek() ?? serverNow(), replayAt.peek() !== null);
    } catch {
      notice.value = t("picture.failed");
    }
  };
  return (
    <div class="map-tools">
      <a class="button" href={to.devices(zone === null ? {} : { zone })}>
        <ListIcon />
        {t("map.as_list")}
      </a>
      <LayerChoice />
      <button type="button" class="button" aria-pressed={replaying} title={`${t("replay.open")} (h)`} onClick={() => (replaying ? closeReplay() : openReplay())}>
        <ClockBackIcon />
        {t("replay.title")}
      </button>
      <button type="button" class="button" title={t("picture.map")} onClick={() => void save()}>
        <PictureIcon />
        PNG
      </button>
    </div>
  );
}
