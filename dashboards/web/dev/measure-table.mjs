// DEVELOPMENT ONLY. Frames and memory of the alert table with very many alerts: the list of a running server is
// replaced by an invented one that comes page by page, and somebody scrolls all the way down.
//
// node dev/measure-table.mjs URL TOKEN [ALERTS] [SECONDS]
import { chromium } from "playwright-core";

const [url, token, alerts = "50000", seconds = "20"] = process.argv.slice(2);
const ALL = Number(alerts);
const SEVERITIES = ["critical", "high", "medium", "low"];
const ROW_PX = 46;

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--enable-precise-memory-info"] });
const page = await (await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale: "en-GB" })).newPage();
await page.goto(`${url}/login#token=${token}`);
await page.waitForSelector(".alerts");

const invent = (n) => {
  const at = new Date(Date.UTC(2026, 10, 29, 12) - n * 7_000).toISOString();
  return {
    id: `x${String(n).padStart(6, "0")}`, rule: { id: `rule-${n % 40}`, version: "0123456789ab", name: { en: `Rule ${n % 40}`, zh: `规则 ${n % 40}` }, department: ["water", "environment", "transport"][n % 3] },
    subject: { type: "series", device: `device-${n % 9000}`, metric: "pm25" }, severity: SEVERITIES[Math.floor((n * SEVERITIES.length) / ALL)], started_at: at, fired_at: at, resolved_at: null,
    metric: "pm25", unit: "µg/m³", value: 80 + (n % 90), limit: 75, reading_time: at, summary: { en: `Air station ${n % 9000}: PM2.5 ${80 + (n % 90)} µg/m³ (limit 75)`, zh: `空气监测站 ${n % 9000}：PM2.5 ${80 + (n % 90)}` },
    zones: ["austin"], kind: "air_station", position: { lon: -87.7, lat: 41.9 }, simulated: true, runbook: null, labels: { team: "north" }, state: "firing",
    acknowledged: n % 3 === 0 ? { by: "wang.wei", at, note: "seen" } : null, shelved: null, silenced_by: [], inhibited_by: [], updated_at: at, events: 1,
    handling: { stage: n % 5 === 0 ? "accepted" : "unassigned", who: n % 5 === 0 ? "li.na" : null, department: null, holder: null, until: null, overdue: false, overdue_count: 0, step: 0, from: null },
    device_name: { en: `Air station ${n % 9000}`, zh: `空气监测站 ${n % 9000}` }, zone_names: [{ en: "Austin", zh: "奥斯汀" }],
  };
};
const counts = { firing: ALL, unacknowledged: ALL, by_severity: { critical: 0, high: 0, medium: 0, low: ALL } };
let pages = 0;
await page.route(/\/api\/v1\/alerts\?/, async (route) => {
  const query = new URL(route.request().url()).searchParams;
  const from = Number(query.get("cursor") ?? 0);
  const end = Math.min(ALL, from + Number(query.get("limit") ?? 100));
  pages += 1;
  await route.fulfill({ contentType: "application/json", body: JSON.stringify({ items: Array.from({ length: end - from }, (_, n) => invent(from + n)), next_cursor: end < ALL ? String(end) : null, counts }) });
});
await page.goto(`${url}/alerts?state=all&sort=newest`);
await page.waitForSelector(".at-body .at-row");
const heap = async () => {
  await page.requestGC?.();
  return page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1e6));
};
const before = await heap();

const cdp = await page.context().newCDPSession(page);
// In processor time, not by the clock: a busy machine must not count.
await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
const spent = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
/** What a frame costs the page in milliseconds, beside how long it took on this machine. */
async function measure(pxPerFrame, forMs) {
  const before = await spent();
  const found = await scroll(pxPerFrame, forMs);
  const after = await spent();
  const each = (name) => Math.round(((after[name] - before[name]) * 10_000) / found.frames) / 10;
  return { ...found, script: each("ScriptDuration"), layout: each("LayoutDuration"), style: each("RecalcStyleDuration"), task: each("TaskDuration") };
}
const scroll = (pxPerFrame, forMs) => page.evaluate(([px, ms]) => new Promise((resolve) => {
  const box = document.querySelector(".at-scroller");
  const frames = [];
  const tasks = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  watch.observe({ type: "longtask" });
  const began = performance.now();
  let last = began;
  let blank = 0;
  const turn = (now) => {
    frames.push(now - last);
    last = now;
    // A row must be there where one looks.
    const seen = document.elementFromPoint(innerWidth / 2, box.getBoundingClientRect().top + box.clientHeight / 2);
    if (!seen?.closest(".at-row")) blank += 1;
    box.scrollTop += px;
    if (now - began < ms) requestAnimationFrame(turn);
    else {
      watch.disconnect();
      frames.shift();
      frames.sort((a, b) => a - b);
      const at = (q) => Math.round(frames[Math.floor(frames.length * q)] * 10) / 10;
      resolve({ frames: frames.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(0.9999), blank, longTasks: tasks.length, longest: Math.round(Math.max(0, ...tasks)), rows: Math.round(box.scrollHeight / 46), at: Math.round(box.scrollTop / 46), nodes: document.querySelectorAll(".at-body .at-row").length });
    }
  };
  requestAnimationFrame(turn);
}), [pxPerFrame, forMs]);

console.log("reading speed, 60 px a frame:", JSON.stringify(await measure(60, Number(seconds) * 500)));
console.log("fast, 1,500 px a frame:", JSON.stringify(await measure(1_500, Number(seconds) * 1000)));
const total = ALL * ROW_PX;
for (let turn = 0; turn < 600 && (await page.evaluate(() => document.querySelector(".at-scroller").scrollHeight)) < total; turn += 1) {
  await page.evaluate(() => document.querySelector(".at-scroller").scrollTo(0, 1e9));
  await page.waitForTimeout(50);
}
const rows = await page.evaluate(() => Math.round(document.querySelector(".at-body").offsetHeight / 46));
console.log(`${rows} rows in ${pages} pages; heap ${before} → ${await heap()} MB`);
await page.evaluate(() => document.querySelector(".at-scroller").scrollTo(0, 500_000));
console.log("all loaded, 300 px a frame:", JSON.stringify(await measure(300, Number(seconds) * 500)));
console.log("all loaded, 3,000 px a frame:", JSON.stringify(await measure(3_000, Number(seconds) * 300)));
const keys = await page.evaluate(async () => {
  const took = [];
  for (let n = 0; n < 60; n += 1) {
    const began = performance.now();
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  return { p50: Math.round(took[30]), p95: Math.round(took[57]) };
});
console.log("a key to the drawn row, ms:", JSON.stringify(keys));
await browser.close();
