//! `/metrics` and `/mappings`: the metrics that there are, the names that nobody has mapped yet,
//! and what names mean.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use city_model::{LocalText, Range, Timestamp};
use city_registry::{Mapping, Unmapped, tag};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::assets::is_known;
use crate::audit;
use crate::auth::Principal;
use crate::extract::Body;
use crate::list::{Part, Words, fresh};
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, codes};
use crate::schema;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics)).routes(routes!(list, put, remove))
}

/// A metric, and where it comes from as long as nobody has mapped it.
#[derive(Serialize, ToSchema)]
struct MetricUse {
    id: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    /// UCUM code of its unit; empty if unknown.
    unit: String,
    /// The unit as people write it.
    symbol: String,
    #[schema(value_type = Option<schema::Range>)]
    range: Option<Range>,
    /// Whether it came with a name that is not in the catalogue.
    unmapped: bool,
    /// The sources that use the name and for which it is not mapped.
    seen: Vec<SeenFrom>,
}

/// What was seen of a name from one source.
#[derive(Serialize, ToSchema)]
struct SeenFrom {
    source: String,
    /// How many readings came with it.
    count: u64,
    /// The unit that came with it the first time; empty if none did.
    unit: String,
    /// The last value, if it was a number.
    last_value: Option<f64>,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
}

/// Metrics.
#[derive(Serialize, ToSchema)]
struct MetricUseList {
    /// In the order in which they came to be known.
    items: Vec<MetricUse>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// Which metrics.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct MetricsQuery {
    /// `true`: only names that wait to be mapped; `false`: only the catalogue.
    unmapped: Option<bool>,
}

impl FromPairs for MetricsQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { unmapped: pairs.flag("unmapped")? })
    }
}

/// Metrics, and for names that are not in the catalogue where they come from
#[utoipa::path(get, path = "/metrics", operation_id = "list_metric_uses", tag = "registry",
    params(MetricsQuery, Words, Part),
    responses((status = 200, description = "The metrics", body = MetricUseList),
        (status = 304, description = "Nothing changed since the ETag that was sent")))]
async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(query): Parameters<With<MetricsQuery, With<Words, Part>>>,
) -> Answer<Response> {
    let With(query, With(words, part)) = query;
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            let seen = registry.unmapped();
            let mut seen_by_name: BTreeMap<&str, Vec<SeenFrom>> = BTreeMap::new();
            for row in &seen {
                seen_by_name.entry(&*row.name).or_default().push(seen_from(row));
            }
            let directory = registry.directory();
            let uses = directory.metrics.iter().map(|metric| MetricUse {
                id: metric.id.to_string(),
                name: metric.name.clone(),
                unit: metric.unit.to_string(),
                symbol: metric.symbol.to_string(),
                range: metric.range,
                unmapped: metric.unmapped,
                seen: seen_by_name.remove(&*metric.id).unwrap_or_default(),
            });
            // A name that is mapped wherever it comes from does not wait any more.
            let wanted = |metric: &MetricUse| match query.unmapped {
                Some(true) => !metric.seen.is_empty(),
                Some(false) => !metric.unmapped,
                None => true,
            };
            let named =
                |metric: &MetricUse| words.are_in(&[&metric.id, &metric.name.en, &metric.name.zh]);
            let items = uses.filter(wanted).filter(named).collect();
            let (items, next_cursor) = part.of(items, |metric: &MetricUse| &metric.id)?;
            fresh(&headers, &MetricUseList { items, next_cursor })
        })
        .await
}

fn seen_from(row: &Unmapped) -> SeenFrom {
    SeenFrom {
        source: row.source.clone(),
        count: row.count,
        unit: row.unit.clone(),
        last_value: row.last_value,
        first_seen_at: row.first_seen,
        last_seen_at: row.last_seen,
    }
}

/// All mappings.
#[derive(Serialize, ToSchema)]
struct MappingList {
    #[schema(value_type = Vec<schema::Mapping>)]
    items: Vec<Mapping>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
}

/// What names mean, by name and source
///
/// The ETag is that of all mappings, also of a part of them: for `If-Match` of a change of one.
#[utoipa::path(get, path = "/mappings", operation_id = "list_mappings", tag = "registry",
    params(Part),
    responses((status = 200, description = "The mappings", body = MappingList),
        (status = 304, description = "Nothing changed since the ETag that was sent")))]
async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(part): Parameters<Part>,
) -> Answer<Response> {
    let mappings = app.registry.mappings();
    let tag = etag(&tag(&mappings));
    let cache = [(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    if is_known(&headers, &tag[0].1) {
        return Ok((StatusCode::NOT_MODIFIED, tag, cache).into_response());
    }
    let keyed: Vec<(String, Mapping)> = mappings
        .into_iter()
        .map(|mapping| {
            let source = mapping.source.as_deref().unwrap_or_default();
            (format!("{}\u{0}{source}", mapping.name), mapping)
        })
        .collect();
    let (keyed, next_cursor) =
        part.of_told(keyed, |(key, _)| key, |(_, mapping)| serde_json::to_value(mapping))?;
    let items = keyed.into_iter().map(|(_, mapping)| mapping).collect();
    Ok((tag, cache, Json(MappingList { items, next_cursor })).into_response())
}

/// Say what a name means, from now on
///
/// It takes effect with the next message. Readings that were stored before keep the name that they
/// came with.
#[utoipa::path(put, path = "/mappings", operation_id = "put_mapping", tag = "registry",
    request_body = schema::Mapping,
    responses((status = 204, description = "It means that now"),
        (status = 412, description = "The mappings are not as you saw them", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(mapping): Body<Mapping>,
) -> Answer<StatusCode> {
    audit::target(&mapping.name);
    audit::before(mapped(&app, mapping.source.as_deref(), &mapping.name));
    audit::after(&mapping);
    let (registry, told) = (app.registry.clone(), mapping.clone());
    let check = move |all: &[Mapping]| precondition.check(Some(&tag(&all)));
    app.lanes.short(move || registry.put_mapping_if(mapping, check)).await?;
    let Mapping { source, name, metric, .. } = told;
    tracing::info!(
        user.name = %principal.user, source.id = source, metric.name = name, metric.id = metric,
        "mapped a metric"
    );
    Ok(StatusCode::NO_CONTENT)
}

/// What a name means now.
fn mapped(app: &App, source: Option<&str>, name: &str) -> Option<Mapping> {
    let is_it = |mapping: &Mapping| mapping.name == name && mapping.source.as_deref() == source;
    app.registry.mappings().into_iter().find(is_it)
}

/// Which mapping.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct MappingQuery {
    /// The name as it is sent.
    name: String,
    /// The source; without it the mapping that is for every source.
    source: Option<String>,
}

impl FromPairs for MappingQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { name: pairs.required("name")?, source: pairs.text("source") })
    }
}

/// Forget what a name means
#[utoipa::path(delete, path = "/mappings", operation_id = "delete_mapping", tag = "registry",
    params(MappingQuery),
    responses((status = 204, description = "The name stands for itself again"),
        (status = 404, description = "Nobody said what it means",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "The mappings are not as you saw them", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Parameters(query): Parameters<MappingQuery>,
    precondition: Precondition,
) -> Answer<StatusCode> {
    let MappingQuery { name, source } = query;
    audit::target(&name);
    audit::before(mapped(&app, source.as_deref(), &name));
    let (registry, of) = (app.registry.clone(), name.clone());
    let check = move |all: &[Mapping]| precondition.check(Some(&tag(&all)));
    let remove = move || registry.remove_mapping(source.as_deref(), &of, check);
    let found = app.lanes.short(remove).await?;
    if !found {
        let detail = format!("Nobody said there what `{}` means.", short(&name));
        return Err(Problem::new(codes::UNKNOWN_MAPPING, detail)
            .hint("GET /api/v1/mappings lists them; name the source too if it is for one."));
    }
    tracing::info!(user.name = %principal.user, metric.name = name, "removed a mapping");
    Ok(StatusCode::NO_CONTENT)
}
