/** Puts the base map on a MapLibre map, and takes it off again. Beside city-map.ts the only module that knows MapLibre. */
import { addProtocol, type GeoJSONSource, type Map as MapLibre } from "maplibre-gl";
import type { BaseLayer, BaseMap } from "./base-map";
import { baseStyle, groupOf, type BaseStyle } from "./base-style";
import { geojsonFromGcj02 } from "./gcj02";
import type { Palette } from "./palette";
import { BELOW_AREAS, BELOW_NAMES } from "./style";
import { GCJ02_PROTOCOL, shiftedTile } from "./tile-shift";

export interface BaseLook {
  palette: Palette;
  language: "en" | "zh";
  hidden: ReadonlySet<string>;
}

type SourceData = Parameters<GeoJSONSource["setData"]>[0];

let protocols = false;

/** What is inside of vector files, by their address; asked once. */
const contents = new Map<string, Promise<readonly string[]>>();

export class BaseLayers {
  private drawn: BaseStyle | null = null;
  private turn = 0;

  constructor(
    private readonly map: MapLibre,
    private readonly fail: (layer: string, error: unknown) => void,
  ) {}

  /** Draws a base map in place of the one before; another look of the same one is drawn the same way. */
  async draw(base: BaseMap, look: BaseLook): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    if (!protocols) {
      protocols = true;
      // An empty tile is no picture: the library takes null, though its types say otherwise.
      addProtocol(GCJ02_PROTOCOL, (request) => shiftedTile(request) as Promise<{ data: ImageBitmap }>);
    }
    const inside = await this.lookInside(base.layers);
    if (turn !== this.turn) return;
    this.clear();
    const style = baseStyle(base, { ...look, origin: location.origin, inside });
    for (const [id, source] of Object.entries(style.sources)) this.map.addSource(id, source);
    for (const layer of style.below) this.map.addLayer(layer, BELOW_AREAS);
    for (const layer of style.labels) this.map.addLayer(layer, BELOW_NAMES);
    this.drawn = style;
    for (const layer of base.layers) if (layer.format === "geojson" && layer.coordinates === "gcj02") void this.fill(layer, turn);
  }

  show(hidden: ReadonlySet<string>): void {
    for (const { id } of [...(this.drawn?.below ?? []), ...(this.drawn?.labels ?? [])]) {
      this.map.setLayoutProperty(id, "visibility", hidden.has(groupOf(id) ?? "") ? "none" : "visible");
    }
  }

  private clear(): void {
    for (const { id } of [...(this.drawn?.below ?? []), ...(this.drawn?.labels ?? [])]) this.map.removeLayer(id);
    for (const id of Object.keys(this.drawn?.sources ?? {})) this.map.removeSource(id);
    this.drawn = null;
  }

  /** A file in the shifted system is put right here; others MapLibre reads itself. */
  private async fill(layer: BaseLayer, turn: number): Promise<void> {
    try {
      const answer = await fetch(layer.url, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      const data = geojsonFromGcj02((await answer.json()) as SourceData);
      if (turn === this.turn) void this.map.getSource<GeoJSONSource>(`base-${layer.id}`)?.setData(data);
    } catch (error) {
      this.fail(layer.id, error);
    }
  }

  private async lookInside(layers: readonly BaseLayer[]): Promise<Map<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    const wanted = layers.filter((layer) => layer.format === "pmtiles");
    await Promise.all(
      wanted.map(async (layer) => {
        try {
          const known = contents.get(layer.url) ?? readNames(location.origin + layer.url);
          contents.set(layer.url, known);
          found.set(layer.id, await known);
        } catch (error) {
          contents.delete(layer.url);
          this.fail(layer.id, error);
        }
      }),
    );
    return found;
  }
}

/** Opens a PMTiles file by range requests; its library is loaded when the first is there. */
async function readNames(url: string): Promise<readonly string[]> {
  const { addArchive } = await import("./pmtiles");
  return addArchive(url);
}
