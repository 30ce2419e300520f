//! Who works on the command line, as the operating system says.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// The account that this process runs as; with sudo, the one that called it. Names are those of
/// `/etc/passwd`; an account that is not there is `uid 1000`.
///
/// The account that called sudo is what the environment says: root could write anything there, but
/// root could also write the log.
pub fn operator() -> String {
    // The kernel says whose this process is.
    let uid = fs::metadata("/proc/self").map(|process| process.uid()).ok();
    let name = uid.map_or_else(|| "unknown".to_owned(), name_of);
    match std::env::var("SUDO_USER") {
        Ok(caller) if uid == Some(0) && is_name(&caller) => format!("{caller} (sudo)"),
        _ => name,
    }
}

fn name_of(uid: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    in_passwd(&passwd, uid).unwrap_or_else(|| format!("uid {uid}"))
}

/// The first account with this number; lines are `name:password:uid:…`.
fn in_passwd(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

fn is_name(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-@\\".contains(c);
    !text.is_empty() && text.len() <= 64 && text.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_names() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nbad\n";
        assert_eq!(in_passwd(passwd, 1000).as_deref(), Some("ada"));
        assert_eq!(in_passwd(passwd, 0).as_deref(), Some("root"));
        assert_eq!(in_passwd(passwd, 7), None);
        assert!(is_name("ada") && !is_name("") && !is_name("a\nb"));
        assert!(!operator().is_empty());
    }
}
