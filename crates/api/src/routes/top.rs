//! `/top`: the devices with the highest, lowest or most of a metric in a range of time.

use axum::Json;
use axum::extract::State;
use city_model::{LocalText, SeriesKey, Span, Timestamp};
use city_store::Rank;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::parameters::{FromPairs, Pairs, Parameters, With, bad, time_range};
use crate::problem::Answer;
use crate::schema;
use crate::select::{self, Choice, Selection};

/// What is given without `from`.
const DEFAULT_RANGE: Span = Span::from_hours(1);
/// The most devices in one answer.
const MAX_DEVICES: usize = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The devices that stand first.
#[derive(Serialize, ToSchema)]
struct Top {
    metric: String,
    /// UCUM code.
    unit: String,
    /// The unit as people write it.
    symbol: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    #[schema(inline)]
    by: By,
    /// The first first; of equals the one that was registered first. Devices without readings that
    /// count are left out.
    ranking: Vec<Ranked>,
}

/// A device with its readings of the range in short, in the unit of the metric. What failed or is
/// missing does not count.
#[derive(Serialize, ToSchema)]
struct Ranked {
    device: String,
    #[schema(value_type = schema::LocalText)]
    name: LocalText,
    count: u64,
    min: f64,
    mean: f64,
    max: f64,
    sum: f64,
    /// The newest value.
    last: f64,
}

/// What devices are ranked by.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum By {
    /// The highest mean first.
    Mean,
    /// The highest value first.
    Max,
    /// The lowest value first.
    Min,
    /// The highest newest value first.
    Last,
    /// The highest sum first.
    Sum,
    /// The most readings first.
    Count,
}

impl By {
    const ALL: &[(&str, Self)] = &[
        ("mean", Self::Mean),
        ("max", Self::Max),
        ("min", Self::Min),
        ("last", Self::Last),
        ("sum", Self::Sum),
        ("count", Self::Count),
    ];

    fn rank(self) -> Rank {
        match self {
            Self::Mean => Rank::Mean,
            Self::Max => Rank::Highest,
            Self::Min => Rank::Lowest,
            Self::Last => Rank::Last,
            Self::Sum => Rank::Sum,
            Self::Count => Rank::Count,
        }
    }
}

/// Of what and when.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct TopQuery {
    /// The metric's id.
    metric: String,
    /// The first instant, RFC 3339; an hour before `to` unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// The first instant after the range, RFC 3339; now unless given.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// What decides: `mean` unless given; the highest is first, of `min` the lowest.
    #[param(inline, value_type = Option<By>)]
    by: By,
    /// How many devices at most, 1 to 1,000; 10 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for TopQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let (from, to) = pairs.range()?;
        let limit = pairs.parse("limit", "10")?.unwrap_or(10);
        if !(1..=MAX_DEVICES).contains(&limit) {
            let why = format!("it must be 1 to {MAX_DEVICES}");
            return Err(bad("limit", &limit.to_string(), &why, "10"));
        }
        let by = pairs.one_of("by", By::ALL)?.unwrap_or(By::Mean);
        Ok(Self { metric: pairs.required("metric")?, from, to, by, limit })
    }
}

/// The devices with the highest, lowest or most of a metric
#[utoipa::path(get, path = "/top", operation_id = "get_top", tag = "readings",
    params(Choice, TopQuery),
    responses((status = 200, description = "The devices that stand first", body = Top)))]
async fn show(
    State(app): State<App>,
    Parameters(With(choice, query)): Parameters<With<Choice, TopQuery>>,
) -> Answer<Json<Top>> {
    let directory = app.registry.directory();
    let range = time_range((query.from, query.to), app.clock.now(), DEFAULT_RANGE)?;
    let chosen = Selection::new(&directory, choice)?;
    select::metric(&directory, &query.metric)?;
    let reader = app.clone();
    app.lanes
        .history(move |cancel| {
            let metric = select::metric(&directory, &query.metric)?;
            let states = reader.hub.devices();
            let series: Vec<SeriesKey> = chosen
                .devices(&directory, &states)
                .map(|(device, _)| SeriesKey { device: device.key, metric: metric.key })
                .collect();
            let top = reader.store.top(&series, range, query.by.rank(), query.limit, cancel)?;
            let ranked = top.into_iter().filter_map(|(series, bucket)| {
                let device = directory.device(series.device)?;
                Some(Ranked {
                    device: device.id.to_string(),
                    name: device.name.clone(),
                    count: bucket.count,
                    min: bucket.min,
                    mean: bucket.sum / bucket.count as f64,
                    max: bucket.max,
                    sum: bucket.sum,
                    last: bucket.last,
                })
            });
            Ok(Json(Top {
                metric: metric.id.to_string(),
                unit: metric.unit.to_string(),
                symbol: metric.symbol.to_string(),
                from: range.from,
                to: range.to,
                by: query.by,
                ranking: ranked.collect(),
            }))
        })
        .await
}
