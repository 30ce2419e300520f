//! The composition root: settings, the city's files, and the parts put together.

mod access;
pub mod app;
mod audited;
pub mod backup;
mod base_map;
pub mod bridge;
mod certificates;
pub mod city;
pub mod clock;
pub mod codecs;
pub mod commands;
pub mod doctor;
mod doors;
mod downlink;
mod figures;
pub mod hj212;
mod http;
mod kinds;
mod log_lines;
pub mod logging;
pub mod metrics;
mod receivers;
#[cfg(feature = "bus")]
pub mod roles;
mod rules;
pub mod run_file;
pub mod sample;
pub mod settings;
pub mod speakers;
pub mod store;
mod upkeep;
mod watched;
pub mod zones;
