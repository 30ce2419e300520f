import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { IngestReport } from "../src/api/platform";
import { setLanguage } from "../src/i18n";
import { DataSections } from "../src/screens/reports/data-sections";
import { refetchEverything } from "../src/state/clock";
import { NAMES_ASKED, NAMES_KEPT, deviceName, useDeviceNames } from "../src/state/device-names";

let root: HTMLElement;
let fetched: ReturnType<typeof vi.fn>;
const idOf = (url: string) => decodeURIComponent(url.split("/").at(-1) ?? "");
const named = (id: string) => new Response(JSON.stringify({ id, name: { en: `Lamp ${id}`, zh: `路灯 ${id}` } }));

beforeEach(() => {
  setLanguage("en");
  root = document.createElement("div");
  document.body.append(root);
  fetched = vi.fn(async (url: string) => named(idOf(url)));
  vi.stubGlobal("fetch", fetched);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

function List({ ids }: { ids: readonly string[] }) {
  useDeviceNames(ids);
  return <>{ids.map((id) => <i key={id}>{deviceName(id)}</i>)}</>;
}
const show = (ids: readonly string[]) => act(() => render(<List ids={ids} />, root));
const shown = () => [...root.querySelectorAll("i")].map((each) => each.textContent);
const asked = () => fetched.mock.calls.map(([url]) => idOf(String(url)));

describe("names of devices", () => {
  it("come once for each device, in the language that is on, and ids stand there until then", async () => {
    await show(["n1", "n2"]);
    await vi.waitFor(() => expect(shown()).toEqual(["Lamp n1", "Lamp n2"]));
    await show(["n2", "n3"]);
    expect(shown()).toEqual(["Lamp n2", "n3"]);
    await vi.waitFor(() => expect(shown()).toEqual(["Lamp n2", "Lamp n3"]));
    await act(() => setLanguage("zh"));
    expect(shown()).toEqual(["路灯 n2", "路灯 n3"]);
    expect(asked()).toEqual(["n1", "n2", "n3"]);
  });

  it("are asked for again after a refresh, the known ones standing meanwhile", async () => {
    await show(["r1"]);
    await vi.waitFor(() => expect(shown()).toEqual(["Lamp r1"]));
    fetched.mockImplementation(async () => new Response(JSON.stringify({ name: { en: "Renamed", zh: "新名" } })));
    await act(() => refetchEverything());
    await vi.waitFor(() => expect(shown()).toEqual(["Renamed"]));
    expect(asked()).toEqual(["r1", "r1"]);
  });

  it("are not asked for again where there is none, but are after a failure", async () => {
    fetched.mockImplementation(async (url: string) => new Response("{}", { status: idOf(url) === "gone" ? 404 : 500 }));
    await show(["gone", "broken"]);
    await vi.waitFor(() => expect(fetched).toHaveBeenCalledTimes(2));
    fetched.mockImplementation(async (url: string) => named(idOf(url)));
    await vi.waitFor(async () => {
      await show([]);
      await show(["gone", "broken"]);
      expect(shown()).toEqual(["gone", "Lamp broken"]);
    });
    expect(asked()).toEqual(["gone", "broken", "broken"]);
  });

  it("are asked for a few at a time, and not for more than a list is worth", async () => {
    let open = 0;
    let most = 0;
    fetched.mockImplementation(async (url: string) => {
      most = Math.max(most, (open += 1));
      await Promise.resolve();
      open -= 1;
      return named(idOf(url));
    });
    await show(Array.from({ length: NAMES_ASKED + 5 }, (_, n) => `m${n}`));
    await vi.waitFor(() => expect(shown()[NAMES_ASKED - 1]).toBe(`Lamp m${NAMES_ASKED - 1}`));
    expect(shown()[NAMES_ASKED]).toBe(`m${NAMES_ASKED}`);
    expect(fetched).toHaveBeenCalledTimes(NAMES_ASKED);
    expect(most).toBeLessThanOrEqual(4);
  });

  it("are not remembered without end", async () => {
    for (let from = 0; from <= NAMES_KEPT; from += NAMES_ASKED) {
      await show(Array.from({ length: NAMES_ASKED }, (_, n) => `k${from + n}`));
      await vi.waitFor(() => expect(shown().at(-1)).toBe(`Lamp k${from + NAMES_ASKED - 1}`));
    }
    expect(deviceName("k0")).toBe("k0");
    expect(deviceName(`k${NAMES_KEPT}`)).toBe(`Lamp k${NAMES_KEPT}`);
  });
});

describe("the devices of a report", () => {
  const line = (id: string, missed: number) => ({ id, received: 100, stored: 100, duplicate: 0, dead_lettered: 0, missed, in_flight: 0 });
  const books = { items: [], total: line("total", 0), balanced: true, silent_devices: { count: 1, ids: ["s1"] } } as unknown as IngestReport;
  const devices = { ...books, items: [line("w1", 9)] } as unknown as IngestReport;

  it("go by their names, with links, and the ids beside them", async () => {
    await act(() => render(<DataSections books={books} devices={devices} registered={10} department={null} />, root));
    await vi.waitFor(() => expect(root.textContent).toContain("Lamp w1"));
    await vi.waitFor(() => expect(root.textContent).toContain("Lamp s1"));
    expect([...root.querySelectorAll("a")].map((link) => [link.textContent, link.getAttribute("href"), link.title])).toEqual([["Lamp s1", "/devices/s1", "s1"], ["Lamp w1", "/devices/w1", "w1"]]);
    expect([...root.querySelectorAll(".device-id")].map((each) => each.textContent)).toEqual(["s1", "w1"]);
  });
});
