/** What the city makes public, as everybody may see it: outside of the API for those who are signed in. */
import { ApiError, Unreachable } from "./client";
import type { LocalText } from "./types";

export interface PublicDataset {
  id: string;
  title: LocalText;
  description: LocalText;
  /** The name of the department that publishes it. */
  publisher: LocalText;
  devices: number;
  url: string;
}

export async function publicDatasets(signal: AbortSignal): Promise<PublicDataset[]> {
  let response: Response;
  try {
    response = await fetch("/open/v1", { headers: { Accept: "application/json" }, signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unreachable(error);
  }
  if (!response.ok) throw new ApiError({ title: response.statusText || `HTTP ${response.status}`, status: response.status, code: "unknown" });
  return ((await response.json()) as { datasets: PublicDataset[] }).datasets;
}

/** Those of a department: the public catalogue names departments, not their ids. */
export function datasetsOf(datasets: readonly PublicDataset[], name: LocalText): PublicDataset[] {
  return datasets.filter(({ publisher }) => publisher.en === name.en && publisher.zh === name.zh);
}
