// DEVELOPMENT ONLY. Walks through every screen and keeps what it looks like; see README.md here.
//   node dev/screenshots.mjs [only] — `only` is part of a shot's name, as in "alert-en"
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BASE = process.env.BASE ?? "http://127.0.0.1:8787";
const OUT = fileURLToPath(new URL("shots/", import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const only = process.argv[2] ?? "";
const SIZES = { wide: [1920, 1080], small: [1366, 768] };
mkdirSync(OUT, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
const faults = [];

async function open(language, theme, size) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: "reduce" });
  await context.addInitScript(([l, t]) => { localStorage.setItem("citybrain.language", l); localStorage.setItem("citybrain.theme", t); }, [language, theme]);
  const page = await context.newPage();
  page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") { if (!/GPU stall|swiftshader|ReadPixels|401|404/i.test(m.text())) faults.push(`console: ${m.text().slice(0, 300)}`); } });
  page.on("pageerror", (e) => faults.push(`page: ${e.stack?.slice(0, 500)}`));
  return { context, page };
}

async function mapColours(page) {
  const canvas = page.locator(".maplibregl-canvas").first();
  await canvas.waitFor({ timeout: 20_000 });
  await page.waitForTimeout(2500);
  // Overlays have colours too; only the canvas counts.
  const overlays = (visibility) => page.evaluate((v) => { for (const e of document.querySelectorAll(".map > :not(.map-canvas)")) e.style.visibility = v; }, visibility);
  await overlays("hidden");
  const png = (await canvas.screenshot()).toString("base64");
  await overlays("");
  return page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const paper = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    paper.drawImage(bitmap, 0, 0);
    const pixels = new Uint32Array(paper.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
    return { width: bitmap.width, height: bitmap.height, colours: new Set(pixels).size };
  }, png);
}

async function inspect(page, name) {
  const wide = await page.evaluate(() => {
    const found = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push("the page is wider than the window");
    for (const e of document.querySelectorAll("button, .button, .figure, th, .badge, .chip, .panel-head, .alert-head-line, .top")) {
      if (e.closest(".brand") || getComputedStyle(e).display === "none") continue;
      const box = e.getBoundingClientRect();
      if (box.width && (box.right > innerWidth + 1 || box.left < -1)) found.push(`off screen: ${e.className || e.tagName} ${e.textContent?.slice(0, 30)}`);
      if (e.scrollWidth > e.clientWidth + 2 && e.clientWidth > 0 && getComputedStyle(e).overflow === "visible") found.push(`overflows: ${e.className || e.tagName} ${e.textContent?.slice(0, 30)}`);
    }
    return found;
  });
  for (const each of wide) faults.push(`${name}: ${each}`);
  if (process.env.AXE !== "0") {
    const { violations } = await page.evaluate(`${AXE}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] })`);
    for (const v of violations) faults.push(`${name}: axe ${v.id} (${v.impact}) x${v.nodes.length}: ${v.nodes[0].target} ${v.nodes[0].failureSummary.split("\n")[1] ?? ""}`);
  }
}

for (const [language, theme, size] of [["en", "light", "wide"], ["zh", "dark", "wide"], ["en", "dark", "small"], ["zh", "light", "small"]]) {
  const tag = `${language}-${theme}-${size}`;
  const { context, page } = await open(language, theme, size);
  const shot = async (name, prepare) => {
    const full = `${name}-${tag}`;
    if (!full.includes(only)) return;
    await prepare();
    await inspect(page, full);
    await page.screenshot({ path: `${OUT}${full}.png` });
    console.log(full);
  };
  const visit = async (path, wait) => { await page.goto(BASE + path); await page.waitForSelector(wait, { timeout: 20_000 }); await page.waitForTimeout(1200); };
  await shot("login", () => visit("/login", ".login"));
  await visit("/login#token=dev", ".overview");
  if (page.url().includes("token")) faults.push("the token stayed in the address");
  await shot("overview", async () => {
    await visit("/", ".alert-row");
    const map = await mapColours(page);
    console.log(JSON.stringify(map));
    if (map.width < 400 || map.colours < 50) faults.push(`${tag}: the map is blank`);
  });
  const api = (path) => page.evaluate((p) => fetch(`/api/v1${p}`).then((r) => r.json()), path);
  const alerts = (await api("/alerts?state=firing&limit=200")).items;
  const series = alerts.find((a) => a.subject.type === "series" && a.severity !== "low") ?? alerts[0];
  const zone = alerts.find((a) => a.subject.type === "zone");
  const device = alerts.find((a) => a.subject.type === "series")?.subject.device;
  await shot("overview-selected", async () => {
    await visit(`/?device=${device}`, ".map-card");
    await page.keyboard.press("j"); await page.keyboard.press("j");
    await page.waitForTimeout(1500);
  });
  await shot("help", async () => { await visit("/", ".alert-row"); await page.keyboard.press("?"); await page.waitForSelector(".help"); });
  await shot("alert", async () => { await visit(`/alerts/${series.id}`, ".u-wrap"); await mapColours(page); });
  if (zone) await shot("alert-zone", async () => { await visit(`/alerts/${zone.id}`, ".u-wrap"); await mapColours(page); });
  await shot("devices", () => visit("/devices", ".table"));
  await shot("device", async () => { await visit(`/devices/${device}`, ".u-wrap"); await mapColours(page); });
  await shot("zones", () => visit("/zones", ".table"));
  await shot("zone", async () => { await visit(`/zones/${alerts[0].zones[0]}`, ".u-wrap"); await mapColours(page); });
  await shot("receivers", () => visit("/receivers", ".table"));
  await shot("not-found", () => visit("/nowhere", ".full-page"));
  await shot("stale", async () => {
    await visit("/", ".alert-row");
    await page.route("**/api/**", (route) => route.abort());
    await page.evaluate(() => dispatchEvent(new Event("test")));
    if (process.env.STALE === "1") await page.waitForSelector(".banner", { timeout: 60_000 });
    await page.unroute("**/api/**");
  });
  await context.close();
}
await browser.close();
console.log(faults.length === 0 ? "no faults" : [...new Set(faults)].join("\n"));
process.exitCode = faults.length === 0 ? 0 : 1;
