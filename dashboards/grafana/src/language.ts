/** Each dashboard exists once in each language: Grafana cannot look up the title of a panel by a variable. */

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A text in both languages, of which one is taken. Neither can be left out. */
export type Say = (en: string, zh: string) => string;

export const sayIn = (language: Language): Say => (en, zh) => (language === "zh" ? zh : en);
