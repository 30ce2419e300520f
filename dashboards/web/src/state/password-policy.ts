/** What a password must be like, as far as a browser can tell; the server decides. */
import type { TextKey } from "../i18n";

/** NIST SP 800-63B-4, clause 3.1.1.2, asks for length and against known passwords, not for kinds of characters. */
export const MIN_LENGTH = 12;
/** In bytes of UTF-8. */
const MAX_BYTES = 1024;
/** Shorter names are in too many words. */
const NAME_LENGTH = 3;

export interface PolicyPoint {
  text: TextKey;
  /** Null where only the server can tell. */
  met: boolean | null;
}

/** `user` is what they log in with, `name` what people call them. */
export function policyOf(password: string, user: string, name: string): PolicyPoint[] {
  const holds = (each: string) => [...each.trim()].length >= NAME_LENGTH && password.toLowerCase().includes(each.trim().toLowerCase());
  return [
    { text: "password.policy.length", met: [...password].length >= MIN_LENGTH && new TextEncoder().encode(password).length <= MAX_BYTES },
    { text: "password.policy.name", met: password !== "" && !holds(user) && !holds(name) },
    { text: "password.policy.common", met: null },
  ];
}

export function isAcceptable(password: string, user: string, name: string): boolean {
  return policyOf(password, user, name).every(({ met }) => met !== false);
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
