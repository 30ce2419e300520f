// DEVELOPMENT ONLY. Frame and update times of the map while everything moves. Start a large city first:
//   DEVICES=20000 MOVE_MS=200 CHURN=50 ALERTS=600 WEB=… npm run mock
//   node dev/measure-map.mjs [seconds]     (BASE, default the mock; TOKEN, default dev)
import { chromium } from "playwright-core";

const BASE = process.env.BASE ?? "http://127.0.0.1:8787";
const SECONDS = Number(process.argv[2] ?? 30);
const [WIDTH, HEIGHT] = (process.env.SIZE ?? "1920x1080").split("x").map(Number);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT }, reducedMotion: "reduce" });
const page = await context.newPage();
await page.goto(`${BASE}/login#token=${process.env.TOKEN ?? "dev"}`);
await page.waitForSelector("canvas.maplibregl-canvas", { timeout: 120_000 });
await page.waitForSelector("li.alert-row", { timeout: 120_000 });
await page.waitForTimeout(8_000);
const cdp = await context.newCDPSession(page);
// By the time that the thread had, not by the clock: others may use this computer, too.
await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
const figures = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
const before = await figures();
const seen = await page.evaluate((seconds) => new Promise((resolve) => {
  const frames = [];
  const long = [];
  let last = performance.now();
  const end = last + seconds * 1000;
  new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask" });
  const frame = (at) => {
    frames.push(at - last);
    last = at;
    if (at < end) requestAnimationFrame(frame);
    else resolve({ frames: frames.slice(1), long });
  };
  requestAnimationFrame(frame);
}), SECONDS);
const after = await figures();
const sorted = [...seen.frames].sort((a, b) => a - b);
const quantile = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1);
const updates = SECONDS * 5;
const each = (name) => (((after[name] - before[name]) * 1000) / updates).toFixed(1);
const devices = await page.textContent(".figure-devices");
console.log(`${devices.trim()} at ${WIDTH}×${HEIGHT}, ${SECONDS} s, five updates a second`);
console.log(`frames: ${(seen.frames.length / SECONDS).toFixed(1)} a second; ms between them: half ${quantile(0.5)}, nine in ten ${quantile(0.9)}, 99 in 100 ${quantile(0.99)}, longest ${quantile(1)}`);
console.log(`tasks over 50 ms: ${seen.long.length}, longest ${Math.max(0, ...seen.long).toFixed(0)} ms`);
console.log(`main thread per update: ${each("TaskDuration")} ms of tasks, of them ${each("ScriptDuration")} ms script, ${each("LayoutDuration")} ms layout`);
console.log(`heap ${(after.JSHeapUsedSize / 1e6).toFixed(1)} MB`);
await browser.close();
