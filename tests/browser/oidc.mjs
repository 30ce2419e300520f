// Login through a real identity provider in real Chromium: somebody with a group comes in and has
// its rights, somebody without one is told so, what was brought once is worth nothing again, and a
// login that began elsewhere is refused.
//
// node tests/browser/oidc.mjs URL FOLDER
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

const require = createRequire(new URL("../../dashboards/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const [url, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });

async function sitDown(locale) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, locale });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
}

/** Through the provider's own pages, up to where it sends the browser back. */
async function goThrough(page, button, person) {
  await page.goto(`${url}/login?next=%2Fdevices`);
  await page.getByRole("button", { name: button }).click();
  await page.locator("input[name=login]").fill(person);
  await page.locator("input[name=password]").fill("anything");
  await page.locator("button[type=submit]").click();
  // What is agreed to is asked on a page of its own.
  await page.locator("input[name=login]").waitFor({ state: "detached" });
  const back = page.waitForRequest((request) => request.url().startsWith(`${url}/login?`) && request.isNavigationRequest());
  await page.locator("button[type=submit]").click();
  return (await back).url();
}

const session = (page) => page.evaluate(async () => (await fetch("/api/v1/session")).json());

// Somebody of the environment desk.
const ada = await sitDown("en-GB");
const brought = await goThrough(ada, "Sign in with City account", "ada");
await ada.waitForURL(`${url}/devices`);
assert.ok(!ada.url().includes("code="), "what was brought does not stay in the address");
const who = await session(ada);
assert.deepEqual([who.user, who.name, who.role], ["ada", "Ada of the City", "operator"]);
assert.deepEqual(who.grants, [{ department: "environment", role: "operator" }]);

// The same again is worth nothing, in the same browser and in another one.
await ada.evaluate(() => fetch("/api/v1/session", { method: "DELETE", headers: { "X-Citybrain-Csrf": "1" } }));
for (const page of [ada, await sitDown("zh-CN")]) {
  await page.goto(brought);
  await page.locator("[role=alert]").waitFor();
  assert.match(await page.locator("[role=alert]").textContent(), /did not begin in this browser|不是从本浏览器发起/);
  assert.equal((await session(page)).status, 401);
}

// Somebody whom the provider knows, and whose groups may do nothing here.
const mallory = await sitDown("zh-CN");
await goThrough(mallory, "通过 市政账号 登录", "mallory");
await mallory.locator("[role=alert]").waitFor();
assert.match(await mallory.locator("[role=alert]").textContent(), /没有任何权限/);
await mallory.screenshot({ path: join(folder, "oidc-no-rights-zh.png") });
assert.equal((await session(mallory)).status, 401);

// A login that somebody else began: the attacker's code, in the victim's browser.
const attacker = await sitDown("en-GB");
await attacker.route(`${url}/api/v1/session`, (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
const stolen = await goThrough(attacker, "Sign in with City account", "boss");
const victim = await sitDown("en-GB");
await victim.goto(stolen);
await victim.locator("[role=alert]").waitFor();
assert.equal((await session(victim)).status, 401, "nobody is logged in as somebody else");

// The provider is asked to let nobody in.
await victim.goto(`${url}/login?error=access_denied&state=x`);
await victim.locator("[role=alert]").waitFor();
assert.match(await victim.locator("[role=alert]").textContent(), /let nobody in/);
await victim.screenshot({ path: join(folder, "oidc-refused-en.png") });

await browser.close();
