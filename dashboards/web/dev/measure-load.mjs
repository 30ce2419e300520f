// DEVELOPMENT ONLY. How long a browser that has nothing yet takes to the first alert: signed in, empty cache, a
// new process each time. Tells by the page's own clock when the first row of an alert was there, what came over
// the line until then, and long tasks.
//   node dev/measure-load.mjs [runs]     (BASE, TOKEN as for measure-map.mjs)
import { chromium } from "playwright-core";

const BASE = process.env.BASE ?? "http://127.0.0.1:8787";
const RUNS = Number(process.argv[2] ?? 5);
const found = [];
for (let run = 0; run < RUNS; run += 1) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
  const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, reducedMotion: "reduce" });
  const signedIn = await context.request.post(`${BASE}/api/v1/session`, { data: { token: process.env.TOKEN ?? "dev" } });
  if (!signedIn.ok()) throw new Error(`signing in: ${signedIn.status()}`);
  await context.addInitScript(() => {
    window.seen = { alert: null, tasks: [] };
    new PerformanceObserver((list) => window.seen.tasks.push(...list.getEntries().map(({ startTime, duration }) => [Math.round(startTime), Math.round(duration)]))).observe({ type: "longtask", buffered: true });
    const look = () => {
      if (document.querySelector("li.alert-row")) window.seen.alert = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const page = await context.newPage();
  await page.goto(BASE);
  await page.waitForFunction(() => window.seen.alert !== null, null, { timeout: 60_000 });
  await page.waitForTimeout(4_000);
  const told = await page.evaluate(() => ({ ...window.seen, bytes: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).reduce((sum, { transferSize }) => sum + transferSize, 0) }));
  found.push(told.alert);
  console.log(`first alert after ${(told.alert / 1000).toFixed(2)} s; ${Math.round(told.bytes / 1000)} kB in the first seconds; tasks over 50 ms: ${told.tasks.map(([at, took]) => `${took} at ${at}`).join(", ") || "none"}`);
  await browser.close();
}
found.sort((a, b) => a - b);
console.log(`median ${(found[Math.floor(found.length / 2)] / 1000).toFixed(2)} s of ${RUNS}`);
