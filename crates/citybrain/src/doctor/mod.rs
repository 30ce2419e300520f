//! `citybrain doctor`: looks at everything that a city needs, and says what is wrong, why that
//! matters and what to do. It changes nothing.
//!
//! Each check is a file in `checks` and a line in [`CHECKS`].

mod checks;
mod finding;
mod http;
mod peer;
mod report;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use city_model::{SharedClock, Timestamp};

use crate::city::City;
use crate::run_file::RunFile;
use crate::settings::{Problems, Settings};

pub use finding::{Finding, Lang, Level, Words};
pub use report::Report;

use finding::words;

/// How long a check may take; the others run meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the checks look at.
pub struct Context {
    /// The configuration file, if one was named.
    pub config: Option<PathBuf>,
    /// What it says, or what holds without one.
    pub settings: Settings,
    /// What the files that it names say; or what is wrong with any of it.
    pub city: Result<City, String>,
    /// How to reach the program that runs on the data folder, if one does.
    pub running: Option<RunFile>,
    /// Whether receivers of alerts are looked at: they notice that.
    pub receivers: bool,
    /// The clock.
    pub clock: SharedClock,
}

impl Context {
    /// Reads the configuration, if there is one. What is wrong with it is for a check to tell: the
    /// others go on with the defaults.
    pub fn read(
        config: Option<&Path>,
        data_dir: Option<PathBuf>,
        receivers: bool,
        clock: SharedClock,
    ) -> Self {
        let defaults = || -> Settings {
            // Nothing in it can be wrong, as a test shows.
            toml::from_str("city = { name = \"?\", time_zone = \"UTC\" }")
                .unwrap_or_else(|error| unreachable!("the defaults cannot be read: {error}"))
        };
        let loaded = match config {
            None => Ok(defaults()),
            Some(config) => crate::settings::load(config).map_err(|error| error.to_string()),
        };
        let (mut settings, city) = match loaded {
            Ok(settings) => {
                let city = City::read(settings.clone())
                    .map_err(|Problems(problems)| Problems(problems).to_string());
                (settings, city)
            }
            Err(problems) => (defaults(), Err(problems)),
        };
        if let Some(data_dir) = data_dir {
            settings.data_dir = data_dir;
        }
        let running = RunFile::read(&settings.data_dir);
        let config = config.map(Path::to_owned);
        Self { config, settings, city, running, receivers, clock }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn data_dir(&self) -> &Path {
        &self.settings.data_dir
    }
}

/// A check on its way.
type Looking<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + 'a>>;

/// Something to look at.
struct Check {
    /// Its name, for programs.
    id: &'static str,
    look: for<'a> fn(&'a Context) -> Looking<'a>,
}

/// All of them, in the order of the report.
static CHECKS: &[&Check] = &[
    &checks::configuration::CHECK,
    &checks::rules::CHECK,
    &checks::time_zone::CHECK,
    &checks::exposure::CHECK,
    &checks::running::CHECK,
    &checks::data_folder::CHECK,
    &checks::disk::CHECK,
    &checks::fsync::CHECK,
    &checks::store::CHECK,
    &checks::listeners::CHECK,
    &checks::descriptors::CHECK,
    &checks::memory::CHECK,
    &checks::clock::CHECK,
    &checks::certificates::CHECK,
    &checks::peers::CHECK,
    &checks::brokers::CHECK,
    &checks::influxdb::CHECK,
    &checks::identity_provider::CHECK,
    &checks::receivers::CHECK,
];

/// Looks at everything.
pub async fn examine(context: &Context) -> Report {
    let looks = CHECKS.iter().map(|check| async move {
        let found = tokio::time::timeout(PATIENCE, (check.look)(context)).await;
        (check.id, found.unwrap_or_else(|_| vec![too_slow()]))
    });
    // One after the other: some measure the disk, and there are few that wait long.
    let mut found = Vec::new();
    for look in looks {
        found.push(look.await);
    }
    Report { checks: found }
}

fn too_slow() -> Finding {
    Finding::fail(
        words!("no answer within {} s", "{} 秒内没有结果", PATIENCE.as_secs()),
        words!(
            "what was looked at hangs: a disk, a network or a name server",
            "被检查的对象（磁盘、网络或域名服务器）没有响应"
        ),
        words!(
            "see whether the disk and the network of this machine work, then try again",
            "请检查本机的磁盘与网络，然后重试"
        ),
    )
}
