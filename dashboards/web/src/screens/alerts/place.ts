/** Where the table stood when somebody left it, so that back leads there again. */
let kept: { key: string; top: number } | null = null;

export function rememberPlace(key: string, top: number): void {
  kept = { key, top };
}

export function placeOf(key: string): number {
  return kept?.key === key ? kept.top : 0;
}

export function forgetPlace(): void {
  kept = null;
}
