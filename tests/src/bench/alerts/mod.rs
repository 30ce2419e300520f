//! `alerts`: the engine under 100,000 series, and how soon somebody is told.
//!
//! 25,000 devices with four metrics send once every five seconds of their time, as fast as the
//! engine's thread takes it. There are 10, 1,000 or 10,000 rules; three select each reading: a
//! threshold of its kind of device, a mean of five minutes of its department, and a ladder for an
//! attribute. In each round an alert or two fire or end, so that the journal is written, too; the
//! commits are not stored, for that is the store's part. Each run is a process of its own, and
//! memory is its own, too. Baseline: the engine without rules.
//!
//! The delay is that of the program as it ships: from the moment that a message leaves for its MQTT
//! endpoint until the webhook's last byte is here, at half of the rate that it takes at most,
//! which is measured before. Baseline: the acknowledgements of the same messages, which say that
//! they are on the disk.

mod delay;
mod engine;

use self::engine::Taken;
use super::part::{Part, Running, disk_folder};
use super::{Figure, Report, Samples, Scale};

/// What runs as a process of its own.
pub(super) const PARTS: &[(&str, Part)] = &[
    ("alerts-0", |scale, folder| engine::run(0, scale, folder)),
    ("alerts-10", |scale, folder| engine::run(10, scale, folder)),
    ("alerts-1000", |scale, folder| engine::run(1_000, scale, folder)),
    ("alerts-10000", |scale, folder| engine::run(10_000, scale, folder)),
];

/// The figure of each part.
const RATES: [&str; 4] = [
    "readings_per_s_no_rules",
    "readings_per_s_10_rules",
    "readings_per_s_1000_rules",
    "readings_per_s_10000_rules",
];

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let runs = if scale == Scale::Quick { 1 } else { 3 };
    let mut samples = Samples::default();
    for run in 1..=runs {
        let mut taken = Vec::new();
        for (name, _) in PARTS {
            eprintln!("run {run} of {runs}: {name}");
            let folder = disk_folder()?;
            taken.push(Running::start(name, scale, folder.path())?.finish::<Taken>()?);
        }
        for (name, taken) in RATES.iter().zip(&taken) {
            samples.add(name, taken.per_s);
        }
        samples.add("rules_cost_ratio", taken[1].per_s / taken[3].per_s);
        let without = taken[0].bytes;
        let of = |taken: &Taken| (taken.bytes - without) / (taken.series * 3.0);
        samples.add("bytes_per_rule_series", of(&taken[1]));
        samples.add("bytes_per_rule_series_10000", of(&taken[3]));
        eprintln!("run {run} of {runs}: from publish to webhook");
        delay::run(scale, &mut samples)?;
    }
    Ok(Report::new("alerts", runs, figures(&samples)))
}

fn figures(samples: &Samples) -> Vec<Figure> {
    let base = Some(RATES[0]);
    let mut figures = vec![
        samples.figure(RATES[1], "1/s", base, "one thread; three rules select each reading"),
        samples.figure(RATES[2], "1/s", base, ""),
        samples.figure(RATES[3], "1/s", base, ""),
        samples.figure(RATES[0], "1/s", None, "the engine takes readings that no rule selects"),
        samples.figure("rules_cost_ratio", "", None, "time of a reading, 10,000 rules over 10"),
        samples.figure(
            "bytes_per_rule_series",
            "B",
            None,
            "resident, of 10 rules; a third of them windows with what they hold",
        ),
        samples.figure("bytes_per_rule_series_10000", "B", None, "the same of 10,000 rules"),
    ];
    for part in ["p50", "p99", "p999"] {
        let base = format!("publish_to_ack_{part}_ms");
        figures.push(samples.figure(
            format!("publish_to_webhook_{part}_ms"),
            "ms",
            Some(&base),
            if part == "p50" {
                "the program as it ships, at half of messages_per_s_most"
            } else {
                ""
            },
        ));
        figures.push(samples.figure(base, "ms", None, ""));
    }
    figures.push(samples.figure(
        "messages_per_s_most",
        "1/s",
        None,
        "messages of four readings that it acknowledges, with the publisher beside it",
    ));
    figures
}
