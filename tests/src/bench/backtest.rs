//! `backtest`: rules over stored history, as `citybrain rules backtest` runs them.
//!
//! An embedded store holds two days of 2,000 devices with five metrics, once a minute: 28.8 million
//! readings, the first day compacted, the second in sealed windows. Eleven rules run over it, of
//! which three select each reading: a threshold, a mean of ten minutes and a rate of change. All by
//! second of processor time, which is that of one core.
//!
//! Baseline: the same readings decoded from the store, series by series, and only counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use city_backtest::{Request, backtest};
use city_model::{
    Catalogue, Crs, Device, DeviceKey, Directory, LifeCycle, LocalText, MetricKey, Placement,
    Position, SeriesKey, Span, ZoneSet,
};
use city_rules::RuleSet;
use city_store::{Cancel, Embedded, Options, Store, TimeRange};

use super::city::{City, DAY, LATEST};
use super::intake::Intake;
use super::{Figure, Report, Samples, Scale, cpu_seconds};

const METRICS: u16 = 5;

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (runs, devices) = if scale == Scale::Quick { (1, 50) } else { (3, 2_000) };
    let folder = tempfile::tempdir()?;
    let (store, _) = Embedded::open(folder.path(), Options::default())?;
    let store: Arc<dyn Store> = Arc::new(store);
    let city = City { devices, metrics: METRICS, moving: 0 };
    eprintln!("storing two days of {devices} devices");
    let mut intake = Intake::new(city, store.clone())?;
    intake.until(2 * DAY + LATEST)?;
    intake.upkeep.catch_up()?;
    let range = City::range(0, 2 * DAY);
    let directory = directory(devices);
    let rules = rules()?;
    let mut samples = Samples::default();
    for run in 1..=runs {
        eprintln!("run {run} of {runs}");
        samples.add("decode_only_per_s", decode_only(&*store, city, range)?);
        samples.add("readings_per_s", tried(&*store, &directory, &rules, range)?);
    }
    intake.upkeep.join()?;
    let figures: Vec<Figure> = vec![
        samples.figure(
            "readings_per_s",
            "1/s",
            Some("decode_only_per_s"),
            "eleven rules, three for each reading",
        ),
        samples.figure("decode_only_per_s", "1/s", None, "read and counted"),
    ];
    Ok(Report::new("backtest", runs, figures))
}

fn tried(
    store: &dyn Store,
    directory: &Arc<Directory>,
    rules: &Arc<RuleSet>,
    range: TimeRange,
) -> anyhow::Result<f64> {
    let request =
        Request { rules: rules.clone(), against: None, range, operators: 1, labels: Vec::new() };
    let started = cpu_seconds();
    let nowhere = |_| ZoneSet::default();
    let report = backtest(store, directory, &nowhere, &request, &Cancel::never(), |_| {})?;
    let took = cpu_seconds() - started;
    ensure!(report.load.alerts > 0, "no rule fired");
    Ok(report.readings as f64 / took)
}

fn decode_only(store: &dyn Store, city: City, range: TimeRange) -> anyhow::Result<f64> {
    let started = cpu_seconds();
    let mut count = 0;
    for device in 0..city.devices {
        for metric in 0..city.metrics {
            let series = SeriesKey { device: DeviceKey(device), metric: MetricKey(metric) };
            store.scan(series, range, &mut |points| {
                count += points.len();
                ControlFlow::Continue(())
            })?;
        }
    }
    ensure!(count > 0, "nothing is stored");
    Ok(count as f64 / (cpu_seconds() - started))
}

/// The devices of the city, whose metrics are the first of the catalogue.
fn directory(devices: u32) -> Arc<Directory> {
    let device = |key: u32| Device {
        key: DeviceKey(key),
        id: format!("d-{key}").into(),
        name: LocalText::same(format!("d-{key}")),
        kind: "air_station".into(),
        department: "environment".into(),
        placement: Placement::Fixed(Position { lon: 10.0, lat: 56.0 }),
        declared: None,
        crs: Crs::Wgs84,
        zones: ZoneSet::default(),
        interval: Some(Span::from_secs(60)),
        gateway: None,
        life_cycle: LifeCycle::Active,
        simulated: false,
        attributes: BTreeMap::new(),
    };
    let devices = (0..devices).map(|key| Arc::new(device(key)));
    Arc::new(Directory::new(devices, Catalogue::embedded(), Vec::new(), 1))
}

/// A threshold and a mean for each metric, and a rate for all, with limits that are passed now and
/// then; three select each reading.
fn rules() -> anyhow::Result<Arc<RuleSet>> {
    let catalogue = Catalogue::embedded();
    let metrics = (0..METRICS).map(|key| catalogue.get(MetricKey(key)).map(|m| m.id.to_string()));
    let metrics: Vec<String> =
        metrics.collect::<Option<_>>().context("the catalogue has fewer metrics")?;
    let all = metrics.join(", ");
    let mut text = "group: bench\ndepartment: environment\nrules:\n".to_owned();
    for (number, metric) in metrics.iter().enumerate() {
        // Each metric has limits in the range of its own values.
        let high = [20.0, 70.0, 68.0, 45.0, 3.75][number];
        write!(
            text,
            "  - {{id: high-{metric}, kind: threshold, select: {{metric: {metric}}}, \
             severity: {{medium: {{above: {high}, clear_below: {}}}}}, for: 2m}}\n  \
             - {{id: mean-{metric}, kind: window, select: {{metric: {metric}}}, \
             window: {{function: mean, over: 10m}}, severity: low, raise: {{above: {high}}}}}\n",
            0.9 * high
        )?;
    }
    writeln!(
        text,
        "  - {{id: rises, kind: rate_of_change, select: {{metric: [{all}]}}, \
         rate: {{over: 10m}}, severity: low, raise: {{above: 1000}}}}"
    )?;
    let rules = RuleSet::parse(&[("bench.yaml".to_owned(), text)])
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok(Arc::new(rules))
}
