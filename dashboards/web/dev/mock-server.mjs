// DEVELOPMENT ONLY. A stand-in for the brain's HTTP API; see README.md here.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { workRoutes } from "./mock-work.mjs";
import { makeBaseMap, tilePng } from "./mock-base-map.mjs";
import { placesRoutes } from "./mock-places.mjs";
import { makePmtiles } from "./mock-pmtiles.mjs";
import { RULES, iso, kindNames, loadZones, makeDevices, metrics, pick, random, ruleText, value } from "./mock-city.mjs";

const PORT = Number(process.env.PORT ?? 8787);
const WEB = process.env.WEB ?? fileURLToPath(new URL("../../../crates/api/web", import.meta.url));
const zones = loadZones(process.env.BOUNDARIES);
const devices = makeDevices(zones, Number(process.env.DEVICES ?? 2000));
const byId = new Map(devices.map((d) => [d.id, d]));
const started = Date.now();
const bounds = zones.features.map((z) => z.properties.bounds).reduce((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);
const base = makeBaseMap(bounds);
// BASE=tiles has the city's own shifted tiles instead, BASE=pmtiles one file with everything, BASE=none nothing.
const own = { id: "own", coordinates: "wgs84", attribution: { en: "Invented", zh: "虚构" }, min_zoom: 5, max_zoom: 16 };
const archive = process.env.BASE === "pmtiles" ? makePmtiles({ water: base.files.water, landuse_park: base.files.green, park: base.files.green, transportation: base.files.roads, place: base.files.places }, bounds) : null;
const baseLayers = {
  none: [],
  tiles: [{ ...own, kind: "raster", format: "tiles", url: "/api/v1/base-map/tiles/own/{z}/{x}/{y}.png", coordinates: "gcj02" }],
  pmtiles: [{ ...own, kind: "vector", format: "pmtiles", url: "/api/v1/base-map/own.pmtiles", min_zoom: null }],
}[process.env.BASE ?? ""] ?? base.layers;
const CSP = "default-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:";
const kinds = Object.keys(kindNames);
const NOBODY = { stage: "unassigned", who: null, department: null, holder: null, until: null, overdue: false, overdue_count: 0, step: 0, from: null };
const alerts = new Map();
let position = 100;
const clients = new Set();

function receivers() {
  const route = { severity: "low", departments: [], zones: [], rules: [], labels: {}, device_kinds: [], resolved: true };
  const good = { type: "webhook", inside: false, ok: true, error: null, failing_since: null, next_try_at: null, last_failure: null, last_delivery: iso(started - 40_000), waiting: 0, oldest_waiting_at: null, given_up: 0, last_given_up: null, route, unknown_rules: [] };
  const failure = { at: iso(Date.now() - 20_000), message: "cannot reach it: Connection refused (os error 111)" };
  return [
    { ...good, id: "brain", inside: true },
    { ...good, id: "duty-mail", type: "email", last_failure: { at: iso(started - 3_600_000), message: "it does not answer in time" }, route: { ...route, severity: "high" } },
    { ...good, id: "water-desk", ok: false, error: failure.message, failing_since: iso(started - 720_000), next_try_at: iso(Date.now() + 31_000), last_failure: failure, last_delivery: iso(started - 800_000), waiting: 14, oldest_waiting_at: iso(started - 720_000), given_up: 2, last_given_up: { at: iso(started - 86_400_000), message: "it answered 422 Unprocessable Entity" }, route: { ...route, severity: "medium", departments: ["water"], rules: ["water_rising", "water_risng"], labels: { team: ["north", "south"] } }, unknown_rules: ["water_risng"] },
  ];
}

function system() {
  return { version: "0.1.0-mock", mode: "demo", simulated: true, city: { name: { en: "Chicago", zh: "芝加哥" }, time_zone: "America/Chicago", bounds }, started_at: iso(started), now: iso(Date.now()),
    devices: devices.length, devices_online: devices.filter((d) => d.status === 0).length, readings_per_s: Math.round((86 + 6 * Math.sin(Date.now() / 9000) + 3 * random()) * 10) / 10, last_reading_at: iso(Date.now() - 300 - random() * 900), alerts_firing: firing().length, in_flight: 0, commits_failing: process.env.FAILING ?? null, alerts_failing: null, receivers: receivers().map(({ id, waiting, last_delivery, error, failing_since }) => ({ id, waiting, last_delivery, error, failing_since })) };
}
const firing = () => [...alerts.values()].filter((a) => a.state === "firing");

function send(event, data) {
  position += 1;
  const text = `id: ${position}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
  for (const client of clients) client.write(text);
}

let next = 1;
function fire(rule, device, at) {
  const zone = rule.kind === "zone_aggregate";
  const severity = pick(rule.severities);
  const limit = rule.limit;
  // What an anomaly rule judges is how many usual errors a reading is off: a bare number.
  const bare = rule.kind === "anomaly";
  const v = bare ? Math.round(10 * (limit + 1 + 3 * random())) / 10 : rule.metric && limit !== null ? Number((limit + Math.sign(rule.by) * Math.abs(rule.by) * (0.1 + 0.3 * random())).toFixed(metrics.find((m) => m.id === rule.metric).decimals)) : null;
  const fill = (s) => s.replace("{l}", limit);
  const id = `a${next++}-${rule.id}`;
  if (rule.metric && !zone) device.bump = { metric: rule.metric, from: at - 70e3, by: rule.by };
  const alert = { id, rule: { id: rule.id, version: rule.version, name: { en: fill(rule.en), zh: fill(rule.zh) }, department: rule.department },
    subject: zone ? { type: "zone", zone: device.zone.id } : rule.metric ? { type: "series", device: device.id, metric: rule.metric } : { type: "device", device: device.id },
    severity, started_at: iso(at - 60e3), fired_at: iso(at), resolved_at: null, metric: rule.metric, unit: rule.metric && !bare ? metrics.find((m) => m.id === rule.metric).symbol : null, value: v, limit, reading_time: rule.metric ? iso(at - 1500) : null,
    summary: zone ? { en: `${fill(rule.en)} in ${device.zone.name.en}`, zh: `${device.zone.name.zh}：${fill(rule.zh)}` } : { en: `${fill(rule.en)}: ${device.name.en}`, zh: `${device.name.zh}：${fill(rule.zh)}` },
    zones: [device.zone.id], kind: zone ? rule.device_kind : device.kind, position: zone ? null : { lon: device.place[0], lat: device.place[1] }, simulated: true, runbook: `https://city.example/runbooks/${rule.id}`, labels: { team: rule.department },
    state: "firing", acknowledged: null, handling: { ...NOBODY }, shelved: null, silenced_by: [], inhibited_by: [], updated_at: iso(Math.max(at, started)), events: 1, device_name: zone ? null : device.name, zone_names: [device.zone.name] };
  Object.defineProperty(alert, "log", { value: [{ seq: 1, at: iso(at), kind: "fired", by: "engine", note: null, severity, value: v, reason: null, about: null }], enumerable: false });
  alerts.set(id, alert);
  if (!rule.metric) device.status = 2;
  recolour(device);
  return alert;
}
function recolour(device) {
  const rank = { low: 1, medium: 2, high: 3, critical: 4 };
  if (CROWDED) return void (device.severity = Math.max(device.severity ?? 0, 2));
  device.severity = Math.max(0, ...firing().filter((a) => a.subject.device === device.id).map((a) => rank[a.severity]));
}
function change(alert, kind, by, note = null) {
  alert.log.push({ seq: alert.log.length + 1, at: iso(Date.now()), kind, by, note, severity: by === "engine" ? alert.severity : null, value: null, reason: null, about: null });
  alert.events = alert.log.length;
  alert.updated_at = iso(Date.now());
  send("alert", alert);
}
function resolve(alert) {
  alert.state = "resolved";
  alert.resolved_at = iso(Date.now());
  const device = byId.get(alert.subject.device);
  if (device) {
    if (device.bump) device.bump.to = Date.now();
    if (!alert.metric) device.status = 0;
    recolour(device);
    send("map", { at: iso(Date.now()), devices: [{ id: device.id, severity: device.severity, status: device.status }] });
  }
  change(alert, "resolved", "engine");
}

/** With more alerts than devices, a device has several. */
const CROWDED = Number(process.env.ALERTS ?? 46) > devices.length / 2;
const candidates = (rule) => devices.filter((d) => (CROWDED || !d.severity) && d.status !== 3 && (rule.device_kind === null || d.kind === rule.device_kind));
for (let n = 0; n < Number(process.env.ALERTS ?? 46); n++) {
  const rule = RULES[[4, 3, 1, 4, 1, 3, 5, 1, 4, 0, 3, 2, 7, 6][n % 14]];
  const alert = fire(rule, pick(candidates(rule)), started - 60e3 - random() * 5400e3);
  if (random() < 0.45) {
    alert.acknowledged = { by: pick(["operator-1", "wang.li", "j.smith"]), at: iso(started - 30e3), note: random() < 0.4 ? "Team is on the way" : null };
    alert.log.push({ seq: 2, at: alert.acknowledged.at, kind: "acknowledged", by: alert.acknowledged.by, note: alert.acknowledged.note, severity: null, value: null, reason: null, about: null });
  }
  if (n % 6 === 5) { alert.state = "resolved"; alert.resolved_at = iso(started - 40e3); alert.log.push({ seq: 3, at: alert.resolved_at, kind: "resolved", by: "engine", note: null, severity: alert.severity, value: null, reason: null, about: null }); const d = byId.get(alert.subject.device); if (d) { if (!alert.metric) d.status = 0; recolour(d); } }
}

setInterval(() => send("system", system()), 2000).unref();
setInterval(() => { for (const client of clients) client.write(": heartbeat\n\n"); }, 10_000).unref();
setInterval(() => {
  const changed = [];
  for (const d of devices) {
    if (!d.moving || d.status > 1) continue;
    d.heading += (random() - 0.5) * 0.3;
    const [x, y] = [d.place[0] + Math.cos(d.heading) * 0.00025, d.place[1] + Math.sin(d.heading) * 0.00019];
    if (x < bounds[0] || x > bounds[2] || y < bounds[1] || y > bounds[3]) d.heading += Math.PI;
    d.place = [x, y];
    changed.push({ id: d.id, lon: x, lat: y });
  }
  // CHURN: so many fixed devices fall late or are heard again with each move.
  for (let n = 0; n < Number(process.env.CHURN ?? 0); n++) {
    const d = pick(devices);
    if (d.moving || d.status > 1) continue;
    d.status = 1 - d.status;
    changed.push({ id: d.id, status: d.status });
  }
  send("map", { at: iso(Date.now()), devices: changed });
}, Number(process.env.MOVE_MS ?? 1000)).unref();
if (process.env.QUIET !== "1") setInterval(() => {
  const rule = pick(RULES);
  const device = pick(candidates(rule));
  send("alert", fire(rule, device, Date.now()));
  send("map", { at: iso(Date.now()), devices: [{ id: device.id, severity: device.severity, status: device.status }] });
  const old = firing().filter((a) => Date.now() - Date.parse(a.fired_at) > 30e3);
  if (old.length > 30) resolve(pick(old));
}, 6000).unref();

const books = (by) => (by === "device" ? devices.slice(0, 40).map((d) => d.id) : by === "department" ? ["environment", "water"] : ["json", "senml"]).map((id, n) => ({ id, received: 1000 + n, stored: 980 + n, duplicate: 12, dead_lettered: 8, missed: n % 5, in_flight: 0 }));
const sum = (items) => Object.fromEntries(["received", "stored", "duplicate", "dead_lettered", "missed", "in_flight"].map((name) => [name, items.reduce((all, item) => all + item[name], 0)]));
const problem = (status, code, detail) => ({ status, body: { type: "about:blank", title: detail, status, detail, code, hint: null, instance: null } });
const ok = (body) => ({ status: 200, body });
const page = (items, q, extra = {}) => { const from = Number(q.get("cursor") ?? 0), limit = Number(q.get("limit") ?? 100); return ok({ items: items.slice(from, from + limit), next_cursor: from + limit < items.length ? String(from + limit) : null, ...extra }); };
const STATUS = ["online", "late", "offline", "never_seen"], SEVERITY = [null, "low", "medium", "high", "critical"];

function showDevice(d) {
  const seen = d.status === 3 ? null : iso(Date.now() - (d.status === 2 ? 5400e3 : d.status === 1 ? d.interval_s * 2200 : (d.n * 731) % (d.interval_s * 1000)));
  return { id: d.id, name: d.name, kind: d.kind, department: d.department, position: d.place, moving: d.moving, declared: d.declared ?? { lon: d.place[0], lat: d.place[1], crs: "WGS-84" }, zones: [d.zone.id], interval_s: d.interval_s, gateway: d.gateway, life_cycle: "active", simulated: true, attributes: { pole: `P-${d.n}`, height_m: 4.5, mains: true }, status: STATUS[d.status], last_seen_at: seen, newest_reading_at: seen, severity: SEVERITY[d.severity], counters: { received: 12840 + d.n, stored: 12801 + d.n, duplicate: 31, dead_lettered: 6 } };
}
function lastValues(d) {
  if (d.status === 3) return [];
  const time = Date.parse(showDevice(d).last_seen_at);
  return Object.keys(d.series).map((metric) => ({ device: d.id, metric, value: value(d, metric, time), quality: d.n % 17 === 3 && metric !== "battery" ? "suspect" : "pass", time: iso(time), received: iso(time + 400), age_s: (Date.now() - time) / 1000, max_age_s: d.interval_s * 3, stale: d.status === 2, position: d.moving ? d.place : null, simulated: true, marks: d.n % 23 === 4 ? ["retained"] : [] }));
}
function columns(times, at) {
  const out = { start: [], count: [], min: [], mean: [], max: [], last: [], flagged: [] };
  for (const time of times) { const vs = at(time); if (!vs.length) continue; out.start.push(time); out.count.push(vs.length); out.min.push(Math.min(...vs)); out.max.push(Math.max(...vs)); out.mean.push(vs.reduce((a, b) => a + b, 0) / vs.length); out.last.push(vs.at(-1)); out.flagged.push(0); }
  return out;
}
const steps = (from, to, s) => { const out = []; for (let x = Math.ceil(from / s / 1000) * s * 1000; x <= to; x += s * 1000) out.push(x); return out; };
const seconds = (text) => { const [, n, u] = /^(\d+)([smhd]?)$/.exec(text ?? "") ?? [, "60", "s"]; return n * { s: 1, m: 60, h: 3600, d: 86400, "": 1 }[u]; };
const outage = (ms) => (ms / 60e3) % 331 > 318; // a gap now and then

const routes = () => ROUTES ??= [...workRoutes({ alerts, firing, change, ok, page, problem, devices, byId, value, metrics }), ...OWN];
let ROUTES = null;
const OWN = [
  ["GET", "/session", () => ok({ user: "operator-1", name: "Operator 1", role: process.env.ROLE ?? "operator", grants: [{ department: "*", role: process.env.ROLE ?? "operator" }], csrf_header: "X-Citybrain-Csrf", expires_at: iso(started + 288e5), password_change_needed: false, password_changeable: false })],
  ["GET", "/dev-clients", () => ok(clients.size)], // not of the contract: how many streams are open
  ["GET", "/system", () => ok(system())],
  ["GET", "/track", (_, q) => {
    const d = byId.get(q.get("device")), from = Date.parse(q.get("from")), to = Math.min(Date.parse(q.get("to")), Date.now());
    const times = d?.moving && to > from ? steps(from, to, 30) : [];
    const back = (ms) => [d.place[0] - Math.cos(d.heading) * ((Date.now() - ms) / 1e3) * 2e-5, d.place[1] - Math.sin(d.heading) * ((Date.now() - ms) / 1e3) * 2e-5];
    return ok({ type: "Feature", properties: { device: q.get("device"), times: times.map(iso), truncated: false }, geometry: times.length > 1 ? { type: "LineString", coordinates: times.map(back) } : null });
  }],
  ["GET", "/alert-log", (_, q) => page([...alerts.values()].flatMap((a) => a.log.map((line) => ({ ...line, alert: a.id, rule: a.rule.id, department: a.rule.department, device: a.subject.device ?? null, about: null }))).filter((line) => !q.get("kind") || q.get("kind").split(",").includes(line.kind)), q)],
  ["GET", "/loss", (_, q) => { const items = books(q.get("by")); return ok({ balanced: true, items, total: sum(items), next_cursor: null }); }],
  ["GET", "/reports/ingest", (_, q) => { const items = books(q.get("by")); return ok({ date: q.get("date") ?? iso(Date.now()).slice(0, 10), available: [], balanced: true, closed: false, counted_from: iso(started), counted_to: iso(Date.now()), items, total: sum(items), dead_letters: [], silent_devices: { count: 70, ids: devices.slice(0, 70).map((d) => d.id) }, next_cursor: null }); }],
  ["GET", "/alarm-load", () => { const load = (position, alerts) => ({ position, operators: 2, alerts, per_operator_day: alerts, ten_minutes_mean: alerts / 144, ten_minutes_peak: 14, hours_over_30: 0, ten_minutes_over_10: 0.02, floods: 1, flood_share: 0.02, chattering: 1, fleeting: 3, standing: firing().length, stale: 2, severities: [] }); return ok({ from: iso(started - 864e5), to: iso(Date.now()), city: load("city", 200), departments: ["environment", "water"].map((each, n) => load(each, 60 + 240 * n)), bad_actors: [] }); }],
  ["GET", "/base-map", () => ok({ layers: baseLayers, updated_at: iso(started) })],
  ["GET", "/receivers", () => ok({ items: receivers() })],
  ["POST", "/receivers/:id/test", ({ id }) => ok(id === "water-desk" ? { taken: false, took_ms: 3, error: "it did not take the alert: cannot reach it: Connection refused (os error 111)", hint: "check the address and the secrets in the options of `water-desk`, and whether this machine reaches it; alerts wait for it and are told in order once it takes them" } : { taken: true, took_ms: 84, error: null, hint: null })],
  ["GET", "/metrics-catalogue", () => ok({ items: metrics })],
  ["GET", "/departments", () => ok({ items: [...new Set(devices.map((d) => d.department))].map((id) => ({ id, name: { en: id, zh: id }, devices: devices.filter((d) => d.department === id).length })) })],
  ["GET", "/kinds", () => ok({ items: kinds.map((id) => ({ id, name: kindNames[id], devices: devices.filter((d) => d.kind === id).length })) })],
  ["GET", "/departments", () => ok({ items: [] })],
  ["GET", "/zones", () => ok(zones)],
  ["GET", "/zones/:id", ({ id }) => {
    const z = zones.features.find((f) => f.properties.id === id)?.properties;
    if (!z) return problem(404, "not_found", "no such zone");
    const mine = devices.filter((d) => d.zone === z), by = {};
    for (const d of mine) by[d.kind] = (by[d.kind] ?? 0) + 1;
    const found = [...new Set(mine.flatMap((d) => Object.keys(d.series)))].map((metric) => { const vs = mine.filter((d) => metric in d.series && d.status < 2).map((d) => value(d, metric, Date.now())); return { metric, mean: vs.reduce((a, b) => a + b, 0) / vs.length, min: Math.min(...vs), max: Math.max(...vs), devices: vs.length, newest_at: iso(Date.now() - 8000) }; }).filter((m) => m.devices);
    return ok({ ...z, devices_by_kind: by, offline: mine.filter((d) => d.status === 2).length, alerts_firing: firing().filter((a) => a.zones.includes(id)).length, metrics: found });
  }],
  ["GET", "/devices", (_, q) => {
    const text = (q.get("q") ?? "").toLowerCase();
    const found = devices.filter((d) => (!q.get("zone") || d.zone.id === q.get("zone")) && (!q.get("kind") || d.kind === q.get("kind")) && (!q.get("status") || STATUS[d.status] === q.get("status")) && (!text || d.id.includes(text) || d.name.en.toLowerCase().includes(text) || d.name.zh.includes(text)));
    return page(found.map(showDevice), q, { total: found.length });
  }],
  ["GET", "/devices/:id", ({ id }) => (byId.has(id) ? ok(showDevice(byId.get(id))) : problem(404, "not_found", "no such device"))],
  ["GET", "/map", () => ok({ at: iso(Date.now()), cursor: String(position), devices: { id: devices.map((d) => d.id), kind: devices.map((d) => kinds.indexOf(d.kind)), lon: devices.map((d) => d.place[0]), lat: devices.map((d) => d.place[1]), status: devices.map((d) => d.status), severity: devices.map((d) => d.severity), moving: devices.map((d) => Number(d.moving)) }, kinds })],
  ["GET", "/last-values", (_, q) => {
    const wanted = (name, value) => !q.get(name) || q.get(name).split(",").includes(value);
    const mine = q.get("device") ? devices.filter((d) => wanted("device", d.id)) : devices.filter((d) => wanted("zone", d.zone.id) && wanted("kind", d.kind));
    return page(mine.flatMap(lastValues).filter((each) => wanted("metric", each.metric)), q);
  }],
  ["GET", "/readings", (_, q) => {
    const d = byId.get(q.get("device")), metric = q.get("metric"), m = metrics.find((x) => x.id === metric);
    if (!d || !(metric in d.series)) return problem(404, "not_found", "no such series");
    const to = Date.parse(q.get("to") ?? iso(Date.now())), from = Date.parse(q.get("from") ?? iso(to - 216e5)), n = (to - from) / d.interval_s / 1000;
    const head = { device: d.id, metric, unit: m.unit, symbol: m.symbol, from: iso(from), to: iso(to), truncated: false };
    if (n <= 5000) { const time = steps(from, to, d.interval_s).filter((x) => !outage(x)); return ok({ ...head, step_s: null, raw: { time, value: time.map((x) => value(d, metric, x)), quality: time.map((x) => ((x / 1000) % 7919 < 40 ? 3 : 1)) }, buckets: null }); }
    return ok({ ...head, step_s: 900, raw: null, buckets: columns(steps(from, to, 900), (x) => (outage(x) ? [] : [0, 1, 2, 3, 4, 5].map((k) => value(d, metric, x + k * 15e4)))) });
  }],
  ["GET", "/aggregates", (_, q) => {
    const metric = q.get("metric"), m = metrics.find((x) => x.id === metric), to = Date.parse(q.get("to") ?? iso(Date.now())), from = Date.parse(q.get("from") ?? iso(to - 216e5)), step_s = seconds(q.get("step"));
    const mine = devices.filter((d) => metric in d.series && (!q.get("zone") || d.zone.id === q.get("zone")) && (!q.get("kind") || d.kind === q.get("kind")));
    const sample = mine.slice(0, 25);
    // One device has a peak now and then, far beyond the others.
    const peak = (x, n) => (n === 0 && Math.floor(x / step_s / 1000) % 37 === 9 ? 12 : 1);
    return ok({ metric, unit: m.unit, symbol: m.symbol, zone: q.get("zone"), devices: mine.length, step_s, buckets: columns(steps(from, to, step_s), (x) => (outage(x) ? [] : sample.map((d, n) => value(d, metric, x) * peak(x, n)))) });
  }],
  ["GET", "/alerts", (_, q) => {
    const state = q.get("state") ?? "firing", severity = q.get("severity")?.split(","), device = q.get("device"), zone = q.get("zone");
    const rank = { critical: 4, high: 3, medium: 2, low: 1 };
    const wanted = (name, value) => !q.get(name) || q.get(name).split(",").includes(value);
    const text = (q.get("q") ?? "").toLowerCase();
    const found = [...alerts.values()].filter((a) => wanted("rule", a.rule.id) && wanted("department", a.rule.department) && wanted("kind", a.kind) && wanted("who", a.handling.who) && (!text || `${a.summary.en}${a.summary.zh}${a.id}`.toLowerCase().includes(text)) && (state === "all" || a.state === state) && (!severity || severity.includes(a.severity)) && (!zone || a.zones.includes(zone)) && (!device || a.subject.device === device));
    found.sort((a, b) => (q.get("sort") === "urgency" ? rank[b.severity] - rank[a.severity] : 0) || Date.parse(b.fired_at) - Date.parse(a.fired_at));
    const by_severity = { critical: 0, high: 0, medium: 0, low: 0 };
    for (const a of firing()) by_severity[a.severity] += 1;
    return page(found, q, { counts: { firing: firing().length, unacknowledged: firing().filter((a) => !a.acknowledged).length, by_severity } });
  }],
  ["GET", "/alerts/:id", ({ id }) => (alerts.has(id) ? ok({ ...alerts.get(id), log: alerts.get(id).log }) : problem(404, "not_found", "no such alert"))],
  ["POST", "/alerts/:id/acknowledge", ({ id }, _, body) => {
    const a = alerts.get(id);
    if (!a) return problem(404, "not_found", "no such alert");
    if (a.acknowledged) return problem(409, "already_acknowledged", `acknowledged by ${a.acknowledged.by}`);
    if (a.state === "resolved") return problem(409, "already_resolved", "it has ended");
    a.acknowledged = { by: "operator-1", at: iso(Date.now()), note: body.note ?? null };
    change(a, "acknowledged", "operator-1", body.note ?? null);
    return ok(a);
  }],
  ["POST", "/alerts/:id/notes", ({ id }, _, body) => { const a = alerts.get(id); if (!a) return problem(404, "not_found", "no such alert"); change(a, "noted", "operator-1", body.note); return ok(a); }],
  ["GET", "/rules/:id", ({ id }) => { const r = RULES.find((x) => x.id === id); return r ? ok({ id, group: r.department, name: { en: r.en.replace("{l}", r.limit), zh: r.zh.replace("{l}", r.limit) }, department: r.department, kind: r.kind, select: { metric: r.metric ? [r.metric] : [], kind: r.device_kind ? [r.device_kind] : [], zone: [], department: [], device: [] }, version: r.version, for_s: 60, keep_firing_for_s: 0, direction: "above", severities: r.severities.map((severity) => ({ severity, limit: r.limit, clear: r.limit && r.limit * 0.9, for_s: 60 })), text: ruleText(r), file: `rules/${r.department}.yaml`, line: 12, firing: 1 }) : problem(404, "not_found", "no such rule"); }],
];
OWN.push(...placesRoutes({ ok, page, problem, devices, byId, value, metrics, iso }));

function match(method, path) {
  for (const [m, pattern, handle] of routes()) {
    const a = pattern.split("/"), b = path.split("/"), params = {};
    if (m === method && a.length === b.length && a.every((part, i) => (part.startsWith(":") ? ((params[part.slice(1)] = decodeURIComponent(b[i])), true) : part === b[i]))) return () => [handle, params];
  }
  return null;
}
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".md": "text/markdown; charset=utf-8" };

createServer(async (request, response) => {
  const url = new URL(request.url, "http://x");
  const json = (status, body) => { response.writeHead(status, { "content-type": status >= 400 ? "application/problem+json" : "application/json", "cache-control": "no-store" }); response.end(body === undefined ? "" : JSON.stringify(body)); };
  if (!url.pathname.startsWith("/api/v1")) {
    const page = !extname(url.pathname) || /text\/html/.test(request.headers.accept ?? "");
    const name = page ? "/index.html" : url.pathname;
    const file = join(WEB, name);
    if (!file.startsWith(WEB) || !existsSync(file)) return json(404, {});
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": CSP });
    return response.end(readFileSync(file));
  }
  const path = url.pathname.slice("/api/v1".length);
  let text = "";
  for await (const part of request) text += part;
  const body = text ? JSON.parse(text) : {};
  if (path === "/login-methods") return json(200, { password: false, setup_needed: false, oidc: null });
  if (path === "/session" && request.method === "POST") {
    if (body.token !== "dev") { const p = problem(401, "bad_token", "unknown token"); return json(p.status, p.body); }
    response.setHeader("set-cookie", "citybrain_session=dev; HttpOnly; SameSite=Strict; Path=/");
    return json(204);
  }
  if (path === "/session" && request.method === "DELETE") { response.setHeader("set-cookie", "citybrain_session=; Max-Age=0; Path=/"); return json(204); }
  if (process.env.NO_AUTH !== "1" && !/citybrain_session=dev/.test(request.headers.cookie ?? "")) { const p = problem(401, "unauthenticated", "sign in first"); return json(p.status, p.body); }
  const tile = /^\/base-map\/tiles\/own\/(\d+)\/(\d+)\/(\d+)\.png$/.exec(path);
  if (tile) { response.writeHead(200, { "content-type": "image/png" }); return response.end(tilePng(...tile.slice(1).map(Number))); }
  if (path === "/base-map/own.pmtiles" && archive) {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
    const part = from === undefined ? archive : archive.subarray(Number(from), Math.min(Number(to) + 1, archive.length));
    response.writeHead(from === undefined ? 200 : 206, { "content-type": "application/vnd.pmtiles", "content-length": part.length, etag: '"1"', ...(from !== undefined && { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${archive.length}` }) });
    return response.end(part);
  }
  const baseFile = /^\/base-map\/(\w+)\.geojson$/.exec(path);
  if (baseFile && base.files[baseFile[1]]) { response.writeHead(200, { "content-type": "application/geo+json" }); return response.end(JSON.stringify(base.files[baseFile[1]])); }
  if (path === "/stream") {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(`id: ${position}\nevent: hello\ndata: ${JSON.stringify({ now: iso(Date.now()), heartbeat_s: 10, cursor: String(position) })}\n\n`);
    clients.add(response);
    request.on("close", () => clients.delete(response));
    return;
  }
  const found = match(request.method, path);
  if (!found) { const p = problem(404, "not_found", `no route ${path}`); return json(p.status, p.body); }
  const [handle, params] = found();
  const answer = handle(params, url.searchParams, body);
  json(answer.status, answer.body);
}).listen(PORT, "127.0.0.1", () => console.log(`mock brain on http://127.0.0.1:${PORT}/login#token=dev`));
