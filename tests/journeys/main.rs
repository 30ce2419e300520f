//! Whole journeys with real brokers, servers, faults and crashes, one after the other:
//! `cargo test -p city-tests --test journeys -- --test-threads=1 NAME`.

mod access;
mod alert_crash;
mod audit;
mod bad_input;
mod browser;
mod cluster;
mod crash;
mod detection;
mod exports;
mod faults_broker;
mod faults_clock;
mod faults_disk;
mod faults_load;
mod faults_store;
mod influxdb;
mod interop;
mod mosquitto;
mod oidc;
mod operations;
mod overload;
mod people;
mod power_loss;
mod prometheus;
mod replay;
mod rule_groups;
mod rules;
