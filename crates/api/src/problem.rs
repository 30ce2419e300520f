//! Answers that say no: problem documents of RFC 9457 with a stable code and a hint.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use city_model::with_causes;
use city_registry::{FieldProblem, RegistryError};
use city_store::{StateError, StoreError, StoreErrorKind};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::auth::UserError;
use crate::request_id::RequestId;

/// What a handler gives.
pub(crate) type Answer<T> = Result<T, Problem>;

/// One kind of problem, told apart by its name, for ever.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// The stable name that programs decide on.
    pub name: &'static str,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// What kind of problem it is, for people.
    pub title: &'static str,
}

/// Defines the codes and the slice of them all.
macro_rules! codes {
    ($($ident:ident $name:literal $status:literal $title:literal;)*) => {
        /// Every code that the API uses.
        pub(crate) mod codes {
            use super::Code;
            $(
                #[doc = $title]
                pub(crate) const $ident: &Code =
                    &Code { name: $name, status: $status, title: $title };
            )*
            /// All of them, in the order of the documentation.
            pub(crate) const ALL: &[&Code] = &[$($ident),*];
        }
    };
}

codes! {
    UNAUTHENTICATED "unauthenticated" 401 "Log in first";
    BAD_TOKEN "bad_token" 401 "The access token is not valid";
    BAD_LOGIN "bad_login" 401 "The name or the password is not right";
    BAD_EXTERNAL_LOGIN "bad_external_login" 401 "The login through the identity provider did not work";
    BAD_SETUP_TOKEN "bad_setup_token" 401 "The set-up token is not valid";
    TOO_MANY_ATTEMPTS "too_many_attempts" 429 "Too many failed logins";
    CSRF "csrf_header_missing" 403 "The request could have been forged";
    CROSS_ORIGIN "cross_origin" 403 "Another site made the request";
    PASSWORD_CHANGE "password_change_needed" 403 "Choose a password of your own first";
    NO_RIGHTS "no_rights" 403 "Whoever logged in may do nothing here";
    FORBIDDEN "forbidden" 403 "Your role does not allow this";
    NOT_FOUND "not_found" 404 "There is nothing at this address";
    METHOD_NOT_ALLOWED "method_not_allowed" 405 "The address does not take this method";
    UNKNOWN_DEVICE "unknown_device" 404 "There is no such device";
    UNKNOWN_METRIC "unknown_metric" 404 "There is no such metric";
    UNKNOWN_ZONE "unknown_zone" 404 "There is no such zone";
    UNKNOWN_ALERT "unknown_alert" 404 "There is no such alert";
    NO_CAP "no_cap" 404 "The city does not speak CAP";
    UNKNOWN_RECEIVER "unknown_receiver" 404 "There is no such receiver";
    OWN_RECEIVER "own_receiver" 409 "The receiver is this program itself";
    UNKNOWN_RULE "unknown_rule" 404 "There is no such rule";
    UNKNOWN_RULE_GROUP "unknown_rule_group" 404 "There is no such group of rules";
    UNKNOWN_VERSION "unknown_version" 404 "There is no such version";
    UNKNOWN_DEAD_LETTER "unknown_dead_letter" 404 "There is no such dead letter";
    UNKNOWN_SOURCE "unknown_source" 404 "There is no such source";
    NO_REPORT "no_report" 404 "There is no report of this day";
    NOT_DECODED "not_decoded" 422 "Nothing of the message could become readings";
    BAD_TOPIC "bad_topic" 422 "The topic is not one of the source's";
    NO_PROVIDER "no_provider" 404 "There is no identity provider";
    PROVIDER_UNAVAILABLE "provider_unavailable" 502 "The identity provider does not answer";
    NO_SUCH_PART "no_such_part" 416 "The file has no such part";
    NOT_DURABLE "not_durable" 503 "The message is not durable";
    UNKNOWN_PARAMETER "unknown_parameter" 400 "A query parameter is not known";
    BAD_PARAMETER "bad_parameter" 400 "A parameter cannot be read";
    MISSING_PARAMETER "missing_parameter" 400 "A query parameter is missing";
    REPEATED_PARAMETER "repeated_parameter" 400 "A query parameter stands there twice";
    BAD_CURSOR "bad_cursor" 400 "The cursor is not one of this list";
    BAD_RANGE "bad_range" 400 "The time range makes no sense";
    TOO_MANY_STEPS "too_many_steps" 400 "The step is too short for the range";
    QUERY_TOO_LARGE "query_too_large" 400 "The query asks for too much";
    BAD_JSON "bad_json" 400 "The body is not JSON";
    BAD_BODY "bad_body" 422 "The body is not of the right shape";
    BAD_DEVICES "bad_devices" 422 "Devices cannot be registered like this";
    BAD_ZONES "bad_zones" 422 "The zones cannot be taken like this";
    BAD_RULES "bad_rules" 422 "The rules have problems";
    BAD_KEY "bad_idempotency_key" 422 "The idempotency key does not fit the event";
    UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" 415 "The body must be JSON";
    BODY_TOO_LARGE "body_too_large" 413 "The body is too large";
    BODY_TOO_SLOW "body_too_slow" 408 "The body came too slowly";
    BAD_FIELDS "bad_fields" 422 "Some fields cannot be like this";
    UNKNOWN_KIND "unknown_kind" 404 "There is no such kind";
    UNKNOWN_DEPARTMENT "unknown_department" 404 "There is no such department";
    UNKNOWN_CLIENT "unknown_client" 404 "There is no such client";
    UNKNOWN_CREDENTIAL "unknown_credential" 404 "The client has no such credential";
    UNKNOWN_USER "unknown_user" 404 "There is no such user";
    UNKNOWN_TOKEN "unknown_token" 404 "There is no such access token";
    UNKNOWN_MAPPING "unknown_mapping" 404 "Nobody said what this name means";
    NOT_WAITING "not_waiting" 404 "No such device waits to be registered";
    CHANGED_MEANWHILE "changed_meanwhile" 412 "It is not as you saw it";
    EXISTS "already_exists" 409 "It is there already";
    CONFIGURED "configured" 409 "The configuration describes it";
    GROUP_IN_FILES "group_in_files" 409 "The group of rules lives in files";
    SETUP_DONE "setup_done" 409 "The city has an administrator already";
    OWN_TOKEN "own_token" 409 "The program needs this token itself";
    LAST_ADMIN "last_administrator" 409 "Nobody could administer the city any more";
    NO_PASSWORD "no_password" 409 "You did not log in with a password";
    IN_USE "in_use" 409 "Devices need it";
    HAS_HISTORY "has_history" 409 "The device has a history";
    ALREADY_ACKNOWLEDGED "already_acknowledged" 409 "Somebody has acknowledged the alert already";
    ALREADY_RESOLVED "already_resolved" 409 "The alert has ended already";
    ALREADY_SHELVED "already_shelved" 409 "Somebody has put the alert aside already";
    NOT_SHELVED "not_shelved" 409 "Nobody has put the alert aside";
    NOT_YOURS "not_yours" 409 "Somebody else has the alert";
    NOTHING_TO_DO "nothing_to_do" 409 "The alert is not at a step where this can be done";
    BAD_DEADLINE "bad_deadline" 422 "The time is not one that can be taken";
    UNKNOWN_DATASET "unknown_dataset" 404 "There is no such dataset";
    UNKNOWN_SILENCE "unknown_silence" 404 "There is no such silence";
    BAD_SILENCE "bad_silence" 422 "The silence cannot be like this";
    SILENCE_OVER "silence_over" 409 "The silence is over already";
    BAD_COMMAND "bad_command" 422 "The device cannot be sent this command";
    NO_ENDPOINT "no_endpoint" 503 "There is no way to the devices";
    ENGINE_STOPPED "engine_stopped" 503 "Nothing evaluates rules";
    COMMANDS_FULL "commands_full" 503 "Too many commands wait";
    REPLAY_FAILED "replay_failed" 503 "The dead letter could not be replayed";
    NOT_RECORDED "not_recorded" 503 "Changes cannot be recorded";
    STORE_UNAVAILABLE "store_unavailable" 503 "The store does not answer";
    BUSY "busy" 503 "Too many queries are running";
    RATE_LIMITED "rate_limited" 429 "Too many requests";
    TOO_MANY_STREAMS "too_many_streams" 503 "Too many clients follow the stream";
    INTERNAL "internal" 500 "Something failed inside";
}

/// A refusal on its way to the client.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: &'static Code,
    detail: String,
    hint: Option<String>,
    extra: Map<String, Value>,
    retry_after_s: Option<u32>,
    request_id: Option<String>,
}

/// The document as sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Where the code is explained, relative to the server.
    r#type: String,
    /// The kind of problem, the same for every occurrence.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// The stable name of the kind of problem.
    code: &'static str,
    /// How to mend it.
    hint: Option<String>,
    /// The path that was asked.
    instance: Option<String>,
    /// The id of the request, as in the header `x-request-id` and in the server's log.
    request_id: Option<String>,
    /// Further members of some codes, such as `acknowledged`.
    #[serde(flatten)]
    #[schema(ignore)]
    extra: Map<String, Value>,
}

impl Problem {
    /// A problem of this code; `detail` says what is wrong this time.
    pub(crate) fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            hint: None,
            extra: Map::new(),
            retry_after_s: None,
            request_id: None,
        }
    }

    /// Says how to mend it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.extra.insert(name.to_owned(), value);
        }
        self
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// A failure whose cause is logged here and not shown to the client.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error.cause = %with_causes(error), "a request failed inside");
        Self::new(codes::INTERNAL, "The server could not do this; its log says why.")
            .hint("Try again; if it stays, look into the server's log.")
    }

    /// What programs decide on.
    pub(crate) fn code(&self) -> &'static Code {
        self.code
    }

    fn body(&self, instance: Option<String>) -> ProblemBody {
        ProblemBody {
            r#type: format!("/api/v1/docs#problem-{}", self.code.name),
            title: self.code.title,
            status: self.code.status,
            detail: self.detail.clone(),
            code: self.code.name,
            hint: self.hint.clone(),
            instance,
            request_id: self.request_id.clone(),
            extra: self.extra.clone(),
        }
    }

    /// The document as a part of another one.
    pub(crate) fn document(&self) -> Value {
        serde_json::to_value(self.body(None)).unwrap_or_default()
    }

    /// The answer, with the path that was asked.
    pub(crate) fn response(self, instance: Option<String>) -> Response {
        let status =
            StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_vec(&self.body(instance)).unwrap_or_default();
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.code.status == 401 {
            let scheme = HeaderValue::from_static("Bearer realm=\"citybrain\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    /// The answer without `instance`, which [`name_instance`] adds: only the router knows it.
    fn into_response(self) -> Response {
        self.response(None)
    }
}

/// Writes the asked path and the request's id into problems; the outermost layer that knows of
/// problems.
pub(crate) async fn name_instance(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let id = request.extensions().get::<RequestId>().map(|id| id.as_str().to_owned());
    let response = next.run(request).await;
    let Some(problem) = response.extensions().get::<Problem>() else { return response };
    let mut problem = problem.clone();
    problem.request_id = id;
    let body = problem.response(Some(path)).into_body();
    // The headers stay: the router adds `Allow` to some.
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error.kind {
            StoreErrorKind::Invalid => Self::new(codes::BAD_RANGE, error.message),
            // Nobody is there to read it, and nothing is wrong.
            StoreErrorKind::Cancelled => Self::new(codes::STORE_UNAVAILABLE, error.message),
            _ if error.is_transient() => {
                tracing::warn!(error.cause = %with_causes(&error), "the store refused a query");
                Self::new(codes::STORE_UNAVAILABLE, "The store cannot answer now.")
                    .hint("It recovers by itself; try again in a few seconds.")
                    .retry_after(5)
            }
            _ => Self::internal(&error),
        }
    }
}

impl From<StateError> for Problem {
    fn from(error: StateError) -> Self {
        Self::internal(&error)
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Fields(problems) => bad_fields(&problems),
            RegistryError::Import(problems) => {
                let detail = RegistryError::Import(problems.clone()).to_string();
                Self::new(codes::BAD_DEVICES, detail)
                    .hint("Mend all of them and send the whole list again, or take the others with `partial=true`.")
                    .with("problems", problems.iter().take(SHOWN_PROBLEMS).collect::<Vec<_>>())
                    .with("problem_count", problems.len())
            }
            RegistryError::File { message, hint, .. } => {
                Self::new(codes::BAD_BODY, message).hint(hint)
            }
            RegistryError::Configured { .. } => {
                Self::new(codes::CONFIGURED, format!("The {error}."))
                    .hint("Change the configuration file and restart.")
            }
            RegistryError::InUse { .. } => Self::new(codes::IN_USE, format!("The {error}.")),
            other => Self::internal(&other),
        }
    }
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Fields(problems) => bad_fields(&problems),
            UserError::LastAdmin(_) => Self::new(codes::LAST_ADMIN, format!("{error}."))
                .hint("Make somebody else an administrator of the whole city (`*`) first."),
            UserError::Unknown(_) => Self::new(codes::UNKNOWN_USER, format!("{error}."))
                .hint("GET /api/v1/users lists them."),
            UserError::State(error) => error.into(),
        }
    }
}

/// How many problems of an import are listed one by one.
const SHOWN_PROBLEMS: usize = 1_000;

/// What is wrong with what somebody sent, field by field.
pub(crate) fn bad_fields(problems: &[FieldProblem]) -> Problem {
    let line = |problem: &FieldProblem| format!("{}: {}", problem.field, problem.message);
    let lines: Vec<String> = problems.iter().map(line).collect();
    let hints: Vec<&str> = problems.iter().map(|problem| problem.hint).collect();
    Problem::new(codes::BAD_FIELDS, lines.join("; "))
        .hint(hints.join("; "))
        .with("fields", problems)
}

#[cfg(test)]
mod tests {
    use super::codes;

    #[test]
    fn codes_are_unique_and_in_snake_case() {
        let mut names: Vec<_> = codes::ALL.iter().map(|code| code.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), codes::ALL.len());
        for code in codes::ALL {
            assert!(code.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{code:?}");
            assert!((400..600).contains(&code.status), "{code:?}");
        }
    }
}
