//! Receivers of alerts as a configuration describes them, and the commands that try them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;

use citybrain::settings::{EXAMPLE, load};

/// Runs citybrain; returns whether it succeeded, and what it said.
fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_citybrain"))
        .args(arguments)
        .env_remove("CITYBRAIN_CONFIG")
        .output()
        .expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).expect("text"))
}

fn configuration(folder: &Path, receivers: &str) -> String {
    let file = folder.join("citybrain.toml");
    let city = "[city]\nname = \"Test\"\ntime_zone = \"Asia/Shanghai\"\n";
    std::fs::write(&file, format!("{city}{receivers}")).expect("written");
    file.display().to_string()
}

/// A server that takes two requests; returns its address and the bodies.
fn server() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut length = 0;
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("answered");
            let _ = sender.send(String::from_utf8(body).expect("text"));
        }
    });
    (url, bodies)
}

/// The lines of the example that are keys or tables behind a `#`, without it.
fn uncommented(text: &str) -> String {
    let (_, receivers) = text.split_once("# [cap]").expect("the section");
    let lines = receivers.lines().filter_map(|line| line.strip_prefix("# "));
    let key = |line: &&str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let lines = lines.filter(|line| line.starts_with('[') || key(line));
    lines.fold("[cap]\n".to_owned(), |all, line| all + line + "\n")
}

#[test]
fn every_receiver_of_the_example_is_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = uncommented(EXAMPLE);
    for secret in [
        "duty-chat.url",
        "duty-chat.secret",
        "mail-password",
        "alertmanager-password",
        "office-token",
    ] {
        assert!(text.contains(secret), "{text}");
        std::fs::write(folder.path().join(secret), "https://chat.example/x\n").expect("written");
    }
    let signed = rcgen::generate_simple_self_signed(["city".to_owned()]).expect("a certificate");
    std::fs::write(folder.path().join("city-ca.pem"), signed.cert.pem()).expect("written");
    let settings = load(configuration(folder.path(), &text).as_ref()).expect("good settings");
    let kinds: Vec<_> = settings.receivers.iter().map(|receiver| receiver.kind.as_str()).collect();
    assert_eq!(kinds, ["webhook", "alertmanager", "email", "mqtt", "cap", "dingtalk"]);
    for receiver in &settings.receivers {
        assert_eq!(receiver.check(), Ok(()), "{}", receiver.id);
        assert_eq!(receiver.city.name.en, "Test");
    }
    let desk = settings.receivers[0].route();
    assert_eq!(
        (desk.zones, desk.labels.len(), desk.resolved),
        (vec!["haidian".to_owned()], 1, true)
    );
}

#[test]
fn a_receiver_is_tried_by_its_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, bodies) = server();
    std::fs::write(folder.path().join("token"), "let me in\n").expect("written");
    let text = format!(
        "[[receiver]]\nid = \"desk\"\ntype = \"webhook\"\nseverity = \"high\"\n\
         options = {{ url = \"{url}\", token_file = \"token\" }}\n\
         [[receiver]]\nid = \"gone\"\ntype = \"webhook\"\noptions = {{ url = \"http://127.0.0.1:9\" }}\n"
    );
    let config = configuration(folder.path(), &text);
    let (good, said) = run(&["receivers", "test", "desk", "--config", &config]);
    assert!(good, "{said}");
    assert!(said.contains("desk (webhook): took the test alert and its end"), "{said}");
    assert!(said.contains("均已送达"), "{said}");
    for kind in ["fired", "resolved"] {
        let body = bodies.recv().expect("told");
        assert!(body.contains(&format!("\"kind\":\"{kind}\"")), "{body}");
        assert!(body.contains("\"severity\":\"high\""), "{body}");
    }

    let (good, said) = run(&["receivers", "test", "gone", "--config", &config]);
    assert!(!good);
    for words in ["receiver `gone` (webhook) of ", "cannot reach it", "hint: check the address"] {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
    let (good, said) = run(&["receivers", "test", "dsek", "--config", &config]);
    assert!(!good);
    assert!(said.contains("has no receiver `dsek`; it has: desk, gone"), "{said}");

    let (good, said) = run(&["receivers", "list", "--config", &config]);
    assert!(good, "{said}");
    assert!(said.contains("desk ") && said.contains("gone "), "{said}");
}
