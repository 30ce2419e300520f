//! Uplink events of ChirpStack v4 with the codec's output in `object`.

use serde_json::json;

use super::{Encoder, Record, Uplink, Via, bytes, json_object, lorawan};
use crate::noise::{key, mix};

/// `application/{application}/device/{devEui}/event/up`.
pub(super) struct ChirpStack;

impl Encoder for ChirpStack {
    fn name(&self) -> &'static str {
        "chirpstack"
    }

    fn via(&self) -> Via {
        Via::Lorawan
    }

    fn encode(&self, records: &[Record<'_>]) -> Vec<Uplink> {
        records.iter().map(uplink).collect()
    }
}

fn uplink(record: &Record<'_>) -> Uplink {
    let (rssi, snr) = lorawan::radio(record);
    let application = lorawan::uuid(key(&record.device.department));
    let dev_eui = lorawan::dev_eui(record);
    // ChirpStack writes microseconds and an offset, never a Z.
    let time = record.time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string();
    let this = mix(record.seed, record.time.as_millisecond() as u64);
    let payload = json!({
        "deduplicationId": lorawan::uuid(this),
        "time": time,
        "deviceInfo": {
            "tenantId": lorawan::uuid(1),
            "tenantName": "City",
            "applicationId": application,
            "applicationName": record.device.department,
            "deviceProfileId": lorawan::uuid(key(&record.device.kind)),
            "deviceProfileName": record.device.kind,
            "deviceName": record.device.id,
            "devEui": dev_eui,
            "tags": {}
        },
        "devAddr": lorawan::dev_addr(record),
        "adr": true,
        "dr": 5,
        "fCnt": record.counter,
        "fPort": lorawan::F_PORT,
        "confirmed": false,
        "data": lorawan::frame(record),
        "object": json_object(record),
        "rxInfo": [{
            "gatewayId": lorawan::gateway_eui(record),
            "uplinkId": this & 0xffff_ffff,
            "time": time,
            "rssi": rssi,
            "snr": snr,
            "channel": this & 7,
            "location": {},
            "context": "EFwMtA==",
            "metadata": {"region_common_name": "US915", "region_config_id": "us915_0"},
            "crcStatus": "CRC_OK"
        }],
        "txInfo": {
            "frequency": 902_300_000_u64 + 200_000 * (this & 7),
            "modulation": {"lora": {"bandwidth": 125_000, "spreadingFactor": 7, "codeRate": "CR_4_5"}}
        }
    });
    Uplink {
        topic: format!("application/{application}/device/{dev_eui}/event/up"),
        payload: bytes(&payload),
        readings: record.samples.len() as u32,
    }
}
