//! The certificates of the servers that we connect to: believed, and for how long still.

use super::super::finding::{Finding, words};
use super::super::{Check, Context, peer};
use super::certificates::validity;

pub(in crate::doctor) static CHECK: Check =
    Check { id: "peers", look: |context| Box::pin(look(context)) };

/// A server that is reached with TLS.
struct Server {
    who: String,
    host: String,
    port: u16,
    /// What its certificate must be for.
    name: String,
    ca_pem: Option<Vec<u8>>,
}

async fn look(context: &Context) -> Vec<Finding> {
    let now = context.now().micros() / 1_000_000;
    let mut found = Vec::new();
    for server in servers(context) {
        let Server { who, host, port, name, ca_pem } = &server;
        // Whether it can be reached at all is for other checks.
        let Ok(shown) = peer::look((host, *port), name, ca_pem.as_deref()).await else { continue };
        if let Some(refused) = &shown.refused {
            found.push(Finding::fail(
                words!(
                    "{}: the certificate of {}:{} is not believed: {}",
                    "{}：{}:{} 的证书不被信任：{}",
                    who,
                    host,
                    port,
                    refused
                ),
                words!("we do not connect then", "因此无法连接"),
                words!(
                    "name its authority in ca_file; or mend the certificate there",
                    "请在 ca_file 中指定其签发机构，或修复对方证书"
                ),
            ));
        } else if let Some(said) = &shown.said {
            found.push(validity(who, said, now).unwrap_or_else(|| {
                let days = (said.not_after - now) / 86_400;
                Finding::ok(words!(
                    "{}: the certificate of {}:{} is believed, and valid for {} days more",
                    "{}：{}:{} 的证书可信，尚有 {} 天有效",
                    who,
                    host,
                    port,
                    days
                ))
            }));
        }
    }
    found
}

fn servers(context: &Context) -> Vec<Server> {
    let read = |file: Option<&std::path::PathBuf>| file.and_then(|file| std::fs::read(file).ok());
    let mut servers = Vec::new();
    for broker in &context.settings.brokers {
        let connect = &broker.connect;
        if let Some(tls) = &connect.tls {
            servers.push(Server {
                who: format!("broker `{}`", broker.name),
                host: connect.host.clone(),
                port: connect.port(),
                name: tls.server_name.clone().unwrap_or_else(|| connect.host.clone()),
                ca_pem: read(tls.ca_file.as_ref()),
            });
        }
    }
    let influxdb = context.settings.store.influxdb.iter();
    let influxdb =
        influxdb.map(|one| ("InfluxDB".to_owned(), one.url.clone(), read(one.ca_file.as_ref())));
    for (who, url, ca_pem) in influxdb.chain(super::receivers::web(context)) {
        let Ok(url) = reqwest::Url::parse(&url) else { continue };
        if let (true, Some(host)) = (url.scheme() == "https", url.host_str()) {
            let host = host.trim_matches(['[', ']']).to_owned();
            let port = url.port_or_known_default().unwrap_or(443);
            servers.push(Server { who, name: host.clone(), host, port, ca_pem });
        }
    }
    servers
}
