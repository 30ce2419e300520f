import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { promQueries, read } from "./read";

/** Names with their labels, as `docs/metrics.md` lists what a running program shows. */
const known = new Map(
  [...read("docs/metrics.md").matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \|/gm)].flatMap(([, name = "", type, labels = ""]) => {
    const of = labels.split(",").map((label) => label.trim()).filter((label) => label !== "");
    const names = type === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name];
    return names.map((each) => [each, new Set([...of, "job", "instance", ...(type === "histogram" ? ["le"] : [])])] as const);
  }),
);
// Of Prometheus itself, about each target.
known.set("up", new Set(["job", "instance"]));

/** A module that only modules can load. */
let parser: (typeof import("@prometheus-io/lezer-promql", { with: { "resolution-mode": "import" } }))["parser"];
before(async () => {
  ({ parser } = await import("@prometheus-io/lezer-promql"));
});

interface Parsed {
  names: string[];
  labels: string[];
  wrong: string | null;
}

function parse(expr: string): Parsed {
  const parsed: Parsed = { names: [], labels: [], wrong: null };
  parser.parse(expr).iterate({
    enter: (node) => {
      const text = expr.slice(node.from, node.to);
      if (node.type.isError) parsed.wrong ??= `at ${node.from}: ${expr.slice(Math.max(0, node.from - 20), node.to + 20)}`;
      if (node.name === "VectorSelector") parsed.names.push(/^[\w:]+/.exec(text)?.[0] ?? "");
      if (node.name === "LabelName") parsed.labels.push(text);
    },
  });
  return parsed;
}

describe("queries of Prometheus", () => {
  const queries = promQueries();

  it("are PromQL", () => {
    assert.ok(queries.length > 100);
    for (const { where, text } of queries) assert.equal(parse(text).wrong, null, `${where}: ${text}`);
    assert.notEqual(parse("sum by (rate(x[5m])").wrong, null, "a mistake is seen");
  });

  it("ask for what citybrain shows, by labels that it has", () => {
    for (const { where, text } of queries) {
      const { names, labels } = parse(text);
      assert.ok(names.length > 0, `${where} asks for nothing: ${text}`);
      for (const name of names) assert.ok(known.has(name), `${where}: docs/metrics.md has no ${name}`);
      const has = new Set(names.flatMap((name) => [...(known.get(name) ?? [])]));
      for (const label of labels) assert.ok(has.has(label), `${where}: ${names.join(", ")} has no label ${label}`);
    }
  });

  it("leave out nothing that citybrain shows", () => {
    const shown = new Set(queries.flatMap(({ text }) => parse(text).names.map((name) => name.replace(/_(bucket|sum|count)$/, ""))));
    const all = [...known.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, ""));
    // Parts of figures that are shown whole, and what only tells how a figure came about.
    const left = ["citybrain_alert_snapshot_pause_seconds", "citybrain_alert_snapshot_seconds", "citybrain_audit_last_entry", "citybrain_collector_acknowledged_total", "citybrain_collector_bytes_total", "citybrain_endpoint_connections_total", "citybrain_endpoint_refused_connections_total", "citybrain_hj212_connections_total", "citybrain_hj212_garbage_bytes_total", "citybrain_hj212_open_connections", "citybrain_hj212_refused_connections_total", "citybrain_http_connections_accepted_total", "citybrain_influxdb_batch_lines", "citybrain_influxdb_corrected_total", "citybrain_pipeline_commits_total"];
    assert.deepEqual([...new Set(all.filter((name) => !shown.has(name)))].sort(), left);
  });

  it("name labels in legends that their answers have", () => {
    for (const { where, text, legend = "" } of queries) {
      const { names } = parse(text);
      const grouped = /\bby \(([^)]*)\)/.exec(text)?.[1]?.split(",").map((label) => label.trim());
      for (const [, label = ""] of legend.matchAll(/\{\{(\w+)\}\}/g)) {
        assert.ok(grouped?.includes(label) ?? known.get(names[0] ?? "")?.has(label), `${where}: the answer has no ${label}`);
      }
    }
  });

  it("are understood by Prometheus' own parser", (context) => {
    if (spawnSync("promtool", ["--version"]).error) return context.skip("promtool is not installed");
    const rules = queries.map(({ text }, at) => ({ record: `q${at}`, expr: text }));
    const file = join(mkdtempSync(join(tmpdir(), "citybrain-promql-")), "queries.yml");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: "queries", rules }] }));
    execFileSync("promtool", ["check", "rules", file], { stdio: "pipe" });
  });
});
