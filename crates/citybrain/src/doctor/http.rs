//! Short questions over HTTP, and the clock of whoever answers.

use std::sync::Arc;
use std::time::Duration;

use city_model::{SharedClock, Span, Timestamp};

use super::peer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, and how far the clock of its sender is ahead of ours.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    /// Seconds; `None` if it says no time. Its header has no fractions (RFC 9110, section 6.6.1).
    pub(super) ahead_s: Option<f64>,
}

/// Asks an address; `token` is shown as a bearer.
pub(super) async fn get(
    url: &str,
    token: Option<&str>,
    ca_pem: Option<&[u8]>,
    clock: &SharedClock,
) -> Result<Answer, String> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_backend_preconfigured(Arc::unwrap_or_clone(peer::client_config(ca_pem)?))
        .build()
        .map_err(|error| innermost(&error))?;
    let asked = clock.now();
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    // The address may hold a secret; the innermost cause does not.
    let answer = request.send().await.map_err(|error| innermost(&error))?;
    let answered = clock.now();
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let ahead_s = date.and_then(|date| ahead_of(date, asked, answered));
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap_or_default();
    Ok(Answer { status, text, ahead_s })
}

/// How far a `Date` is ahead of the middle between question and answer, in seconds.
fn ahead_of(date: &str, asked: Timestamp, answered: Timestamp) -> Option<f64> {
    let said = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    let said = Timestamp::from_micros(said.as_microsecond());
    let middle = asked + Span::from_micros(answered.since(asked).micros() / 2);
    // On the average half a second has been cut off.
    Some(said.since(middle).secs_f64() + 0.5)
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_compared_with_the_middle() {
        let at = Timestamp::from_secs(1_795_435_200);
        let ahead = |date: &str| ahead_of(date, at, at + Span::from_secs(2));
        assert_eq!(ahead("Mon, 23 Nov 2026 12:00:01 GMT"), Some(0.5));
        assert_eq!(ahead("Mon, 23 Nov 2026 12:01:01 GMT"), Some(60.5));
        assert_eq!(ahead("Mon, 23 Nov 2026 11:59:01 GMT"), Some(-59.5));
        assert_eq!(ahead("yesterday"), None);
    }
}
