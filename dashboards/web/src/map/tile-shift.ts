/**
 * A city's own GCJ-02 tiles, drawn where their streets really are.
 *
 * MapLibre asks for a tile of the true grid (WGS-84). Where its area lies in the shifted grid is known, so
 * the tile is put together from the up to nine tiles that hold that area, in cells: the offset changes slowly
 * (at most about 0.6 m in 1 km), so one offset a cell leaves an error that is far below a pixel at any zoom.
 */
import { gcj02FromWgs84 } from "./gcj02";

export const GCJ02_PROTOCOL = "gcj02";
/** Cells across a tile. */
export const CELLS = 8;
const TILE_PX = 256;

export interface Cell {
  /** Where it is drawn, and from where in the shifted grid, in pixels; the source in pixels of the whole zoom level. */
  x: number;
  y: number;
  fromX: number;
  fromY: number;
  size: number;
}

/** Pixels of the whole world at a zoom, in the spherical Mercator projection. */
export function project(lon: number, lat: number, zoom: number, tilePx = TILE_PX): [x: number, y: number] {
  const world = tilePx * 2 ** zoom;
  const sin = Math.sin((lat * Math.PI) / 180);
  return [((lon + 180) / 360) * world, (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)) * world];
}

export function unproject(x: number, y: number, zoom: number, tilePx = TILE_PX): [lon: number, lat: number] {
  const world = tilePx * 2 ** zoom;
  return [(x / world) * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / world))) * 180) / Math.PI];
}

/** From where in the shifted grid each cell of a true tile comes. */
export function cellsOf(z: number, x: number, y: number, tilePx = TILE_PX): Cell[] {
  const size = tilePx / CELLS;
  const cells: Cell[] = [];
  for (let row = 0; row < CELLS; row += 1) {
    for (let column = 0; column < CELLS; column += 1) {
      const [left, top] = [column * size, row * size];
      const middle = unproject(x * tilePx + left + size / 2, y * tilePx + top + size / 2, z, tilePx);
      const [fromX, fromY] = project(...gcj02FromWgs84(...middle), z, tilePx);
      cells.push({ x: left, y: top, fromX: fromX - size / 2, fromY: fromY - size / 2, size });
    }
  }
  return cells;
}

/** The tiles of the shifted grid that cells need, as `x/y`. */
export function tilesOf(cells: readonly Cell[], z: number, tilePx = TILE_PX): [x: number, y: number][] {
  const count = 2 ** z;
  const found = new Map<string, [number, number]>();
  for (const { fromX, fromY, size } of cells) {
    for (const px of [fromX, fromX + size]) {
      for (const py of [fromY, fromY + size]) {
        const [x, y] = [Math.floor(px / tilePx), Math.floor(py / tilePx)];
        if (x >= 0 && y >= 0 && x < count && y < count) found.set(`${x}/${y}`, [x, y]);
      }
    }
  }
  return [...found.values()];
}

/** `gcj02://…/{z}/{x}/{y}.png` of this server; the numbers are of the true grid. */
export function parseTileUrl(url: string): { z: number; x: number; y: number; urlOf(x: number, y: number): string } | null {
  const found = /^gcj02:\/\/(.*\/)(\d+)\/(\d+)\/(\d+)(\.\w+.*|)$/.exec(url);
  if (!found) return null;
  const [, head = "", z = "", x = "", y = "", tail = ""] = found;
  return { z: Number(z), x: Number(x), y: Number(y), urlOf: (column, row) => `${head}${z}/${column}/${row}${tail}` };
}

/** How many source tiles are kept: neighbours need the same ones. */
const KEPT = 64;
const held = new Map<string, Promise<ImageBitmap | null>>();

function sourceTile(url: string): Promise<ImageBitmap | null> {
  const known = held.get(url);
  if (known) return known;
  const loading = fetch(url, { credentials: "same-origin" })
    .then(async (answer) => {
      // A city's tiles end at its border: what is not there is empty, not an error.
      if (answer.status === 404 || answer.status === 204) return null;
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      return createImageBitmap(await answer.blob());
    })
    .catch((error: unknown) => {
      held.delete(url);
      throw error;
    });
  held.set(url, loading);
  for (const old of held.keys()) {
    if (held.size <= KEPT) break;
    held.delete(old);
  }
  return loading;
}

/** Answers MapLibre's request for one true tile. */
export async function shiftedTile(request: { url: string }): Promise<{ data: ImageBitmap | null }> {
  const tile = parseTileUrl(request.url);
  if (!tile) throw new Error(`no tile address: ${request.url}`);
  const plain = cellsOf(tile.z, tile.x, tile.y);
  const sources = await Promise.all(
    tilesOf(plain, tile.z).map(async ([x, y]) => ({ x, y, image: await sourceTile(tile.urlOf(x, y)) })),
  );
  const there = sources.filter((source): source is { x: number; y: number; image: ImageBitmap } => source.image !== null);
  if (there.length === 0) return { data: null };
  // Tiles for dense screens have more pixels than 256.
  const ratio = (there[0]?.image.width ?? TILE_PX) / TILE_PX;
  const paper = new OffscreenCanvas(TILE_PX * ratio, TILE_PX * ratio);
  const pen = paper.getContext("2d");
  if (!pen) throw new Error("this browser gives no 2D canvas");
  for (const cell of plain) {
    pen.save();
    pen.beginPath();
    pen.rect(cell.x * ratio, cell.y * ratio, cell.size * ratio, cell.size * ratio);
    pen.clip();
    for (const { x, y, image } of there) {
      const [left, top] = [x * TILE_PX - cell.fromX + cell.x, y * TILE_PX - cell.fromY + cell.y];
      if (left > cell.x + cell.size || top > cell.y + cell.size || left + TILE_PX < cell.x || top + TILE_PX < cell.y) continue;
      pen.drawImage(image, left * ratio, top * ratio, TILE_PX * ratio, TILE_PX * ratio);
    }
    pen.restore();
  }
  return { data: paper.transferToImageBitmap() };
}
