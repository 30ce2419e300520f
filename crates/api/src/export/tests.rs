//! Files of lists and readings, read back.

use axum::body::{Body, to_bytes};
use axum::http::Method;
use city_model::{AlertEventKind, Quality, Reading, Severity, Span, Value as Measured};
use city_store::Cancel;
use futures_util::StreamExt as _;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};

use super::{Kind, Rows, Shape, Stop, Table, column};
use crate::problem::{Problem, codes};
use crate::tests::fixture::{City, NOW, alert, event};

fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    let row = |row: csv::Result<csv::StringRecord>| {
        row.expect("a row").iter().map(str::to_owned).collect()
    };
    reader.records().map(row).collect()
}

async fn bytes(city: &City, path: &str) -> bytes::Bytes {
    let response = city.open(city.request(Method::GET, path, None)).await;
    assert_eq!(response.status(), 200, "{path}");
    to_bytes(response.into_body(), usize::MAX).await.expect("a whole body")
}

fn measured(city: &City) {
    let at = |secs: i64, reading: Reading| Reading { time: NOW - Span::from_secs(secs), ..reading };
    city.commit(vec![
        at(3, city.reading("air-1", "pm25", 12.5)),
        at(2, Reading { quality: Quality::Suspect, ..city.reading("air-1", "no2", -4.0) }),
        at(1, city.at(city.reading("bus-1", "traffic_speed", 30.0), 10.25, 50.5)),
        at(1, city.reading("lamp/1", "lamp_on", Measured::Bool(true))),
        at(1, city.reading("lamp/1", "state", "=1+1, \"ok\"")),
    ]);
}

fn city() -> City {
    let city = City::new();
    city.registry.metric("state", "").expect("kept");
    measured(&city);
    city
}

const ALL: &str = "/api/v1/readings/export?from=2026-11-23T00:00:00Z";

#[tokio::test]
async fn readings_are_csv_with_quotes_and_without_formulas() {
    let city = city();
    let answer = city.get(ALL).await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"readings-20261123T120000Z.csv\""
    );
    let expected = "time,device,metric,value,unit,quality,lon,lat\r\n\
        2026-11-23T11:59:57Z,air-1,pm25,12.5,ug/m3,pass,10.5,50.5\r\n\
        2026-11-23T11:59:58Z,air-1,no2,-4,ug/m3,suspect,10.5,50.5\r\n\
        2026-11-23T11:59:59Z,bus-1,traffic_speed,30,km/h,pass,10.25,50.5\r\n\
        2026-11-23T11:59:59Z,lamp/1,lamp_on,true,1,pass,,\r\n\
        2026-11-23T11:59:59Z,lamp/1,state,\"'=1+1, \"\"ok\"\"\",,pass,,\r\n";
    assert_eq!(answer.text, expected);
    let raw = city.get(&format!("{ALL}&safe=false&bom=true&metric=state")).await.text;
    assert_eq!(
        raw.strip_prefix('\u{feff}').map(|raw| rows(raw)[1][3].clone()).as_deref(),
        Some("=1+1, \"ok\"")
    );
}

#[tokio::test]
async fn a_file_has_the_rows_and_columns_that_are_asked_for() {
    let city = city();
    let of = async |query: &str| rows(&city.get(&format!("{ALL}&{query}")).await.text);
    let chosen = of("metric=pm25&fields=value,device").await;
    assert_eq!(chosen, [["value [ug/m3]", "device"], ["12.5", "air-1"]]);
    assert_eq!(of("limit=2").await.len(), 3);
    assert_eq!(of("kind=bus,street_light").await.len(), 4);
    assert_eq!(of("zone=old-town").await.len(), 4);
    assert_eq!(of("device=air-1&to=2026-11-23T11:59:58Z").await.len(), 2);
    let steps = of("device=air-1&metric=pm25&step=1h").await;
    assert_eq!(steps[0][4], "min [ug/m3]");
    assert_eq!(
        steps[1][..9],
        ["2026-11-23T11:00:00Z", "air-1", "pm25", "1", "12.5", "12.5", "12.5", "12.5", "12.5"]
    );
    for (query, problem) in [
        ("fields=colour", "bad_parameter"),
        ("device=nobody", "unknown_device"),
        ("limit=0", "bad_parameter"),
        ("format=xls", "bad_parameter"),
    ] {
        assert_eq!(city.get(&format!("{ALL}&{query}")).await.problem(), problem, "{query}");
    }
    assert_eq!(city.get("/api/v1/readings/export").await.problem(), "missing_parameter");
}

#[tokio::test]
async fn readings_are_features_with_their_places() {
    let city = city();
    let answer = city.get(&format!("{ALL}&format=geojson")).await;
    assert_eq!(answer.headers["content-type"], "application/geo+json");
    let collection = answer.json();
    assert_eq!(collection["type"], "FeatureCollection");
    assert_eq!(
        collection["features"][2],
        json!({ "type": "Feature",
            "geometry": { "type": "Point", "coordinates": [10.25, 50.5] },
            "properties": { "time": "2026-11-23T11:59:59Z", "device": "bus-1",
                "metric": "traffic_speed", "value": 30.0, "unit": "km/h", "quality": "pass" } })
    );
    assert_eq!(collection["features"][4]["geometry"], Value::Null);
    let nothing = city.get(&format!("{ALL}&format=geojson&to=2026-11-23T00:00:01Z")).await;
    assert_eq!(nothing.json()["features"], json!([]));
    let sequence = city.get(&format!("{ALL}&format=geojsonseq")).await.text;
    let texts: Vec<_> = sequence.split('\u{1e}').skip(1).collect();
    assert_eq!(texts.len(), 5);
    for text in texts {
        assert!(text.ends_with('\n'));
        let feature: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(feature["type"], "Feature");
    }
}

#[tokio::test]
async fn parquet_reads_back_with_its_types() {
    let city = city();
    let file = bytes(&city, &format!("{ALL}&format=parquet")).await;
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let schema: Vec<String> = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| format!("{} {:?}", column.name(), column.physical_type()))
        .collect();
    assert_eq!(
        schema,
        [
            "time INT64",
            "device BYTE_ARRAY",
            "metric BYTE_ARRAY",
            "value DOUBLE",
            "value_text BYTE_ARRAY",
            "unit BYTE_ARRAY",
            "quality BYTE_ARRAY",
            "lon DOUBLE",
            "lat DOUBLE"
        ]
    );
    let rows: Vec<Vec<Field>> = reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").into_columns().into_iter().map(|(_, field)| field).collect())
        .collect();
    assert_eq!(rows.len(), 5);
    let start = NOW - Span::from_secs(3);
    assert_eq!(rows[0][0], Field::TimestampMicros(start.micros()));
    assert_eq!(rows[0][1], Field::Str("air-1".to_owned()));
    assert_eq!((&rows[0][3], &rows[0][4]), (&Field::Double(12.5), &Field::Null));
    assert_eq!((&rows[3][3], &rows[3][7]), (&Field::Double(1.0), &Field::Null));
    assert_eq!(
        rows[4][4],
        Field::Str("=1+1, \"ok\"".to_owned()),
        "no spreadsheet reads Parquet so"
    );
}

#[tokio::test]
async fn every_list_can_be_had_as_a_file() {
    let city = city();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    city.dead_letter(b"{\"x\":", "syntax");
    for (path, first) in [
        ("devices", vec!["air-1"]),
        ("last-values", vec!["air-1", "pm25"]),
        ("alerts", vec!["a-1", "firing", "high", "pm25_high", "environment", "air-1", "pm25"]),
        ("alert-log", vec!["2026-11-23T12:00:00Z", "fired", "engine", "a-1"]),
    ] {
        let lines = rows(&city.get(&format!("/api/v1/{path}?format=csv")).await.text);
        assert_eq!(lines[1][..first.len()], first, "{path}");
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{path}");
        let mut request = city.request(Method::GET, &format!("/api/v1/{path}"), None);
        request.headers_mut().insert("accept", "application/x-ndjson".parse().expect("a type"));
        let answer = city.send(request).await;
        assert_eq!(answer.headers["vary"], "accept");
        assert_eq!(answer.text.lines().count(), lines.len() - 1, "{path}");
        for line in answer.text.lines() {
            let object: Value = serde_json::from_str(line).expect("JSON");
            assert_eq!(
                object.as_object().map(serde_json::Map::len),
                Some(lines[0].len()),
                "{path}"
            );
        }
        let file = bytes(&city, &format!("/api/v1/{path}?format=parquet")).await;
        let reader = SerializedFileReader::new(file).expect("Parquet");
        let count = reader.metadata().file_metadata().num_rows();
        assert_eq!(count as usize, lines.len() - 1, "{path}");
    }
    let letters = rows(&city.get("/api/v1/dead-letters?format=csv").await.text);
    assert_eq!(letters[1][9..11], ["{\"x\":", "eyJ4Ijo="]);
    let places = city.ok("/api/v1/devices?format=geojson&kind=bus,air_station&sort=-id").await;
    assert_eq!(places["features"][0]["properties"]["id"], "bus-1");
    assert_eq!(places["features"][0]["geometry"]["coordinates"], json!([10.25, 50.5]));
}

/// A file of numbers whose rows `work` gives.
async fn file_of(
    city: &City,
    work: impl FnOnce(&mut Rows, &Cancel) -> Result<(), Stop> + Send + 'static,
) -> Result<axum::response::Response, Problem> {
    let shape: Shape = crate::parameters::read(Vec::new())?;
    let wanted = shape.only_file(&axum::http::HeaderMap::new());
    let table = Table::new("numbers", &[column("n", Kind::Integer)]);
    super::respond(&city.brain.app, wanted, table, work).await
}

fn disk() -> Stop {
    Problem::new(codes::STORE_UNAVAILABLE, "The disk is gone.").into()
}

#[tokio::test]
async fn what_fails_in_the_middle_does_not_look_complete() {
    let city = City::new();
    let early = file_of(&city, |rows, _| rows.add(&[1.0.into()]).and(Err(disk()))).await;
    assert_eq!(early.expect_err("nothing was sent").code(), codes::STORE_UNAVAILABLE);
    let late = file_of(&city, |rows, _| {
        (0..100_000_u64).try_for_each(|n| rows.add(&[n.into()]))?;
        Err(disk())
    });
    let body = late.await.expect("begun").into_body();
    assert!(to_bytes(body, usize::MAX).await.is_err());
    let panicked = file_of(&city, |rows, _| {
        (0..100_000_u64).try_for_each(|n| rows.add(&[n.into()]))?;
        panic!("inside")
    });
    let body = panicked.await.expect("begun").into_body();
    assert!(to_bytes(body, usize::MAX).await.is_err());
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_work_and_little_is_ahead_of_it() {
    let city = City::new();
    let (ended, ends) = tokio::sync::oneshot::channel();
    let endless = file_of(&city, move |rows, cancel| {
        let mut written = 0_u64;
        let stop = loop {
            if let Err(stop) = rows.add(&[written.into()]) {
                break stop;
            }
            written += 1;
        };
        ended.send((written, cancel.check().is_err())).expect("somebody waits");
        Err(stop)
    });
    let body: Body = endless.await.expect("begun").into_body();
    let mut chunks = body.into_data_stream();
    let first = chunks.next().await.expect("a chunk").expect("no error");
    assert!(first.len() <= 128 << 10, "{}", first.len());
    drop(chunks);
    let (written, cancelled) = ends.await.expect("it ends");
    assert!(cancelled);
    // Some chunks of 64 KiB, at two to eight bytes a row.
    assert!(written < 1_000_000, "{written}");
}
