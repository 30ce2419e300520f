import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Influxd, findInfluxd } from "./influxd";
import { filledIn, fluxQueries, found } from "./read";

/** What has nothing to say where all is well. */
const MAY_BE_EMPTY = /Values C$/;

describe("InfluxDB's own server", () => {
  it("takes every query, and answers with rows", { timeout: 240_000 }, async (context) => {
    const path = findInfluxd();
    if (path === null) return context.skip("`cargo xtask influxd` has not built influxd here");
    const server = await Influxd.start(path);
    try {
      const now = Date.now();
      const values: Record<string, string> = {
        device: "gauge-1",
        metric: "water_level",
        zone: "riverside",
        citybrain: server.cityUrl,
        "v.defaultBucket": '"city"',
        "v.timeRangeStart": new Date(now - 6 * 3_600_000).toISOString(),
        "v.timeRangeStop": new Date(now).toISOString(),
        "v.windowPeriod": "60000ms",
      };
      for (const { where, text, type, columns = [] } of fluxQueries(found.filter(({ language }) => language === "en"))) {
        const { rows, columns: has } = await server.ask(filledIn(text, values)).catch((error: unknown) => assert.fail(`${where}: ${String(error)}\n${filledIn(text, values)}`));
        assert.ok(rows > 0 || MAY_BE_EMPTY.test(where), `${where} gives nothing:\n${filledIn(text, values)}`);
        // Grafana takes a table for a series over time if, and only if, it has `_measurement`.
        if (rows === 0 || type === undefined) continue;
        const needed = type === "timeseries" || type === "state-timeline" ? ["_measurement", "_field", "_time", "_value"] : type === "table" ? columns : ["_value"];
        assert.deepEqual(needed.filter((column) => !has.includes(column)), columns.includes("text") ? ["state", "text"] : [], `${where} has ${has.join(", ")}`);
        assert.equal(has.includes("_measurement"), needed.includes("_measurement"), `${where} has ${has.join(", ")}`);
      }
      const [states] = fluxQueries(found.filter(({ language }) => language === "en")).filter(({ where }) => where.endsWith("Values C"));
      assert.equal((await server.ask(filledIn(states?.text ?? "", { ...values, metric: "lamp_on" }))).rows, 18);
      // The list of zones is in both languages.
      const zones = fluxQueries(found.filter(({ language }) => language === "zh")).find(({ where }) => where.endsWith("$zone"));
      assert.equal((await server.ask(filledIn(zones?.text ?? "", values))).rows, 2);
    } finally {
      await server.stop();
    }
  });
});
