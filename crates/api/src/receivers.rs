//! The receivers of alerts, as far as the brain needs them.

use std::collections::BTreeMap;
use std::pin::Pin;

use city_model::{Severity, Timestamp};
use city_store::StateError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::schema;

/// The receivers of alerts.
pub trait Receivers: Send + Sync {
    /// How each is doing, in the order of the configuration. Blocks.
    fn report(&self) -> Result<Vec<ReceiverReport>, StateError>;

    /// Tells one about a test alert that begins and ends.
    fn try_out<'a>(&'a self, id: &'a str) -> Trying<'a>;
}

/// A try under way: see [`Receivers::try_out`].
pub type Trying<'a> =
    Pin<Box<dyn Future<Output = Result<ReceiverTrial, TrialRefusal>> + Send + 'a>>;

/// Something that went wrong with a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiverFailure {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Why, in the words of the receiver or of the network.
    pub message: String,
}

/// Which alerts a receiver is told about; what is empty leaves nothing out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiverRoute {
    /// The least severity.
    #[schema(value_type = schema::Severity)]
    pub severity: Severity,
    /// Departments that own the rule.
    pub departments: Vec<String>,
    /// Zones that the alert lies in.
    pub zones: Vec<String>,
    /// Ids of rules.
    pub rules: Vec<String>,
    /// Labels of the rule, each with the values of which one will do.
    pub labels: BTreeMap<String, Vec<String>>,
    /// Kinds of the device.
    pub device_kinds: Vec<String>,
    /// Whether it is told that alerts ended.
    pub resolved: bool,
}

/// How a receiver is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Receiver)]
pub struct ReceiverReport {
    /// Its id in the configuration; `brain` is this program itself.
    pub id: String,
    /// The kind of receiver, such as `webhook`.
    pub r#type: String,
    /// Whether it belongs to this program: only then is it told of simulated data.
    pub inside: bool,
    /// Whether it took what it was told last, as far as anything was tried since the start.
    pub ok: bool,
    /// Why it does not take events now; `null` while it does.
    pub error: Option<String>,
    /// Since when it does not, as far back as the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// When it is tried again; `null` while it works, and during an attempt.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_try_at: Option<Timestamp>,
    /// The last attempt since the start that failed, also when it works again.
    pub last_failure: Option<ReceiverFailure>,
    /// When it last took an event, within 90 days.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivery: Option<Timestamp>,
    /// Events that wait for it.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub oldest_waiting_at: Option<Timestamp>,
    /// Events of the last 90 days that it was never told: it refused them, or too many waited.
    pub given_up: u64,
    /// The last of those.
    pub last_given_up: Option<ReceiverFailure>,
    /// What it is told about.
    pub route: ReceiverRoute,
    /// Rules of the route that are not in force: they name nothing.
    pub unknown_rules: Vec<String>,
}

/// What a test alert came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiverTrial {
    /// Whether it took the alert and its end.
    pub taken: bool,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// What went wrong; `null` if it took both.
    pub error: Option<String>,
    /// How to mend that.
    pub hint: Option<String>,
}

/// Why a receiver is not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialRefusal {
    /// There is none with this id.
    Unknown,
    /// It is this program itself, which shows alerts that happened only.
    Inside,
    /// It, or too many others, are being tried just now.
    Busy,
}
