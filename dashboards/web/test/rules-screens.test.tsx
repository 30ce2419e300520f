import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Grant } from "../src/api/types";
import type { Rule } from "../src/api/rules";
import { cityZone } from "../src/format/time";
import { setLanguage } from "../src/i18n";
import { go } from "../src/router";
import { LettersScreen } from "../src/screens/intake/letters";
import { ExplainPanel } from "../src/screens/rules/explain";
import { RulesScreen } from "../src/screens/rules";
import { departments, metrics } from "../src/state/city";
import { readDraft } from "../src/state/drafts";
import { session } from "../src/state/session";
import { TextEditor } from "../src/ui/text-editor";
import { signedIn } from "./samples";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  localStorage.clear();
  departments.value = [{ id: "air", name: { en: "Air", zh: "大气" }, devices: 0 }];
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  act(() => render(null, root));
  localStorage.clear();
  root.remove();
  vi.unstubAllGlobals();
  go("/");
});

const show = (what: preact.ComponentChild) => act(() => render(what, root));
const be = (...grants: Grant[]) => {
  session.value = { phase: "in", session: signedIn(grants) };
};
const type = (field: Element | null, value: string) =>
  act(() => {
    (field as HTMLInputElement).value = value;
    field?.dispatchEvent(new Event("input", { bubbles: true }));
  });

const TEXT = "group: air\ndepartment: air\nrules:\n  - id: a\n    kind: threshold\n    select: {metric: pm25}\n    severity:\n      high: {above: 115} # law\n";
const group = (change: object = {}) => ({ group: "air", source: "api", read_only: false, rules: 1, problems: [], files: [], version: 3, by: "ada", at: "2026-11-29T10:00:00Z", why: "w", etag: "1", texts: [{ name: "api:air", text: TEXT }], ...change });

interface Sent {
  call: string;
  body: { text?: string; why?: string } | null;
  ifMatch: string | undefined;
}

function server(reply: (sent: Sent) => { status?: number; body?: unknown; tag?: string }): Sent[] {
  const all: Sent[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const sent: Sent = { call: `${init.method} ${url.replace("/api/v1", "")}`, body: typeof init.body === "string" ? JSON.parse(init.body) : null, ifMatch: (init.headers as Record<string, string>)["If-Match"] };
    all.push(sent);
    const { status = 200, body = { items: [], next_cursor: null }, tag } = reply(sent);
    return new Response(JSON.stringify(body), { status, headers: tag === undefined ? {} : { ETag: tag } });
  });
  return all;
}

const change = (problems: object[] = []) => ({ done: false, problems, reload: problems.length > 0 ? null : { added: [], changed: ["a"], retold: [], removed: [], kept: 0, ended: [], rules: 1 }, version: 3 });
const answer = (own: object = {}) => ({ call }: Sent) => {
  if (call.startsWith("GET /rule-groups/air")) return { body: group(own), tag: '"1"' };
  if (call.startsWith("PUT /rule-groups/air?check")) return { body: change() };
  if (call.startsWith("GET /rule-groups")) return { body: { items: [group(own)], deleted: [], next_cursor: null } };
  if (call.startsWith("POST /rules/check")) return { body: { problems: [], not_judged: [], rules: 1 } };
  return {};
};
const open = async () => {
  await show(<RulesScreen route={{ screen: "rule-group", id: "air" }} />);
  await vi.waitFor(() => expect(root.querySelector("textarea")).not.toBeNull());
};
const area = () => root.querySelector<HTMLTextAreaElement>(".text-body textarea");
const field = (name: string) => root.querySelector(`[data-field="${name}"]`);

describe("why a rule did or did not fire", () => {
  const both = (text: string) => ({ en: text, zh: text });
  const at = "2026-11-23T18:00:00Z";
  const held = {
    rule: "a", version: "1", subject: { type: "series", device: "d", metric: "pm25" }, at, from: "2026-11-23T17:00:00Z", verdict: "firing", sentence: both("Firing since 2026-11-23T17:30:00Z (high)"), since: null, until: null, readings: 3,
    counts: {}, untrusted: {}, nearest_miss: { value: 80, limit: 115, at }, mismatches: [{ part: "zone", text: both("not there since 2026-11-23T17:10:00Z") }], steps: [{ at, decision: "pending", limit: 115, value: 120, reading: null, text: both("pending, fires at 2026-11-23T18:05:00Z") }], steps_left_out: 0,
    caveats: [both("nothing before 2026-11-23T17:00:00Z")], silences: [], alerts: [], alert: null, late_readings: [],
  };
  const rule = (kind: string) => ({ id: "a", kind, select: { metric: ["pm25"], kind: [] } }) as unknown as Rule;
  const explain = async (kind: string) => {
    server(() => ({ body: held }));
    go("/rules/a?subject=d/pm25");
    await show(<ExplainPanel rule={rule(kind)} />);
    await vi.waitFor(() => expect(root.querySelector(".steps")).not.toBeNull());
    return root.textContent ?? "";
  };
  beforeEach(() => {
    cityZone.value = "America/Chicago";
    metrics.value = [{ id: "pm25", name: both("PM2.5"), unit: "ug/m3", symbol: "µg/m³", range: null, decimals: 0, unmapped: false }];
  });
  afterEach(() => (metrics.value = []));

  it("is told by the city's clock throughout", async () => {
    const text = await explain("threshold");
    for (const told of ["Firing since 23 Nov 2026, 11:30:00 (high)", "not there since 23 Nov 2026, 11:10:00", "fires at 23 Nov 2026, 12:05:00", "nothing before 23 Nov 2026, 11:00:00"]) expect(text).toContain(told);
    expect(text).not.toMatch(/\dT\d\d:/);
  });

  it("names the unit of what is judged as it is measured, and none of what is made of it", async () => {
    expect(await explain("threshold")).toContain("Nearest to the limit: 80\u00a0µg/m³ of 115\u00a0µg/m³");
    expect(root.querySelector(".steps thead")?.textContent).toContain("Value (µg/m³)Limit (µg/m³)");
    act(() => render(null, root));
    expect(await explain("rate_of_change")).toContain("Nearest to the limit: 80 of 115");
  });
});

describe("the rule editor", () => {
  it("has a form that follows the text, and a text that follows the form", async () => {
    be({ department: "air", role: "engineer" });
    server(answer());
    await open();
    await type(field("severity.high.above"), "120");
    expect(area()?.value).toBe(TEXT.replace("115", "120"));
    await type(area(), TEXT.replace("115", "99"));
    expect((field("severity.high.above") as HTMLInputElement).value).toBe("99");
    await type(area(), "group: [");
    expect(root.textContent).toContain("The text cannot be read from line 1 on");
  });

  it("keeps what is not published as a draft", async () => {
    be({ department: "air", role: "engineer" });
    server(answer());
    await open();
    await type(field("severity.high.above"), "120");
    await vi.waitFor(() => expect(readDraft("rules.air.api:air")?.text).toContain("120"));
    await act(() => render(null, root));
    await open();
    expect(area()?.value).toContain("120");
    expect(root.querySelector(".draft-note")).not.toBeNull();
    await act(() => root.querySelector<HTMLButtonElement>(".draft-note button")?.click());
    expect(area()?.value).toBe(TEXT);
  });

  it("shows a problem at its line, at its field and in the list", async () => {
    be({ department: "air", role: "engineer" });
    const problem = { file: "api:air", line: 8, column: 21, message: "`above` must be a number, found `x`", hint: null, rule: "a" };
    server((sent) => (sent.call.includes("check=true") && sent.body?.text?.includes("above: x") ? { body: change([problem]) } : answer()(sent)));
    await open();
    await type(field("severity.high.above"), "x");
    await vi.waitFor(() => expect(root.querySelectorAll(".fault")).toHaveLength(1));
    expect(root.querySelector(".text-gutter .line-wrong")?.textContent).toContain("8");
    expect(root.querySelector(".ladder .field-error")?.textContent).toContain("must be a number");
  });

  it("publishes under the tag that was seen, with a reason", async () => {
    be({ department: "air", role: "engineer" });
    const sent = server((each) => (each.call === "PUT /rule-groups/air" ? { body: { ...change(), done: true }, tag: '"2"' } : answer()(each)));
    await open();
    await type(field("severity.high.above"), "120");
    await act(() => go("/rule-groups/air?pane=publish"));
    await vi.waitFor(() => expect(root.querySelector(".publish-form input")).not.toBeNull());
    await type(root.querySelector(".publish-form input"), "the law changed");
    await act(async () => void root.querySelector(".publish-form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
    await vi.waitFor(() => expect(root.textContent).toContain("Published: in force now."));
    const put = sent.find(({ call }) => call === "PUT /rule-groups/air");
    expect([put?.ifMatch, put?.body?.why, put?.body?.text?.includes("above: 120} # law")]).toEqual(['"1"', "the law changed", true]);
  });

  it("of a group in files says why it cannot be published", async () => {
    be({ department: "air", role: "engineer" });
    const sent = server(answer({ read_only: true, source: "files", files: ["rules/air.yaml"], version: null }));
    await open();
    const publish = root.querySelector(".head-buttons .primary");
    expect(publish?.getAttribute("aria-disabled")).toBe("true");
    expect(publish?.getAttribute("title")).toContain("rules/air.yaml");
    expect(sent.some(({ call }) => call.startsWith("PUT"))).toBe(false);
  });

  it("lets those who may only look read everything and change nothing", async () => {
    be({ department: "air", role: "viewer" });
    const sent = server(answer());
    await open();
    expect(area()?.readOnly).toBe(true);
    expect((field("severity.high.above") as HTMLInputElement).closest("fieldset")?.disabled).toBe(true);
    expect(root.querySelector(".head-buttons .primary")?.getAttribute("title")).toContain("Engineer");
    expect(sent.some(({ call }) => !call.startsWith("GET"))).toBe(false);
  });
});

describe("the text editor", () => {
  const keys = (field: HTMLTextAreaElement | null, key: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    act(() => void field?.dispatchEvent(event));
    return event.defaultPrevented;
  };

  it("indents with Tab, and lets go after Esc", async () => {
    const onInput = vi.fn();
    await show(<TextEditor label="x" value={"a:\n"} onInput={onInput} />);
    const field = root.querySelector("textarea");
    field?.setSelectionRange(3, 3);
    expect(keys(field, "Tab")).toBe(true);
    expect(onInput).toHaveBeenCalledWith("a:\n  ");
    keys(field, "Escape");
    expect(keys(field, "Tab"), "nobody is caught in the text").toBe(false);
  });

  it("goes on as deep as the line before, and undoes by the form's history", async () => {
    const [onInput, onUndo, onRedo] = [vi.fn(), vi.fn(), vi.fn()];
    await show(<TextEditor label="x" value={"rules:\n  - id: a"} onInput={onInput} onUndo={onUndo} onRedo={onRedo} />);
    const field = root.querySelector("textarea");
    field?.setSelectionRange(16, 16);
    keys(field, "Enter");
    expect(onInput).toHaveBeenCalledWith("rules:\n  - id: a\n    ");
    keys(field, "z", { ctrlKey: true });
    keys(field, "z", { ctrlKey: true, shiftKey: true });
    keys(field, "y", { ctrlKey: true });
    expect([onUndo.mock.calls.length, onRedo.mock.calls.length]).toEqual([1, 2]);
  });
});

describe("dead letters", () => {
  it("have words for none, for failure, and for who may not replay", async () => {
    be({ department: "air", role: "viewer" });
    server(() => ({}));
    await show(<LettersScreen />);
    await vi.waitFor(() => expect(root.textContent).toContain("No dead letters"));
    const letter = { id: "1", at: "2026-11-29T10:00:00Z", source: "s", topic: "t", device: null, reason: "newer_than_this_page", detail: "d", hint: "h", size: 3, replayed_at: null };
    server(() => ({ body: { items: [letter], next_cursor: null } }));
    go("/dead-letters?view=each");
    await show(<LettersScreen />);
    await vi.waitFor(() => expect(root.textContent).toContain("newer_than_this_page"));
    expect(root.querySelector(".letters-bar .primary")?.getAttribute("title")).toContain("Engineer");
  });
});

it("a draft holds what was typed last, however fast the tab closes", async () => {
  be({ department: "air", role: "engineer" });
  server(answer());
  await open();
  await type(field("severity.high.above"), "121");
  dispatchEvent(new Event("pagehide"));
  expect(readDraft("rules.air.api:air")?.text).toContain("above: 121");
});
