/** A first test for a rule, to be filled in: the devices that it selects, readings, what must come. */
import { kindSpec } from "./kinds";
import { readLadder } from "./ladder";
import { nodeAt, readYaml, scalarAt, type Path } from "./yaml";

export function testFor(text: string, rule: Path, file: string): string {
  const { root } = readYaml(text);
  const at = (...path: string[]) => {
    const node = nodeAt(root, [...rule, ...path]);
    return node?.type === "list" && node.items[0]?.type === "scalar" ? node.items[0].text : node?.type === "scalar" ? node.text : "";
  };
  const id = scalarAt(root, [...rule, "id"]);
  const metric = at("select", "metric") || "pm25";
  const kind = at("select", "kind") || "air_station";
  const zone = at("select", "zone");
  const device = at("select", "device") || "a";
  const spec = kindSpec(scalarAt(root, [...rule, "kind"]));
  const ladder = readLadder(text, root, rule);
  const step = ladder.steps[0];
  const limit = Number(step?.cells[ladder.side] ?? NaN);
  const head = `rules: ${file}\n${zone === "" ? "" : `zones:\n  - {id: ${zone}}\n`}devices:\n  - {id: ${device}, kind: ${kind}, interval: 10s${zone === "" ? "" : `, zones: [${zone}]`}}\ntests:\n`;
  if (spec?.id !== "threshold" || !Number.isFinite(limit)) {
    return `${head}  - name: ${id} says nothing about good readings\n    until: 1h\n    input:\n      - {series: ${metric} of ${device}, every: 1m, values: "1x30"}\n    expect: []\n`;
  }
  const hold = seconds(scalarAt(root, [...rule, "for"]));
  const bad = limit + (ladder.side === "above" ? 1 : -1) * Math.max(1, Math.abs(limit) * 0.05);
  const good = limit - (ladder.side === "above" ? 1 : -1) * Math.max(1, Math.abs(limit) * 0.5);
  const every = 10;
  const many = Math.ceil(hold / every) + 1;
  return [
    `${head}  - name: ${id} fires when the limit is passed for long enough`,
    `    until: ${Math.ceil(hold / 60) + 10}m`,
    "    input:",
    `      - {series: ${metric} of ${device}, every: ${every}s, values: "${round(bad)}x${many} ${round(good)}"}`,
    "    expect:",
    `      - {at: ${hold}s, event: fired, subject: ${metric} of ${device}, severity: ${step?.severity ?? "high"}}`,
    `      - {at: ${many * every}s, event: resolved, subject: ${metric} of ${device}}`,
    `  - name: ${id} does not mind good readings`,
    "    until: 10m",
    "    input:",
    `      - {series: ${metric} of ${device}, every: ${every}s, values: "${round(good)}x20"}`,
    "    expect: []",
    "",
  ].join("\n");
}

const round = (value: number) => String(Math.round(value * 1000) / 1000);

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `1h30m` in seconds; 0 of what is no length of time. */
export function seconds(text: string): number {
  return [...text.matchAll(/(\d+)(ms|[smhdw])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * (SECONDS[unit ?? ""] ?? 0), 0);
}
