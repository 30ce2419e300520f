//! The rules of the city: their folder, which is read again while the city runs when one of its files
//! changed, and their way to the alert engine. Rules that are the same keep their state.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use city_alert::EngineHandle;
use city_model::SharedClock;
use city_registry::Registry;
use city_rulebook::{Book, BookError, BookParts, Files, Reloaded, Text};
use city_rules::{RuleSet, Setting};
use city_store::StateDb;
use tokio_util::sync::CancellationToken;

use crate::city::{rule_files, rule_paths};
use crate::metrics::{Growth, Read};
use crate::watched::{self, Stamps, Watcher};

/// The folder that the settings name, if they name one.
#[derive(Clone)]
struct Folder {
    path: Option<PathBuf>,
    /// The state of the files when they were last taken as seen.
    seen: Arc<Mutex<Stamps>>,
}

impl Folder {
    fn stamps(&self) -> Stamps {
        let paths = self.path.as_deref().and_then(|folder| rule_paths(folder).ok());
        watched::stamps(paths.unwrap_or_default())
    }

    fn note(&self, stamps: Stamps) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamps;
    }
}

impl Files for Folder {
    fn read(&self) -> Result<Vec<Text>, String> {
        // What is written from now on is for the next time.
        self.note(self.stamps());
        self.peek()
    }

    fn peek(&self) -> Result<Vec<Text>, String> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        rule_files(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
    }

    fn are_configured(&self) -> bool {
        self.path.is_some()
    }
}

/// The book of rules, with the eye on its folder.
pub(crate) struct Rules {
    book: Arc<Book>,
    folder: Folder,
    registry: Arc<Registry>,
}

impl Rules {
    /// Reads the rules of both homes: the folder and the state database.
    pub(crate) fn open(
        path: Option<PathBuf>,
        setting: Setting,
        state: Arc<StateDb>,
        registry: Arc<Registry>,
        clock: SharedClock,
    ) -> Result<Self, BookError> {
        let folder = Folder { path, seen: Arc::default() };
        let files = Box::new(folder.clone());
        let of = registry.clone();
        let directory = Box::new(move || of.directory());
        let book = Book::open(BookParts { state, files, directory, setting, clock })?;
        for problem in book.problems() {
            tracing::error!("{problem}");
        }
        let rules = Self { book: Arc::new(book), folder, registry };
        rules.tell_not_judged();
        Ok(rules)
    }

    /// Logs the devices that are selected by rules and have no limits for them.
    fn tell_not_judged(&self) {
        let rules: Arc<RuleSet> = self.book.in_force().load_full();
        for found in rules.not_judged(&self.registry.directory()) {
            tracing::warn!(
                rule = %found.rule,
                devices = found.devices.len(),
                first = ?found.devices.iter().take(5).collect::<Vec<_>>(),
                "a rule does not judge devices {}",
                found.reason.en
            );
        }
    }

    /// The book.
    pub(crate) fn book(&self) -> Arc<Book> {
        self.book.clone()
    }

    /// From now on what changes goes to the engine, which has started with the rules in force.
    pub(crate) fn connect(&self, engine: EngineHandle) {
        self.book.connect(Box::new(move |rules| engine.set_rules(rules)));
    }

    /// Lets Prometheus ask how many rules are in force, and whether all are.
    pub(crate) fn register_figures(
        &self,
        metrics: &prometheus::Registry,
    ) -> Result<(), prometheus::Error> {
        let book = self.book.clone();
        Read::register(metrics, &[], move || {
            let rules = book.in_force().load().len() as u64;
            let problems = book.problems().len() as u64;
            vec![
                ("citybrain_rules", "Rules in force.", Growth::Gauge, rules),
                (
                    "citybrain_rule_problems",
                    "Refused rule files and disabled rule groups; 0 if all rules are in force.",
                    Growth::Gauge,
                    problems,
                ),
            ]
        })
    }

    /// Reloads when a file has changed, came or went, and on a hang-up signal, until told to stop.
    pub(crate) async fn watch(self, stop: CancellationToken) {
        let Some(mut watcher) = Watcher::new("rules", self.folder.stamps()) else { return };
        let mut refused = Stamps::new();
        while watcher.is_due(&stop, || self.folder.stamps(), &self.folder.seen).await {
            let stamps = self.folder.stamps();
            if self.reload_and_tell().await {
                continue;
            }
            // Once more after a while: they may name zones that are being read just now.
            if refused != stamps {
                refused = stamps;
                self.folder.note(Stamps::new());
            }
        }
    }

    /// Whether that was not refused.
    async fn reload_and_tell(&self) -> bool {
        let book = self.book.clone();
        match tokio::task::spawn_blocking(move || book.reload()).await {
            Ok(Ok(Reloaded { rules, changes, ended })) => {
                tracing::info!(
                    rules,
                    changed = ?changes.changed,
                    retold = ?changes.retold,
                    added = ?changes.added,
                    removed = ?changes.removed,
                    ended = ended.len(),
                    "rules reloaded"
                );
                self.tell_not_judged();
            }
            // A signal is for everything that can be read again.
            Ok(Err(BookError::NoFiles)) => {}
            Ok(Err(problem)) => {
                tracing::error!(
                    "the rule files changed, but the rules stay as they are:\n{problem}"
                );
                return false;
            }
            Err(error) => tracing::error!(error.cause = %error, "reloading the rules panicked"),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use city_registry::Seed;
    use city_rules::ReloadReport;

    use super::*;
    use crate::clock::SystemClock;
    use crate::watched::LOOK_EVERY;

    fn text(limit: u32) -> String {
        format!(
            "group: air\ndepartment: city\nrules:\n  - id: dust\n    kind: threshold\n    \
             select: {{metric: pm25}}\n    severity: high\n    raise: {{above: {limit}}}\n"
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_is_taken_up_and_a_bad_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("air.yaml");
        std::fs::write(&file, text(75)).expect("written");
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed { catalogue: city_model::Catalogue::embedded(), ..Seed::default() };
        let registry = Arc::new(Registry::open(state.clone(), seed).expect("a registry"));
        let path = Some(folder.path().to_owned());
        let rules = Rules::open(path, Setting::default(), state, registry, Arc::new(SystemClock))
            .expect("good");
        let book = rules.book();
        book.connect(Box::new(|_| Some(ReloadReport::default())));
        let stop = CancellationToken::new();
        let watching = tokio::spawn(rules.watch(stop.clone()));

        let before = book.in_force().load_full();
        tokio::time::sleep(LOOK_EVERY * 3).await;
        assert!(Arc::ptr_eq(&before, &book.in_force().load()), "nothing changed");
        std::fs::write(&file, text(75).replace("above", "abvoe")).expect("written");
        while book.problems().is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert!(Arc::ptr_eq(&before, &book.in_force().load()), "nothing good came");
        std::fs::write(&file, text(1_000)).expect("written");
        while Arc::ptr_eq(&before, &book.in_force().load()) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(book.problems(), Vec::<String>::new());
        stop.cancel();
        watching.await.expect("ends");
    }
}
