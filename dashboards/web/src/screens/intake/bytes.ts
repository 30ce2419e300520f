/** A payload as people look at bytes: offset, hexadecimal, and what can be read. */

export const ROW = 16;

export interface HexRow {
  offset: number;
  bytes: readonly number[];
}

export function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function hexRows(bytes: Uint8Array): HexRow[] {
  const rows: HexRow[] = [];
  for (let offset = 0; offset < bytes.length; offset += ROW) rows.push({ offset, bytes: [...bytes.subarray(offset, offset + ROW)] });
  return rows;
}

export const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, "0");
/** Bytes that print stand for themselves. */
export const printed = (value: number) => (value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : "·");

/** The byte at a line and column of a text, both from 1, columns in bytes. */
export function byteAt(bytes: Uint8Array, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at += 1) {
    const end = bytes.indexOf(10, start);
    if (end < 0) return bytes.length;
    start = end + 1;
  }
  return Math.min(bytes.length, start + column - 1);
}
