/** The two languages of the interface: which one is on, and its texts. */
import { computed, signal } from "@preact/signals";
import type { LocalText } from "../api/types";
import { remembered } from "../state/remembered";
import { en } from "./en";
import type { enRules } from "./en-rules";
import { zh } from "./zh";

type FirstKey = keyof typeof en;
/** Those of `en.ts`, and those that come with the screens that need them. */
export type TextKey = FirstKey | keyof typeof enRules;
export type Texts = Readonly<Record<FirstKey, string>>;
export type Language = "en" | "zh";

/** Keys that exist as `key.one` and `key.other`. */
export type CountedKey = { [K in TextKey]: K extends `${infer Stem}.one` ? Stem : never }[TextKey];

export type Params = Readonly<Record<string, string | number>>;

const TEXTS: Record<Language, Readonly<Record<string, string>>> = { en, zh };

/** Texts of a part that is loaded later: they must not weigh on the first screen. */
export function addTexts<Key extends string>(more: Readonly<Record<Language, Readonly<Record<Key, string>>>>): void {
  for (const each of ["en", "zh"] as const) TEXTS[each] = { ...TEXTS[each], ...more[each] };
}
const memory = remembered<Language>("language", ["en", "zh"]);

export const language = signal<Language>(memory.read() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en"));

/** The BCP 47 tag for numbers and dates. */
export const locale = computed(() => (language.value === "zh" ? "zh-CN" : "en-GB"));

export function setLanguage(next: Language): void {
  language.value = next;
  memory.write(next);
}

export function toggleLanguage(): void {
  setLanguage(language.peek() === "zh" ? "en" : "zh");
}

/** The text of a key in the language that is on, with `{name}` placeholders filled in. */
export function t(key: TextKey, params: Params = {}): string {
  return fill(TEXTS[language.value][key] ?? key, params);
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
