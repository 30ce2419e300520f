//! The calls that set a server up: through the `influxdb2` crate where it can, else through our
//! client. See [`super::crate_client`] for what it can.

use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::api::organization::ListOrganizationRequest;
use influxdb2::api::task::{CreateTaskRequest, ListTasksRequest};
use influxdb2::models::retention_rule::Type as RuleType;
use influxdb2::models::{PostBucketRequest, RetentionRule};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, Kind, Refusal};
use super::crate_client::{CallError, CrateClient};
use super::options::InfluxOptions;
use crate::{StoreError, StoreErrorKind};

/// A server that is asked about itself and set up.
pub(super) struct Server {
    through_crate: Option<CrateClient>,
    own: Client,
    name: String,
    org: String,
}

/// A bucket that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BucketFound {
    pub(super) id: String,
    /// Seconds; 0: for ever.
    pub(super) retention: i64,
}

/// A task that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TaskFound {
    pub(super) id: String,
    pub(super) flux: String,
}

impl Server {
    pub(super) fn new(options: &InfluxOptions) -> Result<Self, StoreError> {
        let own = Client::new(options)?;
        let token = options.token.expose();
        let through_crate =
            CrateClient::new(&options.url, &options.org, token, options.waits.write);
        Ok(Self { through_crate, name: own.server(), own, org: options.org.clone() })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the server is ready, and its version if it says one.
    pub(super) async fn version(&self) -> Result<Option<String>, StoreError> {
        if let Some(client) = &self.through_crate {
            client.ready().await.map_err(|e| self.called("reach", e))?;
            return client.version().await.map_err(|e| self.called("reach", e));
        }
        self.own(Method::GET, "ready", &[], None, "reach").await?;
        let health = self.own(Method::GET, "health", &[], None, "reach").await?;
        Ok(health["version"].as_str().map(str::to_owned))
    }

    /// Whether nobody has set the server up.
    pub(super) async fn is_fresh(&self) -> Result<bool, StoreError> {
        if let Some(client) = &self.through_crate {
            return client.is_fresh().await.map_err(|e| self.called("ask", e));
        }
        let answer = self.own(Method::GET, "api/v2/setup", &[], None, "ask").await?;
        Ok(answer["allowed"].as_bool().unwrap_or(false))
    }

    /// Sets a fresh server up with our token as that of its first user.
    pub(super) async fn onboard(&self, body: &Value) -> Result<(), StoreError> {
        self.own(Method::POST, "api/v2/setup", &[], Some(body), "set up").await.map(drop)
    }

    /// The id of the organization.
    pub(super) async fn org_id(&self) -> Result<String, StoreError> {
        let found = if let Some(client) = &self.through_crate {
            let request =
                ListOrganizationRequest { org: Some(self.org.clone()), ..Default::default() };
            match client.call(client.raw().list_organizations(request)).await {
                Ok(found) => {
                    found.orgs.into_iter().find(|org| org.name == self.org).and_then(|org| org.id)
                }
                Err(error) if error.is_missing() => None,
                Err(error) => return Err(self.called("ask", error)),
            }
        } else {
            let query = [("org", &*self.org)];
            let found = self.found("api/v2/orgs", &query, "orgs", &self.org).await?;
            found.and_then(|org| org["id"].as_str().map(str::to_owned))
        };
        found.ok_or_else(|| {
            StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "InfluxDB at {} has no organization `{}` that the token may see; make it with \
                     `influx org create`, or name another one in store.influxdb.org",
                    self.name, self.org
                ),
            )
        })
    }

    pub(super) async fn bucket(&self, name: &str) -> Result<Option<BucketFound>, StoreError> {
        if let Some(client) = &self.through_crate {
            let request = ListBucketsRequest {
                name: Some(name.to_owned()),
                org: Some(self.org.clone()),
                ..Default::default()
            };
            return match client.call(client.raw().list_buckets(Some(request))).await {
                Ok(found) => {
                    Ok(found.buckets.into_iter().find(|bucket| bucket.name == name).and_then(
                        |bucket| {
                            let rule = bucket.retention_rules.first();
                            let retention = rule.map_or(0, |rule| i64::from(rule.every_seconds));
                            Some(BucketFound { id: bucket.id?, retention })
                        },
                    ))
                }
                Err(error) if error.is_missing() => Ok(None),
                Err(error) => Err(self.called("ask", error)),
            };
        }
        let query = [("org", &*self.org), ("name", name)];
        let found = self.found("api/v2/buckets", &query, "buckets", name).await?;
        Ok(found.and_then(|bucket| {
            let retention = bucket["retentionRules"][0]["everySeconds"].as_i64().unwrap_or(0);
            Some(BucketFound { id: bucket["id"].as_str()?.to_owned(), retention })
        }))
    }

    /// Makes a bucket that keeps its points so many seconds; 0: for ever.
    pub(super) async fn make_bucket(
        &self,
        org_id: &str,
        name: &str,
        retention: i32,
    ) -> Result<(), StoreError> {
        if let Some(client) = &self.through_crate {
            let rule = RetentionRule::new(RuleType::Expire, retention);
            let retention_rules = if retention > 0 { vec![rule] } else { Vec::new() };
            let request = PostBucketRequest {
                retention_rules,
                ..PostBucketRequest::new(org_id.to_owned(), name.to_owned())
            };
            let call = client.raw().create_bucket(Some(request));
            return client.call(call).await.map_err(|e| self.called("make a bucket in", e));
        }
        let body = json!({ "orgID": org_id, "name": name, "retentionRules": rules(retention) });
        self.own(Method::POST, "api/v2/buckets", &[], Some(&body), "make a bucket in")
            .await
            .map(drop)
    }

    /// Changes how long a bucket keeps its points. The crate has no call for it.
    pub(super) async fn change_bucket(&self, id: &str, retention: i32) -> Result<(), StoreError> {
        let path = format!("api/v2/buckets/{id}");
        let body = json!({ "retentionRules": rules(retention) });
        self.own(Method::PATCH, &path, &[], Some(&body), "change a bucket of").await.map(drop)
    }

    pub(super) async fn task(&self, name: &str) -> Result<Option<TaskFound>, StoreError> {
        if let Some(client) = &self.through_crate {
            let request = ListTasksRequest {
                name: Some(name.to_owned()),
                org: Some(self.org.clone()),
                ..Default::default()
            };
            let found = client.call(client.raw().list_tasks(request)).await;
            let found = found.map_err(|e| self.called("ask", e))?;
            let task = found.tasks.into_iter().find(|task| task.name == name);
            return Ok(task.map(|task| TaskFound { id: task.id, flux: task.flux }));
        }
        let query = [("org", &*self.org), ("name", name)];
        let found = self.found("api/v2/tasks", &query, "tasks", name).await?;
        Ok(found.and_then(|task| {
            let text = |key: &str| task[key].as_str().map(str::to_owned);
            Some(TaskFound { id: text("id")?, flux: text("flux")? })
        }))
    }

    pub(super) async fn make_task(&self, org_id: &str, flux: &str) -> Result<(), StoreError> {
        if let Some(client) = &self.through_crate {
            let request = CreateTaskRequest {
                org_id: Some(org_id.to_owned()),
                ..CreateTaskRequest::new(flux.to_owned())
            };
            let call = client.raw().create_task(request);
            return client.call(call).await.map_err(|e| self.called("make a task in", e));
        }
        let body = json!({ "orgID": org_id, "flux": flux });
        self.own(Method::POST, "api/v2/tasks", &[], Some(&body), "make a task in").await.map(drop)
    }

    /// Gives a task another text. The crate has no call for it.
    pub(super) async fn change_task(&self, id: &str, flux: &str) -> Result<(), StoreError> {
        let path = format!("api/v2/tasks/{id}");
        let body = json!({ "flux": flux });
        self.own(Method::PATCH, &path, &[], Some(&body), "change a task of").await.map(drop)
    }

    /// One thing out of a list, by its name; a server that finds none may say 404.
    async fn found(
        &self,
        path: &str,
        query: &[(&str, &str)],
        list: &str,
        name: &str,
    ) -> Result<Option<Value>, StoreError> {
        let mut answer = match self.own.json(Method::GET, path, query, None).await {
            Ok(answer) => answer,
            Err(refusal) if refusal.status == Some(404) => return Ok(None),
            Err(refusal) => return Err(refusal.into_error("ask", &self.name)),
        };
        let items = answer[list].as_array_mut().map(std::mem::take).unwrap_or_default();
        Ok(items.into_iter().find(|item| item["name"] == *name))
    }

    async fn own(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
        what: &str,
    ) -> Result<Value, StoreError> {
        let answer = self.own.json(method, path, query, body).await;
        answer.map_err(|refusal| refusal.into_error(what, &self.name))
    }

    /// An error of the crate, as one of our client.
    fn called(&self, what: &str, error: CallError) -> StoreError {
        let refusal = match error {
            CallError::Answered { status, words } => {
                let kind = match status {
                    401 | 403 | 404 => Kind::Denied,
                    400 | 422 => Kind::Rejected,
                    _ => Kind::Later,
                };
                Refusal { kind, status: Some(status), words, after: None }
            }
            CallError::Silent(words) => {
                Refusal { kind: Kind::Later, status: None, words, after: None }
            }
        };
        refusal.into_error(what, &self.name)
    }
}

fn rules(retention: i32) -> Value {
    if retention > 0 {
        json!([{ "type": "expire", "everySeconds": retention }])
    } else {
        // An empty list would leave what is there.
        json!([{ "type": "expire", "everySeconds": 0 }])
    }
}
