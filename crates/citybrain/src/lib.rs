//! The composition root: settings, the city's files, and the parts put together.

mod access;
pub mod app;
pub mod backup;
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
mod kinds;
pub mod logging;
pub mod metrics;
mod receivers;
mod rules;
pub mod run_file;
pub mod sample;
pub mod settings;
pub mod speakers;
pub mod store;
mod upkeep;
mod watched;
pub mod zones;
