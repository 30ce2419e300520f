//! `/provisioning`: devices that call and that nobody registered.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use city_model::{LocalText, Timestamp};
use city_registry::{DeviceEntry, UnknownDevice};
use city_store::{DeadLetterId, LettersFrom, Store};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Role};
use crate::extract::{Body, Id};
use crate::list::Page;
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, With, short};
use crate::problem::{Answer, Problem, codes};
use crate::schema;
use crate::select::has;

/// The most dead letters that are replayed when a device is accepted, oldest first.
const MOST_REPLAYED: usize = 1_000;
/// How many dead letters of unknown devices are looked through for them, newest first.
const MOST_SEARCHED: usize = 50_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(accept)).routes(routes!(ignore))
}

/// A device that calls and is not registered.
#[derive(Serialize, ToSchema)]
struct Unknown {
    id: String,
    /// The source that it came through last.
    source: String,
    /// The kind that its topic named last, or its source says.
    kind: String,
    /// The department that its topic named last, or its source says.
    department: String,
    /// How many of its readings became dead letters.
    count: u64,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// Whether somebody said that it is of no interest.
    ignored: bool,
}

/// A page of unknown devices.
#[derive(Serialize, ToSchema)]
struct UnknownPage {
    items: Vec<Unknown>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// How many match in all.
    total: usize,
}

/// Which unknown devices.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct UnknownQuery {
    /// `true`: only those that somebody ignored; `false`: only the others, as if nothing is given.
    ignored: Option<bool>,
    /// Only those that came through one of these sources, separated by commas.
    #[param(value_type = Option<String>)]
    source: Option<Vec<String>>,
    /// Only those with this text in their id, in any case.
    q: Option<String>,
}

impl FromPairs for UnknownQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            ignored: pairs.flag("ignored")?,
            source: pairs.list("source"),
            q: pairs.text("q"),
        })
    }
}

/// Devices that call and are not registered, those heard last first unless sorted otherwise
#[utoipa::path(get, path = "/provisioning/unknown", operation_id = "list_unknown_devices",
    tag = "registry", params(UnknownQuery, Page),
    responses((status = 200, description = "A page of unknown devices", body = UnknownPage)))]
async fn list(
    State(app): State<App>,
    Parameters(With(query, page)): Parameters<With<UnknownQuery, Page>>,
) -> Answer<Json<UnknownPage>> {
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            let mut devices = registry.unknown_devices();
            let words = query.q.map(|q| q.to_lowercase());
            devices.retain(|device| {
                device.ignored == query.ignored.unwrap_or(false)
                    && has(query.source.as_ref(), &device.source)
                    && words.as_ref().is_none_or(|words| device.id.to_lowercase().contains(words))
            });
            let total = devices.len();
            let devices = devices.into_iter().map(view).collect();
            let part = page.or_by("-last_seen_at")?;
            let (items, next_cursor) = part.of(devices, |device: &Unknown| &device.id)?;
            Ok(Json(UnknownPage { items, next_cursor, total }))
        })
        .await
}

fn view(device: UnknownDevice) -> Unknown {
    Unknown {
        id: device.id,
        source: device.source,
        kind: device.kind,
        department: device.department,
        count: device.count,
        first_seen_at: device.first_seen,
        last_seen_at: device.last_seen,
        ignored: device.ignored,
    }
}

/// How an unknown device is to be registered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct AcceptDevice {
    /// Its kind; as the list of unknown devices says if missing.
    kind: Option<String>,
    /// Its department; as the list of unknown devices says if missing.
    department: Option<String>,
    /// What people call it.
    #[schema(value_type = Option<schema::GivenText>)]
    name: Option<LocalText>,
    /// `false`: leave its dead letters alone.
    replay: Option<bool>,
}

/// What became of an unknown device.
#[derive(Serialize, ToSchema)]
struct Accepted {
    #[schema(value_type = schema::DeviceEntry)]
    device: DeviceEntry,
    /// How many dead letters wait that are its own.
    dead_letters: usize,
    /// How many of them were sent through the pipeline again, at most 1,000.
    replayed: usize,
}

/// Register a device that calls, and replay what it had sent
#[utoipa::path(post, path = "/provisioning/unknown/{id}/accept",
    operation_id = "accept_unknown_device", tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    request_body = AcceptDevice,
    responses((status = 200, description = "It is registered", body = Accepted)))]
async fn accept(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(how): Body<AcceptDevice>,
) -> Answer<Json<Accepted>> {
    let (doing, rights) = (app.clone(), principal.rights.clone());
    let accepted = app
        .lanes
        .short(move || {
            let device = doing.registry.unknown_device(&id).ok_or_else(|| not_waiting(&id))?;
            let kind = how.kind.unwrap_or(device.kind);
            let department = how.department.unwrap_or(device.department);
            rights.require(Role::Engineer, &department)?;
            let mut entry = DeviceEntry::unknown(&id, &kind, &department, device.simulated);
            entry.name = how.name;
            let add = |before: Option<&DeviceEntry>| match before {
                None => Ok(entry),
                // Somebody has registered it since the lines above looked.
                Some(_) => Err(Problem::new(
                    codes::EXISTS,
                    format!("`{}` is registered by now.", short(&id)),
                )
                .hint("Nothing is to be accepted; change the device where it needs it.")),
            };
            let (device, _) = doing.registry.change_device(&id, add)?;
            audit::department(&device.department);
            audit::after(&device);
            let letters = letters_of(&*doing.store, &id)?;
            let replay = if how.replay.unwrap_or(true) { MOST_REPLAYED } else { 0 };
            let mut replayed = 0;
            for letter in letters.iter().take(replay) {
                if let Err(why) = doing.ingest.replay(*letter) {
                    tracing::warn!(error.cause = why, "a dead letter could not be replayed");
                    break;
                }
                replayed += 1;
            }
            Ok(Accepted { device, dead_letters: letters.len(), replayed })
        })
        .await?;
    tracing::info!(
        user.name = %principal.user, device.id = accepted.device.id, accepted.replayed,
        "accepted an unknown device"
    );
    Ok(Json(accepted))
}

/// The dead letters of a device that was not registered, oldest first.
fn letters_of(store: &dyn Store, id: &str) -> Answer<Vec<DeadLetterId>> {
    const PAGE: usize = 1_000;
    let mut letters = Vec::new();
    let mut from = LettersFrom::Newest;
    for _ in 0..MOST_SEARCHED / PAGE {
        let page = store.dead_letters(from, Some("unknown_device"), PAGE)?;
        let own = page
            .items
            .iter()
            .filter(|kept| kept.letter.device.as_deref() == Some(id) && kept.replayed_at.is_none());
        letters.extend(own.map(|kept| kept.id));
        let Some(next) = page.next else { break };
        from = next;
    }
    letters.reverse();
    Ok(letters)
}

/// Whether a device is of interest.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Ignore {
    /// `false`: it is of interest after all.
    ignored: Option<bool>,
}

/// Say that an unknown device is of no interest; its messages are still kept as dead letters
#[utoipa::path(post, path = "/provisioning/unknown/{id}/ignore",
    operation_id = "ignore_unknown_device", tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    request_body = Ignore,
    responses((status = 204, description = "So it is")))]
async fn ignore(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(how): Body<Ignore>,
) -> Answer<StatusCode> {
    let ignored = how.ignored.unwrap_or(true);
    if let Some(device) = app.registry.unknown_device(&id) {
        audit::department(&device.department);
        audit::before(json!({ "ignored": device.ignored }));
    }
    audit::after(json!({ "ignored": ignored }));
    let (registry, of) = (app.registry.clone(), id.clone());
    if !app.lanes.short(move || Ok(registry.ignore_unknown(&of, ignored)?)).await? {
        return Err(not_waiting(&id));
    }
    tracing::info!(user.name = %principal.user, device.id = id, ignored, "ignored a device");
    Ok(StatusCode::NO_CONTENT)
}

fn not_waiting(id: &str) -> Problem {
    let detail = format!("The device `{}` does not wait to be registered.", short(id));
    Problem::new(codes::NOT_WAITING, detail)
        .hint("GET /api/v1/provisioning/unknown lists those that do; PUT /api/v1/devices/{id} registers any.")
}
