// DEVELOPMENT ONLY. Whether the wall leaks: views turn every second, and heap, nodes and listeners are
// counted after garbage collections. A week of turns of half a minute are 20,160.
//   node dev/measure-wall.mjs [minutes]     (BASE, TOKEN as for measure-map.mjs; QUERY of the wall)
import { chromium } from "playwright-core";

const BASE = process.env.BASE ?? "http://127.0.0.1:8787";
const MINUTES = Number(process.argv[2] ?? 10);
const SAMPLES = 12;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, reducedMotion: "reduce" });
const page = await context.newPage();
await page.goto(`${BASE}/login?next=${encodeURIComponent(`/wall?${process.env.QUERY ?? "period=1"}`)}#token=${process.env.TOKEN ?? "dev"}`);
await page.waitForSelector(".wall-board", { timeout: 120_000 });
await page.waitForTimeout(30_000);
const cdp = await context.newCDPSession(page);
const sample = async () => {
  for (let turn = 0; turn < 3; turn += 1) await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await cdp.send("Memory.getDOMCounters");
  return { heap: usedSize / 1e6, nodes, listeners: jsEventListeners };
};
const samples = [];
for (let at = 0; at <= SAMPLES; at += 1) {
  samples.push(await sample());
  const { heap, nodes, listeners } = samples.at(-1);
  console.log(`${((at * MINUTES) / SAMPLES).toFixed(1)} min  heap ${heap.toFixed(2)} MB  nodes ${nodes}  listeners ${listeners}`);
  if (at < SAMPLES) await page.waitForTimeout((MINUTES * 60_000) / SAMPLES);
}
// The slope of a straight line through all samples but the first, which still fills caches.
const points = samples.slice(1).map(({ heap }, at) => [((at + 1) * MINUTES) / SAMPLES, heap]);
const mean = (list) => list.reduce((sum, each) => sum + each, 0) / list.length;
const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
const slope = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
console.log(`heap grows by ${(slope * 1000).toFixed(0)} kB a minute, ${((slope * 1000) / 60).toFixed(1)} kB a turn`);
await browser.close();
