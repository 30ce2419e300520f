//! The HTTP side's doors: their listeners, the runtime of the connections from outside, and the
//! certificate, which is read again when its files change or on a hang-up signal.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use city_api::{Doors, Encryption, PROTOCOLS};
use city_tls::Tls;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::metrics::{Figure, Growth, Read};
use crate::settings::HttpSettings;

/// How often the certificate's files are looked at for a change.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The doors, bound, and what stands behind them.
pub(crate) struct Http {
    pub(crate) doors: Doors,
    /// Where everybody comes in.
    pub(crate) public: SocketAddr,
    /// Where this program itself and its command line do.
    pub(crate) own: SocketAddr,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) threads: Threads,
}

impl Http {
    /// Binds the addresses and reads the certificate.
    pub(crate) async fn bind(settings: &HttpSettings) -> anyhow::Result<Self> {
        let public = listen("http.listen", settings.listen).await?;
        let own = listen("the command line's own address", (Ipv4Addr::LOCALHOST, 0).into()).await?;
        let (mut encryption, mut redirect, mut certificate) = (None, None, None);
        if let Some(tls) = &settings.tls {
            let opened = Arc::new(Tls::open(tls.files(), PROTOCOLS).context("http.tls")?);
            encryption = Some(Encryption { tls: opened.clone(), hsts: tls.hsts });
            certificate = Some(Arc::new(Certificate { tls: opened, failing: AtomicU64::new(0) }));
            if let Some(from) = tls.redirect_from {
                redirect = Some(listen("http.tls.redirect_from", from).await?);
            }
        }
        let threads = Threads::start()?;
        Ok(Self {
            public: public.local_addr()?,
            own: own.local_addr()?,
            doors: Doors {
                public,
                tls: encryption,
                redirect,
                own: Some(own),
                runtime: threads.0.as_ref().map(|runtime| runtime.handle().clone()),
            },
            certificate,
            threads,
        })
    }
}

async fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("{key}: {address} cannot be used; is another program listening there?")
    })
}

/// The threads that answer requests from outside. They give way to those that take readings in and
/// evaluate rules, however many requests there are.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("http")
            .on_thread_start(city_store::give_way_a_little)
            .enable_all()
            .build()
            .context("the threads of the HTTP side")?;
        Ok(Self(Some(runtime)))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // A runtime must not be waited for where others run.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The certificate in use.
pub(crate) struct Certificate {
    tls: Arc<Tls>,
    /// 1 while changed files cannot be used.
    failing: AtomicU64,
}

impl Certificate {
    /// Shows when it ends, and whether its successor can be used.
    pub(crate) fn register(
        self: &Arc<Self>,
        metrics: &prometheus::Registry,
    ) -> Result<(), prometheus::Error> {
        let certificate = self.clone();
        Read::register(metrics, &[], move || certificate.figures())
    }

    fn figures(&self) -> Vec<Figure> {
        let expires = self.tls.expires_at_s().unwrap_or(0).max(0) as u64;
        vec![
            (
                "citybrain_http_certificate_expiry_timestamp_seconds",
                "When the certificate in use ends, in seconds since 1970.",
                Growth::Gauge,
                expires,
            ),
            (
                "citybrain_http_certificate_reload_failing",
                "1 while the changed files of the certificate cannot be used and those from \
                 before still are, 0 otherwise.",
                Growth::Gauge,
                self.failing.load(Ordering::Relaxed),
            ),
        ]
    }

    /// Reads the files again when they have changed, and on a hang-up signal; until told to stop.
    pub(crate) async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Ok(mut hang_up) = signal(SignalKind::hangup()) else {
            tracing::error!("no signals: the certificate is not watched; restart to change it");
            return;
        };
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                _ = hang_up.recv() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
            let certificate = self.clone();
            let read = tokio::task::spawn_blocking(move || certificate.look(asked)).await;
            if let Err(error) = read {
                tracing::error!(error.cause = %error, "the certificate could not be looked at");
            }
        }
    }

    fn look(&self, asked: bool) {
        let read = if asked { self.tls.read_again().map(|()| true) } else { self.tls.reload() };
        match read {
            Ok(false) => {}
            Ok(true) => {
                self.failing.store(0, Ordering::Relaxed);
                tracing::info!("the certificate of the HTTP side was read again");
            }
            Err(error) => {
                self.failing.store(1, Ordering::Relaxed);
                tracing::error!(error.cause = %error, "the changed certificate of the HTTP side \
                    cannot be used; that from before still is. Mend the files; they are read again");
            }
        }
    }
}

/// Lets the program have as many files and connections open as the system allows, and warns if they
/// are fewer than `wanted`.
pub(crate) fn raise_open_files(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // No limit at all is enough.
    let Some(most) = limit.maximum else { return };
    if limit.current.is_some_and(|now| now < most)
        && let Err(error) =
            setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum: Some(most) })
    {
        tracing::warn!(error.cause = %error, "the limit of open files could not be raised");
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if now < wanted {
        tracing::warn!(
            "{now} files and connections may be open, and the limits of [http.limits] and [mqtt] \
             allow for {wanted}; write `LimitNOFILE={wanted}` in the systemd unit, or raise \
             `ulimit -n`"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use city_endpoint::{ClientAuth, TlsConfig};

    use super::*;

    fn write(folder: &Path) -> TlsConfig {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
        let rcgen::CertifiedKey { cert, signing_key } = made.expect("a certificate");
        let config = TlsConfig {
            cert: folder.join("cert.pem"),
            key: folder.join("key.pem"),
            client_ca: None,
            client_crl: None,
            client_auth: ClientAuth::None,
        };
        std::fs::write(&config.cert, cert.pem()).expect("written");
        std::fs::write(&config.key, signing_key.serialize_pem()).expect("written");
        config
    }

    #[test]
    fn a_certificate_that_cannot_be_used_is_shown_as_failing_until_it_is_mended() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = write(folder.path());
        let tls = Arc::new(Tls::open(files.clone(), PROTOCOLS).expect("good files"));
        let certificate = Certificate { tls, failing: AtomicU64::new(0) };
        let failing = || certificate.figures()[1].3;
        assert!(certificate.figures()[0].3 > 0, "it says when it ends");
        certificate.look(true);
        assert_eq!(failing(), 0);
        std::fs::write(&files.key, "no key").expect("written");
        certificate.look(false);
        assert_eq!(failing(), 1);
        certificate.look(false);
        assert_eq!(failing(), 1, "that nothing has changed since mends nothing");
        write(folder.path());
        certificate.look(false);
        assert_eq!(failing(), 0);
    }

    #[tokio::test]
    async fn the_doors_are_bound_and_the_program_has_one_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = write(folder.path());
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let tls = serde_json::json!({ "cert": files.cert, "key": files.key, "redirect_from": any });
        let settings = HttpSettings {
            listen: any,
            tls: Some(serde_json::from_value(tls).expect("the right shape")),
            ..HttpSettings::default()
        };
        let http = Http::bind(&settings).await.expect("bound");
        assert!(http.own.ip().is_loopback() && http.own != http.public);
        assert!(http.doors.redirect.is_some() && http.doors.tls.is_some());
        let taken = HttpSettings { listen: http.public, ..HttpSettings::default() };
        let error = Http::bind(&taken).await.err().expect("taken").to_string();
        assert!(error.starts_with("http.listen: "), "{error}");
    }
}
