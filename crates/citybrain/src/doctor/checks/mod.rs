//! What is looked at: one file each.

pub(super) mod brokers;
pub(super) mod certificates;
pub(super) mod clock;
pub(super) mod configuration;
pub(super) mod data_folder;
pub(super) mod descriptors;
pub(super) mod disk;
pub(super) mod exposure;
pub(super) mod fsync;
pub(super) mod identity_provider;
pub(super) mod influxdb;
pub(super) mod listeners;
pub(super) mod memory;
pub(super) mod peers;
pub(super) mod receivers;
pub(super) mod rules;
pub(super) mod running;
pub(super) mod store;
pub(super) mod time_zone;
