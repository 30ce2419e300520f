// DEVELOPMENT ONLY. An invented city for the mock server: zones, devices, values, alerts.
import { readFileSync } from "node:fs";

let seed = 42;
export const random = () => ((seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32);
const pick = (list) => list[Math.floor(random() * list.length)];
const iso = (ms) => new Date(ms).toISOString();
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-");

export const metrics = [
  ["pm25", "PM2.5", "细颗粒物 PM2.5", "ug/m3", "µg/m³", 0, 2000, 0],
  ["no2", "Nitrogen dioxide", "二氧化氮", "ug/m3", "µg/m³", 0, 4000, 0],
  ["noise_laeq", "Noise level LAeq", "等效声级", "dB", "dB(A)", 20, 140, 1],
  ["temperature", "Air temperature", "气温", "Cel", "°C", -60, 60, 1],
  ["humidity", "Relative humidity", "相对湿度", "%", "%", 0, 100, 0],
  ["wind_speed", "Wind speed", "风速", "m/s", "m/s", 0, 100, 1],
  ["water_level", "Water level", "水位", "m", "m", -20, 100, 2],
  ["traffic_speed", "Traffic speed", "车速", "km/h", "km/h", 0, 250, 0],
  ["traffic_count", "Vehicle count", "车流量", "1", "", 0, null, 0],
  ["parking_free", "Free parking spaces", "空余车位", "1", "", 0, null, 0],
  ["lamp_power", "Lamp power", "路灯功率", "W", "W", 0, 2000, 0],
  ["lamp_on", "Lamp lit", "路灯点亮", "1", "", 0, 1, 0],
  ["fill_level", "Fill level", "满溢率", "%", "%", 0, 100, 0],
  ["battery", "Battery level", "电池电量", "%", "%", 0, 100, 0],
  ["speed", "Vehicle speed", "行驶速度", "km/h", "km/h", 0, 250, 0],
  ["occupancy", "Passenger load", "载客率", "%", "%", 0, 100, 0],
  ["so2", "Sulphur dioxide", "二氧化硫", "ug/m3", "µg/m³", 0, 4000, 0],
].map(([id, en, zh, unit, symbol, min, max, decimals]) => ({ id, name: { en, zh }, unit, symbol, range: max === null ? null : { min, max }, decimals, unmapped: false }));

const KINDS = {
  air_station: ["Air quality station", "空气质量站", "environment", 60, { pm25: [24, 12], no2: [38, 14], temperature: [4, 5], humidity: [62, 10] }],
  noise_meter: ["Noise meter", "噪声监测仪", "environment", 30, { noise_laeq: [61, 7], battery: [84, 2] }],
  weather_station: ["Weather station", "气象站", "environment", 60, { temperature: [4, 5], humidity: [62, 10], wind_speed: [4, 2] }],
  traffic_counter: ["Traffic counter", "交通流量计", "transport", 30, { traffic_speed: [42, 12], traffic_count: [120, 60] }],
  water_gauge: ["Water gauge", "水位计", "water", 60, { water_level: [1.2, 0.3], battery: [77, 3] }],
  parking_lot: ["Car park", "停车场", "transport", 60, { parking_free: [140, 80] }],
  street_light: ["Street light", "路灯", "lighting", 300, { lamp_power: [85, 30], lamp_on: [1, 0] }],
  waste_bin: ["Waste bin", "垃圾桶", "sanitation", 600, { fill_level: [48, 20], battery: [70, 5] }],
  bus: ["Bus", "公交车", "transport", 10, { speed: [24, 12], occupancy: [40, 22] }],
};
export const kindNames = Object.fromEntries(Object.entries(KINDS).map(([id, [en, zh]]) => [id, { en, zh }]));

function rings(geometry) {
  return geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
}
function inside([x, y], geometry) {
  let odd = false;
  for (const ring of rings(geometry)) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi, yi] = ring[i], [xj, yj] = ring[j];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
    }
  }
  return odd;
}

export function loadZones(path) {
  const file = path ? JSON.parse(readFileSync(path, "utf8")) : grid();
  return {
    type: "FeatureCollection",
    features: file.features.map(({ properties, geometry }) => {
      const points = rings(geometry).flat();
      const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
      const bounds = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
      let label = [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2];
      for (let n = 0; n < 200 && !inside(label, geometry); n++) label = [bounds[0] + random() * (bounds[2] - bounds[0]), bounds[1] + random() * (bounds[3] - bounds[1])];
      return { type: "Feature", properties: { id: slug(properties.name), name: { en: properties.name, zh: properties.name }, layer: "neighbourhood", label, bounds, devices: 0 }, geometry };
    }),
  };
}
function grid() {
  const features = [];
  for (let x = 0; x < 8; x++) for (let y = 0; y < 8; y++) {
    const [lon, lat] = (process.env.ORIGIN ?? "-87.9,41.65").split(",").map(Number);
    const w = lon + x * 0.045, s = lat + y * 0.045, e = w + 0.045, n = s + 0.045;
    features.push({ properties: { name: `Block ${x}${y}` }, geometry: { type: "Polygon", coordinates: [[[w, s], [e, s], [e, n], [w, n], [w, s]]] } });
  }
  return { features };
}

export function makeDevices(zones, count) {
  const kinds = Object.keys(KINDS);
  const weights = { air_station: 5, noise_meter: 12, weather_station: 3, traffic_counter: 18, water_gauge: 4, parking_lot: 6, street_light: 34, waste_bin: 12, bus: 6 };
  const deck = kinds.flatMap((kind) => Array(weights[kind]).fill(kind));
  return Array.from({ length: count }, (_, n) => {
    const kind = pick(deck);
    const zone = pick(zones.features);
    const [w, s, e, north] = zone.properties.bounds;
    let place = zone.properties.label;
    for (let tries = 0; tries < 60; tries++) {
      const [x, y] = [w + random() * (e - w), s + random() * (north - s)];
      if (inside([x, y], zone.geometry)) { place = [x, y]; break; }
    }
    zone.properties.devices += 1;
    const [en, zh, department, interval_s, series] = KINDS[kind];
    const id = `${kind.replaceAll("_", "-")}-${String(n).padStart(4, "0")}`;
    const silent = random();
    return {
      id, kind, department, interval_s, series, place, zone: zone.properties, moving: kind === "bus", heading: random() * 6.28, n,
      name: { en: `${en} ${zone.properties.name.en} ${n}`, zh: `${zone.properties.name.zh} ${zh} ${n}` },
      status: silent < 0.02 ? 2 : silent < 0.035 ? 1 : silent < 0.037 ? 3 : 0, severity: 0, bump: null,
      declared: n % 40 === 7 ? { lon: place[0] + 0.0062, lat: place[1] + 0.0014, crs: "GCJ-02" } : null,
      gateway: n % 9 === 0 ? null : `gateway-${n % 25}`,
    };
  });
}

export function value(device, metric, ms) {
  const [mean, spread] = device.series[metric];
  if (metric === "lamp_on") return Math.abs((ms / 3.6e6) % 24 - 12) < 6 ? 0 : 1;
  const day = Math.sin((ms / 8.64e7) * 2 * Math.PI + device.n);
  const noise = Math.sin(ms / 37e3 + device.n * 7) * 0.4 + Math.sin(ms / 411e3 + device.n * 3) * 0.6;
  let v = mean + spread * (day * 0.6 + noise * 0.5);
  if (device.bump?.metric === metric && ms >= device.bump.from && ms <= (device.bump.to ?? Infinity)) v += device.bump.by * Math.min(1, (ms - device.bump.from) / 90e3);
  const decimals = metrics.find((m) => m.id === metric)?.decimals ?? 1;
  return Math.max(metric === "temperature" ? -50 : 0, Number(v.toFixed(decimals)));
}

export const RULES = [
  ["air_pm25_high", "environment", "threshold", "pm25", "air_station", "PM2.5 above {l}", "PM2.5 超过 {l}", 75, 90, ["high", "critical"]],
  ["noise_night", "environment", "threshold", "noise_laeq", "noise_meter", "Noise above the night limit", "噪声超过夜间限值", 70, 14, ["medium", "low"]],
  ["water_rising", "water", "threshold", "water_level", "water_gauge", "Water level above {l} m", "水位超过 {l} 米", 2.4, 1.6, ["critical", "high"]],
  ["slow_traffic", "transport", "window", "traffic_speed", "traffic_counter", "Traffic slower than {l} km/h for 10 minutes", "车速连续十分钟低于 {l} km/h", 15, -40, ["low", "medium"]],
  ["bin_full", "sanitation", "threshold", "fill_level", "waste_bin", "Bin nearly full", "垃圾桶将满", 90, 50, ["low"]],
  ["silent_device", "environment", "absence", null, null, "Silent for 3 intervals", "连续三个周期未上报", null, 0, ["medium"]],
  ["level_unusual", "water", "anomaly", "water_level", "water_gauge", "Water level unusual for the hour", "水位异常", 4, 1.1, ["medium", "high"]],
  ["zone_air", "environment", "zone_aggregate", "pm25", "air_station", "Neighbourhood mean of PM2.5 above {l}", "片区 PM2.5 均值超过 {l}", 55, 40, ["high"]],
].map(([id, department, kind, metric, device_kind, en, zh, limit, by, severities]) => ({ id, department, kind, metric, device_kind, en, zh, limit, by, severities, version: (id.length * 7919).toString(16).padStart(12, "a3f90c4d21e8").slice(0, 12) }));

export function ruleText(rule) {
  return `- id: ${rule.id}
  name: { en: "${rule.en}", zh: "${rule.zh}" }
  department: ${rule.department}
  kind: ${rule.kind}
  select: { metric: ${rule.metric ?? "~"}, kind: ${rule.device_kind ?? "~"} }
  raise:
    above: ${rule.limit ?? "~"}
  clear:
    below: ${rule.limit === null ? "~" : rule.limit * 0.9}   # hysteresis
  for: 1m
  severity: ${rule.severities[0]}
  runbook: https://city.example/runbooks/${rule.id}
`;
}
export { iso, pick, inside };
