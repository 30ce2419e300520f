//! Groups of rules: where they live, and changes of those that are kept here.

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use serde_json::{Value, json};

use super::fixture::{Answer, City, NOW, alert, bare, event};
use super::owned::{grants, token};
use crate::Role;

const DUST: &str = "/api/v1/rule-groups/dust";

fn text(limit: u32) -> String {
    format!(
        "group: dust\ndepartment: environment\nrules:\n  - id: dust\n    kind: threshold\n    \
         select: {{metric: pm10}}\n    severity: medium\n    raise: {{above: {limit}}}\n"
    )
}

fn body(text: &str) -> Value {
    json!({ "text": text, "why": "winter" })
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_group_is_put_seen_changed_and_deleted_and_nobody_overwrites_what_he_has_not_seen() {
    let city = City::new();
    let put = city.change(Method::PUT, DUST, &body(&text(50)), None).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    let done = put.json();
    assert_eq!((&done["done"], &done["version"]), (&json!(true), &json!(1)));
    assert_eq!((&done["reload"]["rules"], &done["reload"]["added"]), (&json!(2), &json!(["dust"])));
    assert_eq!(city.ok("/api/v1/rules/dust").await["file"], "api:dust");

    let shown = city.get(DUST).await;
    assert_eq!(tag(&shown), tag(&put));
    let shown = shown.json();
    for (member, value) in [
        ("group", json!("dust")),
        ("source", json!("api")),
        ("read_only", json!(false)),
        ("rules", json!(1)),
        ("problems", json!([])),
        ("files", json!([])),
        ("version", json!(1)),
        ("by", json!("ada")),
        ("at", json!(NOW.to_string())),
        ("why", json!("winter")),
        ("texts", json!([{ "name": "api:dust", "text": text(50) }])),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }

    let blind = city.change(Method::PUT, DUST, &body(&text(60)), None).await;
    assert_eq!((blind.status.as_u16(), &*blind.problem()), (409, "already_exists"));
    city.pass(Span::from_mins(1));
    let changed = city.change(Method::PUT, DUST, &body(&text(60)), Some(&tag(&put))).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    assert_eq!(changed.json()["reload"]["changed"], json!(["dust"]));
    for method in [Method::PUT, Method::DELETE] {
        let path = if method == Method::PUT { DUST.to_owned() } else { format!("{DUST}?why=x") };
        let body = if method == Method::PUT { body(&text(70)) } else { Value::Null };
        let late = city.change(method, &path, &body, Some(&tag(&put))).await;
        assert_eq!((late.status.as_u16(), &*late.problem()), (412, "changed_meanwhile"));
    }

    let gone = format!("{DUST}?why=summer");
    let gone = city.change(Method::DELETE, &gone, &Value::Null, Some(&tag(&changed))).await;
    assert_eq!(gone.json()["reload"]["removed"], json!(["dust"]), "{}", gone.text);
    assert_eq!(city.get(DUST).await.problem(), "unknown_rule_group");
    let list = city.ok("/api/v1/rule-groups").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(
        (&list["deleted"][0]["version"], &list["deleted"][0]["why"]),
        (&json!(3), &json!("summer"))
    );
}

#[tokio::test]
async fn history_comes_in_pages_and_any_version_comes_back() {
    let city = City::new();
    let mut seen = None;
    for limit in [50, 60, 70] {
        let put = city.change(Method::PUT, DUST, &body(&text(limit)), seen.as_deref()).await;
        seen = Some(tag(&put));
    }
    let first = city.ok(&format!("{DUST}/history?limit=2")).await;
    let cursor = first["next_cursor"].as_str().expect("more");
    let second = city.ok(&format!("{DUST}/history?limit=2&cursor={cursor}")).await;
    let versions: Vec<&Value> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["items"].as_array().expect("items"))
        .map(|item| &item["version"])
        .collect();
    assert_eq!((json!(versions), &second["next_cursor"]), (json!([3, 2, 1]), &Value::Null));
    assert_eq!(city.ok(&format!("{DUST}/history/2")).await["text"], json!(text(60)));

    let restore = format!("{DUST}/history/1/restore");
    let why = json!({ "why": "60 was worse" });
    let blind = city.post(&restore, &why).await;
    assert_eq!(blind.problem(), "already_exists");
    let back = city.change(Method::POST, &restore, &why, seen.as_deref()).await;
    assert_eq!((back.status, &back.json()["version"]), (StatusCode::OK, &json!(4)));
    let newest = city.ok(&format!("{DUST}/history/4")).await;
    assert_eq!((&newest["step"], &newest["restored_from"]), (&json!("restored"), &json!(1)));
    assert_eq!((&newest["text"], &newest["by"]), (&json!(text(50)), &json!("ada")));

    let gone = format!("{DUST}?why=x");
    city.change(Method::DELETE, &gone, &Value::Null, None).await;
    assert_eq!(city.ok(&format!("{DUST}/history/5")).await["text"], Value::Null);
    let nothing = city.post(&format!("{DUST}/history/5/restore"), &why).await;
    assert_eq!(nothing.problem(), "unknown_version");
    let back = city.post(&format!("{DUST}/history/3/restore"), &why).await;
    assert_eq!((back.status, &back.json()["version"]), (StatusCode::CREATED, &json!(6)));
    for path in [format!("{DUST}/history/9"), format!("{DUST}/history/x")] {
        assert_eq!(city.get(&path).await.problem(), "unknown_version", "{path}");
    }
    assert_eq!(city.get("/api/v1/rule-groups/x/history").await.problem(), "unknown_rule_group");
    assert_eq!(city.ok("/api/v1/rule-groups/air/history").await["items"], json!([]));
}

#[tokio::test]
async fn a_trial_of_a_change_tells_what_is_wrong_with_it_and_which_alerts_would_end() {
    let city = City::new();
    let put = city.change(Method::PUT, DUST, &body(&text(50)), None).await;
    for (id, rule) in [("a-1", "dust"), ("a-2", "pm25_high")] {
        let mut alert = alert(id, Severity::High);
        alert.rule.id = rule.into();
        city.push(&event(1, AlertEventKind::Fired, alert)).await;
    }
    let path = format!("{DUST}?check=true");
    let check = async |text: String| {
        let body = json!({ "text": text });
        city.change(Method::PUT, &path, &body, Some(&tag(&put))).await
    };
    let told = check(text(60)).await;
    assert_eq!((told.status, tag(&told)), (StatusCode::OK, tag(&put)));
    let told = told.json();
    assert_eq!((&told["done"], &told["problems"]), (&json!(false), &json!([])), "{told}");
    assert_eq!(told["reload"]["changed"], json!(["dust"]));
    let ended = json!([{ "alert": "a-1", "rule": "dust", "subject": "series:air-1/pm25",
        "reason": { "en": "the rule was changed", "zh": "规则已修改" } }]);
    assert_eq!(told["reload"]["ended"], ended);

    let told = check(text(60).replace("above", "abvoe").replace("pm10", "pm01")).await.json();
    let problem = &told["problems"][0];
    assert_eq!((&problem["file"], &problem["line"]), (&json!("api:dust"), &json!(8)), "{told}");
    assert_eq!((&told["done"], &told["reload"]), (&json!(false), &Value::Null));
    let why = format!("{DUST}?check=true");
    let told = city.change(Method::DELETE, &why, &Value::Null, None).await.json();
    assert_eq!(told["reload"]["ended"][0]["reason"]["en"], "the rule was removed", "{told}");
    assert_eq!(city.ok(DUST).await["version"], json!(1), "nothing changed");
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_says_why() {
    let city = City::new();
    let put = async |path: &str, body: Value| city.change(Method::PUT, path, &body, None).await;
    let air = put("/api/v1/rule-groups/air", body(&text(1).replace("dust", "air"))).await;
    assert_eq!((air.status.as_u16(), &*air.problem()), (409, "group_in_files"));
    let problem = air.json();
    assert_eq!(
        (&problem["files"], &problem["detail"]),
        (&json!(["air.yaml"]), &json!("The group `air` lives in air.yaml."))
    );
    let shown = city.ok("/api/v1/rule-groups/air").await;
    assert_eq!((&shown["source"], &shown["read_only"]), (&json!("files"), &json!(true)));
    assert_eq!((&shown["files"], &shown["version"]), (&json!(["air.yaml"]), &Value::Null));
    let gone = "/api/v1/rule-groups/air?why=x";
    let gone = city.change(Method::DELETE, gone, &Value::Null, None).await;
    assert_eq!(gone.problem(), "group_in_files");

    let taken = put(DUST, body(&text(1).replace("id: dust", "id: pm25_high"))).await;
    assert_eq!(taken.problem(), "bad_rules");
    let message = taken.json()["problems"][0]["message"].to_string();
    assert!(message.contains("used twice") && message.contains("air.yaml"), "{message}");
    for body in [json!({ "text": text(1) }), json!({ "text": text(1), "why": " " })] {
        let refused = put(DUST, body).await;
        assert_eq!(
            (&*refused.problem(), &refused.json()["fields"][0]["field"]),
            ("bad_fields", &json!("why"))
        );
    }
    let named = put("/api/v1/rule-groups/a%2Fb", body(&text(1))).await;
    assert_eq!(
        (&*named.problem(), &named.json()["fields"][0]["field"]),
        ("bad_fields", &json!("group"))
    );
    assert_eq!(put(DUST, json!({ "txt": "" })).await.problem(), "bad_body");
    assert_eq!(city.ok("/api/v1/rules").await["items"].as_array().map(Vec::len), Some(1));

    let token = city.token(Role::Operator);
    let mut request = super::fixture::bare(Method::PUT, DUST, Some(&body(&text(1))));
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    assert_eq!(city.send(request).await.problem(), "forbidden");
}

#[tokio::test]
async fn a_group_that_became_invalid_is_shown_with_its_problem() {
    let city = City::new();
    let zoned = text(50).replace("pm10}", "pm10, zone: harbour}");
    let put = city.change(Method::PUT, DUST, &body(&zoned), None).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    // The next start has another zone in its place.
    let state = city.state.clone();
    let late = zoned.replace("harbour", "atlantis");
    let sql = "UPDATE rule_history SET text = ?1";
    state.write(|tx| tx.execute(sql, [late])).expect("written");
    let city = City::with_state(state, NOW);
    let shown = city.ok(DUST).await;
    assert_eq!((&shown["rules"], &shown["read_only"]), (&json!(0), &json!(false)));
    let problem = &shown["problems"][0];
    assert_eq!((&problem["file"], &problem["line"]), (&json!("api:dust"), &json!(6)), "{shown}");
    let told = city.ok("/api/v1/system").await["rule_problems"][0].clone();
    assert!(told.as_str().is_some_and(|told| told.contains("`dust` is disabled")), "{told}");
    assert_eq!(city.ok("/api/v1/rules").await["items"].as_array().map(Vec::len), Some(1));
    let health = city.ok("/health/ready").await;
    assert_eq!(
        (&health["status"], &health["parts"]["rules"]["ok"]),
        (&json!("ready"), &json!(false))
    );
    // It can be mended as it could be changed.
    let etag = shown["etag"].as_str().expect("text");
    let mended = city.change(Method::PUT, DUST, &body(&text(50)), Some(etag)).await;
    assert_eq!(mended.json()["reload"]["added"], json!(["dust"]), "{}", mended.text);
    assert_eq!(city.ok("/api/v1/system").await["rule_problems"], json!([]));
}

/// Rules of one department do not silence those of another.
#[tokio::test]
async fn who_holds_back_rules_of_a_department_must_be_an_engineer_there() {
    let city = City::new();
    let rule = |group: &str, department: &str| {
        let text = text(50).replace("dust", group);
        body(&text.replace("department: environment", &format!("department: {department}")))
    };
    for (group, department) in [("soot", "environment"), ("jam", "transport")] {
        let path = format!("/api/v1/rule-groups/{group}");
        let put = city.change(Method::PUT, &path, &rule(group, department), None).await;
        assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    }
    let hold = |suppressed: &str| {
        body(&format!(
            "group: hold\ndepartment: environment\nrules:\n  - id: hold\n    kind: dependency\n    \
             when: [soot]\n    suppress: [{suppressed}]\n    via: device\n"
        ))
    };
    let engineer = token(&city, grants(&[("environment", Role::Engineer)]));
    let put = async |suppressed: &str| {
        let hold = hold(suppressed);
        let mut request = bare(Method::PUT, "/api/v1/rule-groups/hold?check=true", Some(&hold));
        let bearer = format!("Bearer {engineer}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        city.send(request).await
    };
    assert_eq!(put("jam").await.problem(), "forbidden");
    assert_eq!(put("\"jam\", dust-of-nobody").await.problem(), "forbidden");
    let own = put("soot2").await;
    assert_ne!(own.status, StatusCode::FORBIDDEN, "what is not there is nobody's: {}", own.text);
}
