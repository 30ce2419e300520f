//! Changes that must not overwrite what somebody else changed meanwhile: `ETag`, `If-Match`,
//! `If-None-Match` (RFC 9110, clauses 8.8.3 and 13.1).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::problem::{Answer, Problem, codes};

/// What must be so for a change to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Precondition {
    /// The tags of which one must be the present one; `*` for any.
    matches: Option<Vec<String>>,
    /// Whether nothing may be there yet.
    absent: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::read(&parts.headers))
    }
}

impl Precondition {
    fn read(headers: &HeaderMap) -> Self {
        let tags = |name: header::HeaderName| -> Option<Vec<String>> {
            let lists = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            let tags: Vec<String> = lists
                .flat_map(|list| list.split(','))
                .map(|tag| tag.trim().trim_matches('"').to_owned())
                .collect();
            (!tags.is_empty()).then_some(tags)
        };
        let absent = tags(header::IF_NONE_MATCH).is_some_and(|tags| tags == ["*"]);
        Self { matches: tags(header::IF_MATCH), absent }
    }

    /// Whether what is there now, by its tag, is what the client saw.
    pub(crate) fn check(&self, present: Option<&str>) -> Answer<()> {
        let changed = |detail: &str| {
            let problem = Problem::new(codes::CHANGED_MEANWHILE, detail)
                .hint("Get it again, look at what is different, and send your change anew.");
            Err(problem.with("etag", present))
        };
        match (&self.matches, present) {
            (_, Some(_)) if self.absent => changed("It is there already."),
            (Some(_), None) => changed("It is not there any more."),
            (Some(tags), Some(tag))
                if !tags.iter().any(|wanted| wanted == "*" || wanted == tag) =>
            {
                changed("Somebody changed it meanwhile.")
            }
            _ => Ok(()),
        }
    }

    /// The same for a change that replaces everything: then the client must say what it saw.
    pub(crate) fn check_replacing(&self, present: Option<&str>) -> Answer<()> {
        if self.matches.is_none() && !self.absent && present.is_some() {
            return Err(Problem::new(codes::EXISTS, "It is there already.")
                .hint("To replace it, send `If-Match` with the ETag that a GET of it gives.")
                .with("etag", present));
        }
        self.check(present)
    }
}

/// The header with a tag.
pub(crate) fn etag(tag: &str) -> [(header::HeaderName, HeaderValue); 1] {
    let value = HeaderValue::try_from(format!("\"{tag}\""));
    [(header::ETAG, value.unwrap_or_else(|_| HeaderValue::from_static("\"\"")))]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: header::HeaderName, value: &'static str) -> Precondition {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        Precondition::read(&headers)
    }

    #[test]
    fn what_was_seen_must_be_what_is_there() {
        let one = with(header::IF_MATCH, "\"a\", \"b\"");
        assert!(one.check(Some("b")).is_ok());
        let any = with(header::IF_MATCH, "*");
        assert!(any.check(Some("x")).is_ok());
        let absent = with(header::IF_NONE_MATCH, "*");
        assert!(absent.check_replacing(None).is_ok());
        for (precondition, present) in
            [(&one, Some("c")), (&one, None), (&any, None), (&absent, Some("a"))]
        {
            let problem = precondition.check(present).expect_err("changed");
            assert_eq!(problem.code(), codes::CHANGED_MEANWHILE, "{precondition:?} {present:?}");
        }
    }

    #[test]
    fn who_replaces_must_have_looked() {
        let none = Precondition::default();
        assert!(none.check(Some("a")).is_ok() && none.check_replacing(None).is_ok());
        let problem = none.check_replacing(Some("a")).expect_err("there");
        assert_eq!(problem.code(), codes::EXISTS);
    }
}
