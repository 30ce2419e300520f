//! `/devices/import` and `/devices/export`: the registry as a file, in JSON or CSV.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use city_registry::{
    DeviceList, ImportMode, ImportOutcome, ImportProblem, ListFormat, Registry, write_csv,
};
use serde::Serialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Rights, Role};
use crate::lines;
use crate::parameters::{FromPairs, Pairs, Parameters};
use crate::problem::{Answer, Problem, codes};
use crate::schema;

/// A list of 100,000 devices with attributes is about 40 MB.
const LIST_LIMIT: usize = 64 << 20;
/// The type of a list as lines of cells.
const CSV: &str = "text/csv";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(import))
        .layer(DefaultBodyLimit::max(LIST_LIMIT))
        .routes(routes!(export))
}

/// What an import did.
#[derive(Serialize, ToSchema)]
struct Imported {
    /// Devices that were not there before.
    added: usize,
    /// Devices that are different now.
    changed: usize,
    /// Devices that were there already, exactly so.
    unchanged: usize,
    /// What is wrong with the devices that were left out.
    #[schema(value_type = Vec<schema::ImportProblem>)]
    problems: Vec<ImportProblem>,
}

/// How to import.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ImportQuery {
    /// `true`: change nothing, and say what would happen.
    check: Option<bool>,
    /// `true`: take the devices that have no problem; otherwise all or none.
    partial: Option<bool>,
}

impl FromPairs for ImportQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self { check: pairs.flag("check")?, partial: pairs.flag("partial")? })
    }
}

/// Add devices, or change those whose id is known: all or none
///
/// The list is JSON or, with `Content-Type: text/csv`, CSV with the columns id, name, name_zh,
/// kind, department, lon, lat, position_crs, moving, interval, gateway, life_cycle, simulated, crs
/// and attr.NAME for attributes. With `Accept: application/x-ndjson` the answer comes in lines
/// while it is worked on: `{"done": 1000, "of": 100000}` and at the end `{"result": …}` or
/// `{"problem": …}`.
#[utoipa::path(post, path = "/devices/import", operation_id = "import_devices", tag = "registry",
    params(ImportQuery),
    request_body(content((Vec<schema::DeviceEntry> = "application/json"), (String = "text/csv"))),
    responses(
        (status = 200, description = "All devices are registered now, or with `check` would be",
            body = Imported),
        (status = 207, description = "Some devices have problems; the others are registered now, \
            or with `check` would be", body = Imported)))]
async fn import(
    State(app): State<App>,
    principal: Principal,
    Parameters(query): Parameters<ImportQuery>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let format = format_of(&headers)?;
    let body = body.map_err(|_| {
        let detail = format!("The list is larger than {} MiB.", LIST_LIMIT >> 20);
        Problem::new(codes::BODY_TOO_LARGE, detail).hint("Send it in parts.")
    })?;
    let mode = match (query.check, query.partial) {
        (Some(true), _) => ImportMode::Check,
        (_, Some(true)) => ImportMode::Valid,
        _ => ImportMode::All,
    };
    if mode == ImportMode::Check {
        audit::only_tried();
    }
    let Principal { user, rights, .. } = principal;
    let rights = rights.later();
    let job = Job { registry: app.registry.clone(), format, body, mode, user, rights };
    if lines::are_asked_for(&headers) {
        // The answer begins before the work is done.
        let entry = audit::hold(&app);
        let done = |progress: lines::Progress<Imported>| async move {
            let told = move |done: usize, of: usize| progress.tell(done as u64, of as u64);
            let run = move || job.run(&mut { told });
            let work = move || match entry {
                Some(entry) => entry.within(run),
                None => run(),
            };
            Ok(imported(app.lanes.short(work).await?))
        };
        return Ok(lines::answer(done));
    }
    let outcome = app.lanes.short(move || job.run(&mut |_, _| ())).await?;
    let status =
        if outcome.problems.is_empty() { StatusCode::OK } else { StatusCode::MULTI_STATUS };
    Ok((status, Json(imported(outcome))).into_response())
}

fn format_of(headers: &HeaderMap) -> Answer<ListFormat> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => Ok(ListFormat::Json),
        CSV => Ok(ListFormat::Csv),
        _ => Err(Problem::new(
            codes::UNSUPPORTED_MEDIA_TYPE,
            "The list is declared neither as JSON nor as CSV.",
        )
        .hint("Send the header `Content-Type: application/json` or `text/csv`.")),
    }
}

/// An import to be done.
struct Job {
    registry: Arc<Registry>,
    format: ListFormat,
    body: Bytes,
    mode: ImportMode,
    user: Arc<str>,
    rights: Rights,
}

impl Job {
    /// Does it; `progress` hears how many devices of how many are written.
    fn run(self, progress: &mut dyn FnMut(usize, usize)) -> Answer<ImportOutcome> {
        let list = DeviceList::read("the list", self.format, &self.body)?;
        self.check_rights(&list)?;
        drop(self.body);
        let of = list.len();
        let mut told = |done| progress(done, of);
        let outcome = self.registry.import_list(&list, self.mode, &mut told)?;
        if self.mode != ImportMode::Check {
            let city_registry::ImportReport { added, changed, unchanged } = outcome.report;
            audit::after(json!({ "added": added, "changed": changed, "unchanged": unchanged,
                "left_out": outcome.problems.len() }));
            let (report, left_out) = (outcome.report, outcome.problems.len());
            tracing::info!(
                user.name = %self.user, report.added, report.changed, left_out, "imported devices"
            );
        }
        Ok(outcome)
    }
}

impl Job {
    /// Each device in the list must be one of a department in which this may be done, now and
    /// afterwards.
    fn check_rights(&self, list: &DeviceList) -> Answer<()> {
        let directory = self.registry.directory();
        let mut departments = BTreeSet::new();
        for entry in list.entries() {
            departments.insert(entry.department.clone());
            let before = directory.device_by_id(&entry.id);
            departments.extend(before.map(|device| device.department.to_string()));
        }
        self.rights.require_all(Role::Engineer, departments.iter().map(String::as_str))
    }
}

fn imported(outcome: ImportOutcome) -> Imported {
    let ImportOutcome { report, problems } = outcome;
    let city_registry::ImportReport { added, changed, unchanged } = report;
    Imported { added, changed, unchanged, problems }
}

/// How to export.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `json` unless given, or `csv`.
    #[param(pattern = "^(json|csv)$")]
    format: Option<String>,
}

impl FromPairs for ExportQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let format = pairs.one_of("format", &[("json", "json"), ("csv", "csv")])?;
        Ok(Self { format: format.map(str::to_owned) })
    }
}

/// All devices in the shape in which they can be imported
#[utoipa::path(get, path = "/devices/export", operation_id = "export_devices", tag = "registry",
    params(ExportQuery),
    responses((status = 200, description = "All devices",
        content((Vec<schema::DeviceEntry> = "application/json"), (String = "text/csv")))))]
async fn export(
    State(app): State<App>,
    Parameters(query): Parameters<ExportQuery>,
) -> Answer<Response> {
    let registry = app.registry.clone();
    app.lanes
        .short(move || {
            let entries = registry.export();
            if query.format.as_deref() != Some("csv") {
                return Ok(Json(entries).into_response());
            }
            let name = HeaderValue::from_static("attachment; filename=\"devices.csv\"");
            let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
            Ok((headers, write_csv(&entries)).into_response())
        })
        .await
}
