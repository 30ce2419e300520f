import { beforeEach, describe, expect, it, vi } from "vitest";
import { counted, fill, local, setLanguage, t, toggleLanguage, language } from "../src/i18n";
import { en as enFirst } from "../src/i18n/en";
import { enHelp } from "../src/i18n/en-help";
import { enRules } from "../src/i18n/en-rules";
import { zh as zhFirst } from "../src/i18n/zh";
import { zhRules } from "../src/i18n/zh-rules";

const en = { ...enFirst, ...enRules };
const zh = { ...zhFirst, ...zhRules };

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort();

describe("the catalogues", () => {
  it("have the same keys in the same order", () => {
    expect(Object.keys(zh)).toEqual(Object.keys(en));
  });

  it("have no key in two parts, of which the one that is loaded last would win", () => {
    const parts = [enFirst, enRules, enHelp].flatMap((part) => Object.keys(part));
    expect(parts.filter((key, at) => parts.indexOf(key) !== at)).toEqual([]);
  });

  it("have the same placeholders and no empty text", () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(placeholders(zh[key]), key).toEqual(placeholders(en[key]));
      expect(en[key].trim(), key).not.toBe("");
      expect(zh[key].trim(), key).not.toBe("");
    }
  });

  it("are translated: Chinese texts hold Chinese", () => {
    const shared = new Set(["value.none", "alerts.acked.by", "alerts.count", "pref.language", "grants.one", "list.and", "bulk.running", "pref.language.label"]);
    const untranslated = Object.entries(zh).filter(([key, text]) => !shared.has(key) && !/\p{Script=Han}/u.test(text));
    expect(untranslated).toEqual([]);
  });
});

describe("texts", () => {
  beforeEach(() => setLanguage("en"));

  it("follow the language", () => {
    expect(t("severity.critical")).toBe("Critical");
    toggleLanguage();
    expect(language.value).toBe("zh");
    expect(t("severity.critical")).toBe("紧急");
    expect(localStorage.getItem("citybrain.language")).toBe("zh");
  });

  it("count in each language's way", () => {
    expect(counted("devices.total", 1)).toBe("1 device");
    expect(counted("devices.total", 2000)).toBe("2,000 devices");
    setLanguage("zh");
    expect(counted("devices.total", 1)).toBe("1 台设备");
  });

  it("leave unknown placeholders alone and fall back to the other language", () => {
    expect(fill("{a} {b}", { a: 1 })).toBe("1 {b}");
    expect(local({ en: "", zh: "北京" })).toBe("北京");
  });
});

describe("loading", () => {
  beforeEach(() => localStorage.setItem("citybrain.language", "en"));

  it("changes the language only once its texts are there", async () => {
    vi.resetModules();
    const fresh = await import("../src/i18n");
    await fresh.needTexts("first");
    expect(fresh.t("severity.critical")).toBe("Critical");
    const change = fresh.setLanguage("zh");
    expect([fresh.language.value, fresh.t("severity.critical")]).toEqual(["en", "Critical"]);
    await change;
    expect([fresh.language.value, fresh.t("severity.critical")]).toEqual(["zh", "紧急"]);
    await fresh.needTexts("rules");
    expect(fresh.t("rules.title")).toMatch(/\p{Script=Han}/u);
    await fresh.setLanguage("en");
    expect(fresh.t("rules.title")).toBe("Rules");
  });

  it("keeps every part when several are loaded at once", async () => {
    vi.resetModules();
    const fresh = await import("../src/i18n");
    await Promise.all([fresh.needTexts("rules"), fresh.needTexts("help"), fresh.needTexts("first")]);
    expect([fresh.t("severity.critical"), fresh.t("rules.title"), fresh.t("guide.title")]).toEqual(["Critical", "Rules", "Help"]);
  });

  it("follows the last wish when somebody changes their mind", async () => {
    vi.resetModules();
    const fresh = await import("../src/i18n");
    await fresh.needTexts("first");
    const [there, back] = [fresh.setLanguage("zh"), fresh.setLanguage("en")];
    await Promise.all([there, back]);
    expect(fresh.language.value).toBe("en");
  });
});
