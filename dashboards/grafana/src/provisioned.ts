/**
 * What a provisioned dashboard of this package may hold, put together from Grafana's own types: the
 * JSON schema that the test makes of it checks options of panels too, which the type `Dashboard`
 * leaves open.
 */
import type * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import type * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import type * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import type * as stat from "@grafana/grafana-foundation-sdk/stat";
import type * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import type * as table from "@grafana/grafana-foundation-sdk/table";
import type * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import type { FluxQuery } from "./queries";

type PromQuery = Omit<prometheus.Dataquery, "_implementsDataqueryVariant">;

interface Fields<Custom> extends Omit<dashboard.FieldConfigSource, "defaults"> {
  defaults: Omit<dashboard.FieldConfig, "custom"> & { custom?: Custom };
}

interface PanelOf<Type extends string, Options, Custom> extends Omit<dashboard.Panel, "type" | "id" | "title" | "targets" | "options" | "fieldConfig" | "gridPos" | "datasource"> {
  type: Type;
  id: number;
  title: string;
  datasource: Required<NonNullable<dashboard.Panel["datasource"]>>;
  gridPos: dashboard.GridPos;
  targets: (PromQuery | FluxQuery)[];
  options: Options;
  fieldConfig: Fields<Custom>;
}

type Panel =
  | PanelOf<"timeseries", timeseries.Options, timeseries.FieldConfig>
  | PanelOf<"stat", stat.Options, never>
  | PanelOf<"bargauge", bargauge.Options, never>
  | PanelOf<"table", table.Options, Partial<table.FieldConfig>>
  | PanelOf<"state-timeline", statetimeline.Options, statetimeline.FieldConfig>;

export interface Provisioned extends Omit<dashboard.Dashboard, "panels" | "uid" | "title"> {
  uid: string;
  title: string;
  panels: (Panel | dashboard.RowPanel)[];
}
