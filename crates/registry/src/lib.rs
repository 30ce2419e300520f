//! What the city knows about its things: devices, kinds, departments and metrics, kept in the
//! state database, and handed to the hot path as an immutable [`Directory`].

mod entry;
mod error;
mod groups;
mod kind;
mod registry;
mod tables;

pub use entry::{DeviceEntry, check_id, read_devices};
pub use error::{ImportProblem, RegistryError};
pub use groups::Department;
pub use kind::{FieldProblem, Kind};
pub use registry::{ImportReport, Registry, Seed};

#[doc(no_inline)]
pub use city_model::Directory;
