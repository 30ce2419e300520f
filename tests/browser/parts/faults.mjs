// What anybody would call a fault of a screen, found in the page itself: a key instead of a text, the
// wrong language, something outside the window, a text that is cut off with no way to read the rest,
// bars that cover each other.
import { readFileSync, readdirSync } from "node:fs";

const CATALOGUES = new URL("../../../dashboards/web/src/i18n/", import.meta.url);

/** The first parts of all keys: whatever begins like a key and is one word is one that has no text. */
const STEMS = new Set(
  readdirSync(CATALOGUES)
    .filter((name) => name.startsWith("en"))
    .flatMap((name) => [...readFileSync(new URL(name, CATALOGUES), "utf8").matchAll(/^ {2}"([a-z_]+)\./gm)].map(([, stem]) => stem)),
);

/** Faults of what is shown now, as sentences; none is an empty list. */
export function faultsOf(page, language) {
  return page.evaluate(look, [language, [...STEMS]]);
}

/** Runs in the page. */
function look([language, stems]) {
  const known = new Set(stems);
  const faults = new Set();
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getBoundingClientRect().width > 1;
  const name = (element) => `${element.tagName.toLowerCase()}${[...element.classList].map((each) => `.${each}`).join("")} “${(element.textContent ?? "").trim().slice(0, 40)}”`;
  /** What people or devices have written, and code, are in whatever language they are in. */
  const foreign = (element) => element.closest("code, pre, textarea, kbd, samp, .account-link, .uplot, .maplibregl-map") !== null;
  const inOther = (element) => {
    const marked = element.closest("[lang]");
    return marked !== null && marked !== document.documentElement;
  };

  const isKey = (text) => {
    const found = /(?:^|\s)([a-z_]+)\.[a-z_][a-z_.]*(?:$|\s)/.exec(text);
    return found !== null && known.has(found[1]);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const text = texts.currentNode.data.trim();
    if (text === "" || element === null || foreign(element)) continue;
    // What can be chosen is seen once somebody opens the list.
    if (!(element instanceof HTMLOptionElement ? element.closest("select") ?? element : element).checkVisibility()) continue;
    if (isKey(text)) faults.add(`a key instead of a text: ${text}`);
    if (/\{\w+\}/.test(text) && element.closest(".field-hint") === null) faults.add(`a placeholder that was not filled in: ${text.slice(0, 60)}`);
    if (/\b(undefined|NaN|null|\[object)\b/.test(text)) faults.add(`a value that nobody can read: ${text.slice(0, 60)}`);
    if (language === "en" && /\p{Script=Han}/u.test(text.replaceAll("中文", "")) && !inOther(element) && element.closest(".simulated, .wall-simulated") === null) faults.add(`Chinese among the English: ${name(element)}`);
  }
  for (const element of document.querySelectorAll("[title], [aria-label], [placeholder], [alt]")) {
    for (const attribute of ["title", "aria-label", "placeholder", "alt"]) {
      const text = element.getAttribute(attribute) ?? "";
      if (isKey(text)) faults.add(`a key in the ${attribute} of ${name(element)}: ${text}`);
    }
  }
  if (language === "zh") {
    const proper = /^(English|PNG|CSV|GeoJSON|API|HTTP|MQTT|WGS-84|GCJ-02|GCJ-02、WGS-84|BD-09|CGCS2000|LoRaWAN|Esc|YAML|SenML|JSON|PM2\.5.*|PM10.*)$/;
    for (const element of document.querySelectorAll("h1, h2, h3, th[scope=col], dt, legend, .field > span, button, .button, .badge, .tabs a, nav a, summary")) {
      const text = element.textContent.trim();
      if (!/[A-Za-z]{3,}/.test(text) || /\p{Script=Han}/u.test(text) || proper.test(text)) continue;
      if (inOther(element) || foreign(element) || element.querySelector("code, kbd, [data-id]") !== null || !seen(element)) continue;
      if (element.closest(".unknown-page h1, .silence-head h1, .admin-form h1, .rule-tab-list, .pick-options, .text-editor") !== null) continue;
      faults.add(`not Chinese: ${name(element)}`);
    }
  }

  for (const select of document.querySelectorAll("select")) {
    const chosen = select.selectedOptions[0]?.textContent ?? "";
    if (!seen(select) || chosen === "") continue;
    const style = getComputedStyle(select);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    // The arrow takes some of it.
    const room = select.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight) - 12;
    if (pen.measureText(chosen).width > room + 2) faults.add(`a choice is cut off: “${chosen}”`);
  }

  if (document.documentElement.scrollWidth > innerWidth) faults.add(`${document.documentElement.scrollWidth - innerWidth} px wider than the window`);

  for (const element of document.querySelectorAll("body *")) {
    if (!(element instanceof HTMLElement) || !seen(element) || element.closest(".spoken, .uplot, .maplibregl-map, textarea, input, select") !== null) continue;
    const style = getComputedStyle(element);
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
    const cuts = style.overflowX === "hidden" || style.overflowX === "clip";
    if (cuts && (own || style.textOverflow === "ellipsis") && element.scrollWidth > element.clientWidth + 1 && element.closest("[title]") === null && element.querySelector("[title]") === null) faults.add(`cut off, and no title says the rest: ${name(element)}`);
    const cutsDown = style.overflowY === "hidden" || style.overflowY === "clip";
    if (cutsDown && own && element.scrollHeight > element.clientHeight * 1.25 + 4 && element.closest("[title]") === null) faults.add(`cut off below, and no title says the rest: ${name(element)}`);
    if (own && !cuts && style.overflowX === "visible" && style.display !== "inline" && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 2) faults.add(`a text stands out of its box: ${name(element)}`);
  }

  const bars = [...document.querySelectorAll("body *")].filter((element) => {
    const { position } = getComputedStyle(element);
    return (position === "fixed" || (position === "sticky" && element.closest("table") === null)) && seen(element) && element.closest("[role=dialog], dialog, .dialog-back") === null;
  });
  if (document.querySelector("[role=dialog], dialog[open]") === null) {
    for (const [at, one] of bars.entries()) {
      for (const other of bars.slice(at + 1)) {
        if (one.contains(other) || other.contains(one)) continue;
        const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
        const [wide, high] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
        if (wide > 2 && high > 2) faults.add(`${name(one)} and ${name(other)} cover each other`);
      }
    }
  }
  return [...faults];
}
