//! The alarm load of the last day for Prometheus, by department; the number of labels is bounded.

use std::sync::Arc;
use std::time::Duration;

use city_model::{SharedClock, Span};
use city_rules::lifecycle::FloodConfig;
use prometheus::{GaugeVec, Opts, Registry};
use tokio::time::{MissedTickBehavior, interval};

use super::AlertList;
use super::load::PositionLoad;
use crate::lanes::Lanes;

/// How often the figures are made.
const EVERY: Duration = Duration::from_mins(1);
/// Over how long.
const OVER: Span = Span::from_hours(24);
/// So many positions have figures of their own: the city and the departments with the most alerts.
const MOST_POSITIONS: usize = 50;

/// What a gauge shows of a load.
type Show = fn(&PositionLoad) -> f64;

const GAUGES: &[(&str, &str, Show)] = &[
    (
        "citybrain_alarm_load_per_operator_day",
        "Alerts of the last day, for one operator; up to 144 is acceptable.",
        |load| load.per_operator_day,
    ),
    (
        "citybrain_alarm_load_mean",
        "Alerts in ten minutes of the last day, for one operator.",
        |load| load.ten_minutes_mean,
    ),
    (
        "citybrain_alarm_load_peak",
        "The most alerts in any ten minutes of the last day, for one operator.",
        |load| load.ten_minutes_peak,
    ),
    (
        "citybrain_alarm_load_flood_share",
        "The part of the last day in flood; it should be under 0.01.",
        |load| load.flood_share,
    ),
    ("citybrain_alarm_load_standing", "Alerts that fire now.", |load| load.standing as f64),
    (
        "citybrain_alarm_load_stale",
        "Alerts that have fired for more than a day; they should be fewer than 5.",
        |load| load.stale as f64,
    ),
    (
        "citybrain_alarm_load_chattering",
        "Pairs of rule and subject with 3 alerts or more within a minute, in the last day.",
        |load| load.chattering as f64,
    ),
];

/// The gauges.
pub(crate) struct LoadMetrics(Vec<(GaugeVec, Show)>);

impl LoadMetrics {
    /// Makes and registers them.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let make = |(name, help, show): &(&str, &str, Show)| {
            let gauge = GaugeVec::new(Opts::new(*name, *help), &["position"])?;
            registry.register(Box::new(gauge.clone()))?;
            Ok((gauge, *show))
        };
        GAUGES.iter().map(make).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn show(&self, city: &PositionLoad, departments: &[PositionLoad]) {
        let mut most: Vec<&PositionLoad> = departments.iter().collect();
        most.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.position.cmp(&b.position)));
        most.truncate(MOST_POSITIONS - 1);
        for (gauge, show) in &self.0 {
            // Departments that have no alerts any more must not stand there for ever.
            gauge.reset();
            for load in std::iter::once(city).chain(most.iter().copied()) {
                gauge.with_label_values(&[load.position.as_str()]).set(show(load));
            }
        }
    }
}

/// Brings the gauges up to date every minute, for as long as it is polled.
pub(crate) async fn show_load(
    list: &Arc<AlertList>,
    lanes: &Lanes,
    clock: &SharedClock,
    config: &Arc<FloodConfig>,
    metrics: &LoadMetrics,
) {
    let mut ticker = interval(EVERY);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        let (list, config, now) = (list.clone(), config.clone(), clock.now());
        let load = lanes.short(move || Ok(list.load((now - OVER, now), None, &config)?)).await;
        match load {
            Ok(Some(load)) => metrics.show(&load.city, &load.departments),
            Ok(None) => tracing::warn!("there are too many alerts to make figures of the load"),
            Err(_) => tracing::warn!("the figures of the alarm load could not be made"),
        }
    }
}
