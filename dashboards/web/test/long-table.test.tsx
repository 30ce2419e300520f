import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { setLanguage } from "../src/i18n";
import { handleKey } from "../src/keys";
import { LongTable } from "../src/ui/long-table";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
});
const press = (key: string) =>
  act(() => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    Object.defineProperty(event, "target", { value: document.body });
    handleKey(event);
  });

interface Row {
  id: string;
}
const columns = [
  { key: "id", head: "Id", sort: "id", cell: (row: Row) => row.id },
  { key: "age", head: "Age", sort: "age", first: "down" as const, cell: () => "1 s" },
];

describe("a long table", () => {
  it("has only the rows in sight, and says how many there are", async () => {
    const range = vi.fn();
    await act(() => render(<LongTable label="Things" columns={columns} count={20_000} rowAt={(at) => (at < 3 ? { id: `t${at}` } : undefined)} idOf={(row) => row.id} onRange={range} />, root));
    expect(root.querySelector("table")?.getAttribute("aria-rowcount")).toBe("20001");
    const rows = [...root.querySelectorAll("tbody tr:not(.spacer)")];
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.length).toBeLessThan(60);
    expect(rows[0]?.getAttribute("aria-rowindex")).toBe("2");
    expect(rows[3]?.textContent).toBe("Loading");
    expect(range).toHaveBeenLastCalledWith(0, rows.length);
    expect(root.querySelectorAll(".spacer")).toHaveLength(1);
  });

  it("is walked through and opened by keyboard", async () => {
    const opened = vi.fn();
    await act(() => render(<LongTable label="Things" columns={columns} count={3} rowAt={(at) => ({ id: `t${at}` })} idOf={(row) => row.id} open={opened} />, root));
    const current = () => root.querySelector("[aria-current]")?.getAttribute("data-row") ?? null;
    await press("j");
    expect(current()).toBe("t0");
    await press("j");
    await press("j");
    await press("j");
    expect(current()).toBe("t2");
    await press("k");
    await press("Enter");
    expect(opened).toHaveBeenCalledWith({ id: "t1" });
    await press("Escape");
    expect(current()).toBeNull();
  });

  it("says in which order it is, and asks for another", async () => {
    const sorted = vi.fn();
    await act(() => render(<LongTable label="Things" columns={columns} count={1} rowAt={() => ({ id: "t" })} idOf={(row) => row.id} sort="id" onSort={sorted} />, root));
    const [id, age] = [...root.querySelectorAll("th")];
    expect([id?.getAttribute("aria-sort"), age?.getAttribute("aria-sort")]).toEqual(["ascending", "none"]);
    await act(() => id?.querySelector("button")?.click());
    await act(() => age?.querySelector("button")?.click());
    expect(sorted.mock.calls).toEqual([["-id"], ["-age"]]);
  });
});
