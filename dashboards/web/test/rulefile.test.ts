// @vitest-environment node
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { diffLines, joined, mergeTexts, withContext } from "../src/rulefile/diff";
import { addRule, put, remove, written } from "../src/rulefile/edit";
import { KINDS, KIND_IDS, NAMING, ORDER, TELLING, TIMING, kindSpec, selecting } from "../src/rulefile/kinds";
import { readLadder, setCell, setSeverities, setShare, setSide } from "../src/rulefile/ladder";
import { changeKind, copyRule, newGroup, newRule, ruleIds } from "../src/rulefile/reshape";
import { lineOf, nodeAt, offsetOf, pathAt, readYaml, scalarAt } from "../src/rulefile/yaml";

const RULES = new URL("../../../crates/rules/testdata/rules/", import.meta.url);
const KINDS_OF_SERVER = new URL("../../../crates/rules/src/kinds/", import.meta.url);
const FILES = readdirSync(RULES).filter((name) => name.endsWith(".yaml"));

const TEXT = `# Air
group: air
department: environment
rules:
  - id: pm25-high          # lasting
    name: {en: PM2.5 high, zh: PM2.5 超标}
    kind: threshold
    select: {metric: pm25, kind: [air_station, roadside]}
    severity:
      medium: {above: 75, clear_below: 65}
      high: {above: 115}   # from the standard
    for: 30s
  - id: "other"
    kind: absence
    severity: low
    for: 3x
`;

describe("reading", () => {
  it("reads every rule file that the server is tested with", () => {
    for (const name of FILES) {
      const { root, stopped } = readYaml(readFileSync(new URL(name, RULES), "utf8"));
      expect([name, stopped]).toEqual([name, null]);
      expect(root?.type, name).toBe("map");
    }
  });

  it("knows where everything stands", () => {
    const { root } = readYaml(TEXT);
    expect(scalarAt(root, ["rules", 0, "severity", "high", "above"])).toBe("115");
    expect(scalarAt(root, ["rules", 1, "id"])).toBe("other");
    const node = nodeAt(root, ["rules", 0, "select", "kind"]);
    expect(TEXT.slice(node?.start, node?.end)).toBe("[air_station, roadside]");
    expect(pathAt(root, TEXT.indexOf("115"))).toEqual(["rules", 0, "severity", "high", "above"]);
    expect(pathAt(root, TEXT.indexOf("3x"))).toEqual(["rules", 1, "for"]);
    expect(lineOf(TEXT, TEXT.indexOf("kind: absence"))).toBe(14);
  });

  it("counts columns in characters, as people and the server do", () => {
    const text = "a: 超标 x\nb: 1";
    expect(text[offsetOf(text, 1, 7)]).toBe("x");
    expect(text[offsetOf(text, 2, 4)]).toBe("1");
  });

  it("stops where it cannot read, and says where", () => {
    expect(readYaml("group: air\nrules: [a, {b\n").stopped).not.toBeNull();
    expect(readYaml("group: a\n   b: c\n").stopped).not.toBeNull();
  });

  it("reads quotes, folded texts and comments", () => {
    const { root } = readYaml("a: \"x: \\\"y\\\" # no\"\nb: 'it''s' # yes\nc: >\n  one\n  two\nd:\n- 1\n- 2\ne: http://x/#y\n");
    expect(["a", "b", "c", "e"].map((key) => scalarAt(root, [key]))).toEqual(['x: "y" # no', "it's", "one two", "http://x/#y"]);
    expect(scalarAt(root, ["d", 1])).toBe("2");
  });
});

describe("changing", () => {
  it("changes one value and leaves every other character alone", () => {
    const next = put(TEXT, ["rules", 0, "severity", "high", "above"], { raw: "120" });
    expect(next).toBe(TEXT.replace("115", "120"));
  });

  it("puts a new key where it belongs, as deep as its neighbours", () => {
    const next = put(TEXT, ["rules", 0, "keep_firing_for"], { raw: "1m" }, ORDER);
    expect(next).toContain("    for: 30s\n    keep_firing_for: 1m\n  - id:");
    const zone = put(TEXT, ["rules", 1, "select", "zone"], "loop", ORDER);
    expect(zone).toContain("    kind: absence\n    select: {zone: loop}\n    severity: low");
    expect(put(TEXT, ["rules", 0, "select", "zone"], "loop", ORDER)).toContain("roadside], zone: loop}");
  });

  it("takes away and puts back without a trace", () => {
    expect(remove(TEXT, ["rules", 0, "for"])).toBe(TEXT.replace("    for: 30s\n", ""));
    expect(remove(TEXT, ["rules", 0, "select", "metric"])).toContain("select: {kind: [air_station, roadside]}");
    expect(remove(TEXT, ["rules", 0])).toBe(TEXT.replace(/ {2}- id: pm25[\s\S]*?for: 30s\n/, ""));
    expect(remove(put(TEXT, ["rules", 1, "select", "zone"], "loop", ORDER), ["rules", 1, "select", "zone"])).toBe(TEXT);
  });

  it("quotes what would be read as something else", () => {
    expect(written("{device}: {value}")).toBe('"{device}: {value}"');
    expect(written("PM2.5 超标")).toBe("PM2.5 超标");
    for (const odd of ["true", "12", "1e3", "a: b", "- x", " x", "@a", "#a", ""]) {
      expect(scalarAt(readYaml(`a: ${written(odd)}`).root, ["a"]), odd).toBe(odd);
      expect(written(odd).startsWith('"'), odd).toBe(true);
    }
  });

  it("adds rules to lists that are full, empty or not there", () => {
    expect(ruleIds(readYaml(addRule(TEXT, "id: new\nkind: absence")).root)).toEqual(["pm25-high", "other", "new"]);
    expect(ruleIds(readYaml(addRule("group: a\nrules: []\n", "id: new\nkind: absence")).root)).toEqual(["new"]);
    expect(ruleIds(readYaml(addRule("group: a\n", "id: new")).root)).toEqual(["new"]);
    const copy = copyRule(TEXT, 0, []);
    expect(ruleIds(readYaml(copy?.text ?? "").root)).toEqual(["pm25-high", "other", "pm25-high-copy"]);
    expect(scalarAt(readYaml(copy?.text ?? "").root, ["rules", 2, "severity", "medium", "clear_below"])).toBe("65");
  });
});

describe("the description of kinds", () => {
  const source = (kind: string) => {
    const folder = new URL(`${kind}/mod.rs`, KINDS_OF_SERVER);
    try {
      return readFileSync(new URL(`${kind}.rs`, KINDS_OF_SERVER), "utf8");
    } catch {
      return readFileSync(folder, "utf8");
    }
  };

  it("has every kind of the server", () => {
    const listed = [...readFileSync(new URL("mod.rs", KINDS_OF_SERVER), "utf8").matchAll(/&(\w+)::KIND,/g)].map(([, name]) => name);
    expect([...KIND_IDS].sort()).toEqual([...listed].sort());
    expect(KINDS.map(({ id }) => id)).toEqual([...KIND_IDS]);
  });

  it("has every key that the server knows of each kind, and no other", () => {
    for (const kind of KINDS) {
      const text = source(kind.id);
      const keys = [...(/keys: &\[([\s\S]*?)\]/.exec(text)?.[1] ?? "").matchAll(/"(\w+)"/g)].map(([, key]) => key ?? "");
      const steps = { limits: ["severity", "raise", "clear"], lengths: ["severity", "for"], waits: ["severity"], counts: ["severity", "devices", "share"], classes: ["severity", "category"], times: ["severity", "within", "clear_beyond"], plain: ["severity"], none: [], formula: ["severity", "raise", "clear"] }[kind.steps];
      const ours = new Set([...kind.fields.map(({ path }) => path[0] ?? ""), ...steps, ...(kind.waits ? ["for"] : [])]);
      expect([...ours].sort(), kind.id).toEqual([...new Set(keys)].sort());
    }
  });

  it("shows every field of the rules that the server is tested with", () => {
    for (const name of FILES.filter((each) => !each.includes(".test.") && each !== "calendars.yaml")) {
      const { root } = readYaml(readFileSync(new URL(name, RULES), "utf8"));
      const rules = nodeAt(root, ["rules"]);
      for (const rule of rules?.type === "list" ? rules.items : []) {
        const kind = kindSpec(scalarAt(rule, ["kind"]));
        expect(kind, `${name}: ${scalarAt(rule, ["kind"])}`).toBeDefined();
        if (!kind || rule.type !== "map") continue;
        const known = new Set([...NAMING, ...kind.fields, ...selecting(kind, false), ...TIMING, ...TELLING].map(({ path }) => path[0]));
        for (const key of ["kind", "severity", "raise", "clear", "for", "devices", "share", "category", "within", "clear_beyond"]) known.add(key);
        expect(rule.entries.map(({ key }) => key).filter((key) => !known.has(key)), `${name}: ${scalarAt(rule, ["id"])}`).toEqual([]);
      }
    }
  });

  it("has an example for each kind that changes into every other", () => {
    for (const from of KINDS) {
      const made = newRule("group: g\ndepartment: d\nrules: []\n", from.id, []).text;
      expect(readYaml(made).stopped, from.id).toBeNull();
      for (const next of KINDS) {
        const changed = readYaml(changeKind(made, ["rules", 0], next.id));
        expect(changed.stopped, `${from.id} to ${next.id}`).toBeNull();
        expect(scalarAt(changed.root, ["rules", 0, "kind"])).toBe(next.id);
      }
    }
    expect(ruleIds(readYaml(newGroup("g", "d")).root)).toEqual(["g-threshold"]);
  });
});

describe("severities", () => {
  const rule = ["rules", 0] as const;
  const state = (text: string) => readLadder(text, readYaml(text).root, rule);
  const plain = "rules:\n  - id: a\n    kind: window\n    severity: low\n    raise: {above: 55}\n    clear: {below: 50}\n";

  it("are read in both ways of writing", () => {
    expect(state(TEXT)).toMatchObject({ form: "ladder", side: "above", steps: [{ severity: "medium", cells: { above: "75", clear_below: "65" } }, { severity: "high", cells: { above: "115" } }] });
    expect(state(plain)).toMatchObject({ form: "plain", steps: [{ severity: "low", cells: { above: "55", clear_below: "50" } }] });
  });

  it("go from one to several, keeping the limits", () => {
    const next = setSeverities(plain, rule, state(plain), "limits", ["low", "high"]);
    expect(state(next)).toMatchObject({ form: "ladder", steps: [{ severity: "low", cells: { above: "55", clear_below: "50" } }, { severity: "high" }] });
    expect(next).not.toContain("raise");
    expect(next).not.toContain("clear:");
    expect(state(setSeverities(TEXT, rule, state(TEXT), "limits", ["high"])).steps.map(({ severity }) => severity)).toEqual(["high"]);
    expect(state(setSeverities(TEXT, rule, state(TEXT), "limits", ["medium", "high", "critical"])).steps[2]).toEqual({ severity: "critical", cells: { above: "115" } });
  });

  it("change their side together", () => {
    const next = setSide(TEXT, rule, state(TEXT), "below");
    expect(state(next)).toMatchObject({ side: "below", steps: [{ cells: { below: "75", clear_above: "65" } }, { cells: { below: "115" } }] });
    expect(state(setSide(plain, rule, state(plain), "below"))).toMatchObject({ form: "plain", side: "below", steps: [{ cells: { below: "55", clear_above: "50" } }] });
  });

  it("take numbers, limits of devices, and nothing", () => {
    const own = setCell(TEXT, rule, state(TEXT), "high", "above", "{attribute: limit, default: 115}");
    expect(state(own).steps[1]?.cells["above"]).toBe("{attribute: limit, default: 115}");
    expect(setCell(TEXT, rule, state(TEXT), "medium", "clear_below", "")).toContain("medium: {above: 75}");
    const empty = setCell(TEXT, rule, state(TEXT), "high", "above", "");
    expect(state(empty).steps.map(({ severity }) => severity)).toEqual(["medium", "high"]);
    const counts = "rules:\n  - id: a\n    kind: k_of_n\n    severity:\n      medium: {devices: 2}\n";
    expect(state(setShare(counts, rule, state(counts), true)).share).toBe(true);
  });
});

describe("differences", () => {
  it("are found line by line", () => {
    expect(diffLines("a\nb\nc\n", "a\nx\nc\nd\n").map(({ kind, text }) => `${kind} ${text}`)).toEqual(["same a", "removed b", "added x", "same c", "added d"]);
    const long = Array.from({ length: 30 }, (_, at) => `line ${at}`);
    expect(withContext(diffLines(long.join("\n"), [...long.slice(0, 15), "new", ...long.slice(15)].join("\n")), 2).filter((line) => line === null)).toHaveLength(2);
  });

  it("of two people are joined, and clash only where both changed the same", () => {
    const base = "a\nb\nc\nd\ne\n";
    expect(joined(mergeTexts(base, "a\nB\nc\nd\ne\n", "a\nb\nc\nd\nE\n"), () => "mine")).toBe("a\nB\nc\nd\nE\n");
    const parts = mergeTexts(base, "a\nmine\nc\nd\ne\n", "a\ntheirs\nc\nd\ne\nf\n");
    expect(parts.filter(({ kind }) => kind === "clash")).toHaveLength(1);
    expect(joined(parts, () => "mine")).toBe("a\nmine\nc\nd\ne\nf\n");
    expect(joined(parts, () => "theirs")).toBe("a\ntheirs\nc\nd\ne\nf\n");
    expect(joined(mergeTexts(base, base, "x\n"), () => "mine")).toBe("x\n");
    expect(joined(mergeTexts(base, "a\nc\nd\ne\n", base), () => "theirs")).toBe("a\nc\nd\ne\n");
  });
});
