//! Which partitions this worker looks after: its fair share of them, by leases.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use city_bus::{Bus, Leases};
use city_model::SharedClock;
use city_registry::Registry;
use city_rules::RuleSet;
use city_store::StateDb;
use prometheus::proto::MetricFamily;
use tokio::runtime::Handle;

use crate::owner::{Common, Owner};
use crate::partition::Partition;

/// The group of those who evaluate rules.
const GROUP: &str = "alert";

/// How often it is looked whether a partition that is let go of is saved.
const LOOK_UP: Duration = Duration::from_millis(20);

/// What a worker needs.
pub struct OwnersParts {
    /// The bus.
    pub bus: Bus,
    /// This worker's name, unlike any other's.
    pub node: String,
    /// After how long without a sign of life others take over.
    pub lease: Duration,
    /// The registry.
    pub registry: Arc<Registry>,
    /// The city's state.
    pub state: Arc<StateDb>,
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// Where the copies of engines' states go.
    pub folder: PathBuf,
    /// The clock.
    pub clock: SharedClock,
    /// Where deliveries run.
    pub runtime: Handle,
}

impl std::fmt::Debug for OwnersParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnersParts").field("node", &self.node).finish_non_exhaustive()
    }
}

/// How a partition is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Its name.
    pub name: String,
    /// Whether it is evaluated here and now.
    pub runs: bool,
    /// The number of the last message of the bus that was evaluated.
    pub heard: u64,
    /// Readings that were evaluated here.
    pub readings: u64,
    /// Why it is not evaluated, or not saved.
    pub trouble: Option<String>,
}

/// The partitions that are owned now.
#[derive(Clone, Default)]
pub struct Owning(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    owners: BTreeMap<Partition, Owner>,
    rules: Rules,
}

#[derive(Clone, Default)]
struct Rules {
    alone: Arc<RuleSet>,
    spanning: Arc<RuleSet>,
}

impl Rules {
    fn of(rules: &RuleSet) -> Self {
        let (alone, spanning) = rules.split();
        Self { alone: Arc::new(alone), spanning: Arc::new(spanning) }
    }

    fn part(&self, partition: Partition) -> Arc<RuleSet> {
        match partition {
            Partition::Devices(_) => self.alone.clone(),
            Partition::Spanning => self.spanning.clone(),
        }
    }
}

impl std::fmt::Debug for Owning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owning").finish_non_exhaustive()
    }
}

impl Owning {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts rules in force everywhere.
    pub fn set_rules(&self, rules: &RuleSet) {
        let held = &mut *self.lock();
        held.rules = Rules::of(rules);
        for (partition, owner) in &held.owners {
            owner.set_rules(held.rules.part(*partition));
        }
    }

    /// How the partitions are doing.
    pub fn status(&self) -> Vec<PartitionStatus> {
        let status = |(partition, owner): (&Partition, &Owner)| {
            let progress = &owner.progress;
            PartitionStatus {
                name: partition.name(),
                runs: progress.runs.load(Ordering::Relaxed),
                heard: progress.heard.load(Ordering::Relaxed),
                readings: progress.readings.load(Ordering::Relaxed),
                trouble: progress.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            }
        };
        self.lock().owners.iter().map(status).collect()
    }

    /// The figures of all partitions, each with its name as a label.
    pub fn gather(&self) -> Vec<MetricFamily> {
        let held = self.lock();
        let mut families: BTreeMap<String, MetricFamily> = BTreeMap::new();
        for family in held.owners.values().flat_map(|owner| owner.metrics.gather()) {
            match families.get_mut(family.name()) {
                Some(known) => known.mut_metric().extend(family.get_metric().iter().cloned()),
                None => _ = families.insert(family.name().to_owned(), family),
            }
        }
        families.into_values().collect()
    }
}

/// A worker: takes partitions and lets go of them, until it is dropped.
#[derive(Debug)]
pub struct Owners {
    owning: Owning,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Owners {
    /// Starts it.
    pub fn start(parts: OwnersParts) -> std::io::Result<Self> {
        let owning = Owning::default();
        owning.lock().rules = Rules::of(&parts.rules);
        let stop = Arc::new(AtomicBool::new(false));
        let leases = parts.bus.leases(parts.lease);
        let keeper = Keeper {
            partitions: parts.bus.partitions(),
            node: parts.node,
            every: parts.lease / 4,
            common: Arc::new(Common {
                bus: parts.bus,
                registry: parts.registry,
                city: parts.state,
                folder: parts.folder,
                clock: parts.clock,
                runtime: parts.runtime,
            }),
            owning: owning.clone(),
            ending: Vec::new(),
            stop: stop.clone(),
            is_announced: false,
            leases,
        };
        let thread =
            std::thread::Builder::new().name("leases".to_owned()).spawn(move || keeper.run())?;
        Ok(Self { owning, stop, thread: Some(thread) })
    }

    /// What is owned.
    pub fn owning(&self) -> Owning {
        self.owning.clone()
    }
}

impl Drop for Owners {
    /// Saves the engines' states and lets go of the partitions, so that others take them at once.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that keeps the leases panicked");
        }
    }
}

struct Keeper {
    partitions: u16,
    node: String,
    every: Duration,
    common: Arc<Common>,
    owning: Owning,
    ending: Vec<Ending>,
    stop: Arc<AtomicBool>,
    is_announced: bool,
    leases: Leases,
}

/// A partition that is let go of. That takes its time, in which the leases of the others go on, and
/// this one's too: who takes it over goes on from what is saved here.
struct Ending {
    partition: Partition,
    owner: Owner,
    /// Whether the lease is still held.
    is_held: bool,
}

impl Keeper {
    fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            self.turn();
            while !self.ending.is_empty() && begun.elapsed() < self.every {
                std::thread::sleep(LOOK_UP.min(self.every));
                self.release_ended();
            }
            std::thread::sleep(self.every.saturating_sub(begun.elapsed()));
        }
        for (partition, owner) in std::mem::take(&mut self.owning.lock().owners) {
            owner.stop();
            self.ending.push(Ending { partition, owner, is_held: true });
        }
        for Ending { partition, owner, is_held } in std::mem::take(&mut self.ending) {
            drop(owner);
            if is_held {
                self.leases.release(&partition.name());
            }
        }
        self.leases.leave();
    }

    fn turn(&mut self) {
        if !self.is_announced {
            match self.leases.announce(GROUP) {
                Ok(()) => self.is_announced = true,
                Err(error) => {
                    return tracing::warn!(error.cause = %error, "the bus does not hear of this worker");
                }
            }
        }
        self.release_ended();
        let live = self.leases.live(GROUP);
        let mine: Vec<Partition> = shares(self.partitions, &live)
            .into_iter()
            .filter(|(_, node)| *node == self.node)
            .map(|(partition, _)| partition)
            .collect();
        // What is another's by now is handed over: saved first, so that it goes on from there.
        let given = |partition: &Partition, _: &mut Owner| !mine.contains(partition);
        for (partition, owner) in self.owning.lock().owners.extract_if(.., given) {
            owner.stop();
            self.ending.push(Ending { partition, owner, is_held: true });
        }
        let is_free =
            |partition: &&Partition| self.ending.iter().all(|e| e.partition != **partition);
        let wanted: Vec<String> = mine.iter().filter(is_free).map(|one| one.name()).collect();
        let changes = match self.leases.turn(&wanted) {
            Ok(changes) => changes,
            Err(error) => {
                return tracing::warn!(error.cause = %error, "leases cannot be renewed now");
            }
        };
        let named = |names: &[String]| -> Vec<Partition> {
            Partition::all(self.partitions).filter(|one| names.contains(&one.name())).collect()
        };
        for partition in named(&changes.lost) {
            tracing::warn!(
                partition = partition.name(),
                "the lease of a partition is lost: it could not be renewed in time"
            );
            if let Some(owner) = self.owning.lock().owners.remove(&partition) {
                owner.lose();
                self.ending.push(Ending { partition, owner, is_held: false });
            } else if let Some(ending) = self.ending.iter_mut().find(|e| e.partition == partition) {
                ending.owner.lose();
                ending.is_held = false;
            }
        }
        for partition in named(&changes.gained) {
            let held = &mut *self.owning.lock();
            let rules = held.rules.part(partition);
            match Owner::start(self.common.clone(), partition, rules) {
                Ok(owner) => _ = held.owners.insert(partition, owner),
                Err(error) => tracing::error!(error.cause = %error, "a partition has no thread"),
            }
        }
    }

    /// Lets others have what is saved by now.
    fn release_ended(&mut self) {
        for ending in self.ending.extract_if(.., |ending| ending.owner.has_ended()) {
            if ending.is_held {
                self.leases.release(&ending.partition.name());
            }
        }
    }
}

/// Whose each partition is among those who live, by their names. Nobody gets more or less than a fair
/// share, rounded up or down; within that each goes to the node whose name gives the highest hash with
/// it, so that few change hands when somebody comes or goes.
fn shares(partitions: u16, live: &[String]) -> BTreeMap<Partition, &str> {
    let count = usize::from(partitions) + 1;
    let (least, mut one_more) = match live.len() {
        0 => return BTreeMap::new(),
        nodes => (count / nodes, count % nodes),
    };
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shares = BTreeMap::new();
    for partition in Partition::all(partitions) {
        let name = partition.name();
        let of = |node: &str| held.get(node).copied().unwrap_or(0);
        let free = live
            .iter()
            .map(|node| &**node)
            .filter(|node| of(node) < least || (of(node) == least && one_more > 0));
        let Some(node) = free.max_by_key(|node| (weight(&name, node), *node)) else { break };
        if of(node) == least {
            one_more -= 1;
        }
        *held.entry(node).or_default() += 1;
        shares.insert(partition, node);
    }
    shares
}

/// A hash of both names, mixed as splitmix64 does: the difference of two CRCs alone would be the same
/// for all partitions.
fn weight(partition: &str, node: &str) -> u64 {
    let both = [partition, node].map(|name| u64::from(crc32fast::hash(name.as_bytes())));
    let mut mixed = (both[0] << 32 | both[1]).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: usize) -> Vec<String> {
        (1..=count).map(|number| format!("alert-{number}")).collect()
    }

    #[test]
    fn everybody_has_a_fair_share_and_few_partitions_change_hands() {
        for count in 1..=6 {
            let live = nodes(count);
            let shares = shares(8, &live);
            assert_eq!(shares.len(), 9);
            for node in &live {
                let share = shares.values().filter(|owner| *owner == node).count();
                assert!(share == 9 / count || share == 9_usize.div_ceil(count), "{node}: {share}");
            }
        }
        let (three, two) = (nodes(3), nodes(2));
        let (before, after) = (shares(32, &three), shares(32, &two));
        let moved = before
            .iter()
            .filter(|(partition, owner)| **owner != "alert-3" && after[*partition] != **owner)
            .count();
        assert!(moved <= 8, "{moved} of 33 changed hands though their owner lives");
        assert_eq!(shares(8, &[]), BTreeMap::new());
    }
}
