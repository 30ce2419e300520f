//! E-mail through a real mail server: Debian's aiosmtpd, run by `tests/smtp_server.py`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use city_alert::{ReceiverConfig, TrialError};
use city_model::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// What `cargo xtask test` installs.
const AIOSMTPD: &str = "/usr/lib/python3/dist-packages/aiosmtpd";

/// A running mail server; ended when it is dropped.
struct Mailbox {
    process: Child,
    lines: BufReader<ChildStdout>,
    port: u16,
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Mailbox {
    /// `None`, after saying so, if there is no mail server here.
    fn start(test: &str, arguments: &[&Path]) -> Option<Self> {
        if !Path::new(AIOSMTPD).exists() {
            // Not by a macro, whose output the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: there is no aiosmtpd; `cargo xtask test` installs it (Debian \
                 package python3-aiosmtpd)"
            );
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp_server.py");
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("the port");
        let port = line.trim().parse().expect("a port");
        Some(Self { process, lines, port })
    }

    fn receiver(&self, options: &Value) -> ReceiverConfig {
        let mut all = json!({
            "server": "127.0.0.1", "port": self.port, "tls": "none", "timeout": "10s",
            "from": "城市 <city@city.example>", "to": ["desk@city.example", "Zhang <zhang@x.example>"],
        });
        let object = all.as_object_mut().expect("an object");
        object.extend(options.as_object().expect("an object").clone());
        serde_json::from_value(json!({"id": "desk", "type": "email", "options": all}))
            .expect("a receiver")
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a mail");
        serde_json::from_str(&line).expect("JSON")
    }
}

/// A header of a mail, unfolded.
fn header(mail: &Value, name: &str) -> String {
    let content = mail["content"].as_str().expect("text").replace("\r\n ", " ");
    let (head, _) = content.split_once("\r\n\r\n").expect("a head and a body");
    let prefix = format!("{}:", name.to_lowercase());
    let line = head.lines().find(|line| line.to_lowercase().starts_with(&prefix));
    line.map(|line| line[prefix.len()..].trim().to_owned()).unwrap_or_default()
}

/// What a mail program shows: (subject, text), as Python's standard library decodes it.
fn decoded(mail: &Value) -> (String, String) {
    let program = "import email, email.policy, json, sys\n\
                   mail = email.message_from_string(sys.stdin.read(), policy=email.policy.default)\n\
                   print(json.dumps([mail['subject'], mail.get_content()]))";
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let content = mail["content"].as_str().expect("text");
    python.stdin.take().expect("piped").write_all(content.as_bytes()).expect("written");
    let output = python.wait_with_output().expect("ends");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test]
async fn a_mail_has_both_languages_a_key_and_a_thread() {
    let Some(mut server) = Mailbox::start("a_mail_has_both_languages_a_key_and_a_thread", &[])
    else {
        return;
    };
    let desk = server.receiver(&json!({"dashboard": "https://city.example"}));
    desk.try_out(NOW).await.expect("taken");
    let (first, second) = (server.next(), server.next());
    assert_eq!(first["to"], json!(["desk@city.example", "zhang@x.example"]));
    assert_eq!(first["from"], "city@city.example");
    let (subject, text) = decoded(&first);
    assert_eq!(subject, "【测试，提示】接收方测试 [Test, Low] Test of a receiver");
    assert!(text.contains("仅用于测试接收方 desk，并无异常。"), "{text}");
    assert!(text.contains("This only tests the receiver desk; nothing happened."), "{text}");
    assert!(text.contains("https://city.example/alerts/test-"), "{text}");
    assert!(decoded(&second).0.contains("已解除"), "{second}");

    let id = format!("<test-{:x}.1@city.example>", NOW.micros());
    assert_eq!(header(&first, "Message-ID"), id);
    assert_eq!(header(&second, "In-Reply-To"), id);
    assert_ne!(header(&second, "Message-ID"), id);
    assert_eq!(header(&first, "Date"), "Mon, 21 Sep 2026 14:13:20 +0000");
    assert_eq!(header(&first, "Auto-Submitted"), "auto-generated");

    desk.try_out(NOW).await.expect("taken");
    assert_eq!(header(&server.next(), "Message-ID"), id, "the same event has the same id");
}

#[tokio::test]
async fn starttls_and_a_password_are_used_and_a_wrong_authority_is_not_trusted() {
    let test = "starttls_and_a_password_are_used_and_a_wrong_authority_is_not_trusted";
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let signed =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(path("cert.pem"), signed.cert.pem()).expect("written");
    std::fs::write(path("key.pem"), signed.signing_key.serialize_pem()).expect("written");
    std::fs::write(path("password"), "hush\n").expect("written");
    let Some(mut server) = Mailbox::start(test, &[&path("cert.pem"), &path("key.pem")]) else {
        return;
    };
    let login = |more: &Value| {
        let mut options = json!({
            "server": "localhost", "tls": "starttls", "username": "city",
            "password_file": path("password"), "ca_file": path("cert.pem"),
        });
        let object = options.as_object_mut().expect("an object");
        object.extend(more.as_object().expect("an object").clone());
        object.retain(|_, value| !value.is_null());
        server.receiver(&options)
    };
    let (good, stranger) = (login(&json!({})), login(&json!({"ca_file": null})));
    let wrong = login(&json!({"password_file": null, "password": "wrong"}));
    good.try_out(NOW).await.expect("taken");
    let mail = server.next();
    assert_eq!((&mail["encrypted"], &mail["user"]), (&json!(true), &json!("city")));

    let TrialError::Delivery(error) = stranger.try_out(NOW).await.expect_err("not trusted") else {
        panic!("not told")
    };
    assert!(error.message.to_lowercase().contains("certificate"), "{error}");
    let TrialError::Delivery(error) = wrong.try_out(NOW).await.expect_err("refused") else {
        panic!("not told")
    };
    assert!(error.retry, "a password can be mended: {error}");
    assert!(error.message.contains("535"), "{error}");
}

#[tokio::test]
async fn what_can_be_mended_is_tried_again_and_what_is_too_large_is_not() {
    let test = "what_can_be_mended_is_tried_again_and_what_is_too_large_is_not";
    let Some(server) = Mailbox::start(test, &[]) else { return };
    for (to, retry, code) in [("nobody@x.example", true, "550"), ("full@x.example", false, "552")] {
        let error = server.receiver(&json!({"to": [to]})).try_out(NOW).await.expect_err("refused");
        let TrialError::Delivery(error) = error else { panic!("{error}") };
        assert_eq!(error.retry, retry, "{error}");
        assert!(error.message.contains(code), "{error}");
    }
}
