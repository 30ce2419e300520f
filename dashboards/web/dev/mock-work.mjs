// DEVELOPMENT ONLY. The work on alerts for the mock server: deeds, silences, groups, load, explanations.
import { RULES, iso } from "./mock-city.mjs";

const RANK = { low: 1, medium: 2, high: 3, critical: 4 };
const OPERATOR = "operator-1";

/** `alerts` is the mock's own map; `change` notes and sends a change. */
export function workRoutes({ alerts, firing, change, ok, page, problem, devices, byId, value, metrics }) {
  const silences = new Map();
  const silenceState = (s) => (Date.parse(s.ends_at) <= Date.now() ? "expired" : Date.parse(s.starts_at) > Date.now() ? "pending" : "active");
  const shown = (s) => ({ ...s, state: silenceState(s), next_change_at: s.ends_at, expires_soon: Date.parse(s.ends_at) - Date.now() < 3_600_000 });
  const fits = (match, a) => (!match.rule?.length || match.rule.includes(a.rule.id)) && (!match.zone?.length || match.zone.some((z) => a.zones.includes(z))) && (!match.department?.length || match.department.includes(a.rule.department));
  const deed = (kind, work) => ({ id }, _, body) => {
    const a = alerts.get(id);
    if (!a) return problem(404, "unknown_alert", "no such alert");
    if (a.state === "resolved") return problem(409, "already_resolved", "it has ended");
    work(a, body);
    change(a, kind, OPERATOR, body.note ?? body.reason ?? null);
    return ok(a);
  };
  const hold = (a, part) => Object.assign(a.handling, { who: null, department: null, until: null, overdue: false }, part);
  const ruleOf = (r) => ({ id: r.id, group: r.department, name: { en: r.en.replace("{l}", r.limit), zh: r.zh.replace("{l}", r.limit) }, department: r.department, kind: r.kind, version: r.version, for_s: 60, keep_firing_for_s: 0, direction: "above", severities: r.severities.map((severity) => ({ severity, limit: r.limit, clear: r.limit && r.limit * 0.9, for_s: 60 })), text: "", file: `rules/${r.department}.yaml`, line: 12, firing: 1 });
  const loadOf = (position, some) => ({ position, operators: 5, alerts: some.length, per_operator_day: some.length / 5, ten_minutes_mean: some.length / 720, ten_minutes_peak: Math.min(some.length, 14), hours_over_30: 0, ten_minutes_over_10: 0.02, floods: 1, flood_share: 0.004, chattering: 1, fleeting: 3, standing: some.length, stale: 2,
    severities: Object.keys(RANK).map((severity, n) => { const of = some.filter((a) => a.severity === severity).length; return { severity, alerts: of, share: some.length ? of / some.length : 0, target: [0.8, 0.15, 0.05, 0.01][n] }; }) });
  /** Every reading before the alert with what was decided; an anomaly rule tells what it expected, too. */
  const explained = (a, q) => {
    const device = byId.get(a.subject.device), metric = metrics.find((each) => each.id === a.metric), until = Date.parse(q.get("at") ?? a.fired_at);
    const every = (device?.interval_s ?? 60) * 1000, first = Date.parse(a.started_at) - 1_200e3;
    const times = device && metric ? Array.from({ length: Math.min(1000, Math.max(0, Math.floor((until - first) / every))) }, (_, n) => Math.ceil(first / every + n) * every) : [];
    const steps = times.map((time, n) => {
      const seen = value(device, a.metric, time), [mean, spread] = device.series[a.metric], usual = mean + spread * 0.6 * Math.sin((time / 8.64e7) * 2 * Math.PI + device.n);
      const expected = RULES.find((r) => r.id === a.rule.id).kind === "anomaly" ? { value: usual, low: usual - spread * 0.5, high: usual + spread * (n % 29 === 13 ? 1.6 : 0.5), deviation: (seen - usual) / (spread * 0.3) } : null;
      const judged = expected ? expected.deviation : seen, said = `${judged.toFixed(2)}${expected ? "" : ` ${metric.symbol}`}`;
      return { at: iso(time), decision: "judged", limit: a.limit, value: judged, reading: { device: device.id, metric: a.metric, time: iso(time), value: seen, quality: "pass" }, expected, text: { en: `${said} against ${a.limit}: clear`, zh: `${said} 对比限值 ${a.limit}：正常` } };
    });
    steps.push({ at: a.started_at, decision: "pending", limit: null, value: null, reading: null, expected: null, text: { en: `pending, fires at ${a.fired_at}`, zh: `等待中，${a.fired_at} 触发` } }, { at: a.fired_at, decision: "fired", limit: null, value: null, reading: null, expected: null, text: { en: "the alert fired", zh: "告警触发" } });
    steps.sort((x, y) => Date.parse(x.at) - Date.parse(y.at));
    return { rule: a.rule.id, version: a.rule.version, subject: a.subject, at: a.fired_at, from: a.started_at, verdict: "firing", sentence: { en: `Firing since ${a.fired_at}: ${a.summary.en}`, zh: `自 ${a.fired_at} 起告警：${a.summary.zh}` }, since: a.fired_at, until: null, readings: steps.length, counts: {}, untrusted: {}, nearest_miss: metric ? { value: a.limit * 0.97, limit: a.limit, at: a.started_at } : null, steps: steps.slice(-Number(q.get("limit") ?? 200)), steps_left_out: 0, caveats: [{ en: `nothing before ${a.started_at} was looked at`, zh: `未查看 ${a.started_at} 之前的读数` }], mismatches: [], silences: [], alerts: [], alert: null, late_readings: [] };
  };
  const by = (list, key) => Object.entries(Object.groupBy ? Object.groupBy(list, key) : list.reduce((all, each) => ({ ...all, [key(each)]: [...(all[key(each)] ?? []), each] }), {}));
  return [
    ["POST", "/alerts/:id/accept", deed("accepted", (a, { until }) => hold(a, { stage: "accepted", who: OPERATOR, until: until ?? null }))],
    ["POST", "/alerts/:id/assign", deed("assigned", (a, { who, until }) => hold(a, { stage: "assigned", who, until }))],
    ["POST", "/alerts/:id/hand-over", deed("handed_over", (a, { department, until }) => hold(a, { stage: "handed_over", department, until, step: a.handling.step + 1, from: OPERATOR }))],
    ["POST", "/alerts/:id/return", deed("returned", (a) => hold(a, { stage: "unassigned" }))],
    ["POST", "/alerts/:id/shelve", deed("shelved", (a, { reason, until }) => (a.shelved = { by: OPERATOR, at: iso(Date.now()), reason, until }))],
    ["POST", "/alerts/:id/unshelve", deed("unshelved", (a) => (a.shelved = null))],
    ["GET", "/alerts/groups", () => ok({ items: by(firing(), (a) => a.rule.department).map(([position, all]) => ({ position, firing: all.length, flood: all.length > 20 ? { since: iso(Date.now() - 600e3), alerts: all.length } : null, groups: by(all, (a) => `${a.zones[0]}|${a.rule.id}`).map(([, some]) => ({ zone: some[0].zones[0], zone_name: some[0].zone_names[0], cause: "rule", cause_id: some[0].rule.id, cause_name: some[0].rule.name, severity: some.map((a) => a.severity).sort((x, y) => RANK[y] - RANK[x])[0], firing: some.length, unacknowledged: some.filter((a) => !a.acknowledged).length, first_fired_at: some.map((a) => a.fired_at).sort()[0], last_fired_at: some.map((a) => a.fired_at).sort().at(-1), alerts: some.slice(0, 20).map((a) => a.id) })) })), next_cursor: null })],
    ["GET", "/alerts/:id/explain", ({ id }, q) => (alerts.has(id) ? ok(explained(alerts.get(id), q)) : problem(404, "unknown_alert", "no such alert"))],
    ["GET", "/rules/:id/explain", ({ id }, q) => { const a = [...alerts.values()].find((each) => each.rule.id === id); return a ? ok(explained(a, q)) : problem(404, "unknown_subject", "nothing of that name"); }],
    ["GET", "/alarm-load", () => ok({ from: iso(Date.now() - 864e5), to: iso(Date.now()), city: loadOf("city", firing()), departments: by(firing(), (a) => a.rule.department).map(([position, some]) => loadOf(position, some)), bad_actors: firing().slice(0, 10).map((a) => ({ rule: a.rule.id, subject: a.subject.type === "zone" ? `zone:${a.subject.zone}` : `device:${a.subject.device}`, alerts: 3, share: 3 / firing().length, chattering: a.severity === "high", fleeting: 1, stale: 0 })) })],
    ["GET", "/alert-log", () => ok({ items: [], next_cursor: null })],
    ["GET", "/rules", () => ok({ items: RULES.map(ruleOf), next_cursor: null })],
    ["GET", "/loss", () => ok({ balanced: true, total: { received: 1000, stored: 990, duplicate: 8, dead_lettered: 2, in_flight: 0, missed: 3 }, items: [...new Set(devices.map((d) => d.department))].map((id) => ({ id, received: 1000, stored: 990, duplicate: 8, dead_lettered: 2, in_flight: 0, missed: 3 })), next_cursor: null })],
    ["GET", "/silences", (_, q) => page([...silences.values()].map(shown).filter((s) => !q.get("state") || s.state === q.get("state")).reverse(), q)],
    ["GET", "/silences/:id", ({ id }) => (silences.has(id) ? ok(shown(silences.get(id))) : problem(404, "unknown_silence", "no such silence"))],
    ["POST", "/silences", (_, __, body) => {
      const hidden = firing().filter((a) => fits(body.match, a));
      const silence = { id: `${Date.now().toString(16).padStart(16, "0")}`, match: body.match, owner: OPERATOR, reason: body.reason, created_at: iso(Date.now()), starts_at: body.starts_at ?? iso(Date.now()), ends_at: body.ends_at, weekly: body.weekly, ended: null, hid: hidden.length, unsaid: 0 };
      silences.set(silence.id, silence);
      for (const a of hidden) { a.silenced_by = [...a.silenced_by, silence.id]; change(a, "silenced", "brain"); }
      return ok(shown(silence));
    }],
    ["POST", "/silences/:id/end", ({ id }, _, { reason }) => {
      const silence = silences.get(id);
      if (!silence) return problem(404, "unknown_silence", "no such silence");
      Object.assign(silence, { ends_at: iso(Date.now()), ended: { by: OPERATOR, at: iso(Date.now()), reason: reason ?? null } });
      for (const a of firing().filter((each) => each.silenced_by.includes(id))) { a.silenced_by = a.silenced_by.filter((each) => each !== id); change(a, "unsilenced", "brain"); }
      return ok(shown(silence));
    }],
  ];
}
