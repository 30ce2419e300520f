//! Devices, kinds, departments, mappings and unknown devices, changed.

use axum::http::{Method, StatusCode};
use city_model::Span;
use city_store::{Commit, NewDeadLetter};
use serde_json::{Value, json};

use super::fixture::{Answer, City, NOW};

impl City {
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        tag: Option<&str>,
    ) -> Answer {
        let body = (!body.is_null()).then_some(body);
        let mut request = self.request(method, path, body);
        if let Some(tag) = tag {
            request.headers_mut().insert("if-match", tag.parse().expect("a header"));
        }
        self.send(request).await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.change(Method::PUT, path, body, None).await
    }

    async fn import(&self, kind: &str, accept: &str, query: &str, body: String) -> Answer {
        let path = format!("/api/v1/devices/import?{query}");
        let mut request = self.request(Method::POST, &path, None);
        *request.body_mut() = body.into();
        request.headers_mut().insert("content-type", kind.parse().expect("a header"));
        request.headers_mut().insert("accept", accept.parse().expect("a header"));
        self.send(request).await
    }
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_device_is_put_changed_and_retired_and_nobody_overwrites_what_he_has_not_seen() {
    let city = City::new();
    let path = "/api/v1/devices/well-1";
    let body = json!({ "kind": "well", "department": "works",
        "position": { "lon": 10.5, "lat": 50.5, "crs": "WGS-84" } });
    let put = city.put(path, &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    assert_eq!(put.json()["id"], "well-1");
    assert_eq!(city.ok(path).await["zones"], json!(["old-town"]));
    let entry = city.get(&format!("{path}/entry")).await;
    assert_eq!((entry.json(), tag(&entry)), (put.json(), tag(&put)));

    let blind = city.put(path, &body).await;
    assert_eq!((blind.status, &*blind.problem()), (StatusCode::CONFLICT, "already_exists"));
    let patch = json!({ "life_cycle": "maintenance", "attributes": { "pole": "P7" } });
    let patched = city.change(Method::PATCH, path, &patch, Some(&tag(&put))).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.text);
    assert_ne!(tag(&patched), tag(&put));
    let late = city.change(Method::PUT, path, &body, Some(&tag(&put))).await;
    assert_eq!((late.status.as_u16(), &*late.problem()), (412, "changed_meanwhile"));
    assert_eq!(city.ok(path).await["life_cycle"], "maintenance");

    let patch =
        json!({ "attributes": { "pole": null }, "life_cycle": "retired", "position": null });
    let patched = city.change(Method::PATCH, path, &patch, None).await.json();
    let expected = json!({ "id": "well-1", "kind": "well", "department": "works",
        "life_cycle": "retired", "simulated": false });
    assert_eq!(patched, expected);
}

#[tokio::test]
async fn every_bad_field_of_a_device_is_named() {
    let city = City::new();
    let path = "/api/v1/devices/air-1";
    for (patch, field) in [
        (json!({ "kind": "" }), "kind"),
        (json!({ "interval": "-5s" }), "interval"),
        (json!({ "interval": "soon" }), "interval"),
        (json!({ "position": { "lon": 50.5, "lat": 110.5 } }), "position"),
        (json!({ "position": { "lon": "x", "lat": 1 } }), "position.lon"),
        (json!({ "life_cycle": "gone" }), "life_cycle"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "id": "other" }), "id"),
    ] {
        let answer = city.change(Method::PATCH, path, &patch, None).await;
        assert_eq!(answer.problem(), "bad_fields", "{patch}: {}", answer.text);
        assert_eq!(answer.json()["fields"][0]["field"], field, "{patch}");
    }
    let nobody = city.change(Method::PATCH, "/api/v1/devices/x", &json!({}), None).await;
    assert_eq!(nobody.problem(), "unknown_device");
}

#[tokio::test]
async fn only_a_device_that_never_sent_anything_can_be_deleted() {
    let city = City::new();
    city.commit(vec![city.reading("air-1", "pm25", 12.0)]);
    let delete = async |id: &str, tag| {
        city.change(Method::DELETE, &format!("/api/v1/devices/{id}"), &Value::Null, tag).await
    };
    assert_eq!(delete("air-1", None).await.problem(), "has_history");
    assert_eq!(delete("air-2", Some("\"old\"")).await.problem(), "changed_meanwhile");
    assert_eq!(delete("air-2", None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete("air-2", None).await.problem(), "unknown_device");
    assert_eq!(city.ok("/api/v1/devices").await["total"], 4);
    city.pass(Span::from_millis(200));
    assert_eq!(city.ok("/api/v1/map").await["devices"]["id"], json!(["air-1", "bus-1", "lamp/1"]));
}

#[tokio::test]
async fn a_kind_gives_its_devices_what_they_do_not_say() {
    let city = City::new();
    let path = "/api/v1/kinds/street_light";
    let kind = json!({ "name": { "en": "Street light", "zh": "路灯" }, "interval": "10m",
        "attributes": { "lamp": "LED" }, "codec": "lamp", "codec_variables": { "k": 2 },
        "metrics": ["power"] });
    let put = city.put(path, &kind).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    let lamp = city.ok("/api/v1/devices/lamp%2F1").await;
    assert_eq!((&lamp["interval_s"], &lamp["attributes"]), (&json!(600.0), &json!({"lamp":"LED"})));
    assert_eq!(lamp["inherited"], json!(["interval", "attributes.lamp"]));
    assert_eq!(city.get(path).await.json(), put.json());
    assert_eq!(city.put(path, &kind).await.problem(), "already_exists");
    let again = json!({ "name": "Lamp", "interval": "5m" });
    let changed = city.change(Method::PUT, path, &again, Some(&tag(&put))).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    assert_eq!(city.ok("/api/v1/devices/lamp%2F1").await["interval_s"], 300.0);

    let delete = async |path: &str| city.change(Method::DELETE, path, &Value::Null, None).await;
    assert_eq!(delete(path).await.problem(), "in_use");
    assert_eq!(delete("/api/v1/kinds/air_station").await.problem(), "configured");
    assert_eq!(city.put("/api/v1/kinds/air_station", &again).await.problem(), "configured");
    assert_eq!(city.put("/api/v1/kinds/empty", &again).await.status, StatusCode::CREATED);
    assert_eq!(delete("/api/v1/kinds/empty").await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete("/api/v1/kinds/empty").await.problem(), "unknown_kind");
    let bad = city.put("/api/v1/kinds/bad", &json!({ "name": "", "interval": "0s" })).await;
    assert_eq!(bad.json()["fields"].as_array().map(Vec::len), Some(2), "{}", bad.text);
}

#[tokio::test]
async fn departments_are_named_and_forgotten() {
    let city = City::new();
    let parks = "/api/v1/departments/parks";
    let named = city.put(parks, &json!({ "name": { "en": "Parks", "zh": "园林局" } })).await;
    assert_eq!(named.status, StatusCode::CREATED, "{}", named.text);
    let list = city.ok("/api/v1/departments").await;
    let expected = json!({ "id": "parks", "name": { "en": "Parks", "zh": "园林局" }, "devices": 0,
        "configured": false });
    assert!(list["items"].as_array().expect("items").contains(&expected), "{list}");
    let delete = async |path: &str| city.change(Method::DELETE, path, &Value::Null, None).await;
    assert_eq!(delete(parks).await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete(parks).await.problem(), "unknown_department");
    assert_eq!(delete("/api/v1/departments/environment").await.problem(), "configured");
    assert_eq!(delete("/api/v1/departments/works").await.problem(), "in_use");
}

const MIXED: &str = "id,name,kind,department,lon,lat,attr.pole\n\
    new-1,\"Well, one\",well,works,10.5,50.5,007\n\
    new-2,,well,works,500,50.5,\n\
    new-3,,well,works,x,50.5,\n";

#[tokio::test]
async fn a_list_in_csv_is_taken_whole_or_in_part_or_only_checked() {
    let city = City::new();
    let import = async |query: &str| {
        city.import("text/csv; charset=utf-8", "application/json", query, MIXED.to_owned()).await
    };
    let refused = import("").await;
    assert_eq!(refused.problem(), "bad_devices");
    let places = |problems: &Value| -> Vec<(Value, Value)> {
        let problems = problems.as_array().expect("a list");
        problems.iter().map(|p| (p["line"].clone(), p["field"].clone())).collect()
    };
    let expected = [(json!(3), json!("position")), (json!(4), json!("lon"))];
    assert_eq!(places(&refused.json()["problems"]), expected);
    for query in ["check=true", "partial=true"] {
        let answer = import(query).await;
        assert_eq!(answer.status, StatusCode::MULTI_STATUS);
        let report = answer.json();
        assert_eq!((&report["added"], places(&report["problems"])), (&json!(1), expected.to_vec()));
        let known = city.get("/api/v1/devices/new-1").await.status == StatusCode::OK;
        assert_eq!(known, query == "partial=true");
    }
    let well = city.ok("/api/v1/devices/new-1").await;
    assert_eq!(
        (&well["name"]["zh"], &well["attributes"]["pole"]),
        (&json!("Well, one"), &json!("007"))
    );

    let csv = city.get("/api/v1/devices/export?format=csv").await;
    assert!(csv.headers["content-type"].to_str().expect("text").starts_with("text/csv"));
    assert!(csv.headers["content-disposition"].to_str().expect("text").contains("devices.csv"));
    let again = city.import("text/csv", "application/json", "", csv.text).await.json();
    assert_eq!((&again["unchanged"], &again["changed"]), (&json!(6), &json!(0)), "{again}");
    let other = city.import("text/plain", "application/json", "", String::new()).await;
    assert_eq!(other.problem(), "unsupported_media_type");
}

#[tokio::test]
async fn who_waits_for_a_long_import_is_told_line_by_line() {
    let city = City::new();
    let entries: Vec<Value> = (0..2_500)
        .map(|index| json!({ "id": format!("d{index}"), "kind": "k", "department": "works" }))
        .collect();
    let lines = async |body: String| -> Vec<Value> {
        let answer = city.import("application/json", "application/x-ndjson", "", body).await;
        assert_eq!(answer.headers["content-type"], "application/x-ndjson");
        answer.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let told = lines(json!(entries).to_string()).await;
    assert_eq!(told.first(), Some(&json!({ "done": 0, "of": 2500 })));
    assert_eq!(told.last().expect("an end")["result"]["added"], 2_500);
    assert!(told.contains(&json!({ "done": 2500, "of": 2500 })), "{told:?}");
    let told = lines(r#"[{"id":""}]"#.to_owned()).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["problem"]["code"], "bad_devices");
}

#[tokio::test]
async fn a_name_waits_until_somebody_says_what_it_means() {
    let city = City::new();
    city.unknown("radon", "rogue-1");
    let waiting = async || city.ok("/api/v1/metrics?unmapped=true").await["items"].clone();
    let seen = json!([{ "source": "mqtt", "count": 1, "unit": "Bq", "last_value": 42.5,
        "first_seen_at": NOW.to_string(), "last_seen_at": NOW.to_string() }]);
    assert_eq!(waiting().await[0]["id"], "radon");
    assert_eq!(waiting().await[0]["seen"], seen);
    let catalogue = city.ok("/api/v1/metrics?unmapped=false").await["items"].clone();
    assert!(catalogue.as_array().expect("items").iter().all(|metric| metric["unmapped"] == false));

    let path = "/api/v1/mappings";
    let bad = json!({ "name": "radon", "metric": "nothing", "scale": 0 });
    let refused = city.put(path, &bad).await;
    assert_eq!(refused.problem(), "bad_fields");
    assert_eq!(refused.json()["fields"].as_array().map(Vec::len), Some(2));
    let good = json!({ "source": "mqtt", "name": "radon", "metric": "pm25", "unit": "mg/m3" });
    let put = city.put(path, &good).await;
    assert_eq!(put.status, StatusCode::NO_CONTENT, "{}", put.text);
    assert_eq!(waiting().await, json!([]));
    assert_eq!(city.ok(path).await["items"], json!([good]));
    let delete = async |query: &str| {
        city.change(Method::DELETE, &format!("{path}?{query}"), &Value::Null, None).await
    };
    assert_eq!(delete("name=radon").await.problem(), "unknown_mapping");
    assert_eq!(delete("name=radon&source=mqtt").await.status, StatusCode::NO_CONTENT);
    assert_eq!(waiting().await[0]["id"], "radon");
}

#[tokio::test]
async fn an_unknown_device_is_accepted_with_what_it_had_sent_or_ignored() {
    let city = City::new();
    for id in ["rogue-1", "rogue-2", "rogue-3"] {
        city.unknown("radon", id);
        city.clock.advance(Span::from_secs(1));
    }
    for id in ["rogue-1", "rogue-2", "rogue-1"] {
        let letter = NewDeadLetter {
            source: Some(0),
            source_id: "mqtt".to_owned(),
            topic: "city/x".to_owned(),
            payload: id.as_bytes().into(),
            client: None,
            received: NOW,
            device: Some(id.to_owned()),
            device_key: None,
            reason: "unknown_device".to_owned(),
            detail: "it is not registered".to_owned(),
            hint: "register it".to_owned(),
            again: false,
            items: 1,
        };
        let commit = Commit { dead_letters: vec![letter], ..Commit::default() };
        city.store.commit(&commit).expect("committed");
    }
    let path = "/api/v1/provisioning/unknown";
    let first = city.ok(&format!("{path}?limit=2")).await;
    assert_eq!((&first["total"], &first["items"][0]["id"]), (&json!(3), &json!("rogue-3")));
    let cursor = first["next_cursor"].as_str().expect("more").to_owned();
    let second = city.ok(&format!("{path}?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (&second["items"][0]["id"], &second["next_cursor"]),
        (&json!("rogue-1"), &Value::Null)
    );

    let ignored = city.post(&format!("{path}/rogue-2/ignore"), &json!({})).await;
    assert_eq!(ignored.status, StatusCode::NO_CONTENT);
    assert_eq!(city.ok(path).await["total"], 2);
    assert_eq!(city.ok(&format!("{path}?ignored=true")).await["items"][0]["id"], "rogue-2");

    let how = json!({ "kind": "radon_probe", "name": "Cellar" });
    let accepted = city.post(&format!("{path}/rogue-1/accept"), &how).await.json();
    assert_eq!(accepted["device"]["kind"], "radon_probe");
    assert_eq!(accepted["device"]["department"], "environment");
    assert_eq!((&accepted["dead_letters"], &accepted["replayed"]), (&json!(2), &json!(2)));
    let replayed = city.pipeline.replayed.lock().expect("not poisoned").clone();
    assert!(replayed.len() == 2 && replayed[0] < replayed[1], "oldest first: {replayed:?}");
    assert_eq!(city.ok(path).await["total"], 1);
    let again = city.post(&format!("{path}/rogue-1/accept"), &json!({})).await;
    assert_eq!(again.problem(), "not_waiting");
}
