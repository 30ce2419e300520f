//! Codecs in the manner of vendors' files against published frames with published results.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use city_codec::{JsCodec, Limits};
use city_decode::{Codec, CodecOutput, CodecValue, Frame, built_in};
use city_model::{Timestamp, Value};
use serde_json::{Map, Value as Json, json};

const PROFILES: &[u8] = include_bytes!("../testdata/lorawan_chirpstack_profiles.json.gz");
const FRAMES: &[u8] = include_bytes!("../testdata/lorawan_frames_thingsboard.json.gz");

const DECENTLAB: &str = include_str!("../testdata/codecs/decentlab.js");
const ELSYS: &str = include_str!("../testdata/codecs/elsys.js");
const MILESIGHT: &str = include_str!("../testdata/codecs/milesight.js");
const BROWAN: &str = include_str!("../testdata/codecs/browan.js");
const DRAGINO: &str = include_str!("../testdata/codecs/dragino_ldds75.js");
const EXAMPLE: &str = include_str!("../testdata/codecs/example.js");
const VICKI: &str = include_str!("../testdata/codecs/mclimate_vicki.js");
const BOSCH: &str = include_str!("../testdata/codecs/bosch_parking.js");

/// Models of Decentlab whose layout is in the test codec.
const DECENTLAB_MODELS: [&str; 33] = [
    "dl-5tm",
    "dl-blg",
    "dl-ctd10b",
    "dl-cws2",
    "dl-dlr2-002",
    "dl-dlr2-005",
    "dl-dlr2-009",
    "dl-dlr2-010",
    "dl-ds18",
    "dl-iam",
    "dl-ifd",
    "dl-isd",
    "dl-isf",
    "dl-lid",
    "dl-lp8p",
    "dl-lpw",
    "dl-lws",
    "dl-mbx",
    "dl-par",
    "dl-pheht",
    "dl-pm",
    "dl-pr36",
    "dl-pyr",
    "dl-rad",
    "dl-rhc",
    "dl-sdd",
    "dl-tbrg",
    "dl-tp",
    "dl-trs11",
    "dl-zn1",
    "dl-zn2",
    "dl-sht35-001",
    "dl-sht35-002",
];

/// The codec for a kind of device in the collections; `None`: no file is shipped for it.
fn codec(device: &str) -> Option<Box<dyn Codec>> {
    let device = device.to_lowercase();
    let (vendor, model) = device.split_once('/')?;
    let (file, source) = match (vendor, model) {
        ("decentlab", model) if DECENTLAB_MODELS.contains(&model) => ("decentlab.js", DECENTLAB),
        ("elsys", _) => ("elsys.js", ELSYS),
        (
            "milesight",
            "em300-sld-zld" | "em300-th" | "em500-pt100" | "am102" | "am103l" | "am104",
        ) => ("milesight.js", MILESIGHT),
        ("browan", "merryiot-cd10" | "tabs-tbhh100") => ("browan.js", BROWAN),
        ("dragino", "ldds75") => ("dragino_ldds75.js", DRAGINO),
        ("example-vendor", _) => ("example.js", EXAMPLE),
        ("mclimate", "vicki") => ("mclimate_vicki.js", VICKI),
        ("bosch", "parking_lot_sensor") => ("bosch_parking.js", BOSCH),
        ("rakwireless", _) => return Some(Box::new(Shared(built_in("cayenne_lpp")?))),
        _ => return None,
    };
    let mut variables = Map::new();
    variables.insert("model".to_owned(), model.into());
    let limits = Limits { time: Duration::from_secs(5), ..Limits::default() };
    let codec = JsCodec::new(file, source, &variables, limits);
    Some(Box::new(codec.unwrap_or_else(|error| panic!("{error}"))))
}

struct Shared(std::sync::Arc<dyn Codec>);

impl Codec for Shared {
    fn decode_uplink(
        &self,
        frame: &Frame<'_>,
        out: &mut CodecOutput,
    ) -> Result<(), city_decode::CodecError> {
        self.0.decode_uplink(frame, out)
    }
}

fn cases(packed: &[u8]) -> Vec<(String, Json)> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("gzip");
    let cases: Vec<Json> = serde_json::from_str(&text).expect("JSON");
    let device = |case: &Json| {
        let format = case["format"].as_str().expect("a format");
        format.strip_prefix("lorawan-device/").expect("a device").to_owned()
    };
    cases.into_iter().map(|case| (device(&case), case)).collect()
}

fn run(codec: &dyn Codec, device: &str, input: &Json) -> Vec<CodecValue> {
    let text = input["bytes_hex"].as_str().expect("bytes");
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(pair).collect();
    let frame = Frame {
        device,
        bytes: &bytes,
        f_port: input["fPort"].as_u64().map(|port| port as u8),
        received: Timestamp::from_secs(1_795_422_600),
    };
    let mut out = CodecOutput::default();
    codec
        .decode_uplink(&frame, &mut out)
        .unwrap_or_else(|error| panic!("{device}: {error}: {text}"));
    out.values
}

/// The published result by path, a value with its unit as one value: (value, unit).
fn flat(name: &str, value: &Json, out: &mut BTreeMap<String, (Json, Option<String>)>) {
    match value {
        Json::Object(parts) if parts.contains_key("value") && parts.contains_key("displayName") => {
            let unit = parts.get("unit").and_then(Json::as_str).map(str::to_owned);
            out.insert(name.to_owned(), (parts["value"].clone(), unit));
        }
        Json::Object(parts) => {
            for (key, value) in parts {
                let dot = if name.is_empty() { "" } else { "." };
                flat(&format!("{name}{dot}{key}"), value, out);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                flat(&format!("{name}[{index}]"), item, out);
            }
        }
        Json::Null => {}
        scalar => {
            out.insert(name.to_owned(), (scalar.clone(), None));
        }
    }
}

fn same(value: &Value, expected: &Json) -> bool {
    match (value, expected) {
        (Value::Number(number), Json::Number(expected)) => {
            let expected = expected.as_f64().expect("finite");
            // Some are published with ten digits.
            (number - expected).abs() <= 1e-9 * expected.abs().max(1.0)
        }
        (Value::Bool(flag), Json::Bool(expected)) => flag == expected,
        (Value::Text(text), Json::String(expected)) => **text == **expected,
        _ => false,
    }
}

/// The 90 vectors of ChirpStack's device profiles: 81 pass, with every value and unit and nothing
/// more. Not run, because no codec file is shipped for them: `sept-s/tg563a` (1), `yobiiq/dsmr`
/// (7). Not passed: one of `decentlab/dl-dlr2-009`, whose thermistor's curve is not published.
#[test]
fn the_90_vectors_of_chirpstacks_device_profiles() {
    let (mut passed, mut values) = (0, 0);
    let mut not_covered: BTreeMap<String, usize> = BTreeMap::new();
    for (device, case) in cases(PROFILES) {
        let curve = device.ends_with("dl-dlr2-009")
            && case["expected"]["data"].get("thermistor_resistance").is_some();
        let Some(codec) = codec(&device).filter(|_| !curve) else {
            *not_covered.entry(device).or_default() += 1;
            continue;
        };
        let found = run(&*codec, &device, &case["input"]);
        let mut expected = BTreeMap::new();
        flat("", &case["expected"]["data"], &mut expected);
        for value in &found {
            let (published, unit) =
                expected.get(&value.name).unwrap_or_else(|| panic!("{device}: {}", value.name));
            assert!(same(&value.value, published), "{device}: {value:?}, not {published}");
            // The built-in Cayenne LPP knows units that the vendor's file does not give.
            if !device.starts_with("rakwireless") {
                assert_eq!(value.unit.as_deref(), unit.as_deref(), "{device}: {}", value.name);
            }
        }
        assert_eq!(found.len(), expected.len(), "{device}: {found:?}");
        values += found.len();
        passed += 1;
    }
    let not_covered = json!(not_covered);
    let expected = json!({"decentlab/dl-dlr2-009": 1, "sept-s/tg563a": 1, "yobiiq/dsmr": 7});
    assert_eq!(not_covered, expected);
    assert_eq!((passed, values), (81, 428));
}

/// The 242 frames of ThingsBoard's converters: 140 pass with every published value, 3 differ (see
/// [`differs`]), 99 are of devices that no codec file is shipped for.
#[test]
fn the_242_frames_of_thingsboards_converters() {
    let (mut passed, mut values, mut disagreeing, mut not_covered) = (0, 0, 0, 0);
    for (device, case) in cases(FRAMES) {
        if differs(&device, &case) {
            disagreeing += 1;
            continue;
        }
        let Some(codec) = codec(&device) else {
            not_covered += 1;
            continue;
        };
        let found = run(&*codec, &device, &case["input"]);
        let rows = case["expected"]["telemetry"].as_array().expect("rows");
        // Rows after the first are a device's own history.
        let history_first =
            found.iter().any(|value| value.name.starts_with("history")) && rows.len() == 1;
        for (index, row) in rows.iter().enumerate() {
            let prefix = match index {
                0 if !history_first => String::new(),
                0 => "history[0].".to_owned(),
                index => format!("history[{}].", index - 1),
            };
            for (name, published) in row.as_object().expect("values") {
                let name = format!("{prefix}{name}");
                let value = found.iter().find(|value| value.name == name);
                let value = value.unwrap_or_else(|| panic!("{device}: no {name} in {found:?}"));
                assert!(same(&value.value, published), "{device}: {value:?}, not {published}");
                values += 1;
            }
        }
        passed += 1;
    }
    assert_eq!((passed, values, disagreeing, not_covered), (140, 541, 3, 99));
}

/// Frames of devices that have a codec here whose published values it does not give:
/// - `DL-DLR2-009` with a measurement: its thermistor's curve is not published;
/// - one frame of `EM300-SLD-ZLD`: the converter takes the first byte of the time (0x9e) for the
///   humidity (79 %), which ChirpStack's vector of the same layout shows to be another byte.
fn differs(device: &str, case: &Json) -> bool {
    match device {
        "Decentlab/DL-DLR2-009" => {
            case["expected"]["telemetry"][0].get("thermistor_resistance").is_some()
        }
        "Milesight/EM300-SLD-ZLD" => case["input"]["bytes_hex"] == "20ce9e74466310015d01",
        _ => false,
    }
}
