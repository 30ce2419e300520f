//! The anomaly detector on the Numenta Anomaly Benchmark: what it scores by category beside the
//! published detectors, and how many readings a second it takes.
//!
//! One streaming pass over each series, then one threshold for each profile over all series that are
//! there, the one that serves them best, as the benchmark has it; and once more with the default
//! threshold, which was chosen without any. Baselines are the best published detectors of each
//! category; that of the speed is a running mean and deviation over the same readings. The published
//! detectors are told the smallest and largest value of a series beforehand, ours is not.
//!
//! `NAB_DIR` names another folder to score, such as a checkout of the whole benchmark.

mod corpus;
mod scorer;
mod table;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use city_model::Span;
use city_rules::anomaly::{Config, Detector};

use self::corpus::Series;
use self::scorer::{Labels, PROFILES, Profile, best_threshold, normalised};
use self::table::{ALL, Published, Row, Table};
use super::{Figure, Report, Samples, Scale};

/// The surprise from which a reading is detected where nobody chose: one reading in 1,000 would be
/// as odd.
const DEFAULT: f64 = 3.0;

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let folder = std::env::var_os("NAB_DIR").map_or_else(corpus::testdata, PathBuf::from);
    let corpus = corpus::read(&folder)?;
    let published = Published::read()?;
    let rows = rows(&corpus, &published);
    eprintln!("{}", Table { rows: &rows, published: &published });
    let mut samples = Samples::default();
    let mut figures = Vec::new();
    for row in &rows {
        figures.extend(row_figures(row, &published, &mut samples));
    }
    let (runs, time) = match scale {
        Scale::Quick => (1, Duration::from_millis(100)),
        Scale::Full => (5, Duration::from_secs(1)),
    };
    for run in 1..=runs {
        eprintln!("run {run} of {runs}");
        samples.add("updates_per_s", updates_per_s(&corpus, time, Detector::default, judge));
        let bare = updates_per_s(&corpus, time, || Running { mean: 0.0, square: 0.0 }, follow);
        samples.add("running_deviation_per_s", bare);
    }
    let baseline = Some("running_deviation_per_s");
    figures.push(samples.figure("updates_per_s", "1/s", baseline, "one core"));
    figures.push(samples.figure("running_deviation_per_s", "1/s", None, ""));
    samples.add("state_bytes", size_of::<Detector>() as f64);
    figures.push(samples.figure("state_bytes", "B", None, "of one series, whatever its length"));
    Ok(Report::new("anomaly", runs, figures))
}

/// The scores of a series, from 0 up to 1.
fn scores(series: &Series) -> Vec<f64> {
    let mut detector = Detector::new(Config::default());
    let rows = series.rows.iter();
    rows.map(|(time, value)| detector.update(*time, Span::ZERO, *value).output).collect()
}

/// The output that goes with the default surprise.
fn default_threshold() -> f64 {
    DEFAULT / (DEFAULT + city_rules::anomaly::HALF)
}

/// All categories, and the whole.
fn rows(corpus: &[Series], published: &Published) -> Vec<Row> {
    let scores: Vec<Vec<f64>> = corpus.iter().map(scores).collect();
    let all: Vec<(&Series, &[f64])> = corpus.iter().zip(scores.iter().map(Vec::as_slice)).collect();
    let labelled: Vec<(&Labels, &[f64])> =
        all.iter().map(|(series, scores)| (&series.labels, *scores)).collect();
    let thresholds = PROFILES.map(|profile| best_threshold(&labelled, &profile).0);
    let mut categories: Vec<&str> = corpus.iter().map(Series::category).collect();
    categories.dedup();
    let mut rows: Vec<Row> = categories
        .into_iter()
        .map(|category| {
            let of = all.iter().filter(|(series, _)| series.category() == category);
            row(category, &of.copied().collect::<Vec<_>>(), thresholds)
        })
        .collect();
    let whole = row(ALL, &all, thresholds);
    // The published scoreboard is that of the whole corpus: beside a part it would say nothing.
    let complete = published.windows_per_category.get(ALL) == Some(&whole.windows);
    let category = if complete { ALL } else { "all of this part" };
    rows.push(Row { category: category.to_owned(), ..whole });
    rows
}

fn row(category: &str, of: &[(&Series, &[f64])], thresholds: [f64; 3]) -> Row {
    let windows = of.iter().map(|(series, _)| series.labels.scored_windows()).sum();
    let score = |profile: &Profile, threshold: f64| {
        let raw = of
            .iter()
            .map(|(series, scores)| series.labels.score(detections(scores, threshold), profile));
        normalised(raw.sum(), windows, profile)
    };
    let false_alarms = |threshold: f64| {
        let of = of.iter();
        of.map(|(series, scores)| series.labels.outside(detections(scores, threshold))).sum()
    };
    let mut best = [0.0; 3];
    let mut at_default = [0.0; 3];
    for (index, profile) in PROFILES.iter().enumerate() {
        best[index] = score(profile, thresholds[index]);
        at_default[index] = score(profile, default_threshold());
    }
    Row {
        category: category.to_owned(),
        windows,
        best,
        at_default,
        false_alarms: [false_alarms(thresholds[0]), false_alarms(default_threshold())],
        rows: of.iter().map(|(series, _)| series.rows.len() - series.labels.probation()).sum(),
    }
}

fn detections(scores: &[f64], threshold: f64) -> impl Iterator<Item = usize> {
    (0..scores.len()).filter(move |row| scores[*row] >= threshold)
}

fn row_figures(row: &Row, published: &Published, samples: &mut Samples) -> Vec<Figure> {
    let category = row.category.replace(' ', "_");
    let mut figures = Vec::new();
    if row.windows == 0 {
        let figure = format!("false_alarms_{category}");
        samples.add(&figure, row.false_alarms[0] as f64);
        let note = format!("in {} rows, {} by default", row.rows, row.false_alarms[1]);
        figures.push(samples.figure(figure, "", None, &note));
        return figures;
    }
    for (index, profile) in PROFILES.iter().enumerate() {
        let figure = format!("nab_{}_{category}", profile.short);
        samples.add(&figure, row.best[index]);
        let by_default = format!("by default {:.2}", row.at_default[index]);
        let best = published.best(&row.category, profile, row.best[index]);
        let (baseline, note) = match best {
            Some((name, score, place)) => {
                let best = format!("published_{}_{category}", profile.short);
                samples.add(&best, score);
                let note = format!(
                    "place {place}; the best published is {name} with {score:.2}; {by_default}"
                );
                (Some(best), note)
            }
            None => (None, by_default),
        };
        figures.push(samples.figure(figure, "", baseline.as_deref(), &note));
    }
    figures
}

/// A mean and a mean square that forget: the least that tells what is far off.
struct Running {
    mean: f64,
    square: f64,
}

fn follow(running: &mut Running, series: &Series, row: usize) -> f64 {
    let (_, value) = series.rows[row];
    let off = value - running.mean;
    let odd = off / running.square.sqrt().max(1e-9);
    running.mean += off / 500.0;
    running.square += (off * off - running.square) / 500.0;
    odd
}

fn judge(detector: &mut Detector, series: &Series, row: usize) -> f64 {
    let (time, value) = series.rows[row];
    detector.update(time, Span::ZERO, value).surprise
}

/// How many readings a second are taken on this thread.
fn updates_per_s<D>(
    corpus: &[Series],
    time: Duration,
    start: impl Fn() -> D,
    update: impl Fn(&mut D, &Series, usize) -> f64,
) -> f64 {
    let started = Instant::now();
    let mut updates = 0_u64;
    while started.elapsed() < time {
        for series in corpus {
            let mut detector = start();
            for row in 0..series.rows.len() {
                black_box(update(&mut detector, series, row));
            }
            updates += series.rows.len() as u64;
        }
    }
    updates as f64 / started.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        vectors: BTreeMap<String, BTreeMap<String, Vector>>,
    }

    #[derive(Deserialize)]
    struct Vector {
        detections: BTreeMap<String, Vec<usize>>,
        expected_file_scores: BTreeMap<String, f64>,
    }

    #[test]
    fn published_detections_get_their_published_scores() {
        let folder = corpus::testdata();
        let corpus = corpus::read(&folder).expect("the corpus");
        let Vectors { vectors } =
            corpus::json(&folder.join("scorer_check_vectors.json")).expect("the vectors");
        let published = Published::read().expect("the published scores");
        let mut checked = 0;
        for (detector, profiles) in &vectors {
            for profile in &PROFILES {
                let vector = &profiles[profile.name];
                let mut raw: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
                for series in &corpus {
                    let none = Vec::new();
                    let detections = vector.detections.get(&series.name).unwrap_or(&none);
                    let score = series.labels.score(detections.iter().copied(), profile);
                    let expected = vector.expected_file_scores[&series.name];
                    assert!(
                        (score - expected).abs() < 1e-6,
                        "{detector}, {}, {}: {score} is not {expected}",
                        profile.name,
                        series.name
                    );
                    let sum = raw.entry(series.category()).or_default();
                    sum.0 += score;
                    sum.1 += series.labels.scored_windows();
                    checked += 1;
                }
                for (category, (raw, windows)) in raw {
                    let Some(scores) =
                        published.table.get(category).and_then(|of| of.get(detector))
                    else {
                        continue;
                    };
                    assert_eq!(windows, published.windows_per_category[category]);
                    let score = normalised(raw, windows, profile);
                    let expected = scores[profile.name];
                    assert!(
                        (score - expected).abs() < 0.006,
                        "{detector}, {}, {category}: {score} is not {expected}",
                        profile.name
                    );
                }
            }
        }
        assert_eq!(checked, 4 * 3 * corpus.len());
    }

    #[test]
    fn the_detector_is_at_the_top_of_the_traffic_table() {
        let corpus = corpus::read(&corpus::testdata()).expect("the corpus");
        let published = Published::read().expect("the published scores");
        let rows = rows(&corpus, &published);
        let traffic = rows.iter().find(|row| row.category == "realTraffic").expect("traffic");
        for (profile, score) in PROFILES.iter().zip(traffic.best) {
            let (_, _, place) = published.best("realTraffic", profile, score).expect("published");
            assert!(place <= 2, "place {place} with {score} for {}", profile.name);
        }
    }
}
