import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Flux, parse } from "@influxdata/flux-lsp-node";
import { RAW_FIELDS, TAGS, TIERS, TIER_FIELDS } from "../src/flux";
import { filledIn, fluxQueries, read } from "./read";

/** As Grafana would send it. */
export const SAMPLE: Readonly<Record<string, string>> = {
  device: "gauge-1",
  metric: "water_level",
  zone: "riverside",
  citybrain: "http://127.0.0.1:8080",
  "v.defaultBucket": '"city"',
  "v.timeRangeStart": "2026-11-29T00:00:00Z",
  "v.timeRangeStop": "2026-11-29T06:00:00Z",
  "v.windowPeriod": "60000ms",
};

describe("queries of InfluxDB", () => {
  const queries = fluxQueries();

  it("are Flux, with types and functions that fit", () => {
    assert.ok(queries.length > 50);
    for (const { where, text } of queries) {
      const flux = new Flux(filledIn(text, SAMPLE));
      assert.ok(flux.is_valid(), `${where}:\n${filledIn(text, SAMPLE)}`);
    }
    assert.equal(new Flux('from(bucket: "x") |> range(start: -1h) |> nothing()').is_valid(), false, "a mistake is seen");
  });

  it("ask for what the store writes", () => {
    const line = read("crates/store/src/backends/influxdb/line.rs");
    const setup = read("crates/store/src/backends/influxdb/setup.rs");
    const module = read("crates/store/src/backends/influxdb/mod.rs");
    const tierFields = /its fields are ([^;]*?) of each step/.exec(setup.replace(/\n\/\/! ?/g, " "))?.[1] ?? "";
    assert.deepEqual([...tierFields.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort(), [...TIER_FIELDS].sort());
    for (const field of ["value", "rejected", "state", "rejected_state", "text"]) assert.match(line, new RegExp(`=> "${field}"`));
    for (const field of RAW_FIELDS) assert.match(module, new RegExp(`fields? [^|]*\`${field}\``));
    for (const tier of TIERS) assert.ok(setup.includes(`("${tier}", Span::`));
    for (const tag of TAGS) assert.match(module, new RegExp(`\\| tag \`${tag}\``));
  });

  it("name no other fields, tags or columns", () => {
    const fields = new Set<string>([...RAW_FIELDS, ...TIER_FIELDS]);
    const columns = new Set<string>(["_measurement", "_field", "_value", "_time", ...TAGS]);
    for (const { where, text } of queries) {
      const flux = filledIn(text, SAMPLE);
      for (const [, field] of flux.matchAll(/r\._field == "([^"]*)"/g)) assert.ok(fields.has(field ?? ""), `${where}: field ${field}`);
      for (const [, column] of flux.matchAll(/\br\.(\w+)/g)) assert.ok(columns.has(column ?? ""), `${where}: column ${column}`);
      assert.ok(parse(flux) !== undefined, where);
    }
  });

  it("write what people choose as texts that cannot end early", () => {
    for (const { where, text } of queries) assert.doesNotMatch(text, /\$\{(?!\w+:doublequote\})/, where);
  });
});
