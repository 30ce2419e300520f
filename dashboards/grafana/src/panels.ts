/** The few looks that all dashboards share: calm lines, plain figures, colour for what is not as it should be. */
import { PanelBuilder as BarBuilder } from "@grafana/grafana-foundation-sdk/bargauge";
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import {
  BarGaugeDisplayMode, BarGaugeValueMode, BigValueColorMode, BigValueGraphMode, GraphDrawStyle, LegendDisplayMode, LegendPlacement, ReduceDataOptionsBuilder, SortOrder, StackingConfigBuilder, StackingMode,
  TooltipDisplayMode, VisibilityMode, VizLegendOptionsBuilder, VizOrientation, VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import { FieldColorBuilder, FieldColorModeId, MappingType, ThresholdsConfigBuilder, ThresholdsMode, type DynamicConfigValue, type Threshold, type ValueMapping } from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as StateBuilder } from "@grafana/grafana-foundation-sdk/statetimeline";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as ChartBuilder } from "@grafana/grafana-foundation-sdk/timeseries";
import { INFLUXDB, PROMETHEUS } from "./queries";

type Targets = readonly Builder<Dataquery>[];

/** Colours are names of Grafana's palette, so that both of its themes hold. */
export interface Limit {
  from: number;
  colour: "green" | "yellow" | "orange" | "red" | "blue" | "text";
}

interface Common {
  title: string;
  /** What it means and what to look for. */
  why?: string;
  targets: Targets;
  unit?: string;
  decimals?: number;
  limits?: readonly Limit[];
  /** In twenty-fourths of the width. */
  width?: number;
  height?: number;
}

const sourceOf = (targets: Targets) => {
  const [first] = targets.map((target) => (target.build() as unknown as { datasource?: { type?: string } }).datasource?.type);
  return first === "influxdb" ? INFLUXDB : PROMETHEUS;
};

const limitsOf = (limits: readonly Limit[], normal: Limit["colour"]) => {
  const steps: Threshold[] = [{ value: null, color: normal }, ...limits.map(({ from, colour }) => ({ value: from, color: colour }))];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
};

/** Values that mean something else than a number. */
export const meanings = (each: readonly { value: number; text: string; colour: string }[]): ValueMapping[] => [
  { type: MappingType.ValueToText, options: Object.fromEntries(each.map(({ value, text, colour }, index) => [String(value), { text, color: colour, index }])) },
];

export interface ChartSpec extends Common {
  /** What the lines of each query are called, where it does not say so itself. */
  names?: Readonly<Record<string, string>>;
  stacked?: boolean;
  /** Points instead of lines, for what is rare. */
  points?: boolean;
  min?: number;
  max?: number;
  /** By query. */
  looks?: Readonly<Record<string, DynamicConfigValue[]>>;
}

export function chart(spec: ChartSpec) {
  const panel = new ChartBuilder()
    .title(spec.title)
    .datasource(sourceOf(spec.targets))
    .targets([...spec.targets])
    .span(spec.width ?? 8)
    .height(spec.height ?? 8)
    .unit(spec.unit ?? "short")
    .lineWidth(1)
    .fillOpacity(spec.stacked ? 25 : 0)
    .drawStyle(spec.points ? GraphDrawStyle.Points : GraphDrawStyle.Line)
    .showPoints(spec.points ? VisibilityMode.Always : VisibilityMode.Auto)
    .pointSize(4)
    // What was not measured is a gap.
    .spanNulls(false)
    .stacking(new StackingConfigBuilder().mode(spec.stacked ? StackingMode.Normal : StackingMode.None).group("A"))
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true).calcs([]))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .thresholds(limitsOf(spec.limits ?? [], "text"));
  if (spec.why !== undefined) panel.description(spec.why);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.min !== undefined) panel.min(spec.min);
  if (spec.max !== undefined) panel.max(spec.max);
  for (const [refId, name] of Object.entries(spec.names ?? {})) panel.overrideByQuery(refId, [{ id: "displayName", value: name }, ...(spec.looks?.[refId] ?? [])]);
  return panel;
}

export interface StatSpec extends Common {
  graph?: boolean;
  mappings?: ValueMapping[];
  noValue?: string;
}

export function stat(spec: StatSpec) {
  const panel = new StatBuilder()
    .title(spec.title)
    .datasource(sourceOf(spec.targets))
    .targets([...spec.targets])
    .span(spec.width ?? 4)
    .height(spec.height ?? 4)
    .unit(spec.unit ?? "short")
    .graphMode(spec.graph ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .thresholds(limitsOf(spec.limits ?? [], "text"));
  if (spec.why !== undefined) panel.description(spec.why);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.mappings !== undefined) panel.mappings(spec.mappings);
  if (spec.noValue !== undefined) panel.noValue(spec.noValue);
  return panel;
}

export function bars(spec: Common) {
  const panel = new BarBuilder()
    .title(spec.title)
    .datasource(sourceOf(spec.targets))
    .targets([...spec.targets])
    .span(spec.width ?? 8)
    .height(spec.height ?? 8)
    .unit(spec.unit ?? "short")
    .min(0)
    .displayMode(BarGaugeDisplayMode.Basic)
    .valueMode(BarGaugeValueMode.Text)
    .orientation(VizOrientation.Horizontal)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .thresholds(limitsOf(spec.limits ?? [], "text"));
  if (spec.why !== undefined) panel.description(spec.why);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  return panel;
}

export interface TableSpec extends Common {
  /** New names of columns, in the order in which they stand; others are left out. */
  columns: Readonly<Record<string, string>>;
  mappings?: Readonly<Record<string, ValueMapping[]>>;
  units?: Readonly<Record<string, string>>;
  links?: Readonly<Record<string, { title: string; url: string }>>;
  /** Joins several queries whose rows have the same labels. */
  merged?: boolean;
}

export function table(spec: TableSpec) {
  const names = Object.keys(spec.columns);
  const panel = new TableBuilder()
    .title(spec.title)
    .datasource(sourceOf(spec.targets))
    .targets([...spec.targets])
    .span(spec.width ?? 12)
    .height(spec.height ?? 8)
    .transformations([
      ...(spec.merged ? [{ id: "merge", options: {} }] : []),
      { id: "filterFieldsByName", options: { include: { names } } },
      { id: "organize", options: { indexByName: Object.fromEntries(names.map((name, at) => [name, at])), renameByName: spec.columns, excludeByName: {} } },
    ]);
  if (spec.why !== undefined) panel.description(spec.why);
  if (spec.unit !== undefined) panel.unit(spec.unit);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  for (const [name, shown] of Object.entries(spec.columns)) {
    const properties: DynamicConfigValue[] = [];
    const [unit, mappings, link] = [spec.units?.[name], spec.mappings?.[name], spec.links?.[name]];
    if (unit !== undefined) properties.push({ id: "unit", value: unit });
    if (mappings !== undefined) properties.push({ id: "mappings", value: mappings });
    if (link !== undefined) properties.push({ id: "links", value: [{ ...link, targetBlank: false }] });
    if (properties.length > 0) panel.overrideByName(shown, properties);
  }
  return panel;
}

export interface StatesSpec extends Common {
  name: string;
  mappings: ValueMapping[];
}

export function states(spec: StatesSpec) {
  const panel = new StateBuilder()
    .title(spec.title)
    .datasource(sourceOf(spec.targets))
    .targets([...spec.targets])
    .span(spec.width ?? 24)
    .height(spec.height ?? 5)
    .mappings(spec.mappings)
    .displayName(spec.name)
    .mergeValues(true)
    .showValue(VisibilityMode.Never)
    .rowHeight(0.8)
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true).calcs([]));
  if (spec.why !== undefined) panel.description(spec.why);
  return panel;
}
