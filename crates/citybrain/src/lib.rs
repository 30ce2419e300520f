//! The composition root: settings, the city's files, and the parts put together.

mod access;
pub mod app;
mod audited;
pub mod bridge;
pub mod city;
pub mod clock;
pub mod codecs;
pub mod commands;
mod doors;
mod downlink;
pub mod hj212;
mod http;
mod kinds;
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
