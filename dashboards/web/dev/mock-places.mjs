// DEVELOPMENT ONLY. What the stand-in answers about a device's messages and entry, and about what stands first.
export function placesRoutes({ ok, page, problem, devices, byId, value, metrics, iso }) {
  const letters = [
    { reason: "malformed", detail: "the payload is not UTF-8 text (at byte 8)", hint: "send JSON as UTF-8; check that the source's format is right", size: 9, payload_text: null, payload_base64: "AQJicm9rZW7/" },
    { reason: "no_values", detail: "nothing was found; looked for `data.pm10`, `data.pm25`", hint: "compare the message with the source's options", size: 26, payload_text: '{"nothing":{"of":["that"]}}', payload_base64: "eyJub3RoaW5nIjp7Im9mIjpbInRoYXQiXX19" },
  ];
  const lettersOf = (id) => letters.map((letter, at) => ({ ...letter, id: `${id}/${at}`, at: iso(Date.now() - (at + 1) * 61e3), source: "json", topic: `city/${id}/up`, device: id, replayed_at: null }));
  const unknown = () => problem(404, "not_found", "no such device");
  return [
    ["GET", "/loss", (_, q) => page([...byId.keys()].sort().filter((id) => !q.get?.("id") || q.get("id") === id).map((id, n) => ({ id, received: 12840 + n, stored: 12800 + n, duplicate: 31, dead_lettered: 6, missed: n % 7, in_flight: 0 })), q)],
    ["GET", "/dead-letters", (_, q) => page(lettersOf(q.get("device") ?? ""), q)],
    ["GET", "/dead-letters/:id", ({ id }) => ok(lettersOf(id.split("/")[0]).find((letter) => letter.id === id))],
    ["GET", "/late-readings", (_, q) => page([["backfill", 3], ["inserted", 1], ["out_of_order", null]].map(([decision, rules], at) => ({ decision, rules, device: q.get("device"), metric: metrics[at].id, newest: rules === null ? iso(Date.now() - 50e3) : null, received: iso(Date.now() - 60e3), rule: decision === "backfill" ? "water_rising" : null, time: iso(Date.now() - (at + 2) * 3e5) })), q)],
    ["GET", "/devices/:id/entry", ({ id }) => { const d = byId.get(id); return d ? ok({ id, name: d.name, kind: d.kind, department: d.department, life_cycle: "active", interval: `${d.interval_s}s`, position: { lon: d.place[0], lat: d.place[1], crs: "WGS-84" }, attributes: { pole: `P-${d.n}`, height_m: 4.5, mains: true } }) : unknown(); }],
    ["POST", "/devices/:id/commands", ({ id }, _, body) => ok({ topic: `cmd/${id}/${body.name}`, delivery: "queued" })],
    ["GET", "/top", (_, q) => {
      const metric = q.get("metric"), by = q.get("by") ?? "mean", m = metrics.find((each) => each.id === metric), to = Date.now();
      const mine = devices.filter((d) => metric in d.series && (!q.get("zone") || d.zone.id === q.get("zone")));
      const ranking = mine.map((d) => { const vs = [1, 2, 3, 4, 5, 6].map((k) => value(d, metric, to - k * 6e5)); const sum = vs.reduce((a, b) => a + b, 0); return { device: d.id, name: d.name, count: vs.length, sum, mean: sum / vs.length, min: Math.min(...vs), max: Math.max(...vs), last: vs[0] }; });
      ranking.sort((a, b) => (by === "min" ? a.min - b.min : b[by] - a[by]));
      return ok({ by, metric, unit: m.unit, symbol: m.symbol, from: iso(to - 36e5), to: iso(to), ranking: ranking.slice(0, Number(q.get("limit") ?? 10)) });
    }],
  ];
}
