//! The rules of the city: read again while it runs, when a file of their folder changed or somebody
//! asks for it. Rules that are the same keep their state.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use city_alert::EngineHandle;
use city_api::{EndedAlert, RuleReload};
use city_registry::Registry;
use city_rules::{RuleSet, Setting};
use tokio_util::sync::CancellationToken;

use crate::city::{rule_files, rule_paths};
use crate::watched::{self, Stamps, Watcher};

/// Reads the rule files again while the city runs.
pub(crate) struct Rules {
    folder: Option<PathBuf>,
    registry: Arc<Registry>,
    in_force: Arc<ArcSwap<RuleSet>>,
    engine: EngineHandle,
    /// One reload at a time.
    turn: Mutex<()>,
    /// The state of the files at the last one.
    seen: Mutex<Stamps>,
    /// The state of the files that were refused last.
    refused: Mutex<Stamps>,
}

impl Rules {
    /// Watches over the rules that the engine was started with.
    pub(crate) fn new(
        folder: Option<PathBuf>,
        registry: Arc<Registry>,
        in_force: Arc<ArcSwap<RuleSet>>,
        engine: EngineHandle,
    ) -> Self {
        let (turn, seen, refused) = (Mutex::default(), Mutex::default(), Mutex::default());
        let rules = Self { folder, registry, in_force, engine, turn, seen, refused };
        *rules.seen.lock().unwrap_or_else(PoisonError::into_inner) = rules.stamps();
        rules.tell_not_judged(&rules.in_force.load());
        rules
    }

    /// Logs the devices that are selected by rules and have no limits for them.
    fn tell_not_judged(&self, rules: &RuleSet) {
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

    /// Reads all files and puts their rules in force, all or nothing.
    fn reload(&self) -> Result<RuleReload, Vec<String>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // What is written from now on is for the next time.
        let stamps = self.stamps();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&stamps);
        let done = self.read();
        if done.is_err() {
            // Once more after a while: they may name zones that are being read just now.
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if *refused != stamps {
                *refused = stamps;
                self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
        done
    }

    fn read(&self) -> Result<RuleReload, Vec<String>> {
        let Some(folder) = &self.folder else {
            return Err(vec![
                "the configuration names no folder with rules; write `rules = \"rules\"` in [city]"
                    .to_owned(),
            ]);
        };
        let files = rule_files(folder)
            .map_err(|error| vec![format!("{} cannot be read: {error}", folder.display())])?;
        // The zone of the city stays; calendars are read anew.
        let time_zone = self.in_force.load().setting().time_zone.clone();
        let city = Setting { time_zone, ..Setting::default() };
        let rules = RuleSet::parse_in(&files, &city)
            .and_then(|rules| rules.check_against(&self.registry.directory()).map(|()| rules))
            .map_err(|problems| problems.0.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let rules = Arc::new(rules);
        let Some(report) = self.engine.set_rules(rules.clone()) else {
            return Err(vec!["the alert engine has stopped; its log says why".to_owned()]);
        };
        self.in_force.store(rules.clone());
        self.tell_not_judged(&rules);
        let names = |ids: Vec<Arc<str>>| ids.iter().map(ToString::to_string).collect();
        Ok(RuleReload {
            rules: rules.len() as u64,
            kept: report.kept.len() as u64,
            retold: names(report.retold),
            changed: names(report.changed),
            added: names(report.added),
            removed: names(report.removed),
            ended: report
                .ended
                .into_iter()
                .map(|ended| EndedAlert {
                    alert: ended.alert.to_string(),
                    rule: ended.rule.to_string(),
                    subject: ended.subject.to_string(),
                    reason: ended.reason.text(),
                })
                .collect(),
        })
    }

    /// Reloads when a file has changed, came or went, and on a hang-up signal, until told to stop.
    pub(crate) async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Some(mut watcher) = Watcher::new("rules", self.stamps()) else { return };
        while watcher.is_due(&stop, || self.stamps(), &self.seen).await {
            self.reload_and_tell().await;
        }
    }

    async fn reload_and_tell(self: &Arc<Self>) {
        if self.folder.is_none() {
            return;
        }
        let rules = self.clone();
        match tokio::task::spawn_blocking(move || rules.reload()).await {
            Ok(Ok(done)) => tracing::info!(
                rules = done.rules,
                changed = ?done.changed,
                retold = ?done.retold,
                added = ?done.added,
                removed = ?done.removed,
                ended = done.ended.len(),
                "rules reloaded"
            ),
            Ok(Err(problems)) => tracing::error!(
                "the rule files changed, but the rules stay as they are:\n{}",
                problems.join("\n")
            ),
            Err(error) => tracing::error!(%error, "reloading the rules panicked"),
        }
    }

    fn stamps(&self) -> Stamps {
        let paths = self.folder.as_deref().and_then(|folder| rule_paths(folder).ok());
        watched::stamps(paths.unwrap_or_default())
    }
}

impl city_api::RuleFiles for Rules {
    fn reload(&self) -> Result<RuleReload, Vec<String>> {
        Self::reload(self)
    }
}
