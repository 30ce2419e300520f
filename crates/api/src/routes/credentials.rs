//! `/credentials`: how devices, and programs that speak for them, prove who they are.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use city_model::Timestamp;
use city_registry::credentials::{NameOrder, Proof, Rights, Secret};
use city_registry::{FieldProblem, tag};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::audit;
use crate::auth::{Principal, Role, targets};
use crate::cursor;
use crate::document::created;
use crate::extract::{Body, Id};
use crate::parameters::{FromPairs, NoParameters, Pairs, Parameters, short};
use crate::precondition::{Precondition, etag};
use crate::problem::{Answer, Problem, ProblemBody, bad_fields, codes};

/// The most tokens that are made at once.
const MOST_TOKENS: usize = 10_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, put, remove))
        .routes(routes!(enabled))
        .routes(routes!(password))
        .routes(routes!(token))
        .routes(routes!(certificate))
        .routes(routes!(revoke))
        .routes(routes!(tokens))
}

/// A device, or a program that speaks for devices, as a client of the city.
#[derive(Serialize, ToSchema)]
struct Client {
    /// Its name: a device's id, or a name of its own.
    name: String,
    /// Whether it may connect at all.
    enabled: bool,
    /// The devices that it speaks for; `null` for the one of its own name.
    devices: Option<Vec<String>>,
    /// Whether it speaks for all devices.
    any_device: bool,
    /// The topic filters that it may publish to; if none, the topics that name its device.
    publish: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// How it can prove who it is, oldest first. Secrets are not kept.
    credentials: Vec<Credential>,
}

/// A way to prove who one is.
#[derive(Serialize, ToSchema)]
struct Credential {
    /// Its number, to revoke it.
    id: i64,
    /// `password`, `token` or `certificate`.
    #[schema(value_type = String, pattern = "^(password|token|certificate)$")]
    proof: Proof,
    /// Of a certificate, the common name or the fingerprint that it is known by.
    identity: Option<String>,
    /// What it was made for.
    note: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<city_registry::credentials::Client> for Client {
    fn from(client: city_registry::credentials::Client) -> Self {
        let credential = |credential: city_registry::credentials::Credential| Credential {
            id: credential.id,
            proof: credential.proof,
            identity: credential.identity,
            note: credential.note,
            created_at: credential.created_at,
            last_used_at: credential.last_used_at,
        };
        Self {
            name: client.name,
            enabled: client.enabled,
            devices: client.rights.devices,
            any_device: client.rights.any_device,
            publish: client.rights.publish,
            created_at: client.created_at,
            credentials: client.credentials.into_iter().map(credential).collect(),
        }
    }
}

/// A page of clients.
#[derive(Serialize, ToSchema)]
struct ClientPage {
    items: Vec<Client>,
    /// Pass it as `cursor` to get the next page; `null` at the end.
    next_cursor: Option<String>,
    /// How many match in all.
    total: usize,
}

/// Which clients.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct ClientsQuery {
    /// Only those with this text in their name, in any case.
    q: Option<String>,
    /// `name`, unless given, or `-name`: from the last to the first.
    #[param(value_type = Option<String>, pattern = "^-?name$")]
    sort: NameOrder,
    /// Where to go on, from `next_cursor`.
    #[param(value_type = Option<String>)]
    cursor: Option<String>,
    /// How many at most, 1 to 1,000; 100 unless given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    limit: usize,
}

impl FromPairs for ClientsQuery {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let orders = [("name", NameOrder::Up), ("-name", NameOrder::Down)];
        let sort = pairs.one_of("sort", &orders)?.unwrap_or_default();
        let (cursor, limit) = (pairs.cursor()?, pairs.limit()?);
        Ok(Self { q: pairs.text("q"), sort, cursor, limit })
    }
}

/// Clients by name, with their credentials, never with secrets
#[utoipa::path(get, path = "/credentials", operation_id = "list_clients", tag = "credentials",
    params(ClientsQuery),
    responses((status = 200, description = "A page of clients", body = ClientPage)))]
async fn list(
    State(app): State<App>,
    Parameters(query): Parameters<ClientsQuery>,
) -> Answer<Json<ClientPage>> {
    let clients = app.clients.clone();
    app.lanes
        .short(move || {
            let words = query.q.unwrap_or_default();
            let (mut found, total) =
                clients.page(&words, query.sort, query.cursor.as_deref(), query.limit + 1)?;
            let more = found.len() > query.limit;
            found.truncate(query.limit);
            let next_cursor =
                found.last().filter(|_| more).map(|client| cursor::encode(&client.name));
            let items = found.into_iter().map(Client::from).collect();
            Ok(Json(ClientPage { items, next_cursor, total }))
        })
        .await
}

/// One client with its credentials
#[utoipa::path(get, path = "/credentials/{id}", operation_id = "get_client", tag = "credentials",
    params(("id" = String, Path, description = "The client's name")),
    responses((status = 200, description = "The client; its ETag is of its rights, for `If-Match`",
        body = Client)))]
async fn show(
    State(app): State<App>,
    Id(name): Id,
    _: Parameters<NoParameters>,
) -> Answer<Response> {
    let clients = app.clients.clone();
    let client =
        app.lanes.short(move || clients.client(&name)?.ok_or_else(|| unknown(&name))).await?;
    Ok((etag(&tag(&client.rights)), Json(Client::from(client))).into_response())
}

/// All that a client may do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rights)]
struct NewRights {
    /// The devices that it speaks for; `null` for the one of its own name.
    // Written out, so that leaving it out is no way to take a gateway its devices.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    devices: Option<Vec<String>>,
    /// Whether it speaks for all devices.
    any_device: bool,
    /// The topic filters that it may publish to; if none, the topics that name its device.
    publish: Vec<String>,
}

/// Add a client, or say all that it may do
///
/// To replace, `If-Match` must say which rights it replaces.
#[utoipa::path(put, path = "/credentials/{id}", operation_id = "put_client", tag = "credentials",
    params(("id" = String, Path, description = "The client's name: a device's id, or its own")),
    request_body = NewRights,
    responses((status = 200, description = "So it is", body = Client),
        (status = 201, description = "It is new", body = Client),
        (status = 409, description = "It is there already, and nothing says which is meant",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Id(name): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
    Body(new): Body<NewRights>,
) -> Answer<Response> {
    let NewRights { devices, any_device, publish } = new;
    let rights = Rights { devices, any_device, publish };
    let departments = targets::of_client(&app.registry.directory(), &name, &rights);
    principal.rights.require_all(Role::Engineer, departments.iter().map(String::as_str))?;
    let (clients, of) = (app.clients.clone(), name.clone());
    let change = move |before: Option<&Rights>| {
        audit::before(before);
        precondition.check_replacing(before.map(tag).as_deref())?;
        Ok::<_, Problem>(rights)
    };
    let (client, new) = app
        .lanes
        .short(move || {
            let new = clients.change_rights(&of, change)?;
            Ok((clients.client(&of)?.ok_or_else(|| unknown(&of))?, new))
        })
        .await?;
    audit::after(&client.rights);
    tracing::info!(user.name = %principal.user, client.name = name, "changed a client's rights");
    let tag = etag(&tag(&client.rights));
    Ok((created(new), tag, Json(Client::from(client))).into_response())
}

/// Whether a client may connect.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Enabled {
    /// `false`: it may not connect, and nobody else may pass for it.
    enabled: bool,
}

/// Let a client connect, or not; its rights and credentials stay as they are
#[utoipa::path(put, path = "/credentials/{id}/enabled", operation_id = "set_client_enabled",
    tag = "credentials",
    params(("id" = String, Path, description = "The client's name")),
    request_body = Enabled,
    responses((status = 200, description = "So it is", body = Client)))]
async fn enabled(
    State(app): State<App>,
    principal: Principal,
    Id(name): Id,
    _: Parameters<NoParameters>,
    Body(Enabled { enabled }): Body<Enabled>,
) -> Answer<Json<Client>> {
    let (clients, of) = (app.clients.clone(), name.clone());
    let client = app
        .lanes
        .short(move || {
            let before = clients.client(&of)?;
            audit::before(before.map(|client| json!({ "enabled": client.enabled })));
            audit::after(json!({ "enabled": enabled }));
            clients.set_enabled(&of, enabled)?;
            clients.client(&of)?.ok_or_else(|| unknown(&of))
        })
        .await?;
    tracing::info!(
        user.name = %principal.user, client.name = name, enabled, "enabled or disabled a client"
    );
    Ok(Json(client.into()))
}

/// Forget a client with all its credentials
#[utoipa::path(delete, path = "/credentials/{id}", operation_id = "delete_client",
    tag = "credentials",
    params(("id" = String, Path, description = "The client's name")),
    responses((status = 204, description = "Nobody can connect with its credentials any more"),
        (status = 412, description = "It is not as you saw it", body = ProblemBody,
            content_type = "application/problem+json")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Id(name): Id,
    _: Parameters<NoParameters>,
    precondition: Precondition,
) -> Answer<StatusCode> {
    let (clients, of) = (app.clients.clone(), name.clone());
    let remove = move || {
        audit::before(clients.client(&of)?.map(Client::from));
        clients.remove_if(&of, |rights: &Rights| precondition.check(Some(&tag(rights))))
    };
    if !app.lanes.short(remove).await? {
        return Err(unknown(&name));
    }
    tracing::info!(user.name = %principal.user, client.name = name, "removed a client");
    Ok(StatusCode::NO_CONTENT)
}

/// A credential just made.
#[derive(Serialize, ToSchema)]
struct Made {
    /// Its number, to revoke it.
    id: i64,
}

/// A password that somebody chose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// At least 15 characters.
    password: String,
    /// What it is for.
    #[serde(default)]
    #[schema(required = false)]
    note: String,
}

/// Give a client a password, in place of the one before; adds the client if it is not there
#[utoipa::path(put, path = "/credentials/{id}/password", operation_id = "set_client_password",
    tag = "credentials",
    params(("id" = String, Path, description = "The client's name")),
    request_body = NewPassword,
    responses((status = 200, description = "It is valid now", body = Made)))]
async fn password(
    State(app): State<App>,
    principal: Principal,
    Id(name): Id,
    _: Parameters<NoParameters>,
    Body(new): Body<NewPassword>,
) -> Answer<Json<Made>> {
    let (clients, of) = (app.clients.clone(), name.clone());
    audit::after(json!({ "note": new.note }));
    let id =
        app.lanes.short(move || Ok(clients.set_password(&of, &new.password, &new.note)?)).await?;
    tracing::info!(user.name = %principal.user, client.name = name, "set a client's password");
    Ok(Json(Made { id }))
}

/// What a token is for.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct NewToken {
    /// What it is for.
    #[schema(required = false)]
    note: String,
}

/// A token just made: the only time that it can be seen.
#[derive(Serialize, ToSchema)]
struct TokenMade {
    /// Whose it is.
    client: String,
    /// Its number, to revoke it.
    id: i64,
    /// The token: for `Authorization: Bearer`, and as the password of MQTT.
    token: String,
}

fn made(issued: city_registry::credentials::IssuedToken) -> TokenMade {
    let secret: &Secret = &issued.secret;
    TokenMade { token: secret.expose().to_owned(), client: issued.client, id: issued.id }
}

/// Make a token for a client, which is added if it is not there; it is shown this once
#[utoipa::path(post, path = "/credentials/{id}/tokens", operation_id = "issue_client_token",
    tag = "credentials",
    params(("id" = String, Path, description = "The client's name")),
    request_body = NewToken,
    responses((status = 201, description = "It is valid now", body = TokenMade)))]
async fn token(
    State(app): State<App>,
    principal: Principal,
    Id(name): Id,
    _: Parameters<NoParameters>,
    Body(new): Body<NewToken>,
) -> Answer<(StatusCode, Json<TokenMade>)> {
    let (clients, of, note) = (app.clients.clone(), name.clone(), new.note.clone());
    let issued = app.lanes.short(move || Ok(clients.issue_token(&of, &new.note)?)).await?;
    audit::after(json!({ "id": issued.id, "note": note }));
    tracing::info!(user.name = %principal.user, client.name = name, "issued a client's token");
    Ok((StatusCode::CREATED, Json(made(issued))))
}

/// For whom tokens are to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewDeviceTokens {
    /// The clients' names, most often ids of devices; 1 to 10,000.
    clients: Vec<String>,
    /// What they are for.
    #[serde(default)]
    #[schema(required = false)]
    note: String,
}

/// Tokens just made: the only time that they can be seen.
#[derive(Serialize, ToSchema)]
struct TokensMade {
    items: Vec<TokenMade>,
}

/// Make a token for each of many clients: all or none
#[utoipa::path(post, path = "/device-tokens", operation_id = "issue_client_tokens",
    tag = "credentials", request_body = NewDeviceTokens,
    responses((status = 201, description = "They are valid now", body = TokensMade)))]
async fn tokens(
    State(app): State<App>,
    principal: Principal,
    _: Parameters<NoParameters>,
    Body(new): Body<NewDeviceTokens>,
) -> Answer<(StatusCode, Json<TokensMade>)> {
    if !(1..=MOST_TOKENS).contains(&new.clients.len()) {
        return Err(bad_fields(&[FieldProblem {
            field: "clients".to_owned(),
            message: format!("there are {} names", new.clients.len()),
            hint: "give 1 to 10,000 at a time",
        }]));
    }
    audit::after(json!({ "clients": new.clients, "note": new.note }));
    let (clients, count) = (app.clients.clone(), new.clients.len());
    let (registry, may) = (app.registry.clone(), principal.rights.clone());
    let issued = app
        .lanes
        .short(move || {
            let directory = registry.directory();
            let mut departments = BTreeSet::new();
            for name in &new.clients {
                let rights = clients.client(name)?.map(|client| client.rights);
                let rights = rights.unwrap_or_default();
                departments.extend(targets::of_client(&directory, name, &rights));
            }
            may.require_all(Role::Engineer, departments.iter().map(String::as_str))?;
            let names: Vec<&str> = new.clients.iter().map(String::as_str).collect();
            Ok(clients.issue_tokens(&names, &new.note)?)
        })
        .await?;
    tracing::info!(user.name = %principal.user, count, "issued clients' tokens");
    let items = issued.into_iter().map(made).collect();
    Ok((StatusCode::CREATED, Json(TokensMade { items })))
}

/// A certificate that a client may show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    /// Its common name, or `sha256:` and the SHA-256 fingerprint of the whole certificate in hex.
    identity: String,
    /// What it is for.
    #[serde(default)]
    #[schema(required = false)]
    note: String,
}

/// Let a client show a certificate; adds the client if it is not there
#[utoipa::path(post, path = "/credentials/{id}/certificates",
    operation_id = "bind_client_certificate", tag = "credentials",
    params(("id" = String, Path, description = "The client's name")),
    request_body = NewCertificate,
    responses((status = 201, description = "It may be shown now", body = Made)))]
async fn certificate(
    State(app): State<App>,
    principal: Principal,
    Id(name): Id,
    _: Parameters<NoParameters>,
    Body(new): Body<NewCertificate>,
) -> Answer<(StatusCode, Json<Made>)> {
    audit::after(json!({ "identity": new.identity, "note": new.note }));
    let (clients, of) = (app.clients.clone(), name.clone());
    let id = app
        .lanes
        .short(move || Ok(clients.bind_certificate(&of, &new.identity, &new.note)?))
        .await?;
    tracing::info!(user.name = %principal.user, client.name = name, "bound a client's certificate");
    Ok((StatusCode::CREATED, Json(Made { id })))
}

/// Make one credential of a client worthless
#[utoipa::path(delete, path = "/credentials/{id}/{number}", operation_id = "revoke_credential",
    tag = "credentials",
    params(("id" = String, Path, description = "The client's name"),
        ("number" = i64, Path, description = "The credential's number")),
    responses((status = 204, description = "It is worthless now")))]
async fn revoke(
    State(app): State<App>,
    principal: Principal,
    Path((name, number)): Path<(String, String)>,
    _: Parameters<NoParameters>,
) -> Answer<StatusCode> {
    let none = || {
        let detail = format!("`{}` has no credential {}.", short(&name), short(&number));
        Problem::new(codes::UNKNOWN_CREDENTIAL, detail)
            .hint("GET /api/v1/credentials/{id} lists them.")
    };
    let id: i64 = number.parse().map_err(|_| none())?;
    let (clients, of) = (app.clients.clone(), name.clone());
    let revoke = move || {
        let client = clients.client(&of)?.map(Client::from);
        let is_it = |credential: &Credential| credential.id == id;
        audit::before(client.and_then(|client| client.credentials.into_iter().find(is_it)));
        Ok(clients.revoke(&of, id)?)
    };
    if !app.lanes.short(revoke).await? {
        return Err(none());
    }
    tracing::info!(user.name = %principal.user, client.name = name, id, "revoked a credential");
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(name: &str) -> Problem {
    Problem::new(codes::UNKNOWN_CLIENT, format!("There is no client `{}`.", short(name)))
        .hint("GET /api/v1/credentials lists them.")
}
