//! Uplinks of The Things Stack v3 with the payload formatter's output.

use serde_json::json;

use super::{Encoder, Record, Uplink, Via, bytes, json_object, lorawan};

/// `v3/{application}@{tenant}/devices/{device}/up`.
pub(super) struct TheThingsStack;

/// The tenant in topics; The Things Stack Open Source has none.
const TENANT: &str = "city";

impl Encoder for TheThingsStack {
    fn name(&self) -> &'static str {
        "ttn"
    }

    fn via(&self) -> Via {
        Via::Lorawan
    }

    fn encode(&self, records: &[Record<'_>]) -> Vec<Uplink> {
        records.iter().map(uplink).collect()
    }
}

fn uplink(record: &Record<'_>) -> Uplink {
    let device = record.device;
    let (rssi, snr) = lorawan::radio(record);
    let time = record.time.strftime("%Y-%m-%dT%H:%M:%S%.9fZ").to_string();
    let mut payload = json!({
        "end_device_ids": {
            "device_id": device.id,
            "application_ids": {"application_id": device.department},
            "dev_eui": lorawan::dev_eui(record).to_uppercase(),
            "join_eui": "24E124C0002A0001",
            "dev_addr": lorawan::dev_addr(record).to_uppercase()
        },
        "correlation_ids": [format!("as:up:{}", lorawan::uuid(record.seed))],
        "received_at": time,
        "uplink_message": {
            "session_key_id": "AYfqmb0pc/1uRZv9xUydgQ==",
            "f_port": lorawan::F_PORT,
            "f_cnt": record.counter,
            "frm_payload": lorawan::frame(record),
            "decoded_payload": json_object(record),
            "rx_metadata": [{
                "gateway_ids": {
                    "gateway_id": lorawan::gateway(record),
                    "eui": lorawan::gateway_eui(record).to_uppercase()
                },
                "time": time,
                "rssi": rssi,
                "channel_rssi": rssi,
                "snr": snr,
                "received_at": time
            }],
            "settings": {
                "data_rate": {
                    "lora": {"bandwidth": 125_000, "spreading_factor": 7, "coding_rate": "4/5"}
                },
                "frequency": "904300000"
            },
            "received_at": time,
            "consumed_airtime": "0.056576s",
            "network_ids": {"net_id": "000013", "tenant_id": TENANT, "cluster_id": "nam1"}
        },
        "simulated": true
    });
    if record.counter == 0 {
        // Its protocol buffers leave out what is zero.
        if let Some(message) = payload["uplink_message"].as_object_mut() {
            message.remove("f_cnt");
        }
    }
    Uplink {
        topic: format!("v3/{}@{TENANT}/devices/{}/up", device.department, device.id),
        payload: bytes(&payload),
        readings: record.samples.len() as u32,
    }
}
