//! Cursors: where a list goes on, as a text that clients pass back and need not understand.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::problem::{Answer, Problem, codes};

/// Writes a cursor.
pub(crate) fn encode<T: Serialize>(position: &T) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

/// Reads a cursor that [`encode`] wrote for the same list.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Answer<T> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Problem::new(codes::BAD_CURSOR, "The cursor was not given by this list.")
                .hint("Pass `next_cursor` of the page before, unchanged, or none to start over.")
                .with("parameter", "cursor")
        })
}

/// A cursor of the same list in another order.
pub(crate) fn of_another_order() -> Problem {
    Problem::new(codes::BAD_CURSOR, "The cursor belongs to another order.")
        .hint("Keep `sort` the same from page to page.")
        .with("parameter", "cursor")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_others_are_refused() {
        let position = (7_i64, "bench/42".to_owned());
        assert_eq!(decode::<(i64, String)>(&encode(&position)).expect("own"), position);
        for foreign in ["", "!", "bm8", &encode(&"text")] {
            assert!(decode::<(i64, String)>(foreign).is_err(), "{foreign}");
        }
    }
}
