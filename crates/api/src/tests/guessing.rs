//! Guessing passwords: what strangers learn, how they are slowed down, and that they lock nobody out.

use axum::http::{HeaderValue, StatusCode};
use city_model::Span;

use super::fixture::City;
use super::owned::put_user;
use super::sessions::{Browser, PASSWORD, add, from, login, set_password};
use crate::Role;

/// The same answer, whether nobody is called so or the password is wrong.
#[tokio::test]
async fn strangers_do_not_learn_who_there_is() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    put_user(&city, "cy", &[("*", Role::Viewer)]);
    let mut told = Vec::new();
    for user in ["bo", "cy", "nobody", "", "x'; DROP TABLE users; --"] {
        let answer = city.send(login(user, "wrong wrong wrong")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{user}");
        let mut text = answer.json();
        // Each request has its own.
        text.as_object_mut().expect("a problem").remove("request_id").expect("the request's id");
        told.push(text);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn who_guesses_is_slowed_down_everywhere_and_locks_nobody_out() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let mut own = Browser::of(&city, "bo").await;
    // One guess from each of many addresses.
    for n in 0..20 {
        let guess = from(&format!("192.0.2.{n}"), login("bo", "wrong wrong wrong"));
        assert_eq!(city.send(guess).await.problem(), "bad_login");
    }
    let twentyfirst = city.send(from("192.0.2.99", login("bo", PASSWORD))).await;
    assert_eq!(twentyfirst.problem(), "too_many_attempts", "also with the right one");
    assert_eq!(twentyfirst.headers["retry-after"], "900");
    // A name that nobody has is throttled no less.
    for n in 0..20 {
        city.send(from(&format!("198.51.100.{n}"), login("nobody", "wrong wrong"))).await;
    }
    let nobody = city.send(from("192.0.2.98", login("nobody", "wrong wrong"))).await;
    assert_eq!(nobody.problem(), "too_many_attempts");
    // The user on his own browser, from an address that guesses too.
    for _ in 0..12 {
        city.send(from("203.0.113.1", login("zed", "wrong wrong"))).await;
    }
    let answer = own.send(&city, from("203.0.113.1", login("bo", PASSWORD))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    // Others are not concerned, and time heals.
    add(&city, "cy", &[("*", Role::Viewer)]);
    let other = city.send(from("192.0.2.97", login("cy", PASSWORD))).await;
    assert_eq!(other.status, StatusCode::NO_CONTENT);
    city.clock.advance(Span::from_mins(15));
    let later = city.send(from("192.0.2.96", login("bo", PASSWORD))).await;
    assert_eq!(later.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_address_that_guesses_is_turned_away_whatever_headers_it_sends() {
    let city = City::new();
    let guess = async |n: usize, header: &'static str| {
        let mut request = login(&format!("user{n}"), "wrong wrong wrong");
        let claim = HeaderValue::try_from(format!("10.0.0.{n}")).expect("a header");
        request.headers_mut().insert(header, claim);
        city.send(from("192.0.2.1", request)).await.problem()
    };
    for n in 0..10 {
        assert_eq!(guess(n, "x-forwarded-for").await, "bad_login");
    }
    for header in ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip"] {
        assert_eq!(guess(11, header).await, "too_many_attempts", "{header}");
    }
}

#[tokio::test]
async fn a_browser_is_known_for_its_own_user_only_and_until_the_password_changes() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    add(&city, "mallory", &[("*", Role::Viewer)]);
    let mut mallory = Browser::of(&city, "mallory").await;
    let mut own = Browser::of(&city, "bo").await;
    for n in 0..20 {
        city.send(from(&format!("192.0.2.{n}"), login("bo", "wrong wrong wrong"))).await;
    }
    let answer = mallory.log_in(&city, "bo", PASSWORD).await;
    assert_eq!(answer.problem(), "too_many_attempts", "known, but as somebody else");
    set_password(&city, "bo", "three boats in the harbour", false);
    let answer = own.log_in(&city, "bo", "three boats in the harbour").await;
    assert_eq!(answer.problem(), "too_many_attempts", "whoever took the browser has its cookie");
}
