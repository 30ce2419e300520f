/** What a dashboard is made of, before it is written in a language. */
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import type { Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { Language, Say } from "./language";

export interface Context {
  language: Language;
  say: Say;
  /** The address of another dashboard in the same language. */
  linkTo(part: string, query?: string): string;
}

export type VariableName = "instance" | "metric" | "deviceMetric" | "device" | "zone" | "citybrain";

export interface Part {
  id: string;
  title(say: Say): string;
  /** The span of time to begin with. */
  from: string;
  refresh: string;
  variables: readonly VariableName[];
  /** A heading stands over what follows it. */
  panels(context: Context): readonly (Builder<Panel> | { heading: string })[];
}
