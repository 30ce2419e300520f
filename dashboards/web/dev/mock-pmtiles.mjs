// DEVELOPMENT ONLY. A small PMTiles archive (version 3) of the invented base map, made in memory:
// what a city would make with tippecanoe or planetiler.
import { GeoJSONVT } from "@maplibre/geojson-vt";
import { fromGeojsonVt } from "@maplibre/vt-pbf";
import { zxyToTileId } from "pmtiles";

const ZOOMS = [7, 8, 9, 10, 11];
const HEADER = 127;

/** `layers`: GeoJSON by the name of its layer. */
export function makePmtiles(layers, [west, south, east, north]) {
  const indexes = Object.entries(layers).map(([name, data]) => [name, new GeoJSONVT(data, { maxZoom: 11, indexMaxZoom: 11, extent: 4096, buffer: 64 })]);
  const tiles = [];
  for (const z of ZOOMS) {
    const column = (lon) => Math.floor(((lon + 180) / 360) * 2 ** z);
    const row = (lat) => Math.floor((0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI)) * 2 ** z);
    for (let x = column(west); x <= column(east); x += 1) {
      for (let y = row(north); y <= row(south); y += 1) {
        const found = indexes.map(([name, index]) => [name, index.getTile(z, x, y)]).filter(([, tile]) => tile !== null);
        if (found.length > 0) tiles.push({ id: zxyToTileId(z, x, y), data: Buffer.from(fromGeojsonVt(Object.fromEntries(found), { version: 2 })) });
      }
    }
  }
  tiles.sort((a, b) => a.id - b.id);
  const metadata = Buffer.from(JSON.stringify({ name: "invented", vector_layers: Object.keys(layers).map((id) => ({ id, fields: {} })) }));
  let at = 0;
  const entries = tiles.map(({ id, data }) => ({ id, offset: (at += data.length) - data.length, length: data.length }));
  const directory = Buffer.concat([
    varint(entries.length),
    ...entries.map(({ id }, n) => varint(id - (n === 0 ? 0 : entries[n - 1].id))),
    ...entries.map(() => varint(1)),
    ...entries.map(({ length }) => varint(length)),
    ...entries.map(({ offset }) => varint(offset + 1)),
  ]);
  const header = Buffer.alloc(HEADER);
  header.write("PMTiles", 0, "latin1");
  header[7] = 3;
  const metadataAt = HEADER + directory.length;
  const dataAt = metadataAt + metadata.length;
  const numbers = [HEADER, directory.length, metadataAt, metadata.length, dataAt, 0, dataAt, at, entries.length, entries.length, entries.length];
  numbers.forEach((value, n) => header.writeBigUInt64LE(BigInt(value), 8 + n * 8));
  // Clustered; nothing is compressed; vector tiles.
  header.set([1, 1, 1, 1, ZOOMS[0], ZOOMS.at(-1)], 96);
  [west, south, east, north].forEach((degrees, n) => header.writeInt32LE(Math.round(degrees * 1e7), 102 + n * 4));
  header[118] = ZOOMS[0];
  header.writeInt32LE(Math.round(((west + east) / 2) * 1e7), 119);
  header.writeInt32LE(Math.round(((south + north) / 2) * 1e7), 123);
  return Buffer.concat([header, directory, metadata, ...tiles.map(({ data }) => data)]);
}

function varint(value) {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
