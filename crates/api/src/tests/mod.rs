//! The API from outside: requests in, answers out, everything real but the clock and the pipeline.

mod access;
mod alarm_load;
mod alerts;
mod cap;
mod commands;
mod contract;
mod credentials;
pub(crate) mod fixture;
mod fixture_rules;
mod groups;
mod handling;
mod ingest;
mod open;
mod push;
mod readings;
mod receivers;
mod registry;
mod registry_changes;
mod rule_explain;
mod rule_groups;
mod rule_trials;
mod rules;
mod server;
mod shelves;
mod silences;
mod stream;
mod web;
