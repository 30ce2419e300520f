//! `email`: a plain-text mail for each event, by SMTP.
//!
//! Options: `server` (needed), `from` (needed), `to` (needed: a list), `tls` (`starttls`, `tls` or
//! `none`; default `starttls`; without encryption only to this machine), `port` (default 587, 465 or
//! 25, by `tls`), `username` with `password` or `password_file`, `hello` (what this machine calls
//! itself), `language`, `dashboard`, `timeout` (default `30s`, for a whole delivery), `ca_file`.
//!
//! The `Message-ID` is made of the idempotency key, so that a mail that comes twice can be told by the
//! servers and programs that look at it; mails about the same alert are one thread
//! (`In-Reply-To`, RFC 5322 section 3.6.4). `Auto-Submitted` (RFC 3834) asks that no out-of-office
//! reply comes back. What the server refuses for its size (552) or content (554) is given up; other
//! failures, a wrong password or recipient too, are tried again, because they can be mended.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use city_model::{AlertEvent, Span, Timestamp};
use city_store::Secret;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use serde::Deserialize;

use super::message::{Language, Wording};
use super::{
    CityFacts, Delivering, Delivery, DeliveryError, Receiver, ReceiverKind, http, options, secrets,
};

pub(super) struct Email;

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encryption {
    /// Begun in the clear, encrypted before anything is said (RFC 3207), or nothing is sent.
    #[default]
    Starttls,
    /// Encrypted from the first byte (RFC 8314).
    Tls,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    server: String,
    from: String,
    to: Vec<String>,
    #[serde(default)]
    tls: Encryption,
    port: Option<u16>,
    username: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    hello: Option<String>,
    #[serde(default)]
    language: Language,
    dashboard: Option<String>,
    #[serde(default = "half_minute")]
    timeout: Span,
    ca_file: Option<PathBuf>,
}

fn half_minute() -> Span {
    Span::from_secs(30)
}

impl ReceiverKind for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn build(
        &self,
        given: &serde_json::Value,
        city: &CityFacts,
    ) -> Result<Box<dyn Receiver>, String> {
        let options: Options = options(given)?;
        let mailbox = |name: &str, text: &str| {
            text.parse::<Mailbox>().map_err(|error| {
                format!("{name} `{text}`: {error}; write name@host, or Name <name@host>")
            })
        };
        let to =
            options.to.iter().map(|text| mailbox("to", text)).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err("to: nobody is written to; name at least one address".to_owned());
        }
        http::check_timeout(options.timeout)?;
        Ok(Box::new(Mailer {
            transport: transport(&options)?,
            from: mailbox("from", &options.from)?,
            to,
            timeout: options.timeout.to_std(),
            wording: Wording::new(options.language, options.dashboard, city)?,
        }))
    }
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(options: &Options) -> Result<Transport, String> {
    let server = options.server.as_str();
    if server.is_empty() || server.contains(['/', ' ', '@']) {
        return Err(format!("server `{server}`: write only its name, such as mail.city.example"));
    }
    let tls = match options.tls {
        Encryption::Starttls => Tls::Required(parameters(server, options.ca_file.as_deref())?),
        Encryption::Tls => Tls::Wrapper(parameters(server, options.ca_file.as_deref())?),
        Encryption::None if is_this_machine(server) => Tls::None,
        Encryption::None => {
            return Err(format!(
                "tls `none`: mail and password would go to {server} for all to read; use \
                 `starttls` or `tls`"
            ));
        }
    };
    let port = options.port.unwrap_or(match options.tls {
        Encryption::Starttls => 587,
        Encryption::Tls => 465,
        Encryption::None => 25,
    });
    let mut builder = Transport::builder_dangerous(server)
        .port(port)
        .tls(tls)
        .timeout(Some(options.timeout.to_std()));
    if let Some(name) = &options.hello {
        builder = builder.hello_name(ClientId::Domain(name.clone()));
    }
    let file = options.password_file.as_deref();
    let password = secrets::given("password", options.password.clone(), file)?;
    match (&options.username, password) {
        (None, None) => {}
        (Some(username), Some(password)) => {
            let credentials = Credentials::new(username.clone(), password.expose().to_owned());
            builder = builder.credentials(credentials);
        }
        _ => return Err("`username` and `password` go together; give both or none".to_owned()),
    }
    Ok(builder.build())
}

fn parameters(server: &str, ca_file: Option<&Path>) -> Result<TlsParameters, String> {
    http::install_crypto();
    let mut builder = TlsParameters::builder(server.to_owned());
    if let Some(path) = ca_file {
        let pem = std::fs::read(path)
            .map_err(|error| format!("ca_file {} cannot be read: {error}", path.display()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| {
            format!("ca_file {} holds no certificate in PEM: {error}", path.display())
        })?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| format!("TLS to {server} cannot be set up: {error}"))
}

fn is_this_machine(server: &str) -> bool {
    server == "localhost" || server.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

struct Mailer {
    transport: Transport,
    from: Mailbox,
    to: Vec<Mailbox>,
    timeout: Duration,
    wording: Wording,
}

impl Receiver for Mailer {
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a> {
        Box::pin(async move {
            for delivery in events {
                let mail = self.mail(&delivery.event()?, now)?;
                match tokio::time::timeout(self.timeout, self.transport.send(mail)).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => return Err(failure(&error)),
                    Err(_) => return Err(DeliveryError::again("it does not answer in time")),
                }
            }
            Ok(())
        })
    }

    fn speaks_to_people(&self) -> bool {
        true
    }
}

impl Mailer {
    fn mail(&self, event: &AlertEvent, now: Timestamp) -> Result<lettre::Message, DeliveryError> {
        let message = self.wording.message(event);
        let mut text = message.lines.join("\n");
        if let Some(link) = &message.link {
            text.extend(["\n\n", link]);
        }
        text.push('\n');
        let date = UNIX_EPOCH + Duration::from_micros(now.micros().max(0) as u64);
        let mut mail = lettre::Message::builder()
            .from(self.from.clone())
            .subject(message.title)
            .header(header::Date::new(date))
            .header(header::ContentType::TEXT_PLAIN)
            .message_id(Some(self.id(&event.key)))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        if event.seq > 1 {
            let first = self.id(&format!("{}/1", event.alert.id));
            mail = mail.in_reply_to(first.clone()).references(first);
        }
        let mail = self.to.iter().fold(mail, |mail, to| mail.to(to.clone()));
        let refused =
            |error| DeliveryError::refused(&format!("no mail can be made of it: {error}"));
        mail.body(text).map_err(refused)
    }

    /// The `Message-ID` of an event: always the same, and of characters that can stand there (RFC
    /// 5322, `atext`), whatever the engine that pushed the alert called it.
    fn id(&self, key: &str) -> String {
        let mut local = String::with_capacity(key.len());
        for byte in key.bytes() {
            match byte {
                b'/' => local.push('.'),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    local.push(char::from(byte));
                }
                other => local.extend(format!("={other:02x}").chars()),
            }
        }
        format!("<{local}@{}>", self.from.email.domain())
    }
}

fn failure(error: &lettre::transport::smtp::Error) -> DeliveryError {
    let refused = error.status().is_some_and(|code| [552, 554].contains(&u16::from(code)));
    let message = format!("it does not take the mail: {error}");
    DeliveryError { message, retry: !refused, after: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(options: &serde_json::Value) -> String {
        let mut all =
            json!({"server": "mail.example", "from": "a@b.example", "to": ["c@d.example"]});
        let all_options = all.as_object_mut().expect("an object");
        all_options.extend(options.as_object().expect("an object").clone());
        Email.build(&all, &CityFacts::default()).err().unwrap_or_default()
    }

    #[test]
    fn what_people_and_devices_say_becomes_no_header() {
        let hostile = "x\r\nBcc: eve@evil.example\r\n\r\n<script>\u{202e}\0 Größe";
        let options = json!({"server": "localhost", "tls": "none", "from": "a@b.example",
            "to": ["c@d.example"]});
        let options: Options = super::options(&options).expect("options");
        let mailer = Mailer {
            transport: transport(&options).expect("a transport"),
            from: "a@b.example".parse().expect("a mailbox"),
            to: vec!["c@d.example".parse().expect("a mailbox")],
            timeout: Duration::from_secs(1),
            wording: Wording::new(Language::En, None, &CityFacts::default()).expect("words"),
        };
        let mut event = super::super::message::tests::event(city_model::AlertEventKind::Fired);
        event.alert.id = hostile.into();
        event.key = format!("{hostile}/2");
        event.seq = 2;
        event.alert.summary = city_model::LocalText::same(hostile);
        event.alert.rule.name = city_model::LocalText::same(hostile);
        event.alert.unit = Some(hostile.into());
        event.alert.zones = vec![hostile.into()];
        let mail = mailer.mail(&event, Timestamp::from_secs(1_795_435_200)).expect("a mail");
        let text = String::from_utf8(mail.formatted()).expect("text");
        let (head, _) = text.split_once("\r\n\r\n").expect("a head");
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or_default())
            .collect();
        for name in &names {
            let known = [
                "From",
                "To",
                "Subject",
                "Date",
                "Content-Type",
                "Content-Transfer-Encoding",
                "Message-ID",
                "Auto-Submitted",
                "In-Reply-To",
                "References",
                "MIME-Version",
            ];
            assert!(known.contains(name), "{name} in {head}");
        }
        assert!(
            head.chars().all(|c| c.is_ascii() && (!c.is_control() || "\r\n\t".contains(c))),
            "{head:?}"
        );
        assert_eq!(mail.envelope().to().len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(problem(&json!({})), "");
        for (options, named) in [
            (json!({"tls": "none"}), "for all to read"),
            (json!({"to": []}), "to: nobody"),
            (json!({"to": ["nobody"]}), "to `nobody`"),
            (json!({"from": "city"}), "from `city`"),
            (json!({"username": "u"}), "go together"),
            (json!({"server": "smtp://mail"}), "write only its name"),
            (json!({"timeout": "2h"}), "timeout `2h`"),
            (json!({"ca_file": "/nowhere"}), "ca_file /nowhere"),
        ] {
            let found = problem(&options);
            assert!(found.contains(named), "{found}");
        }
    }
}
