/** What a password must be like, as far as a browser can tell; the server decides. */
import type { TextKey } from "../i18n";

/** NIST SP 800-63B-4, clause 3.1.1.2, asks for length and against known passwords, not for kinds of characters. */
export const MIN_LENGTH = 12;
export const MAX_LENGTH = 256;

export interface PolicyPoint {
  text: TextKey;
  /** Null where only the server can tell. */
  met: boolean | null;
}

export function policyOf(password: string, user: string): PolicyPoint[] {
  const length = [...password].length;
  const name = user.trim().toLowerCase();
  return [
    { text: "password.policy.length", met: length >= MIN_LENGTH && length <= MAX_LENGTH },
    { text: "password.policy.name", met: password !== "" && (name.length < 3 || !password.toLowerCase().includes(name)) },
    { text: "password.policy.common", met: null },
  ];
}

export function isAcceptable(password: string, user: string): boolean {
  return policyOf(password, user).every(({ met }) => met !== false);
}

/** No characters that look alike. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** A one-time password to be read out and typed once: about 99 bits. */
export function randomPassword(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array = (bytes) => crypto.getRandomValues(bytes)): string {
  const letters: string[] = [];
  while (letters.length < GROUPS * GROUP_LENGTH) {
    for (const byte of random(new Uint8Array(64))) {
      // Bytes beyond the last whole multiple would make some letters likelier.
      if (byte < 256 - (256 % ALPHABET.length)) letters.push(ALPHABET.charAt(byte % ALPHABET.length));
    }
  }
  const groups = Array.from({ length: GROUPS }, (_, at) => letters.slice(at * GROUP_LENGTH, (at + 1) * GROUP_LENGTH).join(""));
  return groups.join("-");
}
