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
      for (const { where, text } of fluxQueries(found.filter(({ language }) => language === "en"))) {
        const rows = await server.rows(filledIn(text, values)).catch((error: unknown) => assert.fail(`${where}: ${String(error)}\n${filledIn(text, values)}`));
        assert.ok(rows > 0 || MAY_BE_EMPTY.test(where), `${where} gives nothing:\n${filledIn(text, values)}`);
      }
      const [states] = fluxQueries(found.filter(({ language }) => language === "en")).filter(({ where }) => where.endsWith("Values C"));
      assert.equal(await server.rows(filledIn(states?.text ?? "", { ...values, metric: "lamp_on" })), 18);
      // The list of zones is in both languages.
      const zones = fluxQueries(found.filter(({ language }) => language === "zh")).find(({ where }) => where.endsWith("$zone"));
      assert.equal(await server.rows(filledIn(zones?.text ?? "", values)), 2);
    } finally {
      await server.stop();
    }
  });
});
