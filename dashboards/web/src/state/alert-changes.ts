/** Who wants to know of every changed alert, also of those that the book does not keep. */
import type { AlertItem } from "../api/types";

type Listener = (alert: AlertItem) => void;

const listeners = new Set<Listener>();

export function onAlertChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tellAlertChange(alert: AlertItem): void {
  for (const listener of listeners) listener(alert);
}
