//! What LoRaWAN uplinks share: addresses that follow from the device, radio figures, the frame.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Record;
use crate::Value;
use crate::noise::{between, key, mix};

/// The port on which all simulated devices send.
pub(super) const F_PORT: u8 = 85;

/// The device's EUI, in hexadecimal.
pub(super) fn dev_eui(record: &Record<'_>) -> String {
    format!("24e124{:010x}", mix(record.seed, 0xe1) & 0xff_ffff_ffff)
}

/// The device's address in the network, in hexadecimal.
pub(super) fn dev_addr(record: &Record<'_>) -> String {
    format!("26{:06x}", mix(record.seed, 0xad) & 0xff_ffff)
}

/// The id of the gateway that heard it.
pub(super) fn gateway<'r>(record: &Record<'r>) -> &'r str {
    record.device.gateway.as_deref().unwrap_or("gw-unknown")
}

/// The gateway's EUI, in hexadecimal.
pub(super) fn gateway_eui(record: &Record<'_>) -> String {
    format!("647fda{:010x}", key(gateway(record)) & 0xff_ffff_ffff)
}

/// How well it was heard: RSSI in dBm and SNR in dB.
pub(super) fn radio(record: &Record<'_>) -> (i64, f64) {
    let this = mix(record.seed, record.time.as_millisecond() as u64);
    let rssi = between(mix(record.seed, 0x55), -112.0, -62.0) + between(this, -4.0, 4.0);
    let snr = between(mix(this, 1), -6.0, 11.0);
    (rssi.round() as i64, (snr * 4.0).round() / 4.0)
}

/// The application payload in base64: for each value a channel, the type 0x64 (generic) and the
/// value in hundredths as four bytes, in the manner of Cayenne LPP. Network servers pass it on
/// beside what their codec made of it.
pub(super) fn frame(record: &Record<'_>) -> String {
    let mut frame = Vec::with_capacity(record.samples.len() * 6);
    for (channel, sample) in record.samples.iter().enumerate() {
        let hundredths = match sample.value {
            Value::Number(number) => (number * 100.0).round() as i32,
            Value::Integer(count) => (count * 100) as i32,
            Value::Bool(state) => i32::from(state) * 100,
        };
        frame.extend([channel as u8, 0x64]);
        frame.extend(hundredths.to_be_bytes());
    }
    STANDARD.encode(frame)
}

/// An id in the shape of a version 4 UUID that follows from a number.
pub(super) fn uuid(seed: u64) -> String {
    let (a, b) = (mix(seed, 1), mix(seed, 2));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48) & 0x3fff,
        b & 0xffff_ffff_ffff
    )
}
