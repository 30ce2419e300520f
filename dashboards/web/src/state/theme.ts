/** Dark or light: the system's choice until the person makes one. */
import { computed, effect, signal } from "@preact/signals";
import { remembered } from "./remembered";

export type Theme = "dark" | "light";

const memory = remembered<Theme>("theme", ["dark", "light"]);
const system = matchMedia("(prefers-color-scheme: light)");
const systemTheme = signal<Theme>(system.matches ? "light" : "dark");
system.addEventListener("change", () => {
  systemTheme.value = system.matches ? "light" : "dark";
});

const chosen = signal<Theme | null>(memory.read());

export const theme = computed<Theme>(() => chosen.value ?? systemTheme.value);

export function toggleTheme(): void {
  const next: Theme = theme.peek() === "dark" ? "light" : "dark";
  chosen.value = next;
  memory.write(next);
}

/** For this page alone: the next visit has the person's own choice again. */
export function setTheme(next: Theme): void {
  chosen.value = next;
}

/** Keeps `<html data-theme>` in step, which the style sheets follow. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}

/** The value of a custom property of the current theme, for canvases. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
