// Tests change the language in between: all texts of both are there from the beginning.
if (typeof navigator !== "undefined") {
  const { loadTexts, needTexts } = await import("../src/i18n");
  for (const part of ["first", "rules", "help"] as const) {
    await Promise.all([loadTexts(part, "en"), loadTexts(part, "zh")]);
    await needTexts(part);
  }
}
export {};
