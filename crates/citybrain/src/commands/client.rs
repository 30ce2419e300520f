//! How commands talk to the running program: through its API, like everybody else.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::DataDir;
use crate::run_file::RunFile;
use crate::settings::default_data_dir;

/// How long an import of a whole city may take.
pub(crate) const LONG: Duration = Duration::from_mins(10);

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
        if let Some(role) = &running.role {
            bail!(
                "what runs on {} has the role `{role}` and no API of its own; give the data folder of the brain \
                 that answers",
                folder.display()
            );
        }
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

    pub(crate) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.put(self.url(path)?).json(body))
    }

    /// Puts the whole in place of what is there now, or of nothing.
    pub(crate) fn replace(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = self.url(path)?;
        let seen = self.http.get(url.clone()).bearer_auth(&self.running.token);
        let seen = self.runtime.block_on(seen.send())?;
        let put = self.http.put(url).json(body);
        self.send(match seen.headers().get("etag").filter(|_| seen.status().is_success()) {
            Some(tag) => put.header("if-match", tag.clone()),
            None => put.header("if-none-match", "*"),
        })
    }

    pub(crate) fn delete(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.delete(url))
    }

    /// The text of an answer that is not JSON.
    pub(crate) fn get_text(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<String> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        self.runtime.block_on(async {
            let answer = self.open(self.http.get(url)).await?;
            Ok(answer.text().await?)
        })
    }

    /// Sends a body and calls `each` with every line of JSON of the answer, as it comes.
    pub(crate) fn post_lines(
        &self,
        path: &str,
        (content_type, patience): (&'static str, Duration),
        body: Vec<u8>,
        mut each: impl FnMut(Value),
    ) -> anyhow::Result<()> {
        let request = self
            .http
            .post(self.url(path)?)
            .header("content-type", content_type)
            .header("accept", "application/x-ndjson")
            .timeout(patience)
            .body(body);
        self.runtime.block_on(async {
            let mut answer = self.open(request).await?;
            let mut rest: Vec<u8> = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                rest.extend_from_slice(&chunk);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    each(serde_json::from_slice(&line)?);
                }
            }
            Ok(())
        })
    }

    /// Calls `each` for every item of a list that comes in pages.
    pub(crate) fn pages(
        &self,
        path: &str,
        query: &[(&str, &str)],
        mut each: impl FnMut(&Value),
    ) -> anyhow::Result<()> {
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", "1000"));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = self.get(path, &query)?;
            page["items"].as_array().into_iter().flatten().for_each(&mut each);
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn url(&self, path: &str) -> anyhow::Result<reqwest::Url> {
        Ok(reqwest::Url::parse(&format!("http://{}{path}", self.running.http))?)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        self.runtime.block_on(async {
            let text = self.open(request).await?.text().await?;
            Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
        })
    }

    /// The answer, if it is a good one.
    async fn open(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let answer = request.bearer_auth(&self.running.token).send().await.with_context(|| {
            format!("the program on {} does not answer; does it still run?", self.running.http)
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.text().await?;
        let problem: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        match (problem["detail"].as_str(), problem["hint"].as_str()) {
            (Some(detail), Some(hint)) => bail!("{detail}\n  hint: {hint}"),
            (Some(detail), None) => bail!("{detail}"),
            _ => bail!("it answered {status}: {text}"),
        }
    }
}

/// An id as one part of a path.
pub(crate) fn path_part(id: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    id.bytes().fold(String::new(), |mut text, byte| {
        if plain(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::path_part;

    #[test]
    fn an_id_is_one_part_of_a_path() {
        assert_eq!(path_part("air-1_a.b~"), "air-1_a.b~");
        assert_eq!(path_part("lamp/1 ?灯"), "lamp%2F1%20%3F%E7%81%AF");
    }
}
