// DEVELOPMENT ONLY. A small invented base map for the mock server: a lake and a river, parks, roads by
// class, a railway, buildings and place names, each a GeoJSON file; and GCJ-02 tiles that show their grid.
import { deflateSync } from "node:zlib";

const feature = (type, coordinates, properties = {}) => ({ type: "Feature", properties, geometry: { type, coordinates } });
const collection = (features) => ({ type: "FeatureCollection", features });
const box = (w, s, e, n) => [[[w, s], [e, s], [e, n], [w, n], [w, s]]];

/** Layers by id, made to fit into these bounds. */
export function makeBaseMap([west, south, east, north]) {
  const [width, height] = [east - west, north - south];
  const at = (x, y) => [west + x * width, south + y * height];
  const wave = (y, from = 0, to = 1) => Array.from({ length: 60 }, (_, n) => at(from + ((to - from) * n) / 59, y + 0.03 * Math.sin(n / 5)));
  const line = (axis, where) => (axis === "x" ? [at(where, -0.1), at(where, 1.1)] : [at(-0.1, where), at(1.1, where)]);
  const grid = (axis, count, name) => Array.from({ length: count }, (_, n) => feature("LineString", line(axis, (n + 0.5) / count), { class: name }));
  const files = {
    water: collection([
      feature("Polygon", [[at(0.93, -0.1), at(1.3, -0.1), at(1.3, 1.1), at(0.9, 1.1), at(0.95, 0.6), at(0.91, 0.3), at(0.93, -0.1)]], { name: "Lake", name_zh: "湖" }),
      feature("LineString", wave(0.42, 0, 0.95), { name: "River", name_zh: "河" }),
    ]),
    green: collection([[0.15, 0.7, 0.27, 0.8], [0.55, 0.15, 0.63, 0.28], [0.84, 0.35, 0.9, 0.62]].map(([w, s, e, n]) => feature("Polygon", box(...at(w, s), ...at(e, n)), {}))),
    roads: collection([
      feature("LineString", wave(0.6, -0.1, 1), { class: "motorway" }),
      feature("LineString", [at(0.35, -0.1), at(0.42, 0.5), at(0.4, 1.1)], { class: "motorway" }),
      ...grid("x", 6, "primary"), ...grid("y", 8, "primary"), ...grid("x", 24, "residential"), ...grid("y", 32, "residential"),
    ]),
    rail: collection([feature("LineString", [at(0.05, 1.1), at(0.5, 0.5), at(0.75, -0.1)], {})]),
    buildings: collection(Array.from({ length: 900 }, (_, n) => {
      const [x, y] = [0.45 + (n % 30) * 0.0022, 0.5 + Math.floor(n / 30) * 0.0012];
      return feature("Polygon", box(...at(x, y), ...at(x + 0.0014, y + 0.0008)), {});
    })),
    places: collection([["Harbour", "港口", 0.88, 0.75], ["University", "大学城", 0.3, 0.35], ["Central Station", "中央车站", 0.5, 0.52], ["Airport", "机场", 0.08, 0.85]].map(([name, name_zh, x, y]) => feature("Point", at(x, y), { name, name_zh, rank: 1 }))),
  };
  const kinds = { water: "water", green: "green", roads: "road", rail: "rail", buildings: "building", places: "label" };
  const layers = Object.entries(kinds).map(([id, kind]) => ({ id, kind, format: "geojson", url: `/api/v1/base-map/${id}.geojson`, coordinates: "wgs84", attribution: { en: "Invented map", zh: "虚构地图" }, min_zoom: null, max_zoom: null }));
  return { files, layers };
}

/** A 256-pixel tile with a frame of its own colour: where one ends is seen. */
export function tilePng(z, x, y) {
  const size = 256;
  const rows = Buffer.alloc(size * (1 + size * 3));
  const colour = [(x * 53) % 200 + 40, (y * 97) % 200 + 40, (z * 31) % 200 + 40];
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const edge = row < 2 || column < 2;
      const at = row * (1 + size * 3) + 1 + column * 3;
      for (let part = 0; part < 3; part += 1) rows[at + part] = edge ? 0 : colour[part];
    }
  }
  const chunk = (name, data) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), 4 + body.length);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function crc(bytes) {
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let bit = 0; bit < 8; bit += 1) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}
