//! The embedded web app and the headers that every answer carries.

use axum::http::{Method, StatusCode};

use super::fixture::{City, bare};

#[tokio::test]
async fn pages_of_the_app_are_its_first_page_and_files_are_files() {
    let city = City::new();
    let ask = async |path: &str| city.send(bare(Method::GET, path, None)).await;
    let index = ask("/").await;
    assert_eq!(index.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(index.headers["cache-control"], "no-cache");
    for path in ["/index.html", "/devices/air-1", "/zones/old-town?tab=chart"] {
        assert_eq!(ask(path).await.text, index.text, "{path}");
    }
    assert_eq!(ask("/missing.js").await.problem(), "not_found");
    assert_eq!(ask("/api").await.problem(), "not_found");

    let mut again = bare(Method::GET, "/", None);
    again.headers_mut().insert("if-none-match", index.headers["etag"].clone());
    let unchanged = city.send(again).await;
    assert_eq!((unchanged.status, unchanged.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn every_answer_forbids_what_browsers_should_not_do() {
    let city = City::new();
    for path in ["/", "/missing.js", "/api/v1/system", "/api/v1/nothing", "/health/live"] {
        let answer = city.get(path).await;
        let csp = answer.headers["content-security-policy"].to_str().expect("text");
        for rule in ["default-src 'self'", "frame-ancestors 'none'", "style-src 'self'"] {
            assert!(csp.contains(rule), "{path}: {csp}");
        }
        assert!(!csp.contains("unsafe"), "{csp}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert!(answer.headers.contains_key("cache-control"), "{path}");
    }
    assert_eq!(city.get("/api/v1/system").await.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn large_answers_are_compressed_and_the_stream_is_not() {
    let city = City::new();
    for (path, encoding) in [("/api/v1/openapi.json", Some("gzip")), ("/api/v1/stream", None)] {
        let mut request = city.request(Method::GET, path, None);
        request.headers_mut().insert("accept-encoding", "gzip".parse().expect("a header"));
        let response = city.open(request).await;
        let got = response.headers().get("content-encoding").map(|e| e.to_str().expect("text"));
        assert_eq!(got, encoding, "{path}");
    }
}

#[tokio::test]
async fn the_map_is_written_once_for_all_who_ask_until_it_changes() {
    let city = City::new();
    let ask = async |tag: Option<&str>| {
        let mut request = city.request(Method::GET, "/api/v1/map", None);
        if let Some(tag) = tag {
            request.headers_mut().insert("if-none-match", tag.parse().expect("a header"));
        }
        city.send(request).await
    };
    let first = ask(None).await;
    let tag = first.headers["etag"].to_str().expect("text").to_owned();
    assert_eq!(ask(Some(&tag)).await.status, StatusCode::NOT_MODIFIED);
    city.commit(vec![city.reading("air-1", "pm25", 1.0)]);
    city.pass(city_model::Span::from_millis(200));
    let second = ask(Some(&tag)).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_ne!(second.json()["cursor"], first.json()["cursor"]);
}
