//! LORIOT uplinks in JSON, as its application outputs (MQTT, HTTP push, WebSocket) send them.
//!
//! ```json
//! {"cmd": "gw", "seqno": 4, "EUI": "0102030405060708", "ts": 1795422600493, "fcnt": 3, "port": 2,
//!  "freq": 868300000, "dr": "SF12 BW125 4/5", "ack": false, "bat": 143, "data": "0112",
//!  "gws": [{"rssi": -38, "snr": 8.5, "gweui": "1020304080706050", "lat": 41.8, "lon": -87.6}],
//!  "decoded": {"temperature": 28.0, "open": false}}
//! ```
//!
//! `rx` is an uplink, `gw` the same uplink again with all gateways that heard it; whichever comes
//! second changes nothing. Other commands are no uplinks. `ts` is the server's time in
//! milliseconds. `decoded` is there if the application has a decoder; it may be inside
//! `decoded.data`. Otherwise `data` is decoded here (see [`crate::lorawan`]). `bat` is what the
//! network server asked the device for, not what the device measured: it is left out.
//!
//! Options: `lon` and `lat`, the names of decoded values that are the device's own position;
//! `codec` = `cayenne_lpp` for what nobody else decodes. The device is its EUI.

use city_model::Timestamp;
use serde::Deserialize;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError};
use crate::flat::Flat;
use crate::guard::{Guarded, Parse, Sink};
use crate::lorawan::{self, Body, Bytes, Header, Uplinks};
use crate::options::Options;
use crate::wire::{self, Text};
use crate::{Decoder, Example, Format, Message};

/// LORIOT's uplinks.
pub(super) struct Loriot;

impl Format for Loriot {
    fn name(&self) -> &'static str {
        "loriot"
    }

    fn summary(&self) -> &'static str {
        "LoRaWAN uplinks of LORIOT"
    }

    fn summary_zh(&self) -> &'static str {
        "LORIOT 的 LoRaWAN 上行消息"
    }

    fn example(&self) -> Example {
        Example {
            topic: "loriot/city/0102030405060708",
            options: r#"{"codec": "cayenne_lpp"}"#,
            payload: r#"{"cmd": "gw", "seqno": 4, "EUI": "01020304050607AB", "ts": 1795422600493,
                "fcnt": 3, "port": 2, "freq": 868300000, "dr": "SF12 BW125 4/5", "ack": false,
                "bat": 143, "data": "03670118046865", "gws": [{"rssi": -38, "snr": 8.5,
                "gweui": "10203040807060AB", "lat": 41.8, "lon": -87.6}]}"#,
            values: 2,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &lorawan::KEYS)?;
        Guarded::boxed(Uplinks::from_options(&options, &[("eui", Eui)], Eui)?, &options)
    }
}

/// The only name that LORIOT has for a device.
#[derive(Clone, Copy, Debug)]
struct Eui;

#[derive(Deserialize)]
struct Uplink<'a> {
    #[serde(borrow)]
    cmd: Option<Text<'a>>,
    #[serde(borrow, rename = "EUI")]
    eui: Option<Text<'a>>,
    ts: Option<i64>,
    fcnt: Option<u64>,
    port: Option<u64>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    encdata: Option<Text<'a>>,
    #[serde(borrow)]
    gws: Option<Vec<Gateway<'a>>>,
    #[serde(borrow)]
    decoded: Option<Flat<'a>>,
}

#[derive(Deserialize)]
struct Gateway<'a> {
    #[serde(borrow)]
    gweui: Option<Text<'a>>,
    rssi: Option<f64>,
}

impl Parse for Uplinks<Eui> {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut uplink: Uplink<'a> = wire::from_json(message.payload)?;
        if !matches!(uplink.cmd.as_ref().map(|Text(cmd)| cmd.as_ref()), Some("rx" | "gw")) {
            return Ok(());
        }
        if uplink.data.is_none() && uplink.encdata.is_some() {
            return Err(encrypted());
        }
        let body = Body {
            decoded: uplink.decoded.take().map(inside_data),
            decoded_at: "decoded",
            bytes: uplink.data.take().map(Bytes::Hex),
            bytes_at: "data",
            f_port: uplink.port,
            hint: "set a decoder for its application in LORIOT",
        };
        let header = header(uplink)?;
        self.take(message, body, header, sink)
    }

    fn looked_for(&self) -> String {
        "an uplink (`cmd` is rx or gw) with the device's bytes in `data`".to_owned()
    }
}

fn header(uplink: Uplink<'_>) -> Result<Header<'_>, DecodeError> {
    let time = uplink.ts.map(Timestamp::from_millis);
    if let Some(time) = time.filter(|time| !time.is_writable()) {
        return Err(DecodeError::new(
            DecodeErrorKind::BadTime,
            At::Path("ts".to_owned()),
            format!("the time {} is out of range", time.millis()),
            "it must be milliseconds since 1970",
        ));
    }
    let strength = |gateway: &Gateway<'_>| gateway.rssi.unwrap_or(f64::NEG_INFINITY);
    // Of equals `max_by` takes the last, so the first is put there.
    let heard = uplink.gws.unwrap_or_default().into_iter().rev();
    let best = heard.max_by(|a, b| strength(a).total_cmp(&strength(b)));
    Ok(Header {
        device: lorawan::eui(uplink.eui, "EUI")?,
        time,
        sequence: uplink.fcnt,
        gateway: lorawan::eui(best.and_then(|best| best.gweui), "gws[0].gweui")?,
        ..Header::default()
    })
}

/// Takes what is inside `data`, if the decoder puts everything there.
fn inside_data(mut flat: Flat<'_>) -> Flat<'_> {
    flat.entries().go_inside("data.");
    flat
}

fn encrypted() -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::NoCodec,
        At::Path("encdata".to_owned()),
        "the device's bytes are still encrypted",
        "give LORIOT the device's AppSKey",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoded;

    fn decode(payload: &str) -> Result<Vec<Decoded<'_>>, DecodeError> {
        let options = serde_json::json!({"codec": "cayenne_lpp"});
        let decoder = Box::leak(Loriot.compile(&options).expect("valid options"));
        let message = Message::new("t", payload.as_bytes(), Timestamp::from_secs(1_800_000_000));
        let mut out = Vec::new();
        decoder.decode(&message, &mut out).map(|()| out)
    }

    #[test]
    fn the_envelope_is_read_and_the_gateways_place_is_not() {
        let values = decode(Loriot.example().payload).expect("values");
        for value in &values {
            assert_eq!(value.device.as_deref(), Some("01020304050607ab"));
            assert_eq!(value.gateway.as_deref(), Some("10203040807060ab"));
            assert_eq!(value.time, Some(Timestamp::from_millis(1_795_422_600_493)));
            assert_eq!((value.sequence, value.position), (Some(3), None));
        }
        assert_eq!(values[0].metric, "temperature_3");
    }

    #[test]
    fn a_decoders_output_comes_before_the_sources_codec() {
        for decoded in [r#"{"t": 1.5}"#, r#"{"success": true, "data": {"t": 1.5}}"#] {
            let payload =
                format!(r#"{{"cmd": "rx", "EUI": "01", "data": "00", "decoded": {decoded}}}"#);
            let values = decode(&payload).expect("values");
            assert_eq!(values.len(), 1, "{decoded}");
            assert_eq!(values[0].metric, "t");
        }
    }

    #[test]
    fn what_is_no_uplink_or_encrypted_is_told_apart() {
        let error = decode(r#"{"cmd": "txd", "EUI": "01", "data": "00"}"#).expect_err("a downlink");
        assert_eq!(error.kind, DecodeErrorKind::NoValues);
        let error = decode(r#"{"cmd": "rx", "EUI": "01", "encdata": "00"}"#).expect_err("locked");
        assert!(error.hint.contains("AppSKey"), "{error}");
        for odd in ["0", "0g", "é"] {
            let payload = format!(r#"{{"cmd": "rx", "data": "{odd}"}}"#);
            let error = decode(&payload).expect_err(odd);
            assert_eq!(error.kind, DecodeErrorKind::Malformed);
        }
        let error = decode(r#"{"cmd": "rx", "data": "00", "ts": 9223372036854775807}"#);
        assert_eq!(error.expect_err("no time").kind, DecodeErrorKind::BadTime);
    }
}
