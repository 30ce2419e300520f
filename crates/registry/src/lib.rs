//! What the city knows about its things: devices, kinds, departments and metrics, kept in the
//! state database, and handed to the hot path as an immutable [`Directory`].

pub mod credentials;
mod csv;
mod devices;
mod entry;
mod error;
mod groups;
mod import;
mod kind;
mod list;
mod mapping;
mod metrics;
mod provisioning;
mod registry;
mod seen_tables;
mod tables;
mod zones;

pub use csv::{COLUMNS, Column, write_csv};
pub use devices::{Change, tag};
pub use entry::{DeviceEntry, check_id};
pub use error::{ImportProblem, RegistryError};
pub use groups::Department;
pub use import::{ImportMode, ImportOutcome, ImportReport};
pub use kind::{FieldProblem, Kind};
pub use list::{DeviceList, ListFormat, read_devices};
pub use mapping::{Mapping, Seen, Unmapped};
pub use metrics::NotAdded;
pub use provisioning::{NotRegistered, ProvisioningRule, UnknownDevice};
pub use registry::{Registry, Seed};

#[doc(no_inline)]
pub use city_model::Directory;
