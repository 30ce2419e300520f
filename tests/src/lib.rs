//! What journeys share: the program under test as a process, a small MQTT publisher that knows
//! exactly what was acknowledged, networks and disks that fail, and the crash test.

pub mod bench;
pub mod browser;
pub mod certificates;
pub mod cluster;
pub mod crash;
pub mod disk;
pub mod faults;
pub mod fleet;
pub mod gateway;
pub mod http;
pub mod influxd;
pub mod instance;
pub mod mosquitto;
pub mod mqtt_load;
pub mod nats;
pub mod network;
pub mod peers;
pub mod ports;
pub mod power;
pub mod publisher;
pub mod schemathesis;
pub mod sink;
pub mod slow_store;
