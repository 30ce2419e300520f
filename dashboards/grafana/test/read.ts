/** What the tests read of the dashboards and of the rest of the repository. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { VariableModel } from "@grafana/grafana-foundation-sdk/dashboard";
import { LANGUAGES, type Language } from "../src/language";
import { PARTS, build } from "../src";
import type { FluxQuery } from "../src/queries";

/** Compiled tests are in `.build/test`. */
export const ROOT = join(__dirname, "../..");
export const REPOSITORY = join(ROOT, "../..");
export const read = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");

export interface Shown {
  type: string;
  id: number;
  title: string;
  description?: string;
  transformations?: { options: { include?: { names: string[] } } }[];
  targets?: (FluxQuery & { expr?: string; legendFormat?: string })[];
}

export interface Found {
  language: Language;
  part: string;
  panels: Shown[];
  variables: VariableModel[];
}

export const found: readonly Found[] = LANGUAGES.flatMap((language) =>
  PARTS.map((part) => {
    const made = build(part, language);
    return { language, part: part.id, panels: (made.panels ?? []) as unknown as Shown[], variables: made.templating.list ?? [] };
  }),
);

export interface Query {
  where: string;
  text: string;
  legend?: string;
  /** Of the panel; none for a variable. */
  type?: string;
  /** Of a table: the columns that it shows. */
  columns?: string[];
}

/** Every query in Flux, those of variables too. */
export const fluxQueries = (of: readonly Found[] = found): Query[] =>
  of.flatMap(({ language, part, panels, variables }) => [
    ...variables.filter(({ datasource }) => datasource?.type === "influxdb").map(({ name, query }) => ({ where: `${language}/${part} $${name}`, text: String(query) })),
    ...panels.flatMap(({ type, title, targets = [], transformations = [] }) => targets.filter(({ datasource }) => datasource.type === "influxdb").map(({ query, refId }) => ({ type, columns: transformations.flatMap(({ options }) => options.include?.names ?? []), where: `${language}/${part} ${title} ${refId}`, text: query }))),
  ]);

/** Every query in PromQL, as Prometheus gets it. */
export const promQueries = (of: readonly Found[] = found): Query[] =>
  of.flatMap(({ language, part, panels }) =>
    panels.flatMap(({ title, targets = [] }) =>
      targets.filter(({ datasource }) => datasource.type === "prometheus").map(({ expr = "", refId, legendFormat: legend = "" }) => ({ legend, where: `${language}/${part} ${title} ${refId}`, text: expr.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*") })),
    ),
  );

/** What Grafana puts in the place of its variables. */
export function filledIn(flux: string, values: Readonly<Record<string, string>>): string {
  return flux.replace(/\$\{(\w+):doublequote\}|\$\{(\w+)\}|\bv\.(\w+)/g, (whole, quoted: string | undefined, plain: string | undefined, macro: string | undefined) => {
    const value = values[quoted ?? plain ?? `v.${macro}`];
    if (value === undefined) throw new Error(`nothing stands for ${whole}`);
    return quoted === undefined ? value : JSON.stringify(value);
  });
}
