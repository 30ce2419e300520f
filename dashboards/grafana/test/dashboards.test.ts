import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import Ajv from "ajv";
import { createGenerator } from "ts-json-schema-generator";
import { files } from "../src";
import { CITY_METRICS } from "../src/city";
import { ROOT, found, read } from "./read";

describe("the dashboards", () => {
  it("are those that the source makes", () => {
    const made = files();
    for (const { path, text } of made) {
      assert.ok(existsSync(join(ROOT, path)) && readFileSync(join(ROOT, path), "utf8") === text, `${path} is not current: run \`npm run build\``);
    }
    const there = ["en", "zh"].flatMap((language) => readdirSync(join(ROOT, "dashboards", language)).map((name) => `dashboards/${language}/${name}`));
    assert.deepEqual(there.sort(), made.map(({ path }) => path).sort());
  });

  it("fit the schema of Grafana's own types, the options of panels included", () => {
    const schema = createGenerator({ path: join(ROOT, "src/provisioned.ts"), tsconfig: join(ROOT, "tsconfig.json"), type: "Provisioned", skipTypeCheck: true, additionalProperties: false, functions: "fail", expose: "none" }).createSchema("Provisioned");
    const validate = new Ajv({ allErrors: true, allowUnionTypes: true, discriminator: false }).compile(schema);
    for (const { path, text } of files()) {
      assert.ok(validate(JSON.parse(text)), `${path}: ${JSON.stringify(validate.errors?.slice(0, 5), null, 1)}`);
    }
    // A schema that takes everything would prove nothing.
    const spoilt = JSON.parse(files()[0]?.text ?? "") as { panels: { options: Record<string, unknown> }[] };
    const options = spoilt.panels[0]?.options ?? {};
    options["graphMode"] = "sparkles";
    assert.equal(validate(spoilt), false, "a wrong option of a panel is seen");
  });

  it("have addresses of their own, and lead to one another", () => {
    const uids = files().map(({ text }) => (JSON.parse(text) as { uid: string }).uid);
    assert.equal(new Set(uids).size, uids.length);
    for (const { text, path } of files()) {
      for (const [, uid] of text.matchAll(/"url": "\/d\/([\w-]+)/g)) assert.ok(uids.includes(uid ?? ""), `${path} leads to ${uid}`);
    }
    for (const { panels } of found) assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  });

  it("say the same in both languages", () => {
    const [english, chinese] = ["en", "zh"].map((language) => found.filter((each) => each.language === language));
    english?.forEach((one, at) => {
      const other = chinese?.[at];
      assert.deepEqual(other?.panels.map(({ type }) => type), one.panels.map(({ type }) => type), one.part);
      one.panels.forEach(({ title, description }, index) => {
        const panel = other?.panels[index];
        assert.match(panel?.title ?? "", /[\u4e00-\u9fff]/, `${one.part}: “${title}” in Chinese`);
        assert.doesNotMatch(title + (description ?? ""), /[\u4e00-\u9fff]/, `${one.part}: “${title}” in English`);
        assert.equal(description === undefined, panel?.description === undefined, title);
      });
    });
  });

  it("show metrics of the catalogue by themselves, in its units", () => {
    const entries = read("crates/model/src/catalogue.toml").split("[[metric]]");
    const said = (entry: string, key: string) => new RegExp(`^${key} = "(.*)"`, "m").exec(entry)?.[1];
    // Where nothing else is written, people write the unit's code.
    const catalogue = new Map(entries.map((entry) => [said(entry, "id"), said(entry, "symbol") ?? said(entry, "unit")]));
    for (const { id, symbol } of CITY_METRICS) assert.equal(catalogue.get(id), symbol, id);
  });
});

describe("provisioning", () => {
  const sources = read("deploy/grafana/provisioning/datasources/citybrain.yaml");
  const providers = read("deploy/grafana/provisioning/dashboards/citybrain.yaml");

  it("has the data sources that the dashboards name", () => {
    for (const { panels } of found) {
      for (const { datasource } of panels.flatMap(({ targets = [] }) => targets)) {
        assert.match(sources, new RegExp(`type: ${datasource.type}\\n    uid: ${datasource.uid}\\n`));
      }
    }
    assert.match(sources, /version: Flux/);
    // No secret may stand in a file that is copied about.
    for (const [, value] of sources.matchAll(/(?:token|password): *(.*)/g)) assert.match(value ?? "", /^\$\{?\w+\}?$|^\$__file\{/);
  });

  it("has a folder for each language", () => {
    for (const language of ["en", "zh"]) assert.match(providers, new RegExp(`path: /etc/grafana/citybrain/${language}\\n`));
  });
});
