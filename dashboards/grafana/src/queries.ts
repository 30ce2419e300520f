/** Queries and where they go. The data sources are those of `deploy/grafana/provisioning/datasources`. */
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";

export const INFLUXDB: DataSourceRef = { type: "influxdb", uid: "citybrain-influxdb" };
export const PROMETHEUS: DataSourceRef = { type: "prometheus", uid: "citybrain-prometheus" };

/** What Grafana sends to InfluxDB in Flux; the SDK does not describe this data source. */
export interface FluxQuery {
  refId: string;
  datasource: DataSourceRef;
  query: string;
}

class FluxBuilder implements Builder<Dataquery> {
  constructor(private readonly query: FluxQuery) {}

  build(): Dataquery {
    // The SDK marks queries by a method, which is no part of the JSON.
    return { ...this.query, _implementsDataqueryVariant: () => undefined };
  }
}

export const flux = (query: string, refId = "A"): Builder<Dataquery> => new FluxBuilder({ refId, datasource: INFLUXDB, query: query.trim() });

/** Over time. `legend` may name labels, as in `{{receiver}}`. */
export const prom = (expr: string, legend = "", refId = "A"): Builder<Dataquery> => new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId).range().datasource(PROMETHEUS);

/** As it is now. */
export const promNow = (expr: string, legend = "", refId = "A"): Builder<Dataquery> => new DataqueryBuilder().expr(expr).legendFormat(legend).refId(refId).instant().datasource(PROMETHEUS);

/** As it is now, a row for each with its labels as columns. */
export const promRows = (expr: string, refId = "A"): Builder<Dataquery> => new DataqueryBuilder().expr(expr).refId(refId).instant().format(PromQueryFormat.Table).datasource(PROMETHEUS);

/** Only of the instances that are chosen. */
export const OF = 'job="citybrain",instance=~"$instance"';

/** A figure of Prometheus with these labels besides. */
export const figure = (name: string, labels = "") => `${name}{${OF}${labels === "" ? "" : `,${labels}`}}`;

export const perSecond = (name: string, labels = "") => `rate(${figure(name, labels)}[$__rate_interval])`;

/** How long something takes at most, of so many in a hundred. */
export const quantile = (q: number, histogram: string, by: readonly string[] = []) => `histogram_quantile(${q}, sum by (${["le", ...by].join(", ")}) (rate(${figure(`${histogram}_bucket`)}[$__rate_interval])))`;
