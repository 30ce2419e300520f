//! `/devices/{id}/commands`: what people and programs tell devices to do.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::Principal;
use crate::extract::{Body, Id};
use crate::parameters::{NoParameters, Parameters};
use crate::parts::{CommandKeep, CommandRefusal, CommandSent, DeviceCommand};
use crate::problem::{Answer, Problem, codes};
use crate::select;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(send))
}

/// A command for a device: `payload` or `payload_base64`, not both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCommand {
    /// What the device gets, as text; JSON is text too. Empty text ends a command that was kept
    /// as the last one.
    payload: Option<String>,
    /// What the device gets, if it is no text.
    payload_base64: Option<String>,
    /// The last level of the topic, or several: `set` makes it `cmd/DEVICE/set` where the command
    /// topics are the usual ones.
    #[serde(default)]
    name: String,
    /// What becomes of it while the device is not there.
    #[serde(default)]
    keep: CommandKeep,
}

/// Send a command to a device that is connected to the embedded endpoint, at QoS 1
#[utoipa::path(post, path = "/devices/{id}/commands", operation_id = "send_command",
    tag = "registry",
    params(("id" = String, Path, description = "The device's id")),
    request_body = NewCommand,
    responses((status = 202, description = "Where it went", body = CommandSent)))]
async fn send(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id,
    _: Parameters<NoParameters>,
    Body(command): Body<NewCommand>,
) -> Answer<(StatusCode, Json<CommandSent>)> {
    let NewCommand { payload: text, payload_base64, name, keep } = command;
    audit::after(json!({ "name": name, "keep": keep, "payload": shown(text.as_deref()),
        "payload_base64": payload_base64 }));
    let payload = payload(text, payload_base64)?;
    let doing = app.clone();
    let sent = app
        .lanes
        .short(move || {
            let directory = doing.registry.directory();
            let device = select::device(&directory, &id)?;
            audit::department(&device.department);
            let command = DeviceCommand { device: device.id.to_string(), name, payload, keep };
            doing.ingest.command(command).map_err(refusal)
        })
        .await?;
    tracing::info!(
        user.name = %principal.user,
        mqtt.topic = sent.topic,
        delivery = ?sent.delivery,
        "sent a command"
    );
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

/// A payload for the audit log: JSON as such, so that secrets in it are found.
fn shown(text: Option<&str>) -> Option<Value> {
    text.map(|text| serde_json::from_str(text).unwrap_or_else(|_| text.into()))
}

fn payload(text: Option<String>, base64: Option<String>) -> Answer<Bytes> {
    match (text, base64) {
        (Some(text), None) => Ok(text.into()),
        (None, Some(encoded)) => STANDARD.decode(encoded).map(Bytes::from).map_err(|error| {
            Problem::new(codes::BAD_BODY, format!("`payload_base64` is no base64: {error}."))
                .hint("The alphabet is that of RFC 4648 with + and /, padded with =.")
        }),
        _ => Err(Problem::new(codes::BAD_BODY, "A command has one payload.")
            .hint("Give `payload`, which may be empty, or `payload_base64`.")),
    }
}

fn refusal(refusal: CommandRefusal) -> Problem {
    match refusal {
        CommandRefusal::NoEndpoint => {
            let detail = "The embedded MQTT endpoint is not open, and commands go through it.";
            Problem::new(codes::NO_ENDPOINT, detail)
                .hint("Set `enabled = true` in [mqtt]; right after a start, try again.")
        }
        CommandRefusal::Topic(detail) => Problem::new(codes::BAD_COMMAND, detail)
            .hint("`name` is a topic level such as `set`; command_topics in [mqtt] says the rest."),
        CommandRefusal::TooLarge(detail) => Problem::new(codes::BODY_TOO_LARGE, detail)
            .hint("max_packet_size in [mqtt] is the limit."),
        CommandRefusal::Full(detail) => Problem::new(codes::COMMANDS_FULL, detail).hint(
            "Send it with keep = \"none\", or wait: commands that nobody fetches expire. \
             max_kept in [mqtt.commands] is the limit.",
        ),
    }
}
