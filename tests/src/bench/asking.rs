//! The kinds of queries that the benchmarks of storage time; each answer is checked.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use city_model::{SeriesKey, Span, Value};
use city_store::{Cancel, Rank, Store};
use serde::{Deserialize, Serialize};

use super::city::{City, chance, series};

/// Devices of a zone.
pub(super) const ZONE: u32 = 1_000;
const TOP: usize = 10;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Kind {
    /// The newest values of everything.
    LastAll,
    /// The readings of one series.
    Raw,
    /// One series in steps of a minute.
    Minutes,
    /// One series in steps of a quarter of an hour.
    Quarters,
    /// One metric of a zone's devices in one step.
    Zone,
    /// The devices with the highest means of a metric.
    Top,
}

/// From the first minute to the one before the last.
pub(super) type Minutes = (u32, u32);

/// Whether all of the range must be there, or late readings may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// All of it, with the right values, or it fails.
    All,
    /// Nothing wrong, and at least nineteen in twenty; what takes long is not checked.
    Most,
}

/// Times of one kind, in milliseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Times(Vec<f64>);

impl Times {
    pub(super) fn add(&mut self, ms: f64) {
        self.0.push(ms);
    }

    /// The time that so many (0 to 1) took no longer than.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (part * sorted.len() as f64).ceil() as usize;
        sorted.get(place.max(1) - 1).copied().unwrap_or(f64::NAN)
    }
}

/// Whoever asks; chooses series and zones as if by chance.
pub(super) struct Asker<'a> {
    city: City,
    store: &'a dyn Store,
    turn: u64,
    /// Minutes of an hour and its devices by rank, so that they are worked out once.
    ranked: BTreeMap<(u32, u16), Vec<u32>>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(city: City, store: &'a dyn Store, seed: u64) -> Self {
        Self { city, store, turn: seed << 32, ranked: BTreeMap::new() }
    }

    fn chance(&mut self, of: u32) -> u32 {
        self.turn += 1;
        (chance(self.turn) % u64::from(of)) as u32
    }

    /// Asks so many times.
    pub(super) fn times(
        &mut self,
        kind: Kind,
        minutes: Minutes,
        expect: Expect,
        count: usize,
    ) -> anyhow::Result<Times> {
        let mut times = Times::default();
        for _ in 0..count {
            let ms = self.ask(kind, minutes, expect);
            times.add(ms.with_context(|| format!("{kind:?} of minutes {minutes:?}"))?);
        }
        Ok(times)
    }

    /// Asks once, and says how many milliseconds the answer took.
    pub(super) fn ask(
        &mut self,
        kind: Kind,
        minutes: Minutes,
        expect: Expect,
    ) -> anyhow::Result<f64> {
        match kind {
            Kind::LastAll => self.last_all(),
            Kind::Raw => self.raw(minutes, expect),
            Kind::Minutes => self.steps(minutes, 1, expect),
            Kind::Quarters => self.steps(minutes, 15, expect),
            Kind::Zone => self.zone(minutes, expect),
            Kind::Top => self.top(minutes, expect),
        }
    }

    fn last_all(&self) -> anyhow::Result<f64> {
        // Adding up floats would take longer than to come by them.
        let (mut count, mut sum) = (0, 0_u64);
        let started = Instant::now();
        self.store.each_last(&mut |_, last| {
            count += 1;
            if let Value::Number(number) = last.value {
                sum = sum.wrapping_add(number.to_bits());
            }
        });
        let ms = ms_since(started);
        ensure!(count == self.city.series(), "{count} last values");
        ensure!(sum != 0, "all of them are 0");
        Ok(ms)
    }

    fn one(&mut self) -> (u32, u16) {
        let device = self.chance(self.city.devices);
        (device, self.chance(u32::from(self.city.metrics)) as u16)
    }

    fn raw(&mut self, (from, to): Minutes, expect: Expect) -> anyhow::Result<f64> {
        let (device, metric) = self.one();
        let started = Instant::now();
        let points = self.store.raw(series(device, metric), City::range(from, to), usize::MAX)?;
        let ms = ms_since(started);
        check_count(points.len() as u64, u64::from(to - from), expect)?;
        for point in points {
            let minute = City::minute_of(point.time) as u32;
            let (time, value) = (City::time(device, minute), City::value(device, metric, minute));
            ensure!(
                point.time == time && point.value == Value::Number(value),
                "device {device} has {point:?}, not {value} at {time}"
            );
        }
        Ok(ms)
    }

    fn steps(&mut self, (from, to): Minutes, step: u32, expect: Expect) -> anyhow::Result<f64> {
        let (device, metric) = self.one();
        let span = Span::from_mins(i64::from(step));
        let started = Instant::now();
        let buckets = self.store.buckets(
            &[series(device, metric)],
            City::range(from, to),
            span,
            &Cancel::never(),
        )?;
        let ms = ms_since(started);
        let count = buckets.iter().map(|bucket| bucket.count).sum();
        check_count(count, u64::from(to - from), expect)?;
        for bucket in buckets {
            let first = City::minute_of(bucket.start) as u32;
            let values = (first..first + step).map(|minute| City::value(device, metric, minute));
            let (low, high) = values
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                    (low.min(value), high.max(value))
                });
            let exact = bucket.count == u64::from(step);
            ensure!(
                bucket.min >= low && bucket.max <= high && (!exact || bucket.min == low),
                "device {device} has {bucket:?}, not {low} to {high}"
            );
        }
        Ok(ms)
    }

    /// Devices that are spread over the city.
    fn zone_devices(&mut self) -> Vec<u32> {
        let size = ZONE.min(self.city.devices / 2);
        let (first, stride) = (self.chance(self.city.devices), self.city.devices / size);
        (0..size).map(|index| (first + index * stride) % self.city.devices).collect()
    }

    fn zone(&mut self, (from, to): Minutes, expect: Expect) -> anyhow::Result<f64> {
        let metric = self.chance(u32::from(self.city.metrics)) as u16;
        let devices = self.zone_devices();
        let of: Vec<SeriesKey> = devices.iter().map(|device| series(*device, metric)).collect();
        let span = Span::from_mins(i64::from(to - from));
        let started = Instant::now();
        let buckets = self.store.buckets(&of, City::range(from, to), span, &Cancel::never())?;
        let ms = ms_since(started);
        let count: u64 = buckets.iter().map(|bucket| bucket.count).sum();
        check_count(count, u64::from(to - from) * devices.len() as u64, expect)?;
        if expect == Expect::All {
            let sum: f64 = buckets.iter().map(|bucket| bucket.sum).sum();
            let minutes = |device| (from..to).map(move |m| City::value(device, metric, m));
            let right: f64 = devices.iter().flat_map(|device| minutes(*device)).sum();
            ensure!((sum / right - 1.0).abs() < 1e-9, "the sum is {sum}, not {right}");
        }
        Ok(ms)
    }

    fn top(&mut self, (from, to): Minutes, expect: Expect) -> anyhow::Result<f64> {
        let metric = self.chance(u32::from(self.city.metrics)) as u16;
        let of: Vec<SeriesKey> =
            (0..self.city.devices).map(|device| series(device, metric)).collect();
        let started = Instant::now();
        let top = self.store.top(&of, City::range(from, to), Rank::Mean, TOP, &Cancel::never())?;
        let ms = ms_since(started);
        ensure!(top.len() == TOP, "{} of {TOP} devices", top.len());
        if expect == Expect::All {
            let right = self.ranked.entry((from, metric)).or_insert_with(|| {
                let sum = |device| (from..to).map(|m| City::value(device, metric, m)).sum();
                let mut sums: Vec<(f64, u32)> =
                    (0..self.city.devices).map(|device| (sum(device), device)).collect();
                sums.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                sums.into_iter().take(TOP).map(|(_, device)| device).collect()
            });
            let found: Vec<u32> = top.iter().map(|(series, _)| series.device.0).collect();
            // Devices with equal means may change places by how their values are added up.
            let same = found.iter().filter(|device| right.contains(device)).count();
            ensure!(same + 1 >= TOP, "the top is {found:?}, not {right:?}");
        }
        Ok(ms)
    }
}

fn check_count(count: u64, right: u64, expect: Expect) -> anyhow::Result<()> {
    let least = if expect == Expect::All { right } else { right - right / 20 };
    ensure!((least..=right).contains(&count), "{count} readings of {right}");
    Ok(())
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}
