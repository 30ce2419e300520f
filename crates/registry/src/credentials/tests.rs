//! Credentials: who gets in, who does not, and what is left of a secret.

use city_model::{Clock as _, ManualClock};

use super::*;

const PASSWORD: &str = "a bus full of ducks";

struct City {
    state: Arc<StateDb>,
    clock: Arc<ManualClock>,
    credentials: Credentials,
}

fn city() -> City {
    let state = Arc::new(StateDb::in_memory().expect("a database"));
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_795_435_200)));
    let credentials = Credentials::open(state.clone(), clock.clone()).expect("opened");
    City { state, clock, credentials }
}

impl City {
    fn reopened(&self) -> Credentials {
        Credentials::open(self.state.clone(), self.clock.clone()).expect("opened")
    }
}

fn name(verified: Option<Verified>) -> Option<String> {
    verified.map(|verified| verified.grant.name.to_string())
}

#[test]
fn a_password_lets_its_client_in_also_after_a_restart_and_nobody_else() {
    let city = city();
    assert!(city.credentials.is_empty());
    city.credentials.set_password("bus-1", PASSWORD, "").expect("set");
    for credentials in [&city.credentials, &city.reopened()] {
        for _ in 0..2 {
            let grant = credentials.verify_password("bus-1", PASSWORD.as_bytes());
            assert_eq!(name(grant).as_deref(), Some("bus-1"));
            for (who, what) in
                [("bus-1", "a bus full of geese"), ("bus-2", PASSWORD), ("bus-1", "")]
            {
                assert_eq!(credentials.verify_password(who, what.as_bytes()), None, "{who} {what}");
            }
        }
    }
}

#[test]
fn a_right_or_wrong_password_is_hashed_once_and_a_change_forgets_both() {
    let city = city();
    let credentials = &city.credentials;
    credentials.set_password("bus-1", PASSWORD, "").expect("set");
    assert!(credentials.verify_password("bus-1", PASSWORD.as_bytes()).is_some());
    let entry = credentials.table().clients["bus-1"].password.clone().expect("a password");
    let digest = credentials.key.digest("bus-1", PASSWORD.as_bytes());
    assert_eq!(entry.right.get(), Some(&digest), "the second check is a comparison");
    let new = "another bus, more ducks";
    assert!(credentials.verify_password("bus-1", new.as_bytes()).is_none());
    assert_eq!(credentials.wrong().len(), 1);

    credentials.set_password("bus-1", new, "").expect("changed");
    assert!(credentials.verify_password("bus-1", new.as_bytes()).is_some());
    assert!(credentials.verify_password("bus-1", PASSWORD.as_bytes()).is_none());
    let client = credentials.client("bus-1").expect("read").expect("there");
    assert_eq!(client.credentials.len(), 1, "a client has one password");
}

#[test]
fn a_token_is_shown_once_and_opens_http_and_mqtt() {
    let city = city();
    let issued = city.credentials.issue_token("air-1", "the one on the roof").expect("issued");
    let token = issued.secret.expose();
    assert_eq!(token.len(), TOKEN_PREFIX.len() + 43);
    for credentials in [&city.credentials, &city.reopened()] {
        assert_eq!(name(credentials.verify_token(token)).as_deref(), Some("air-1"));
        let mqtt = credentials.verify_password("air-1", token.as_bytes());
        assert_eq!(name(mqtt).as_deref(), Some("air-1"));
        assert_eq!(credentials.verify_password("air-2", token.as_bytes()), None);
        assert_eq!(credentials.verify_token(&token[..token.len() - 1]), None);
        assert_eq!(credentials.verify_token(""), None);
    }
    let shown = format!("{issued:?} {:?} {:?}", city.credentials, city.credentials.list());
    assert!(!shown.contains(&token[TOKEN_PREFIX.len()..]), "{shown}");
    let stored = city.state.read(|conn| tables::load_credentials(conn, None)).expect("read");
    assert!(!stored[0].secret.contains(&token[TOKEN_PREFIX.len()..]));
    assert_eq!(stored[0].secret, hex(&secret::token_hash(token)));
}

#[test]
fn what_is_revoked_or_disabled_is_worthless_at_once() {
    let city = city();
    let credentials = &city.credentials;
    let first = credentials.issue_token("air-1", "").expect("issued");
    let second = credentials.issue_token("air-1", "").expect("issued");
    let version = credentials.version();
    assert!(!credentials.revoke("air-2", first.id).expect("tried"), "it is not air-2's");
    assert!(credentials.revoke("air-1", first.id).expect("revoked"));
    assert!(!credentials.revoke("air-1", first.id).expect("gone"));
    assert!(credentials.version() > version);
    assert_eq!(credentials.verify_token(first.secret.expose()), None);
    assert!(credentials.verify_token(second.secret.expose()).is_some());

    assert!(credentials.set_enabled("air-1", false).expect("disabled"));
    assert_eq!(credentials.verify_token(second.secret.expose()), None);
    assert_eq!(credentials.grant("air-1"), None);
    assert_eq!(credentials.standing("air-1"), Standing::Disabled);
    assert!(credentials.is_guarded("air-1"), "disabling opens it to nobody");
    credentials.set_enabled("air-1", true).expect("enabled");
    assert!(credentials.verify_token(second.secret.expose()).is_some());
    assert!(credentials.remove("air-1").expect("removed"));
    assert_eq!(credentials.verify_token(second.secret.expose()), None);
    assert!(credentials.is_empty() && city.reopened().is_empty());
    assert_eq!(credentials.standing("air-1"), Standing::Unknown);
    assert!(!credentials.is_guarded("air-1"));
}

#[test]
fn what_was_verified_holds_as_long_as_the_credential_that_was_shown() {
    let city = city();
    let credentials = &city.credentials;
    let first = credentials.issue_token("air-1", "").expect("issued");
    let second = credentials.issue_token("air-1", "").expect("issued");
    credentials.set_password("air-1", PASSWORD, "").expect("set");
    credentials.bind_certificate("air-1", "air-1.city.example", "").expect("bound");
    let shown = [
        credentials.verify_token(first.secret.expose()),
        credentials.verify_token(second.secret.expose()),
        credentials.verify_password("air-1", PASSWORD.as_bytes()),
        credentials.verify_certificate_name("air-1.city.example"),
    ]
    .map(|verified| verified.expect("valid"));
    let holding = || shown.each_ref().map(|verified| credentials.still_holds(verified));
    assert_eq!(holding(), [true; 4]);
    credentials.revoke("air-1", first.id).expect("revoked");
    assert_eq!(holding(), [false, true, true, true], "the others stay");
    credentials.set_password("air-1", "another one with many words", "").expect("set");
    assert_eq!(holding(), [false, true, false, true]);
    credentials.revoke("air-1", shown[3].credential).expect("revoked");
    assert_eq!(holding(), [false, true, false, false]);
    let rights = Rights { any_device: true, ..Rights::default() };
    credentials.put_client("air-1", &rights).expect("changed");
    assert_eq!(holding(), [false; 4], "it has other rights now");
}

#[test]
fn a_device_is_guarded_as_long_as_one_client_lists_it() {
    let city = city();
    let credentials = &city.credentials;
    let list = |name: &str, ids: &[&str]| {
        let devices = Some(ids.iter().map(ToString::to_string).collect());
        let rights = Rights { devices, ..Rights::default() };
        credentials.put_client(name, &rights).expect("put");
    };
    list("gw-1", &["a", "b", "a"]);
    list("gw-2", &["b"]);
    let guarded = |credentials: &Credentials| {
        ["a", "b", "c", "gw-1"].map(|device| credentials.is_guarded(device))
    };
    assert_eq!(guarded(credentials), [true, true, false, true]);
    assert_eq!(guarded(&city.reopened()), [true, true, false, true]);
    list("gw-1", &["c"]);
    assert_eq!(guarded(credentials), [false, true, true, true]);
    credentials.set_enabled("gw-2", false).expect("disabled");
    assert_eq!(guarded(credentials), [false, true, true, true], "disabling opens nothing");
    credentials.issue_tokens(&["x", "y"], "").expect("issued");
    assert_eq!(guarded(credentials), [false, true, true, true]);
    for name in ["gw-1", "gw-2"] {
        assert!(credentials.remove(name).expect("removed"));
    }
    assert_eq!(guarded(credentials), [false; 4]);
}

#[test]
fn no_client_has_the_name_of_somebody_without_credentials() {
    let credentials = city().credentials;
    let error = credentials.issue_token("anonymous:gw", "").expect_err("refused").to_string();
    assert!(error.starts_with("name: "), "{error}");
    let rights = Rights::default();
    assert!(credentials.put_client("anonymous:", &rights).is_err() && credentials.is_empty());
}

#[test]
fn a_name_in_a_certificate_is_no_fingerprint() {
    let credentials = city().credentials;
    let print = fingerprint(b"der");
    credentials.bind_certificate("air-1", &print, "").expect("bound");
    for name in [print.clone(), print.to_ascii_uppercase()] {
        assert_eq!(credentials.verify_certificate_name(&name), None, "{name}");
    }
    assert!(credentials.verify_fingerprint(&print).is_some());
    credentials.bind_certificate("air-2", "air-2.city.example", "").expect("bound");
    assert_eq!(credentials.verify_fingerprint("air-2.city.example"), None);
}

#[test]
fn a_certificate_is_known_by_name_or_by_fingerprint() {
    let city = city();
    let credentials = &city.credentials;
    let print = fingerprint(b"der");
    let loud = print.replace("sha256:", "SHA256:").to_ascii_uppercase();
    credentials.bind_certificate("air-1", &loud, "").expect("bound");
    credentials.bind_certificate("air-2", "air-2.city.example", "").expect("bound");
    assert_eq!(name(credentials.verify_fingerprint(&print)).as_deref(), Some("air-1"));
    let by_name = credentials.verify_certificate_name("air-2.city.example");
    assert_eq!(name(by_name).as_deref(), Some("air-2"));
    assert_eq!(credentials.verify_certificate_name("AIR-2.city.example"), None);
    assert_eq!(credentials.verify_fingerprint(&fingerprint(b"other")), None);
    let error = credentials.bind_certificate("air-3", &print, "").expect_err("taken");
    assert!(error.to_string().contains("air-1"), "{error}");
    assert!(credentials.bind_certificate("air-3", "sha256:12", "").is_err());
}

#[test]
fn a_gateway_speaks_for_its_devices() {
    let city = city();
    let rights = Rights {
        devices: Some(vec!["a".to_owned(), "b".to_owned()]),
        publish: vec!["gw/1/#".to_owned()],
        ..Rights::default()
    };
    city.credentials.put_client("gw-1", &rights).expect("added");
    city.credentials.issue_token("gw-1", "").expect("issued");
    let grant = city.reopened().grant("gw-1").expect("there");
    assert!(grant.speaks_for("b") && !grant.speaks_for("gw-1"));
    assert!(grant.may_publish("gw/1/batch", None) && !grant.may_publish("gw/2/batch", None));
    for bad in [
        Rights { any_device: true, devices: Some(vec![]), ..Rights::default() },
        Rights { publish: vec!["a/#/b".to_owned()], ..Rights::default() },
    ] {
        assert!(matches!(city.credentials.put_client("x", &bad), Err(RegistryError::Fields(_))));
    }
}

#[test]
fn tokens_for_a_fleet_are_made_at_once_or_not_at_all() {
    let city = city();
    let names: Vec<String> = (0..1_000).map(|index| format!("d-{index}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    let issued = city.credentials.issue_tokens(&names, "fleet").expect("issued");
    assert_eq!(issued.len(), 1_000);
    let last = issued.last().expect("one");
    assert_eq!(name(city.credentials.verify_token(last.secret.expose())).as_deref(), Some("d-999"));
    names.push("");
    assert!(city.credentials.issue_tokens(&names, "").is_err());
    assert_eq!(city.credentials.list().expect("listed").len(), 1_000);
    assert!(city.credentials.list().expect("listed").iter().all(|c| c.credentials.len() == 1));
}

#[test]
fn the_last_use_is_kept_to_the_minute() {
    let city = city();
    let token = city.credentials.issue_token("air-1", "").expect("issued");
    let used = |credentials: &Credentials| {
        let client = credentials.client("air-1").expect("read").expect("there");
        client.credentials[0].last_used_at
    };
    assert_eq!(used(&city.credentials), None);
    let first = city.clock.now();
    city.credentials.verify_token(token.secret.expose()).expect("valid");
    city.clock.advance(Span::from_secs(59));
    city.credentials.verify_token(token.secret.expose()).expect("valid");
    assert_eq!(used(&city.credentials), Some(first));
    city.credentials.save_uses().expect("saved");
    assert_eq!(used(&city.reopened()), Some(first));
    city.clock.advance(Span::from_secs(1));
    city.credentials.verify_token(token.secret.expose()).expect("valid");
    assert_eq!(used(&city.credentials), Some(first + Span::from_secs(60)));
}

#[test]
fn short_passwords_and_those_that_look_like_tokens_are_refused() {
    let credentials = city().credentials;
    for password in ["", "fourteen chars", "cbd_and some more text"] {
        let error = credentials.set_password("a", password, "").expect_err("refused").to_string();
        assert!(error.starts_with("password: ") && !error.contains("some more"), "{error}");
    }
    assert!(credentials.is_empty());
}

#[test]
fn what_is_known_of_a_password_is_told_without_hashing() {
    let city = city();
    let credentials = &city.credentials;
    credentials.set_password("bus-1", PASSWORD, "").expect("set");
    let token = credentials.issue_token("bus-1", "").expect("issued");
    let known = |name: &str, password: &str| {
        let known = credentials.known_password(name, password.as_bytes());
        known.map(|verified| verified.is_some())
    };
    assert_eq!(known("bus-1", PASSWORD), None);
    assert_eq!(known("bus-1", "a bus full of geese"), None);
    credentials.verify_password("bus-1", PASSWORD.as_bytes()).expect("right");
    assert_eq!(credentials.verify_password("bus-1", b"a bus full of geese"), None);
    assert_eq!(known("bus-1", PASSWORD), Some(true));
    assert_eq!(known("bus-1", "a bus full of geese"), Some(false));
    assert_eq!(known("bus-1", token.secret.expose()), Some(true));
    assert_eq!(known("bus-2", token.secret.expose()), Some(false));
    credentials.set_enabled("bus-1", false).expect("disabled");
    assert_ne!(known("bus-1", PASSWORD), Some(true));
}
