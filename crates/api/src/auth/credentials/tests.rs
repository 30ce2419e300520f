//! Tokens and sessions, and when they end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::tables::MIGRATIONS;
use super::super::tokens::Maker;
use super::super::{NewToken, Role, UserEntry, UserError};
use super::*;

fn credentials() -> Credentials {
    let state = Arc::new(StateDb::in_memory().expect("a database"));
    Credentials::open(state, SessionLimits::default()).expect("tables")
}

const NOW: Timestamp = Timestamp::from_secs(1_000_000);

fn admin(lifetime: Option<Span>) -> NewToken<'static> {
    NewToken::city("ada", Role::Admin, "test", lifetime)
}

fn session(credentials: &Credentials, token: &str) -> String {
    credentials.log_in(token, NOW, None).expect("written").expect("valid").0
}

#[test]
fn only_the_hash_of_a_token_is_kept() {
    let credentials = credentials();
    let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
    assert_eq!(URL_SAFE_NO_PAD.decode(&secret).expect("base64url").len(), 32);
    let kept: Vec<u8> = credentials
        .state
        .read(|conn| {
            Ok::<_, StateError>(conn.query_row("SELECT hash FROM access_tokens", [], |r| r.get(0))?)
        })
        .expect("one row");
    assert_eq!(kept, hash(&secret));
    let proof = Proof::Token(hash(&secret));
    let principal = credentials.check(proof, NOW, None).expect("read").expect("valid");
    assert_eq!(principal.user.as_ref(), "ada");
    assert_eq!(principal.rights.grants(), &Grants::city(Role::Admin));
}

#[test]
fn a_token_with_the_same_beginning_of_the_hash_is_refused() {
    let credentials = credentials();
    let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
    let mut close = hash(&secret);
    close[31] ^= 1;
    assert!(credentials.check(Proof::Token(close), NOW, None).expect("read").is_none());
}

#[test]
fn sessions_end_with_their_time_their_token_and_on_logout() {
    let credentials = credentials();
    let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
    let valid = |secret: &str, at| {
        credentials.check(Proof::Session(hash(secret)), at, None).expect("read").is_some()
    };
    let SessionLimits { idle, lifetime } = credentials.limits();
    let first = session(&credentials, &secret);
    assert!(valid(&first, NOW) && valid(&first, NOW + idle - Span::from_secs(1)));
    assert!(valid(&first, NOW + idle + idle - Span::from_secs(2)), "it was used meanwhile");
    assert!(!valid(&first, NOW + idle + idle + idle), "idle");
    let mut at = NOW;
    while at < NOW + lifetime {
        assert!(valid(&first, at), "{at}");
        at = at + Span::from_hours(6);
    }
    assert!(!valid(&first, NOW + lifetime), "used all the time, and over all the same");
    credentials.log_out(&hash(&first)).expect("written");
    assert!(!valid(&first, NOW), "logged out");

    let second = session(&credentials, &secret);
    let id = credentials.tokens().list().expect("read")[0].id;
    assert!(credentials.tokens().revoke(id, NOW).expect("written"));
    assert!(!valid(&second, NOW), "the token was revoked");
    assert!(credentials.log_in(&secret, NOW, None).expect("read").is_none());
}

#[test]
fn a_token_ends_by_itself_and_its_session_with_it() {
    let credentials = credentials();
    let token = admin(Some(Span::from_mins(10)));
    let secret = credentials.tokens().mint(&token, NOW).expect("minted");
    let session = session(&credentials, &secret);
    let later = NOW + Span::from_mins(10);
    for proof in [Proof::Token(hash(&secret)), Proof::Session(hash(&session))] {
        assert!(credentials.check(proof, NOW, None).expect("read").is_some());
        assert!(credentials.remembered(&proof, NOW + Span::from_secs(9)).is_some());
        assert!(credentials.remembered(&proof, NOW + Span::from_secs(10)).is_none());
        assert!(credentials.check(proof, later, None).expect("read").is_none());
    }
}

#[test]
fn the_use_of_a_token_is_written_now_and_then() {
    let credentials = credentials();
    let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
    let used = |at, from: &str| {
        let from = Some(from.parse().expect("an address"));
        credentials.check(Proof::Token(hash(&secret)), at, from).expect("read");
        let token = credentials.tokens().list().expect("read").remove(0);
        (token.last_used_at.expect("used"), token.last_used_from.expect("from somewhere"))
    };
    assert_eq!(used(NOW, "192.0.2.1"), (NOW, "192.0.2.1".to_owned()));
    let soon = NOW + Span::from_mins(4);
    assert_eq!(used(soon, "192.0.2.2"), (NOW, "192.0.2.1".to_owned()));
    let later = NOW + Span::from_mins(5);
    assert_eq!(used(later, "192.0.2.2"), (later, "192.0.2.2".to_owned()));
}

fn put(credentials: &Credentials, grants: Grants, enabled: bool) {
    let entry = UserEntry { name: "Bo".to_owned(), email: None, grants, enabled, password: None };
    let users = credentials.users();
    users.put("bo", "ada", NOW, |_| Ok::<_, UserError>(entry)).expect("put");
}

#[test]
fn a_token_of_a_user_grants_what_the_user_has_and_ends_with_the_user() {
    let credentials = credentials();
    put(&credentials, Grants::city(Role::Admin), true);
    let maker = Maker { by: "bo", owner: Some("bo") };
    let (_, secret) = credentials.tokens().make(&admin(None), &maker, NOW).expect("made");
    let highest = || {
        let proof = Proof::Token(hash(&secret));
        let found = credentials.check(proof, NOW, None).expect("read");
        found.map(|principal| principal.rights.grants().highest())
    };
    assert_eq!(highest(), Some(Some(Role::Admin)));
    put(&credentials, Grants::city(Role::Admin), true);
    let session = session(&credentials, &secret);
    let others = UserEntry {
        name: "Cy".to_owned(),
        email: None,
        grants: Grants::city(Role::Admin),
        enabled: true,
        password: None,
    };
    let users = credentials.users();
    users.put("cy", "ada", NOW, |_| Ok::<_, UserError>(others)).expect("put");
    put(&credentials, Grants::city(Role::Viewer), true);
    assert_eq!(highest(), Some(Some(Role::Viewer)));
    put(&credentials, Grants::city(Role::Viewer), false);
    assert_eq!(highest(), None);
    let proof = Proof::Session(hash(&session));
    assert!(credentials.check(proof, NOW, None).expect("read").is_none());
    put(&credentials, Grants::city(Role::Viewer), true);
    credentials.users().remove("bo", NOW, |_| Ok::<_, UserError>(())).expect("removed");
    put(&credentials, Grants::city(Role::Admin), true);
    assert_eq!(highest(), None, "another one of the same name has not made it");
}

#[test]
fn what_was_found_out_while_all_was_forgotten_is_not_remembered() {
    let credentials = credentials();
    let secret = credentials.tokens().mint(&admin(None), NOW).expect("minted");
    let proof = Proof::Token(hash(&secret));
    let principal = credentials.check(proof, NOW, None).expect("read").expect("valid");
    let generation = credentials.checked.generation();
    credentials.checked.forget();
    credentials.checked.put(&principal, NOW + BELIEVED, generation);
    assert!(credentials.remembered(&proof, NOW).is_none());
}

/// The tables as they were before there were users, with what was in them.
#[test]
fn tokens_and_sessions_of_before_go_on_in_the_whole_city() {
    let state = Arc::new(StateDb::in_memory().expect("a database"));
    state.migrate("auth", &MIGRATIONS[..1]).expect("the tables of before");
    state
        .write(|tx| {
            for (id, role) in [(1, "admin"), (2, "engine")] {
                tx.execute(
                    "INSERT INTO access_tokens (id, prefix, hash, user, role, note, created_at)
                     VALUES (?1, ?2, ?3, 'ada', ?4, 'old', 5)",
                    params![id, &hash(role)[..8], &hash(role)[..], role],
                )?;
            }
            tx.execute(
                "INSERT INTO sessions (prefix, hash, token, created_at, expires_at)
                 VALUES (?1, ?2, 1, ?3, ?4)",
                params![
                    &hash("s")[..8],
                    &hash("s")[..],
                    NOW.micros(),
                    (NOW + Span::from_hours(24)).micros()
                ],
            )?;
            Ok::<_, StateError>(())
        })
        .expect("written");
    let credentials = Credentials::open(state, SessionLimits::default()).expect("upgraded");
    let grants = |proof| {
        let found = credentials.check(proof, NOW, None).expect("read").expect("valid");
        found.rights.grants().clone()
    };
    assert_eq!(grants(Proof::Token(hash("admin"))), Grants::city(Role::Admin));
    assert_eq!(grants(Proof::Token(hash("engine"))), Grants::city(Role::Engine));
    assert_eq!(grants(Proof::Session(hash("s"))), Grants::city(Role::Admin));
    assert_eq!(credentials.tokens().list().expect("read").len(), 2);
}
