/** Keeps a list from moving under somebody's pointer: new rows wait until they let go. */
export interface HeldOrder<Row> {
  rows: Row[];
  /** How many rows wait. */
  waiting: number;
}

/** `shown` are the ids on screen in their order; null means that nothing is held. */
export function holdOrder<Row extends { id: string }>(
  shown: readonly string[] | null,
  fresh: readonly Row[],
  known: (id: string) => Row | undefined,
): HeldOrder<Row> {
  if (shown === null) return { rows: [...fresh], waiting: 0 };
  const onScreen = new Set(shown);
  const rows = shown.map(known).filter((row): row is Row => row !== undefined);
  return { rows, waiting: fresh.filter((row) => !onScreen.has(row.id)).length };
}
