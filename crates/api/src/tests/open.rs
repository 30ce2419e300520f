//! Open data: what is marked is there for everybody, and nothing else ever is.

use axum::http::{Method, StatusCode, header};
use city_model::{Marks, Quality, Span};
use city_registry::read_devices;
use serde_json::{Value as Json, json};

use super::fixture::{Answer, City, NOW, bare};
use crate::Role;
use crate::auth::policy::{Access, POLICIES};

/// Devices that no dataset of these tests may ever show, each for another reason, beside those of
/// the fixture. Their ids, names and attributes hold `secret`.
const HIDDEN: &str = r#"[
    {"id":"secret-kind","kind":"secret_meter","department":"environment",
     "position":{"lon":10.61,"lat":50.61}},
    {"id":"secret-retired","kind":"air_station","department":"environment","life_cycle":"retired",
     "position":{"lon":10.62,"lat":50.62}},
    {"id":"secret-planned","kind":"air_station","department":"environment",
     "life_cycle":"planned","position":{"lon":10.63,"lat":50.63}},
    {"id":"secret-department","kind":"air_station","department":"works",
     "position":{"lon":10.64,"lat":50.64}},
    {"id":"secret-zone","kind":"air_station","department":"environment",
     "position":{"lon":11.65,"lat":50.65}},
    {"id":"secret-moving","kind":"air_station","department":"environment","moving":true},
    {"id":"secret-nowhere","kind":"air_station","department":"environment"},
    {"id":"open-1","kind":"air_station","department":"environment",
     "name":{"en":"secret name","zh":"secret name"},"position":{"lon":10.6,"lat":50.6},
     "attributes":{"secret_pole":"secret value","height":"=2+3"},"simulated":true}]"#;

fn dataset() -> Json {
    json!({
        "title": {"en": "Air <quality>", "zh": "空气质量"},
        "description": {"en": "Hourly \"air\" & more", "zh": "空气"},
        "department": "environment", "licence": "CC-BY-4.0", "themes": ["ENVI"],
        "contact": "open@example.org",
        "select": {"kinds": ["air_station"], "metrics": ["pm25"], "zones": ["old-town"]},
        "positions": "exact", "attributes": ["height"], "history_days": 7, "enabled": true,
    })
}

/// A city with one dataset `air`, and readings of everything.
async fn city() -> City {
    let city = City::new();
    city.registry.import(&read_devices("devices", HIDDEN).expect("valid")).expect("imported");
    let answer = put(&city, "air", &dataset()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let ids: Vec<String> =
        city.registry.directory().devices().map(|device| device.id.to_string()).collect();
    let mut readings = Vec::new();
    for (nth, id) in ids.iter().enumerate() {
        for minutes in 0..5 {
            let mut reading = city.reading(id, "pm25", 12.5 + nth as f64);
            reading.time = NOW - Span::from_mins(minutes);
            reading.quality = if minutes == 3 { Quality::Fail } else { Quality::Pass };
            let mut other = city.reading(id, "no2", 987_654.25);
            other.time = reading.time;
            readings.extend([reading, other]);
        }
        // Older than what is public.
        let mut old = city.reading(id, "pm25", 876_543.5);
        old.time = NOW - Span::from_hours(24 * 8);
        readings.push(old);
    }
    city.commit(readings);
    city
}

async fn put(city: &City, id: &str, body: &Json) -> Answer {
    city.send(city.request(Method::PUT, &format!("/api/v1/datasets/{id}"), Some(body))).await
}

/// Puts it in the place of what is there.
async fn replace(city: &City, id: &str, body: &Json) {
    let path = format!("/api/v1/datasets/{id}");
    let mut request = city.request(Method::PUT, &path, Some(body));
    request.headers_mut().insert(header::IF_MATCH, "*".parse().expect("a header"));
    let answer = city.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

async fn open(city: &City, path: &str) -> Answer {
    city.send(bare(Method::GET, &format!("/open/v1{path}"), None)).await
}

async fn open_as(city: &City, path: &str, accept: &str) -> Answer {
    let mut request = bare(Method::GET, &format!("/open/v1{path}"), None);
    request.headers_mut().insert(header::ACCEPT, accept.parse().expect("a header"));
    request.headers_mut().insert(header::HOST, "city.example".parse().expect("a header"));
    city.send(request).await
}

/// Every address of open data, as the policies have them, for the dataset `air`.
fn addresses() -> Vec<String> {
    let mut found = Vec::new();
    let open = POLICIES.iter().filter(|policy| policy.path.starts_with("/open/v1"));
    for policy in open {
        assert_eq!((policy.method, policy.access), ("GET", Access::Open), "{policy:?}");
        let path = policy.path.trim_start_matches("/open/v1").replace("{id}", "air");
        let path = path.replace("{day}", "2026-11-23.csv");
        if path.contains("{file}") {
            for rows in ["devices", "latest"] {
                for format in ["json", "csv", "geojson"] {
                    found.push(path.replace("{file}", &format!("{rows}.{format}")));
                }
            }
        } else if path.contains("readings.") {
            let wide = "from=2026-11-01T00:00:00Z&to=2026-11-30T00:00:00Z";
            found.extend([
                path.clone(),
                format!("{path}?{wide}"),
                format!("{path}?{wide}&step=1h"),
            ]);
        } else {
            assert!(!path.contains('{'), "a new address needs an example here: {path}");
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn nothing_is_shown_that_nobody_marked() {
    let city = city().await;
    let mut told = 0;
    for path in addresses() {
        for accept in ["application/json", "text/html", "text/turtle", "application/ld+json"] {
            let answer = open_as(&city, &path, accept).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
            for hidden in [
                "secret",
                "air-2",
                "bus-1",
                "lamp",
                "old-1",
                "no2",
                "987654.25",
                "876543.5",
                "Market Square",
                "works",
                "transport",
                "10.61",
                "10.62",
                "10.63",
                "10.64",
                "11.65",
                "P7",
                "ada",
                "street_light",
            ] {
                assert!(!answer.text.contains(hidden), "{path}: {hidden}: {}", answer.text);
            }
            told += usize::from(answer.text.contains("open-1"));
        }
    }
    assert!(told >= 4 * 9, "and what is marked is told: {told}");
}

#[tokio::test]
async fn devices_and_metrics_that_are_not_marked_cannot_be_asked_for() {
    let city = city().await;
    for id in ["air-2", "secret-kind", "secret-retired", "secret-department", "bus-1", "nobody"] {
        let answer = open(&city, &format!("/datasets/air/readings.json?device={id}")).await;
        assert_eq!(answer.problem(), "unknown_device", "{id}");
        assert!(
            answer.text.contains("has no device"),
            "whether there is one elsewhere is not told"
        );
    }
    let answer = open(&city, "/datasets/air/readings.json?metric=no2").await;
    assert_eq!(answer.problem(), "unknown_metric");
    // A cursor is only a place: one that was made up leads nowhere.
    let place = json!({"device": "air-2", "metric": "no2", "after": 0,
        "range": [NOW.micros() - 1_000_000_000, NOW.micros()]});
    let cursor = crate::cursor::encode(&place);
    let answer = open(&city, &format!("/datasets/air/readings.json?cursor={cursor}")).await;
    assert_eq!(answer.problem(), "bad_cursor");
    // Nor does one with a range that is not public.
    let place = json!({"device": "air-1", "metric": "pm25", "after": 0,
        "range": [(NOW - Span::from_hours(24 * 9)).micros(), NOW.micros()]});
    let cursor = crate::cursor::encode(&place);
    let answer = open(&city, &format!("/datasets/air/readings.json?cursor={cursor}")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!answer.text.contains("876543.5"), "{}", answer.text);
}

#[tokio::test]
async fn what_is_turned_off_is_gone_at_once_whatever_was_kept() {
    let city = city().await;
    for path in addresses() {
        assert_eq!(open(&city, &path).await.status, StatusCode::OK, "{path}");
    }
    let mut off = dataset();
    off["enabled"] = json!(false);
    replace(&city, "air", &off).await;
    for path in addresses() {
        let answer = open(&city, &path).await;
        if path.contains("/datasets/") {
            assert_eq!(answer.problem(), "unknown_dataset", "{path}");
        } else {
            assert!(!answer.text.contains("air"), "{path}: {}", answer.text);
        }
    }
    replace(&city, "air", &dataset()).await;
    let path = "/api/v1/datasets/air";
    assert_eq!(open(&city, "/datasets/air").await.status, StatusCode::OK);
    let answer = city.send(city.request(Method::DELETE, path, None)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(open(&city, "/datasets/air/devices.csv").await.problem(), "unknown_dataset");
    let answer = city.send(city.request(Method::DELETE, path, None)).await;
    assert_eq!(answer.problem(), "unknown_dataset");
}

#[tokio::test]
async fn a_device_that_leaves_the_choice_is_gone_at_once() {
    let city = city().await;
    let before = open(&city, "/datasets/air/devices.csv").await;
    assert!(before.text.contains("open-1"), "{}", before.text);
    let body = json!({"life_cycle": "retired"});
    let mut request = city.request(Method::PATCH, "/api/v1/devices/open-1", Some(&body));
    request.headers_mut().insert(header::IF_MATCH, "*".parse().expect("a header"));
    assert_eq!(city.send(request).await.status, StatusCode::OK);
    for path in addresses() {
        assert!(!open(&city, &path).await.text.contains("open-1"), "{path}");
    }
}

#[tokio::test]
async fn a_file_of_a_day_ends_when_its_dataset_is_withdrawn() {
    use futures_util::StreamExt as _;
    let city = city().await;
    let many = (0..15_000).map(|nth| {
        let mut reading = city.reading("air-1", "pm25", f64::from(nth));
        reading.time = NOW - Span::from_hours(6) + Span::from_millis(i64::from(nth));
        reading
    });
    city.commit(many.collect());
    let path = "/open/v1/datasets/air/readings/2026-11-23.csv";
    let whole = city.send(bare(Method::GET, path, None)).await;
    assert_eq!(whole.text.lines().count(), 1 + 15_000 + 4 + 4, "air-1 twice and open-1");
    let mut body = city.open(bare(Method::GET, path, None)).await.into_body().into_data_stream();
    let first = body.next().await.expect("a piece").expect("good");
    assert!(first.starts_with(b"device,metric,time,value,unit,quality,simulated\r\nair-1,pm25,"));
    let mut off = dataset();
    off["enabled"] = json!(false);
    replace(&city, "air", &off).await;
    assert!(body.next().await.expect("the end").is_err(), "it is cut off, not complete");
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn places_are_as_exact_as_the_dataset_says_and_names_only_where_it_does() {
    let city = city().await;
    let list = open(&city, "/datasets/air/devices.json").await.json();
    let ids: Vec<_> = list["items"].as_array().expect("a list").iter().map(|d| &d["id"]).collect();
    assert_eq!(ids, ["air-1", "open-1"]);
    assert_eq!(list["items"][1]["position"], json!([10.6, 50.6]));
    assert_eq!(
        (&list["items"][1]["name"], &list["items"][1]["simulated"]),
        (&Json::Null, &json!(true))
    );
    assert_eq!(list["items"][1]["attributes"], json!({"height": "=2+3"}));
    let csv = open(&city, "/datasets/air/devices.csv").await;
    assert!(csv.text.contains("\"'=2+3\""), "no formula: {}", csv.text);
    let mut coarse = dataset();
    coarse["positions"] = json!("zone");
    coarse["names"] = json!(true);
    replace(&city, "air", &coarse).await;
    let label = city.registry.directory().zone_by_id("old-town").expect("a zone").label;
    for path in addresses() {
        let answer = open(&city, &path).await;
        assert!(!answer.text.contains("10.6,50.6"), "{path}: {}", answer.text);
    }
    let list = open(&city, "/datasets/air/devices.json").await.json();
    assert_eq!(list["items"][0]["position"], json!([label.lon, label.lat]));
    assert_eq!(list["items"][0]["name"]["zh"], "集市广场");
    let geo = open(&city, "/datasets/air/devices.geojson").await;
    assert_eq!(geo.headers["content-type"], "application/geo+json");
    assert_eq!(geo.json()["features"][0]["geometry"]["coordinates"], json!([label.lon, label.lat]));
}

#[tokio::test]
async fn moving_devices_are_public_only_where_no_zone_is_named() {
    let city = city().await;
    let mut bus = city.reading("secret-moving", "pm25", 5.0);
    bus.time = NOW + Span::from_secs(1);
    city.commit(vec![city.at(bus, 11.5, 50.5)]);
    let mut everywhere = dataset();
    everywhere["select"]["zones"] = json!([]);
    replace(&city, "air", &everywhere).await;
    let list = open(&city, "/datasets/air/devices.json").await.json();
    let moving = list["items"].as_array().expect("a list").iter().find(|d| d["moving"] == true);
    assert_eq!(moving.expect("it is there")["position"], json!([11.5, 50.5]));
}

#[tokio::test]
async fn readings_come_in_pages_with_their_flags() {
    let city = city().await;
    let mut path = "/datasets/air/readings.json?limit=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = open(&city, &path).await.json();
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= 3);
        seen.extend(items.iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/datasets/air/readings.json?limit=3&cursor={cursor}");
        // The range of the first page counts, however long a client takes.
        city.clock.advance(Span::from_mins(1));
    }
    assert_eq!(seen.len(), 8, "two devices, and the newest reading of each is not before now");
    let flagged: Vec<_> = seen.iter().filter(|row| row["quality"] == "fail").collect();
    assert_eq!(flagged.len(), 2);
    assert_eq!(seen[0]["unit"], "ug/m3");
    let all = open(&city, "/datasets/air/readings.csv?limit=3&metric=pm25").await;
    let link = all.headers["link"].to_str().expect("text").to_owned();
    assert!(link.starts_with("</open/v1/datasets/air/readings.csv?limit=3&metric=pm25&cursor="));
    assert!(link.ends_with(">; rel=\"next\""), "{link}");
    let steps = open(&city, "/datasets/air/readings.json?step=1h&device=air-1").await.json();
    let row = &steps["items"][0];
    assert_eq!(
        (&row["count"], &row["flagged"], &row["value"]),
        (&json!(3), &json!(1), &json!(12.5))
    );
    for (query, code) in [
        ("from=2026-09-01T00:00:00Z", "bad_range"),
        ("step=1&from=2026-11-22T00:00:00Z", "too_many_steps"),
        ("limit=10001", "bad_parameter"),
        ("colour=red", "unknown_parameter"),
        ("cursor=x", "bad_cursor"),
    ] {
        let answer = open(&city, &format!("/datasets/air/readings.csv?{query}")).await;
        assert_eq!(answer.problem(), code, "{query}");
    }
}

#[tokio::test]
async fn without_a_history_only_the_newest_is_public() {
    let city = city().await;
    let mut newest = dataset();
    newest["history_days"] = json!(0);
    replace(&city, "air", &newest).await;
    for path in ["/datasets/air/readings.json", "/datasets/air/readings/2026-11-23.csv"] {
        assert_eq!(open(&city, path).await.problem(), "not_found", "{path}");
    }
    let about = open(&city, "/datasets/air").await.json();
    assert_eq!(about["temporal"], Json::Null);
    assert_eq!(about["distributions"].as_array().expect("a list").len(), 6);
    let latest = open(&city, "/datasets/air/latest.json").await.json();
    assert_eq!(latest["items"].as_array().expect("a list").len(), 2);
    for file in ["2026-11-10.csv", "2027-01-01.csv", "yesterday.csv", "2026-11-23.json"] {
        replace(&city, "air", &dataset()).await;
        let answer = open(&city, &format!("/datasets/air/readings/{file}")).await;
        assert_eq!(answer.problem(), "not_found", "{file}");
    }
}

#[tokio::test]
async fn what_a_source_marks_as_a_test_stays_marked() {
    let city = city().await;
    let mut test = city.reading("air-1", "pm25", 5.0);
    test.time = NOW + Span::from_secs(1);
    test.marks = Marks::SIMULATED;
    let mut ahead = city.reading("open-1", "pm25", 765_432.0);
    ahead.time = NOW + Span::from_hours(48);
    ahead.marks = Marks::FUTURE;
    city.commit(vec![test, ahead]);
    let latest = open(&city, "/datasets/air/latest.csv").await;
    assert!(
        latest.text.contains("air-1,pm25,2026-11-23T12:00:01Z,5,ug/m3,pass,true"),
        "{}",
        latest.text
    );
    assert!(!latest.text.contains("765432"), "its time cannot be trusted");
}

#[tokio::test]
async fn answers_can_be_kept_and_are_the_same_for_every_origin() {
    let city = city().await;
    let first = open(&city, "/datasets/air/latest.json").await;
    assert_eq!(first.headers["cache-control"], "public, max-age=60");
    assert_eq!(first.headers["access-control-allow-origin"], "*");
    assert_eq!(first.headers["last-modified"], "Mon, 23 Nov 2026 12:00:00 GMT");
    let tag = first.headers["etag"].clone();
    let mut again = bare(Method::GET, "/open/v1/datasets/air/latest.json", None);
    again.headers_mut().insert(header::IF_NONE_MATCH, tag);
    let answer = city.send(again).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let mut news = city.reading("air-1", "pm25", 99.0);
    news.time = NOW + Span::from_secs(1);
    city.commit(vec![news]);
    assert_eq!(open(&city, "/datasets/air/latest.json").await.text, first.text, "within a minute");
    city.clock.advance(Span::from_mins(1));
    assert!(open(&city, "/datasets/air/latest.json").await.text.contains("99"));
    let preflight = city.send(bare(Method::OPTIONS, "/open/v1/datasets/air", None)).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.headers["access-control-allow-methods"], "GET, HEAD");
    let inside = city.send(bare(Method::OPTIONS, "/api/v1/devices", None)).await;
    assert!(!inside.headers.contains_key("access-control-allow-origin"));
    let problem = open(&city, "/datasets/nothing").await;
    assert_eq!(problem.problem(), "unknown_dataset");
    assert_eq!(problem.headers["access-control-allow-origin"], "*", "pages can read why");
    assert_eq!(open(&city, "/nothing").await.problem(), "not_found");
    let robots = city.send(bare(Method::GET, "/robots.txt", None)).await;
    assert!(robots.text.contains("Allow: /open/"));
}

#[tokio::test]
async fn the_catalogue_says_what_where_from_and_under_which_licence() {
    let city = city().await;
    let about = open_as(&city, "", "*/*").await;
    assert!(
        about.headers.get_all("vary").iter().any(|v| v.to_str().expect("text").contains("accept"))
    );
    let about = about.json();
    let air = &about["datasets"][0];
    assert_eq!(air["url"], "http://city.example/open/v1/datasets/air");
    assert_eq!(air["licence"]["url"], "https://creativecommons.org/licenses/by/4.0/");
    assert_eq!(air["publisher"]["zh"], "环境局");
    assert_eq!(air["updated_at"], "2026-11-23T12:00:00Z");
    assert_eq!(air["spatial"], json!([10.5, 50.5, 10.6, 50.6]));
    assert_eq!(air["temporal"]["from"], "2026-11-16T12:00:00Z");
    assert_eq!(air["quality_flags"].as_array().expect("a list").len(), 5);
    assert!(air["provenance"]["en"].as_str().expect("text").contains("Old Town"));
    let page = open_as(&city, "", "text/html").await;
    assert!(page.text.contains("Air &lt;quality&gt;") && page.text.contains("空气质量"));
    for forbidden in ["<script", "style=", "src=", "Air <quality>"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
    let turtle = open_as(&city, "", "text/turtle").await;
    assert!(turtle.text.contains("a dcat:Catalog"), "{}", turtle.text);
    assert!(turtle.text.contains("\"Hourly \\\"air\\\" & more\"@en"), "{}", turtle.text);
    let json_ld = open_as(&city, "/catalog.jsonld", "*/*").await;
    assert_eq!(json_ld.headers["content-type"], "application/ld+json");
    assert_eq!(json_ld.json()["@graph"][0]["@type"], "dcat:Catalog");
    let css = open(&city, "/open.css").await;
    assert_eq!(css.headers["content-type"], "text/css; charset=utf-8");
    // A host that breaks out of an address is left out.
    let mut request = bare(Method::GET, "/open/v1", None);
    request.headers_mut().insert(header::HOST, "x/\"><b>".parse().expect("a header"));
    assert_eq!(city.send(request).await.json()["url"], "/open/v1");
}

#[tokio::test]
async fn datasets_are_looked_after_with_tags_and_every_mistake_is_named() {
    let city = city().await;
    let shown = city.get("/api/v1/datasets/air").await;
    let tag = shown.headers["etag"].clone();
    let mut changed = dataset();
    changed["history_days"] = json!(3);
    assert_eq!(put(&city, "air", &changed).await.problem(), "already_exists");
    let mut request = city.request(Method::PUT, "/api/v1/datasets/air", Some(&changed));
    request.headers_mut().insert(header::IF_MATCH, tag.clone());
    let answer = city.send(request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_ne!(answer.headers["etag"], tag);
    let mut request = city.request(Method::DELETE, "/api/v1/datasets/air", None);
    request.headers_mut().insert(header::IF_MATCH, tag);
    assert_eq!(city.send(request).await.problem(), "changed_meanwhile");
    let wrong = json!({
        "title": "", "description": "x", "department": "nobody", "licence": "mine",
        "contact": "nowhere", "themes": ["FUN"],
        "select": {"kinds": [], "metrics": ["x", "x"], "zones": ["y"]},
        "positions": "exact", "history_days": 99_999, "enabled": true,
    });
    let answer = put(&city, "-bad", &wrong).await;
    assert_eq!(answer.problem(), "bad_fields");
    let fields: Vec<_> = answer.json()["fields"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|field| field["field"].as_str().expect("text").to_owned())
        .collect();
    for field in [
        "id",
        "title",
        "department",
        "licence",
        "contact",
        "themes",
        "select.kinds",
        "select.metrics",
        "select.zones",
        "history_days",
    ] {
        assert!(fields.iter().any(|f| f == field), "{field}: {fields:?}");
    }
    let mut typo = dataset();
    typo["licence_"] = json!("x");
    assert_eq!(put(&city, "typo", &typo).await.problem(), "bad_fields");
    assert_eq!(city.get("/api/v1/datasets/nothing").await.problem(), "unknown_dataset");
    let viewer = format!("Bearer {}", city.token(Role::Operator));
    let mut request = bare(Method::PUT, "/api/v1/datasets/x", Some(&dataset()));
    request.headers_mut().insert("authorization", viewer.parse().expect("a header"));
    assert_eq!(city.send(request).await.problem(), "forbidden");
}

#[tokio::test]
async fn datasets_are_there_after_a_restart() {
    let city = city().await;
    let again = City::with_state(city.state.clone(), NOW);
    assert_eq!(
        again.ok("/api/v1/datasets").await["items"],
        city.ok("/api/v1/datasets").await["items"]
    );
    assert_eq!(open(&again, "/datasets/air").await.status, StatusCode::OK);
}
