//! How commands talk to the running program: through its API, like everybody else.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::DataDir;
use crate::run_file::RunFile;
use crate::settings::default_data_dir;

/// A client of the program that runs on a data folder.
pub(crate) struct Client {
    running: RunFile,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    /// Finds the running program.
    pub(crate) fn connect(data: &DataDir) -> anyhow::Result<Self> {
        let folder = data.data_dir.clone().unwrap_or_else(default_data_dir);
        let running = RunFile::read(&folder).with_context(|| {
            format!(
                "nothing runs on {}; start it with `citybrain serve`, or give its data folder with --data-dir",
                folder.display()
            )
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let http = city_alert::plain_client(Duration::from_secs(30)).map_err(anyhow::Error::msg)?;
        Ok(Self { running, http, runtime })
    }

    pub(crate) fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        self.send(self.http.get(url))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.post(self.url(path)?).json(body))
    }

    fn url(&self, path: &str) -> anyhow::Result<reqwest::Url> {
        Ok(reqwest::Url::parse(&format!("http://{}{path}", self.running.http))?)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        self.runtime.block_on(async {
            let answer =
                request.bearer_auth(&self.running.token).send().await.with_context(|| {
                    format!(
                        "the program on {} does not answer; does it still run?",
                        self.running.http
                    )
                })?;
            let status = answer.status();
            let text = answer.text().await?;
            if status.is_success() {
                return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
            }
            let problem: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            match (problem["detail"].as_str(), problem["hint"].as_str()) {
                (Some(detail), Some(hint)) => bail!("{detail}\n  hint: {hint}"),
                (Some(detail), None) => bail!("{detail}"),
                _ => bail!("it answered {status}: {text}"),
            }
        })
    }
}
