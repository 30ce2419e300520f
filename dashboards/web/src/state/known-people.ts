/** Names of people that this page has met: to be suggested where one is asked for. */
import type { AlertItem } from "../api/types";
import { alertBook, alertVersion } from "./alert-book";
import { whoIs } from "./session";

/** Not people: what happens by itself. */
const ITSELF = ["engine", "brain"];

export function peopleOf(alert: AlertItem): string[] {
  const names = [alert.acknowledged?.by, alert.handling.who, alert.handling.from, alert.shelved?.by];
  return names.filter((name): name is string => typeof name === "string" && !ITSELF.includes(name));
}

/** Who is signed in first, then the others by name. */
export function knownPeople(more: readonly string[] = []): string[] {
  void alertVersion.value;
  const me = whoIs.value?.user;
  const names = new Set<string>(more.filter((name) => !ITSELF.includes(name)));
  for (const alert of alertBook.all()) for (const name of peopleOf(alert)) names.add(name);
  const others = [...names].filter((name) => name !== me).sort((a, b) => a.localeCompare(b));
  return me === undefined ? others : [me, ...others];
}
