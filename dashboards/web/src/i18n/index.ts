/** The two languages of the interface: which one is on, and its texts. */
import { computed, signal } from "@preact/signals";
import type { LocalText } from "../api/types";
import { remembered } from "../state/remembered";
import type { en } from "./en";
import type { enHelp } from "./en-help";
import type { enRules } from "./en-rules";

type FirstKey = keyof typeof en;
export type HelpKey = keyof typeof enHelp;
/** Those of `en.ts`, and those that come with the screens that need them. */
export type TextKey = FirstKey | keyof typeof enRules | HelpKey;
export type Texts = Readonly<Record<FirstKey, string>>;
export type Language = "en" | "zh";

/** Keys that exist as `key.one` and `key.other`. */
export type CountedKey = { [K in TextKey]: K extends `${infer Stem}.one` ? Stem : never }[TextKey];

export type Params = Readonly<Record<string, string | number>>;

/** Parts of the catalogues: `first` is what every screen needs, the others come with theirs. */
export type Part = "first" | "rules" | "help";
type Catalogue = Readonly<Record<string, string>>;

/** Each in a file of its own, so that a browser loads only what its person reads. */
const FILES: Readonly<Record<Part, Readonly<Record<Language, () => Promise<Catalogue>>>>> = {
  first: { en: () => import("./en").then(({ en }) => en), zh: () => import("./zh").then(({ zh }) => zh) },
  rules: { en: () => import("./en-rules").then(({ enRules }) => enRules), zh: () => import("./zh-rules").then(({ zhRules }) => zhRules) },
  help: { en: () => import("./en-help").then(({ enHelp }) => enHelp), zh: () => import("./zh-help").then(({ zhHelp }) => zhHelp) },
};

const texts: Record<Language, Catalogue> = { en: {}, zh: {} };
const held: Record<Language, Set<Part>> = { en: new Set(), zh: new Set() };
/** What is shown, or is about to be: a change of the language waits for all of it. */
const needed = new Set<Part>(["first"]);

const memory = remembered<Language>("language", ["en", "zh"]);

export const language = signal<Language>(memory.read() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));
let wanted = language.peek();

export async function loadTexts(part: Part, of: Language): Promise<void> {
  if (held[of].has(part)) return;
  const more = await FILES[part][of]();
  texts[of] = { ...texts[of], ...more };
  held[of].add(part);
}

const lacks = (of: Language) => [...needed].filter((part) => !held[of].has(part));

async function complete(of: Language): Promise<void> {
  for (let parts = lacks(of); parts.length > 0; parts = lacks(of)) await Promise.all(parts.map((part) => loadTexts(part, of)));
}

/** Resolves when the part can be shown in the language that is on, whichever that is by then. */
export async function needTexts(part: Part): Promise<void> {
  needed.add(part);
  while (lacks(language.peek()).length > 0) await complete(language.peek());
  fetchOtherLater();
}

/** Long enough for the screen to be there before. */
const LATER_MS = 2_000;

/** Whoever changes the language later must not depend on the network then. */
function fetchOtherLater(): void {
  setTimeout(() => {
    complete(language.peek() === "zh" ? "en" : "zh").catch(() => undefined); // a change tries again, and says so
  }, LATER_MS);
}

/** The BCP 47 tag for numbers and dates. */
export const locale = computed(() => (language.value === "zh" ? "zh-CN" : "en-GB"));

/** Changes the language once all its texts are there, so that no key is ever seen; at once if they are. */
export function setLanguage(next: Language, { remember = true } = {}): Promise<void> {
  wanted = next;
  const change = () => {
    if (wanted !== next) return; // somebody changed their mind meanwhile
    language.value = next;
    if (remember) memory.write(next);
  };
  if (lacks(next).length === 0) {
    change();
    return Promise.resolve();
  }
  return complete(next).then(change, (cause: unknown) => {
    if (wanted === next) wanted = language.peek();
    throw cause;
  });
}

export function toggleLanguage(): Promise<void> {
  return setLanguage(wanted === "zh" ? "en" : "zh");
}

/** The text of a key in the language that is on, with `{name}` placeholders filled in. */
export function t(key: TextKey, params: Params = {}): string {
  return fill(texts[language.value][key] ?? key, params);
}

/** The keys that begin so, of what is loaded: both languages have the same. */
export function keysWith(prefix: string): TextKey[] {
  return (Object.keys(texts[language.value]) as TextKey[]).filter((key) => key.startsWith(prefix));
}

/** As `t`, choosing the form for a count, which is also the placeholder `{n}`. */
export function counted(key: CountedKey, count: number, params: Params = {}): string {
  const form = new Intl.PluralRules(locale.value).select(count) === "one" ? "one" : "other";
  const n = new Intl.NumberFormat(locale.value).format(count);
  return t(`${key}.${form}` as TextKey, { n, ...params });
}

/** A text that came from the server in both languages. */
export function local(text: LocalText | null | undefined): string {
  if (!text) return "";
  return (language.value === "zh" ? text.zh || text.en : text.en || text.zh) ?? "";
}

export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole));
}
