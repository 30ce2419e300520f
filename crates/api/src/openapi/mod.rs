//! The OpenAPI 3.1 document: collected from the routes, completed with what they all share.

mod bodies;
mod page;
mod shared;

use std::sync::LazyLock;

use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, License, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};

use crate::auth::{Access, COOKIE, policy};
use crate::problem::ProblemBody;

pub(crate) use page::{CSS, page};

/// What holds for every call, in `CommonMark`.
const CONVENTIONS: &str = include_str!("conventions.md");

/// The document of all routes.
pub(crate) static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(|| {
    let (_, document) = crate::routes::all().split_for_parts();
    complete(document)
});

/// The document as JSON, indented.
pub(crate) static JSON: LazyLock<String> = LazyLock::new(|| {
    let mut text = DOCUMENT.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
});

/// Shapes whose optional members may really be left out; everywhere else they are `null`.
const SPARSE: &[&str] = &[
    "Acknowledge",
    "AcceptAlert",
    "AcceptDevice",
    "AlertMatch",
    "AssignAlert",
    "Dataset",
    "DatasetSelect",
    "DeviceEntry",
    "EachText",
    "EndSilence",
    "HandOverAlert",
    "Ignore",
    "KindEntry",
    "Login",
    "MapChange",
    "Mapping",
    "NewAccessToken",
    "NewBacktest",
    "NewCertificate",
    "NewCommand",
    "NewDeviceTokens",
    "NewNote",
    "NewPassword",
    "NewRuleTest",
    "NewSilence",
    "NewToken",
    "ReturnAlert",
    "Rights",
    "UnshelveAlert",
    "UserEntry",
];

/// The members of a shape, with those of the shapes that it is put together from.
pub(crate) fn members(shape: &str) -> Vec<String> {
    let schemas = DOCUMENT.components.as_ref().map(|components| &components.schemas);
    let mut names = Vec::new();
    if let Some(schema) = schemas.and_then(|schemas| schemas.get(shape)) {
        add_members(schema, &mut names);
    }
    names
}

fn add_members(schema: &RefOr<Schema>, names: &mut Vec<String>) {
    match schema {
        RefOr::Ref(target) => {
            names.extend(members(target.ref_location.rsplit('/').next().unwrap_or_default()));
        }
        RefOr::T(Schema::Object(object)) => names.extend(object.properties.keys().cloned()),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().for_each(|part| add_members(part, names)),
        RefOr::T(_) => {}
    }
}

/// What the document says before any route is added.
pub(crate) fn head() -> OpenApi {
    let license = License::builder().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("citybrain")
        .version("1")
        .license(Some(license))
        .description(Some(CONVENTIONS))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An access token."))
        .build();
    let cookie = ApiKeyValue::with_description(COOKIE, "Set by `POST /session`.");
    let components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .schemas_from_iter(crate::routes::stream_data())
        .build();
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// Adds what all routes share: who may call them and which problems they answer with.
fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let access = policy::find(method, path).unwrap_or(Access::Open);
            add_problems(operation, access, path);
            bodies::need_text(operation);
            shared::add_forms(operation);
        }
    }
    let sent = bodies::shapes(&document);
    if let Some(components) = &mut document.components {
        components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
        components.schemas.insert(shared::CHOSEN.to_owned(), shared::chosen());
        for (name, schema) in &mut components.schemas {
            if !SPARSE.contains(&name.as_str()) {
                require_all(schema);
            }
            if sent.contains(name) {
                bodies::close(schema);
            }
        }
    }
    document
}

/// Whether the document says that an operation answers with a status.
#[cfg(test)]
pub(crate) fn says(method: &str, path: &str, status: u16) -> bool {
    let Some(item) = DOCUMENT.paths.paths.get(path) else { return true };
    let method = if method == "HEAD" { "GET" } else { method };
    let mut item = item.clone();
    operations(&mut item)
        .find(|(name, _)| *name == method)
        .is_none_or(|(_, said)| said.responses.responses.contains_key(&status.to_string()))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, patch, delete, .. } = item;
    [("GET", get), ("PUT", put), ("POST", post), ("PATCH", patch), ("DELETE", delete)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_problems(operation: &mut Operation, access: Access, path: &str) {
    let mut problem = |status: &str, description: &str| {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content)
            .build();
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response));
    };
    problem("400", "A parameter is unknown, missing, repeated or cannot be read");
    problem("500", "Something failed inside; the server's log says what");
    problem(
        "429",
        "Too many requests, or too many failed logins; `Retry-After` says when to come back",
    );
    problem("503", "The store does not answer, or too much is going on; try again later");
    if path.contains('{') || path_takes_ids(path) {
        problem("404", "There is no such thing");
    }
    if access == Access::Open {
        problem("401", "The access token is not valid");
    } else {
        problem("401", "Nobody is logged in, or the session or token has ended");
        problem("403", "The role does not allow it, or the CSRF header is missing");
    }
    if operation.request_body.is_some() {
        problem("408", "The body came too slowly");
        problem("413", "The body is too large");
        problem("415", "The body is not declared as JSON");
        problem("422", "The body is not of the right shape");
    }
    if access != Access::Open {
        let none: [&str; 0] = [];
        operation.security = Some(vec![
            SecurityRequirement::new("bearer", none),
            SecurityRequirement::new("cookie", none),
        ]);
    }
}

/// Whether a path takes ids of things as parameters, which may not exist.
fn path_takes_ids(path: &str) -> bool {
    [
        "devices",
        "last-values",
        "readings",
        "series",
        "export",
        "aggregates",
        "top",
        "track",
        "stream",
    ]
    .iter()
    .any(|resource| path.ends_with(resource))
}

/// Answers always have all members: those that are optional in Rust are `null`, not absent.
fn require_all(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) if matches!(object.schema_type, SchemaType::Type(Type::Object)) => {
            object.required = object.properties.keys().cloned().collect();
            object.properties.values_mut().for_each(require_all);
        }
        Schema::AllOf(all) => all.items.iter_mut().for_each(require_all),
        Schema::OneOf(one) => one.items.iter_mut().for_each(require_all),
        _ => {}
    }
}
