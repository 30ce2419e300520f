//! OGC SensorThings API 1.1, by the requirements of OGC 18-088 that are met; `req/…` in a comment is
//! the requirement below `http://www.opengis.net/spec/iot_sensing/1.1/`.

use axum::http::{Method, StatusCode, header};
use city_model::{Quality, Span};
use serde_json::{Value as Json, json};

use super::fixture::{City, NOW, bare};

/// Ten readings of air-1 a minute apart up to now, three of air-2, the way of a bus.
fn city() -> City {
    let city = City::new();
    let mut readings = Vec::new();
    for minute in 0..10 {
        let mut reading = city.reading("air-1", "pm25", 10.0 + f64::from(minute));
        reading.time = NOW - Span::from_mins(9 - i64::from(minute));
        reading.quality = if minute == 4 { Quality::Suspect } else { Quality::Pass };
        readings.push(reading);
    }
    for hour in 0..3 {
        let mut reading = city.reading("air-2", "no2", 40.0 + f64::from(hour));
        reading.time = NOW - Span::from_hours(2 - i64::from(hour));
        readings.push(reading);
    }
    for minute in 0..4 {
        let mut reading = city.reading("bus-1", "traffic_speed", 30.0);
        reading.time = NOW - Span::from_mins(3 - i64::from(minute));
        readings.push(city.at(reading, 10.2 + f64::from(minute) / 10.0, 50.5));
    }
    readings.push(city.reading("lamp/1", "lamp_on", true));
    city.commit(readings);
    city
}

/// What is there, with `{` for a space and the like left to the test: everything is encoded.
async fn get(city: &City, path: &str) -> Json {
    let path = format!("/sta/v1.1{}", encode(path));
    city.ok(&path).await
}

fn encode(path: &str) -> String {
    path.replace('%', "%25")
        .replace(' ', "%20")
        .replace('<', "%3C")
        .replace('>', "%3E")
        .replace('"', "%22")
}

fn ids(answer: &Json) -> Vec<String> {
    let items = answer["value"].as_array().expect("a list");
    items.iter().map(|item| item["@iot.id"].as_str().expect("an id").to_owned()).collect()
}

/// The addresses of a link on this server.
fn local(link: &Json) -> String {
    let link = link.as_str().expect("a link");
    link[link.find("/sta/").expect("of the service")..].to_owned()
}

/// `req/resource-path/resource-path-to-entities`, clause 9.2.1: the service names its sets.
#[tokio::test]
async fn the_service_names_its_sets_and_each_can_be_asked() {
    let city = city();
    let service = get(&city, "").await;
    let sets = service["value"].as_array().expect("a list");
    assert_eq!(sets.len(), 8);
    for set in sets {
        let answer = city.ok(&local(&set["url"])).await;
        let items = answer["value"].as_array().expect("a list");
        assert!(!items.is_empty(), "{set}");
        for item in items {
            // `req/datamodel/entity-control-information/common-control-information`.
            let again = city.ok(&local(&item["@iot.selfLink"])).await;
            assert_eq!(again["@iot.id"], item["@iot.id"], "{set}");
            for (name, link) in item.as_object().expect("an object") {
                if name.ends_with("@iot.navigationLink") {
                    let answer = city.get(&local(link)).await;
                    assert_eq!(answer.status, StatusCode::OK, "{name}: {}", answer.text);
                }
            }
        }
    }
    let conformance = service["serverSettings"]["conformance"].as_array().expect("a list");
    assert!(conformance.iter().any(|name| name.as_str().expect("text").ends_with("/datamodel")));
}

/// `req/datamodel/*/properties` and `…/relations`.
#[tokio::test]
async fn entities_have_their_mandatory_properties_and_relations() {
    let city = city();
    for (path, members) in [
        ("Things", &["name", "description", "Locations", "HistoricalLocations", "Datastreams"][..]),
        (
            "Locations",
            &["name", "description", "encodingType", "location", "Things", "HistoricalLocations"],
        ),
        ("HistoricalLocations", &["time", "Thing", "Locations"]),
        (
            "Datastreams",
            &[
                "name",
                "description",
                "unitOfMeasurement",
                "observationType",
                "Thing",
                "Sensor",
                "ObservedProperty",
                "Observations",
            ],
        ),
        ("Sensors", &["name", "description", "encodingType", "metadata", "Datastreams"]),
        ("ObservedProperties", &["name", "definition", "description", "Datastreams"]),
        (
            "Observations",
            &["phenomenonTime", "result", "resultTime", "Datastream", "FeatureOfInterest"],
        ),
        ("FeaturesOfInterest", &["name", "description", "encodingType", "feature", "Observations"]),
    ] {
        let answer = get(&city, &format!("/{path}?$top=1")).await;
        let item = &answer["value"][0];
        for member in members {
            let link = format!("{member}@iot.navigationLink");
            assert!(
                !item[member].is_null() || item[link.as_str()].is_string(),
                "{path} {member}: {item}"
            );
        }
    }
    let stream = get(&city, "/Datastreams('air-1:pm25')").await;
    assert_eq!(stream["unitOfMeasurement"]["symbol"], "µg/m³");
    assert_eq!(stream["unitOfMeasurement"]["definition"], "ucum:ug/m3");
    assert!(stream["observationType"].as_str().expect("text").ends_with("/OM_Measurement"));
    let switch = get(&city, "/Datastreams('lamp/1:lamp_on')").await;
    assert!(switch["observationType"].as_str().expect("text").ends_with("/OM_TruthObservation"));
}

/// Clause 9.2, usages 2 to 7.
#[tokio::test]
async fn addresses_lead_to_entities_properties_values_and_links() {
    let city = city();
    assert_eq!(get(&city, "/Things('air-1')/name").await, json!({"name": "Market Square"}));
    let value = city.get("/sta/v1.1/Things('air-1')/name/$value").await;
    assert_eq!(value.text, "Market Square");
    assert_eq!(value.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(
        get(&city, "/Things('air-1')/properties/attributes/pole").await,
        json!({"pole": "P7"})
    );
    let streams = get(&city, "/Things('air-1')/Datastreams").await;
    assert_eq!(ids(&streams), ["air-1:pm25"]);
    let links = get(&city, "/Things('air-1')/Datastreams/$ref").await;
    assert!(
        links["value"][0]["@iot.selfLink"]
            .as_str()
            .expect("text")
            .ends_with("/Datastreams('air-1%3Apm25')")
    );
    let far = get(
        &city,
        "/Datastreams('air-1:pm25')/Observations('air-1:pm25:1795435200000000')/Datastream/Thing",
    )
    .await;
    assert_eq!(far["@iot.id"], "air-1");
    let slash = city.ok("/sta/v1.1/Things('lamp%2F1')/Datastreams").await;
    assert_eq!(ids(&slash), ["lamp/1:lamp_on"]);
    assert_eq!(ids(&city.ok("/sta/v1.1/Things('lamp/1')/Datastreams").await), ["lamp/1:lamp_on"]);
    let nothing = city.get("/sta/v1.1/Observations('air-1:pm25:1795435200000000')/validTime").await;
    assert_eq!(nothing.status, StatusCode::NO_CONTENT);
    for path in [
        "Things('x')",
        "Things('air-2')/Datastreams('air-1:pm25')",
        "Colours",
        "Things('air-1')/colour",
        "Observations('air-1:pm25:5')",
        "Things('lamp%2F1')/Locations('air-1')",
        "Datastreams('air-1:no2')",
        "Things('old-1')/Datastreams('old-1:pm25')/Thing/Locations",
    ] {
        let answer = city.get(&format!("/sta/v1.1/{path}")).await;
        assert_eq!(answer.problem(), "not_found", "{path}");
    }
}

/// `req/request-data/filter`, `…/built-in-filter-operations`, `…/built-in-query-functions`.
#[tokio::test]
async fn entities_are_filtered() {
    let city = city();
    for (query, wanted) in [
        ("Things?$filter=properties/department eq 'environment'", &["air-1", "air-2"][..]),
        ("Things?$filter=startswith(tolower(name),'market')", &["air-1"]),
        (
            "Things?$filter=not (properties/moving eq true) and properties/life_cycle eq 'retired'",
            &["old-1"],
        ),
        ("Things?$filter=Datastreams/ObservedProperty/id eq 'no2'", &["air-2"]),
        ("Things?$filter=properties/attributes/limit gt 3", &["air-1"]),
        ("Things?$filter=id in ('bus-1','nobody')", &["bus-1"]),
        (
            "Locations?$filter=st_within(location, geography'POLYGON ((10 50, 11 50, 11 51, 10 51, 10 50))')",
            &["air-1", "bus-1"],
        ),
        (
            "Locations?$filter=geo.distance(location, geography'POINT (11.5 50.5)') lt 0.1",
            &["air-2"],
        ),
        (
            "Datastreams?$filter=unitOfMeasurement/symbol eq 'µg/m³' and Thing/id ne 'air-2'",
            &["air-1:pm25"],
        ),
        (
            "Observations?$filter=result gt 18 and Datastream/id eq 'air-1:pm25'",
            &["air-1:pm25:1795435200000000"],
        ),
        ("Observations?$filter=resultQuality eq 'suspect'", &["air-1:pm25:1795434900000000"]),
        (
            "Observations?$filter=phenomenonTime gt 2026-11-23T11:59:00Z and Datastream/Thing/id eq 'air-1'",
            &["air-1:pm25:1795435200000000"],
        ),
        (
            "Observations?$filter=Datastream/ObservedProperty/id eq 'no2' and phenomenonTime lt 2026-11-23T10:30:00Z",
            &["air-2:no2:1795428000000000"],
        ),
        ("HistoricalLocations?$filter=time ge 2026-11-23T12:00:00Z", &["bus-1:1795435200000000"]),
        ("Sensors?$filter=Datastreams/Thing/id eq 'lamp/1'", &["street_light"]),
        ("Sensors?$filter=Datastreams/Thing/Locations/name eq 'Market Square'", &["air_station"]),
        ("ObservedProperties?$filter=Datastreams/id eq 'lamp/1:lamp_on'", &["lamp_on"]),
        (
            "FeaturesOfInterest?$filter=geo.intersects(feature, geography'POINT (10.5 50.5)')",
            &["air-1", "bus-1"],
        ),
    ] {
        assert_eq!(ids(&get(&city, &format!("/{query}")).await), wanted, "{query}");
    }
}

/// `req/request-data/orderby`, `…/top`, `…/skip`, `…/count`, `…/pagination`.
#[tokio::test]
async fn sets_are_ordered_and_come_in_pages() {
    let city = city();
    let page = get(&city, "/Things?$orderby=id desc&$top=2&$count=true&$filter=id ne 'x'").await;
    assert_eq!(
        (ids(&page), &page["@iot.count"]),
        (vec!["old-1".to_owned(), "lamp/1".to_owned()], &json!(5))
    );
    let mut all = Vec::new();
    let mut next = Some("/sta/v1.1/Things?$orderby=name%20desc&$top=2".to_owned());
    while let Some(path) = next {
        let page = city.ok(&path).await;
        all.extend(ids(&page));
        next = page.get("@iot.nextLink").map(local);
    }
    all.sort();
    assert_eq!(all, ["air-1", "air-2", "bus-1", "lamp/1", "old-1"]);
    let two = get(&city, "/Things?$orderby=properties/department,id desc&$select=id").await;
    assert_eq!(ids(&two), ["air-2", "air-1", "bus-1", "old-1", "lamp/1"]);
    // As QGIS counts.
    let none = get(&city, "/Observations?$top=0&$count=true").await;
    assert_eq!(none, json!({"@iot.count": 18, "value": []}));
}

#[tokio::test]
async fn readings_come_in_pages_both_ways_and_as_a_whole() {
    let city = city();
    for (order, first, last) in [
        ("", 10.0, 19.0),
        ("&$orderby=phenomenonTime desc", 19.0, 10.0),
        ("&$orderby=phenomenonTime asc", 10.0, 19.0),
        ("&$orderby=result desc", 19.0, 10.0),
        ("&$orderby=resultTime DESC", 19.0, 10.0),
    ] {
        let mut results = Vec::new();
        let path =
            format!("/sta/v1.1/Datastreams('air-1:pm25')/Observations?$top=3{}", encode(order));
        let mut next = Some(path);
        while let Some(path) = next {
            let page = city.ok(&path).await;
            let items = page["value"].as_array().expect("a list");
            results.extend(items.iter().map(|item| item["result"].as_f64().expect("a number")));
            next = page.get("@iot.nextLink").map(local);
        }
        assert_eq!((results.len(), results[0], results[9]), (10, first, last), "{order}");
    }
    let mut all = Vec::new();
    let mut next = Some("/sta/v1.1/Observations?$top=4".to_owned());
    while let Some(path) = next {
        let page = city.ok(&path).await;
        all.extend(ids(&page));
        next = page.get("@iot.nextLink").map(local);
    }
    assert_eq!(all.len(), 18);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 18, "none twice");
    let skipped =
        get(&city, "/Datastreams('air-1:pm25')/Observations?$skip=8&$orderby=phenomenonTime desc")
            .await;
    assert_eq!(ids(&skipped).len(), 2);
    let token = city.get("/sta/v1.1/Observations?$skiptoken=x").await;
    assert_eq!(token.problem(), "bad_cursor");
    let token = city.get("/sta/v1.1/Things?$skiptoken=x").await;
    assert_eq!(token.problem(), "bad_cursor");
}

/// `req/request-data/expand` and `…/select`.
#[tokio::test]
async fn related_entities_are_told_along() {
    let city = city();
    let query = "/Things('air-1')?$expand=Locations,Datastreams($select=id,name;$expand=Sensor,\
        ObservedProperty($select=name),Observations($orderby=phenomenonTime desc;$top=2;$count=true;\
        $filter=result lt 19;$select=result))";
    let thing = get(&city, query).await;
    assert_eq!(thing["Locations"][0]["location"]["coordinates"], json!([10.5, 50.5]));
    let stream = &thing["Datastreams"][0];
    assert_eq!(stream["Sensor"]["@iot.id"], "air_station");
    assert_eq!(stream["ObservedProperty"].as_object().expect("an object").len(), 1);
    assert_eq!(stream["Observations"], json!([{"result": 18.0}, {"result": 17.0}]));
    assert_eq!(stream["Observations@iot.count"], 9);
    let next = city.ok(&local(&stream["Observations@iot.nextLink"])).await;
    assert_eq!(next["value"], json!([{"result": 16.0}, {"result": 15.0}]));
    assert!(stream.get("observationType").is_none() && stream["name"].is_string());
    let short = get(&city, "/Observations?$top=1&$expand=Datastream/Thing,FeatureOfInterest").await;
    assert_eq!(short["value"][0]["Datastream"]["Thing"]["@iot.id"], "air-1");
    let bus =
        get(&city, "/Things('bus-1')?$expand=HistoricalLocations($expand=Locations),Locations")
            .await;
    let way = bus["HistoricalLocations"].as_array().expect("a list");
    assert_eq!(way.len(), 4);
    assert_eq!(way[0]["Locations"][0]["location"]["coordinates"], json!([10.2, 50.5]));
    assert_eq!(bus["Locations"][0]["location"]["coordinates"], json!([10.5, 50.5]));
    let then = city.ok(&local(&way[1]["Locations"][0]["@iot.selfLink"])).await;
    assert_eq!(then["location"], way[1]["Locations"][0]["location"]);
}

/// `req/data-array/data-array`.
#[tokio::test]
async fn observations_come_as_rows_if_asked() {
    let city = city();
    let query = "/Observations?$resultFormat=dataArray&$select=phenomenonTime,result&$filter=Datastream/Thing/properties/department eq 'environment'&$count=true";
    let rows = get(&city, query).await;
    assert_eq!(rows["@iot.count"], 13);
    let groups = rows["value"].as_array().expect("a list");
    assert_eq!(groups.len(), 2);
    assert!(groups[0]["Datastream@iot.navigationLink"].as_str().expect("text").contains("air-1"));
    assert_eq!(groups[0]["components"], json!(["phenomenonTime", "result"]));
    assert_eq!(groups[0]["dataArray@iot.count"], 10);
    assert_eq!(groups[0]["dataArray"][9], json!(["2026-11-23T12:00:00Z", 19.0]));
}

/// What QGIS' provider asks for a layer (`qgssensorthingsshareddata.cpp`).
#[tokio::test]
async fn qgis_gets_what_it_asks_for() {
    let city = city();
    let count = get(&city, "/Locations?$top=0&$count=true&$filter=location/type eq 'Point' or location/geometry/type eq 'Point'").await;
    assert_eq!(count["@iot.count"], 3);
    let query = "/Locations?$top=200&$count=false&$expand=Things($expand=Datastreams($orderby=name;$top=5))\
        &$filter=(location/type eq 'Point' or location/geometry/type eq 'Point') and \
        (geo.intersects(location, geography'Polygon ((10 50, 11 50, 11 51, 10 51, 10 50))'))";
    let layer = get(&city, query).await;
    assert_eq!(ids(&layer), ["air-1", "bus-1"]);
    assert_eq!(layer["value"][0]["Things"][0]["Datastreams"][0]["@iot.id"], "air-1:pm25");
    assert!(layer.get("@iot.count").is_none());
}

#[tokio::test]
async fn what_cannot_be_read_is_told_where_and_what_is_too_much_is_refused() {
    let city = city();
    for (query, code, named) in [
        ("/Things?$filter=colour eq 5", "bad_parameter", "no `colour`"),
        ("/Things?$filter=id eq 'x", "bad_parameter", "character 7"),
        ("/Things?$top=-1", "bad_parameter", "$top"),
        ("/Things?$colour=red", "bad_parameter", "$colour"),
        ("/Things?colour=red", "bad_parameter", "colour"),
        ("/Things?$expand=Colours", "bad_parameter", "Colours"),
        ("?$top=1", "unknown_parameter", "options"),
        ("/Things('x", "not_found", "no end"),
    ] {
        let answer = city.get(&format!("/sta/v1.1{}", encode(query))).await;
        assert_eq!(answer.problem(), code, "{query}: {}", answer.text);
        assert!(answer.text.contains(named), "{query}: {}", answer.text);
    }
    let many = (0..200_100).map(|nth| {
        let mut reading = city.reading("air-1", "pm10", 1.0);
        reading.time = NOW - Span::from_hours(100) + Span::from_millis(nth);
        reading
    });
    city.commit(many.collect());
    let path = "/sta/v1.1/Datastreams('air-1:pm10')/Observations";
    let answer = city.get(&format!("{path}?$orderby=result")).await;
    assert_eq!(answer.problem(), "query_too_large");
    assert_eq!(city.ok(&format!("{path}?$count=true&$top=1")).await["@iot.count"], 200_100);
    let huge = "$top=10000&$expand=Datastream($expand=Observations($top=10000))";
    assert_eq!(city.get(&format!("{path}?{huge}")).await.problem(), "query_too_large");
}

#[tokio::test]
async fn names_are_in_the_language_of_whoever_asks_and_need_a_login() {
    let city = city();
    let mut request = city.request(Method::GET, "/sta/v1.1/Things('air-1')", None);
    request
        .headers_mut()
        .insert(header::ACCEPT_LANGUAGE, "zh-CN,en;q=0.5".parse().expect("a header"));
    assert_eq!(city.send(request).await.json()["name"], "集市广场");
    for path in ["/sta/v1.1", "/sta/v1.1/Things", "/sta/v1.1/Things('air-1')/name/$value"] {
        let answer = city.send(bare(Method::GET, path, None)).await;
        assert_eq!(answer.problem(), "unauthenticated", "{path}");
        let answer = city.send(city.request(Method::POST, path, Some(&json!({})))).await;
        assert_eq!(answer.problem(), "method_not_allowed", "{path}");
    }
}
