//! Alerts as the API gives them.

use std::sync::Arc;

use city_model::{Alert, Directory, EndReason, LocalText, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AlertLogKind, HandlingView, Shelf, Stored};
use crate::schema;

/// Who said that they know of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Acknowledgement {
    /// The user.
    pub(crate) by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// What they said about it.
    pub(crate) note: Option<String>,
}

/// Whether an alert fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertState {
    Firing,
    Resolved,
}

/// An alert with what the brain knows about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertItem {
    #[serde(flatten)]
    #[schema(value_type = schema::Alert)]
    pub(crate) alert: Alert,
    pub(crate) state: AlertState,
    /// Who acknowledged it; `null` if nobody did since it fired.
    pub(crate) acknowledged: Option<Acknowledgement>,
    /// When anything last happened to it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
    /// How many events the engines pushed for it.
    pub(crate) events: u32,
    /// Ids of the silences that keep outside receivers from being told of it, or did when it ended.
    #[schema(value_type = Vec<String>)]
    pub(crate) silenced_by: Vec<Arc<str>>,
    /// Ids of the alerts that do so.
    #[schema(value_type = Vec<String>)]
    pub(crate) inhibited_by: Vec<Arc<str>>,
    /// Who put it aside for a while; `null` if nobody did.
    pub(crate) shelved: Option<Shelf>,
    /// Who takes care of it.
    pub(crate) handling: HandlingView,
    /// What people call its device, if it is about one that is registered.
    #[schema(value_type = Option<schema::LocalText>)]
    pub(crate) device_name: Option<LocalText>,
    /// What people call its zones, in the order of `zones`.
    #[schema(value_type = Vec<schema::LocalText>)]
    pub(crate) zone_names: Vec<LocalText>,
}

impl AlertItem {
    /// The alert with the names that the directory knows.
    pub(crate) fn new(stored: Stored, directory: &Directory) -> Self {
        let Stored { alert, acknowledged, updated_at, events, marks, shelf, handling, .. } = stored;
        let state =
            if alert.resolved_at.is_some() { AlertState::Resolved } else { AlertState::Firing };
        let device = alert.subject.device().and_then(|id| directory.device_by_id(id));
        let zone_name = |id: &Arc<str>| {
            directory
                .zone_by_id(id)
                .map_or_else(|| LocalText::same(&**id), |zone| zone.name.clone())
        };
        Self {
            state,
            acknowledged,
            updated_at,
            events,
            silenced_by: marks.silenced_by,
            inhibited_by: marks.inhibited_by,
            shelved: shelf,
            handling: HandlingView::new(&handling),
            device_name: device.map(|device| device.name.clone()),
            zone_names: alert.zones.iter().map(zone_name).collect(),
            alert,
        }
    }
}

/// One line of an alert's log.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AlertLogEntry {
    /// Its place in the log, from 1.
    pub(crate) seq: u32,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    pub(crate) kind: AlertLogKind,
    /// `engine`, or the user.
    pub(crate) by: String,
    /// What a person wrote.
    pub(crate) note: Option<String>,
    /// How bad it was from then on.
    #[schema(value_type = Option<schema::Severity>)]
    pub(crate) severity: Option<Severity>,
    /// The value that decided.
    pub(crate) value: Option<f64>,
    /// The id of the silence, alert or department that it speaks of, if it does.
    pub(crate) about: Option<String>,
    /// Why it ended, if no reading cleared it.
    #[schema(value_type = Option<schema::EndReason>)]
    pub(crate) reason: Option<EndReason>,
}

/// An alert with its log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AlertDetail {
    #[serde(flatten)]
    pub(crate) item: AlertItem,
    /// What happened, oldest first.
    pub(crate) log: Vec<AlertLogEntry>,
}
