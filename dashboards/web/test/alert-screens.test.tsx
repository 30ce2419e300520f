import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AlertDetail, AlertItem } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { handleKey } from "../src/keys";
import { go } from "../src/router";
import { Actions } from "../src/screens/alert/actions";
import { AlertTableView } from "../src/screens/alerts/table";
import { alertBook, alertVersion } from "../src/state/alert-book";
import { departments } from "../src/state/city";
import { refetchEverything } from "../src/state/clock";
import { takeAlert } from "../src/state/live";
import { session } from "../src/state/session";
import { alert, signedIn } from "./samples";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  go("/alerts");
  root = document.createElement("div");
  document.body.append(root);
  session.value = { phase: "in", session: signedIn([{ department: "water", role: "operator" }], { user: "li" }) };
  departments.value = [{ id: "water", name: { en: "Water", zh: "水务" }, devices: 1 }, { id: "roads", name: { en: "Roads", zh: "道路" }, devices: 1 }];
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});
const show = (what: preact.ComponentChild) => act(() => render(what, root));
const press = (key: string) => act(() => handleKey(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })));
const text = (selector: string) => root.querySelector(selector)?.textContent ?? "";

describe("what to do about an alert", () => {
  const detail = (change: Partial<AlertDetail> = {}): AlertDetail => ({ ...alert(), log: [{ seq: 1, at: "2026-11-23T10:01:00Z", kind: "fired", by: "engine", note: null, severity: "high", value: 2.7, reason: null, about: null }], ...change });
  const acked = detail({
    acknowledged: { by: "zhao", at: "2026-11-23T10:02:00Z", note: null },
    log: [...detail().log, { seq: 2, at: "2026-11-23T10:02:00Z", kind: "acknowledged", by: "zhao", note: null, severity: null, value: null, reason: null, about: null }],
  });

  it("tells what somebody else did while one wrote, and keeps the note", async () => {
    await show(<Actions tagged={{ value: detail(), tag: '"1"' }} />);
    const note = root.querySelector("textarea") as HTMLTextAreaElement;
    await act(() => {
      note.value = "On my way";
      note.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await show(<Actions tagged={{ value: acked, tag: '"2"' }} />);
    expect(text(".meanwhile")).toContain("zhao");
    expect((root.querySelector("textarea") as HTMLTextAreaElement).value).toBe("On my way");
    const accept = root.querySelector(".deed-buttons button");
    expect(accept?.getAttribute("aria-disabled")).toBe("true");
    expect(accept?.getAttribute("title")).toContain("look at that first");
    await act(async () => (root.querySelector(".meanwhile button") as HTMLElement).click());
    expect(root.querySelector(".meanwhile")).toBeNull();
    expect(root.querySelector(".deed-buttons button")?.getAttribute("aria-disabled")).toBeNull();
  });

  it("says nothing to who was only looking", async () => {
    await show(<Actions tagged={{ value: detail(), tag: '"1"' }} />);
    await show(<Actions tagged={{ value: acked, tag: '"2"' }} />);
    expect(root.querySelector(".meanwhile")).toBeNull();
    expect(text(".acknowledged")).toContain("zhao");
  });

  it("keeps the form that was opened while another deed was on its way", async () => {
    let answer: (response: Response) => void = () => undefined;
    vi.stubGlobal("fetch", vi.fn(() => new Promise<Response>((resolve) => (answer = resolve))));
    await show(<Actions tagged={{ value: detail(), tag: '"1"' }} />);
    const note = root.querySelector("textarea") as HTMLTextAreaElement;
    await act(() => {
      note.value = "Seen";
      note.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await act(async () => (root.querySelectorAll(".actions form .buttons button")[1] as HTMLElement).click());
    await press("h");
    expect(root.querySelector(".deed-form")).not.toBeNull();
    await act(async () => answer(new Response(JSON.stringify(alert({ updated_at: "2026-11-23T11:30:00Z" })))));
    expect(root.querySelector(".deed-form"), "the form is still open").not.toBeNull();
    await vi.waitFor(() => expect((root.querySelector(".deed-form textarea") as HTMLTextAreaElement).value, "what was sent is not sent twice").toBe(""));
  });

  it("asks for what a deed needs, and sends the tag of what was seen", async () => {
    const fetched = vi.fn(async (_url: string, _init?: RequestInit) => new Response(JSON.stringify(alert({ updated_at: "2026-11-23T11:00:00Z" }))));
    vi.stubGlobal("fetch", fetched);
    await show(<Actions tagged={{ value: detail(), tag: '"7"' }} />);
    await press("h");
    const submit = () => root.querySelector(".deed-form button[type=submit]") as HTMLButtonElement;
    expect(submit().disabled, "no department yet").toBe(true);
    const choice = root.querySelector(".deed-form select") as HTMLSelectElement;
    expect([...choice.options].map(({ value }) => value), "not to who has it").toEqual(["", "roads"]);
    await act(() => {
      choice.value = "roads";
      choice.dispatchEvent(new Event("change", { bubbles: true }));
    });
    expect(submit().disabled).toBe(false);
    await act(async () => void (root.querySelector(".actions form") as HTMLFormElement).dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
    const [url, init] = fetched.mock.calls[0] ?? [];
    expect(url).toBe("/api/v1/alerts/a1/hand-over");
    expect((init?.headers as Record<string, string>)["If-Match"]).toBe('"7"');
    expect(JSON.parse(String(init?.body))).toMatchObject({ department: "roads" });
    await vi.waitFor(() => expect(root.querySelector(".deed-form")).toBeNull());
  });
});

describe("the alert table", () => {
  const many = (from: number, to: number): AlertItem[] => Array.from({ length: to - from }, (_, n) => alert({ id: `t${from + n}`, severity: "high", fired_at: new Date(Date.parse("2026-11-23T10:00:00Z") - (from + n) * 1000).toISOString() }));
  const counts = { firing: 3000, unacknowledged: 3000, by_severity: { critical: 0, high: 3000, medium: 0, low: 0 } };

  it("has only the rows that are seen, and takes news when nobody stands in it", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", vi.fn(async (url: string) => {
      asked.push(url);
      if (url.includes("/rules")) return new Response(JSON.stringify({ items: [], next_cursor: null }));
      return new Response(JSON.stringify({ items: many(0, 200), next_cursor: "more", counts }));
    }));
    await show(<AlertTableView />);
    await vi.waitFor(() => expect(root.querySelector(".at-body .at-row")).not.toBeNull());
    expect(root.querySelectorAll(".at-body .at-row").length).toBeLessThan(100);
    expect(asked.find((url) => url.includes("/alerts?"))).toContain("state=firing&sort=urgency");
    await press("j");
    expect(root.querySelector(".at-row[aria-current]")?.getAttribute("data-alert")).toBe("t0");
    await press("x");
    await press("J");
    expect(root.querySelectorAll(".at-row.picked")).toHaveLength(2);
    await act(async () => takeAlert(alert({ id: "new", severity: "critical", updated_at: "2026-11-23T12:00:00Z" })));
    await vi.waitFor(() => expect(text(".new-rows")).toContain("1"));
    expect(root.querySelector('[data-alert="new"]')).toBeNull();
    await press(".");
    await vi.waitFor(() => expect(root.querySelector('[data-alert="new"]')).not.toBeNull());
    alertBook.loadFiring([]);
    alertVersion.value += 1;
  });

  it("keeps what was there when it cannot be loaded again, and says so", async () => {
    let works = true;
    vi.stubGlobal("fetch", vi.fn(async (url: string) => {
      if (!works) throw new TypeError("no network");
      return new Response(JSON.stringify(url.includes("/rules") ? { items: [], next_cursor: null } : { items: many(0, 3), next_cursor: null, counts }));
    }));
    await show(<AlertTableView />);
    await vi.waitFor(() => expect(root.querySelectorAll(".at-body .at-row")).toHaveLength(3));
    works = false;
    await act(async () => refetchEverything());
    await vi.waitFor(() => expect(text(".note")).toContain("shown as of"));
    expect(root.querySelectorAll(".at-body .at-row")).toHaveLength(3);
    works = true;
    await act(async () => refetchEverything());
    await vi.waitFor(() => expect(root.querySelector(".note")).toBeNull());
    expect(root.querySelectorAll(".at-body .at-row")).toHaveLength(3);
  });

  it("says when it could not be had at all, and tries again", async () => {
    let works = false;
    vi.stubGlobal("fetch", vi.fn(async (url: string) => {
      if (!works) throw new TypeError("no network");
      return new Response(JSON.stringify(url.includes("/rules") ? { items: [], next_cursor: null } : { items: [], next_cursor: null, counts }));
    }));
    await show(<AlertTableView />);
    await vi.waitFor(() => expect(text(".at-frame")).toContain("The server cannot be reached"));
    works = true;
    await act(async () => (root.querySelector(".at-frame button") as HTMLElement).click());
    await vi.waitFor(() => expect(text(".at-frame")).toContain("No alert is firing."));
  });
});
