//! What journeys share: the program under test as a process, a small MQTT publisher that knows
//! exactly what was acknowledged, and the crash test.

pub mod bench;
pub mod crash;
pub mod instance;
pub mod mosquitto;
pub mod publisher;
