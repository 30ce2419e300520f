//! The certificates that we show: valid, with their key, in order, for names.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::super::finding::{Finding, words};
use super::super::{Check, Context};
use crate::certificates::{self, Certificate, Said};

pub(in crate::doctor) static CHECK: Check =
    Check { id: "certificates", look: |context| Box::pin(async move { look(context) }) };

const DAY_S: i64 = 86_400;
/// Days before the end that are told.
const SOON: i64 = 30;

fn look(context: &Context) -> Vec<Finding> {
    let now = context.now().micros() / 1_000_000;
    let configured = certificates::configured(&context.settings);
    if configured.is_empty() {
        return vec![Finding::ok(words!("none is configured", "未配置证书"))];
    }
    configured.iter().flat_map(|certificate| judge(certificate, now)).collect()
}

fn judge(certificate: &Certificate, now: i64) -> Vec<Finding> {
    let Certificate { key, file, private_key } = certificate;
    let shown = file.display();
    let chain = match certificates::read(file) {
        Ok(chain) => chain,
        Err(error) => {
            return vec![Finding::fail(
                words!("{}: {} cannot be read: {}", "{}：{} 无法读取：{}", key, shown, error),
                words!("nobody can connect with TLS", "无法建立 TLS 连接"),
                words!(
                    "a PEM file with the certificate and those between it and its authority, readable \
                     by citybrain's user",
                    "应为 citybrain 用户可读的 PEM 文件，含证书及其中间证书"
                ),
            )];
        }
    };
    let mut found = Vec::new();
    for (place, one) in chain.iter().enumerate() {
        found.extend(validity(&format!("{key} [{place}]"), one, now));
    }
    if let Some(pair) = chain.windows(2).find(|pair| pair[0].issuer != pair[1].subject) {
        found.push(Finding::warn(
            words!(
                "{}: `{}` is not signed by the next, `{}`",
                "{}：{} 并非由下一张证书 {} 签发",
                key,
                pair[0].subject,
                pair[1].subject
            ),
            words!(
                "some clients do not find their way to the authority",
                "部分客户端无法验证到根证书"
            ),
            words!(
                "put the certificate first, then each that signed the one before it",
                "请按顺序排列：先是本证书，随后依次为签发者证书"
            ),
        ));
    }
    if let Some(own) = chain.first() {
        if chain.len() == 1 && own.subject == own.issuer {
            found.push(Finding::warn(
                words!("{}: the certificate has signed itself", "{}：证书为自签名", key),
                words!("clients that do not know it refuse it", "不信任它的客户端会拒绝连接"),
                words!(
                    "let an authority sign it that your devices trust, or give them this certificate",
                    "请由设备信任的机构签发，或把该证书装入设备"
                ),
            ));
        }
        if own.names.is_empty() {
            found.push(Finding::warn(
                words!("{}: the certificate is for no name", "{}：证书未包含任何名称", key),
                words!(
                    "clients look for its subjectAltName (RFC 9525), not for its common name",
                    "客户端依据 subjectAltName（RFC 9525）而非通用名校验"
                ),
                words!(
                    "have it issued for the names that clients connect to",
                    "请按客户端使用的名称重新签发"
                ),
            ));
        }
    }
    found.extend(key_of(key, file, private_key));
    if found.is_empty() {
        let days = chain.first().map_or(0, |own| (own.not_after - now) / DAY_S);
        let names = chain.first().map(|own| own.names.join(", ")).unwrap_or_default();
        found.push(Finding::ok(words!(
            "{}: for {}, valid for {} days more, the key fits",
            "{}：适用于 {}，尚有 {} 天有效，私钥匹配",
            key,
            names,
            days
        )));
    }
    found
}

/// Whether a certificate is valid now, and for a while.
pub(super) fn validity(who: &str, said: &Said, now: i64) -> Option<Finding> {
    let days = (said.not_after - now).div_euclid(DAY_S);
    let subject = &said.subject;
    let why = words!("then no client connects any more", "届时客户端将无法连接");
    let renew = words!(
        "renew it; files are read again when they change, no restart is needed",
        "请续签；文件变更后会自动重新读取，无需重启"
    );
    if said.not_before > now {
        return Some(Finding::fail(
            words!("{}: `{}` is not valid yet", "{}：{} 尚未生效", who, subject),
            words!("clients refuse it", "客户端会拒绝"),
            words!(
                "set this machine's clock right, or have it issued again",
                "请校正本机时钟，或重新签发"
            ),
        ));
    }
    if said.not_after < now {
        let ago = (now - said.not_after) / DAY_S;
        let what = words!("{}: `{}` expired {} days ago", "{}：{} 已过期 {} 天", who, subject, ago);
        return Some(Finding::fail(what, words!("clients refuse it", "客户端会拒绝"), renew));
    }
    (days < SOON).then(|| {
        let what =
            words!("{}: `{}` expires in {} days", "{}：{} 将在 {} 天后过期", who, subject, days);
        Finding::warn(what, why, renew)
    })
}

fn key_of(key: &str, file: &Path, private_key: &Path) -> Vec<Finding> {
    let shown = private_key.display();
    let mut found = Vec::new();
    let read = || -> Result<(), String> {
        let chain = CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())?;
        let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        let secret =
            PrivateKeyDer::from_pem_file(private_key).map_err(|error| error.to_string())?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(chain, secret, &provider).map_err(|error| error.to_string())?;
        Ok(())
    };
    if let Err(error) = read() {
        found.push(Finding::fail(
            words!(
                "{}: the key {} cannot be used: {}",
                "{}：私钥 {} 无法使用：{}",
                key,
                shown,
                error
            ),
            words!("nobody can connect with TLS", "无法建立 TLS 连接"),
            words!(
                "name the key that the certificate was made with, as PEM without a passphrase",
                "请指定生成该证书的私钥（PEM，无口令）"
            ),
        ));
    }
    let open = std::fs::metadata(private_key).is_ok_and(|it| it.permissions().mode() & 0o004 != 0);
    if open {
        found.push(Finding::warn(
            words!(
                "{}: everybody on this machine can read the key {}",
                "{}：本机任何用户都能读取私钥 {}",
                key,
                shown
            ),
            words!("whoever has it can pose as this server", "持有者可冒充本服务器"),
            words!(
                "chmod 640 {}, with a group that citybrain's user is in",
                "执行 chmod 640 {}，属组应包含 citybrain 用户",
                shown
            ),
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::super::Level;
    use super::*;

    /// 2026-11-23T12:00:00Z.
    const NOW: i64 = 1_795_435_200;

    struct Made {
        folder: tempfile::TempDir,
        certificate: Certificate,
    }

    fn made(names: &[&str], until: (i32, u8, u8)) -> Made {
        let folder = tempfile::tempdir().expect("a folder");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).expect("names");
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = rcgen::KeyPair::generate().expect("a key");
        let authority_key = rcgen::KeyPair::generate().expect("a key");
        let mut authority = rcgen::CertificateParams::default();
        authority.distinguished_name.push(rcgen::DnType::CommonName, "Authority");
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let (file, private_key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        std::fs::write(&file, certificate.pem()).expect("written");
        std::fs::write(&private_key, key.serialize_pem()).expect("written");
        let only_owner = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&private_key, only_owner).expect("set");
        let certificate = Certificate { key: "mqtt.tls.cert".to_owned(), file, private_key };
        Made { folder, certificate }
    }

    fn found(made: &Made) -> Vec<(Level, String)> {
        let found = judge(&made.certificate, NOW);
        found.into_iter().map(|finding| (finding.level, finding.what.en)).collect()
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told() {
        let good = made(&["city.example"], (2027, 11, 23));
        let said = found(&good);
        assert!(
            said.len() == 1 && said[0].0 == Level::Ok && said[0].1.contains("364 days"),
            "{said:?}"
        );
        for (until, level, named) in
            [((2026, 12, 3), Level::Warn, "in 9 days"), ((2026, 11, 20), Level::Fail, "3 days ago")]
        {
            let said = found(&made(&["city.example"], until));
            assert!(said[0].0 == level && said[0].1.contains(named), "{said:?}");
        }
        assert!(found(&made(&[], (2027, 11, 23)))[0].1.contains("for no name"));

        let other = made(&["city.example"], (2027, 11, 23));
        std::fs::copy(&other.certificate.private_key, &good.certificate.private_key)
            .expect("copied");
        let said = found(&good);
        assert!(said[0].0 == Level::Fail && said[0].1.contains("cannot be used"), "{said:?}");
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&other.certificate.private_key, open).expect("set");
        assert!(found(&other)[0].1.contains("everybody"));
        std::fs::remove_file(other.folder.path().join("c.pem")).expect("removed");
        assert!(found(&other)[0].1.contains("cannot be read"));
    }

    #[test]
    fn a_chain_out_of_order_is_told() {
        let (one, two) = (made(&["a"], (2027, 1, 1)), made(&["b"], (2027, 1, 1)));
        let read = |made: &Made| std::fs::read_to_string(&made.certificate.file).expect("readable");
        let both = read(&one) + &read(&two);
        std::fs::write(&one.certificate.file, both).expect("written");
        assert!(found(&one).iter().any(|(_, what)| what.contains("is not signed by the next")));
    }
}
