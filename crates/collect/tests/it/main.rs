//! The collector against a real Mosquitto, and against a broker that misbehaves on purpose.

mod certificates;
mod harness;
mod mosquitto;
mod real;
mod script;
mod scripted;
mod sparkplug;
mod tls;
