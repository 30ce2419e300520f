import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type uPlot from "uplot";
import { compose } from "../src/charts/chart-picture";
import { drawCuts } from "../src/charts/cuts";
import { fromBuckets } from "../src/charts/series";
import { TimeChart } from "../src/charts/time-chart";
import { cityZone } from "../src/format/time";
import { setLanguage } from "../src/i18n";

const uplotMade = vi.hoisted(() => vi.fn());
vi.mock("uplot", () => ({ default: class { ctx = {}; batch() {} destroy() {} setSize() {} constructor(options: unknown) { uplotMade(options); } static tzDate(date: Date) { return date; } } }));

const MINUTE = 60_000;
let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  cityZone.value = "UTC";
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.restoreAllMocks();
});

/** Notes what is drawn. */
function canvas() {
  const drawn: [string, unknown[]][] = [];
  const context = new Proxy({} as Record<string, unknown>, { get: (held, name: string) => held[name] ?? ((...args: unknown[]) => void drawn.push([name, args])) });
  return { drawn, context: context as unknown as CanvasRenderingContext2D };
}

describe("a chart whose band has a far peak", () => {
  const start = Array.from({ length: 30 }, (_, at) => at * MINUTE);
  const mean = start.map((_, at) => 10 + (at % 3));
  const series = (peak: number) => fromBuckets({ start, count: start.map(() => 2), mean, min: mean.map((value) => value - 1), max: mean.map((value, at) => (at === 9 ? peak : value + 1)), flagged: start.map(() => 0) }, 60);
  const show = (peak: number) => act(() => render(<TimeChart name="PM2.5" series={series(peak)} from={0} to={30 * MINUTE} symbol="µg/m³" decimals={0} />, root));
  const setup = () => uplotMade.mock.lastCall?.[0] as uPlot.Options;

  it("says so in words, and marks it", async () => {
    await show(500);
    expect(root.querySelector(".chart-cut")?.textContent).toBe("▲ cut off, reaches 500\u00a0µg/m³");
    const { drawn, context } = canvas();
    const plot = { ctx: context, bbox: { left: 0, top: 5, width: 300, height: 100 }, valToPos: (value: number) => value / 6_000 } as unknown as uPlot;
    const draw = setup().hooks?.draw?.at(-1) as (plot: uPlot) => void;
    draw(plot);
    const [tip] = drawn.filter(([name]) => name === "moveTo").map(([, args]) => args);
    expect(tip).toEqual([90, 5 + devicePixelRatio]);
    expect(drawn.filter(([name]) => name === "fill")).toHaveLength(1);
  });

  it("takes back what it said once the peak has gone", async () => {
    await show(500);
    await show(14);
    expect(root.querySelector(".chart-cut")).toBeNull();
    expect(root.querySelector(".has-cut")).toBeNull();
  });

  it("marks only what is in sight", () => {
    const { drawn, context } = canvas();
    const plot = { ctx: context, bbox: { left: 100, top: 0, width: 100, height: 100 }, valToPos: (value: number) => value } as unknown as uPlot;
    drawCuts(plot, { above: { times: [20, 150, 300], value: 9 }, below: { times: [160], value: -9 } }, 1);
    expect(drawn.filter(([name]) => name === "moveTo").map(([, args]) => args)).toEqual([[150, 1], [160, 99]]);
  });

  it("has both in its picture", () => {
    const { drawn, context } = canvas();
    vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
    const plot = document.createElement("canvas");
    [plot.width, plot.height] = [300, 100];
    const words = { title: "PM2.5", symbol: "µg/m³", from: 0, to: MINUTE, hasBand: true };
    const plain = compose(plot, 1, { ...words, cut: [] });
    const marked = compose(plot, 1, { ...words, cut: ["▲ up to 500", "▼ down to 1"] });
    expect(marked.height, "a line more").toBeGreaterThan(plain.height);
    const texts = drawn.filter(([name]) => name === "fillText").map(([, args]) => args[0]);
    expect(texts).toContain("▲ up to 500 · ▼ down to 1");
    expect(drawn.filter(([name]) => name === "drawImage").map(([, args]) => args[0]), "the plot with its marks").toEqual([plot, plot]);
  });
});
