//! The published scores, and ours beside them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::corpus::{json, testdata};
use super::scorer::{PROFILES, Profile};

/// The scoreboard over the whole corpus stands under this name.
pub(super) const ALL: &str = "ALL";

/// How many of the published detectors are printed.
const SHOWN: usize = 5;

/// Scores by profile, from 0 (no detection) to 100 (perfect); below 0 where false alarms cost more
/// than the windows are worth.
type Scores = BTreeMap<String, f64>;

/// What published detectors score, by category and detector.
#[derive(Debug, Deserialize)]
pub(super) struct Published {
    pub(super) windows_per_category: BTreeMap<String, usize>,
    pub(super) table: BTreeMap<String, BTreeMap<String, Scores>>,
}

impl Published {
    pub(super) fn read() -> anyhow::Result<Self> {
        json(&testdata().join("published_scores_by_category.json"))
    }

    /// The best detector of a category with its score, and on which place ours would be.
    pub(super) fn best(
        &self,
        category: &str,
        profile: &Profile,
        ours: f64,
    ) -> Option<(&str, f64, usize)> {
        let scores = self.table.get(category)?.iter();
        let scores: Vec<(&str, f64)> = scores
            .filter_map(|(name, scores)| Some((name.as_str(), *scores.get(profile.name)?)))
            .collect();
        let better = scores.iter().filter(|(_, score)| *score > ours).count();
        let (name, score) = scores.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some((name, score, better + 1))
    }
}

/// A category with our scores in the order of the profiles, and at the default threshold.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) category: String,
    pub(super) windows: usize,
    pub(super) best: [f64; 3],
    pub(super) at_default: [f64; 3],
    /// Detections outside of windows, at the threshold of the standard profile and the default one.
    pub(super) false_alarms: [usize; 2],
    /// Rows that are scored.
    pub(super) rows: usize,
}

/// Our rows beside the published ones.
pub(super) struct Table<'t> {
    pub(super) rows: &'t [Row],
    pub(super) published: &'t Published,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [standard, low_fp, low_fn] = PROFILES.map(|profile| profile.short);
        for row in self.rows {
            let Row { category, windows, false_alarms: [best, default], rows, .. } = row;
            writeln!(
                f,
                "{category}: {windows} windows, {rows} rows scored, false alarms: {best}, at the \
                 default threshold {default}"
            )?;
            if *windows == 0 {
                continue;
            }
            writeln!(f, "  {:<22} {standard:>8} {low_fp:>8} {low_fn:>8}", "")?;
            line(f, "ours", row.best)?;
            line(f, "ours, default", row.at_default)?;
            let Some(published) = self.published.table.get(category) else { continue };
            let mut others: Vec<(&str, [f64; 3])> = published
                .iter()
                .map(|(name, scores)| {
                    let of = |profile: Profile| scores.get(profile.name).copied();
                    (name.as_str(), PROFILES.map(|profile| of(profile).unwrap_or(f64::NAN)))
                })
                .collect();
            others.sort_by(|a, b| b.1[0].total_cmp(&a.1[0]));
            for (name, scores) in others.into_iter().take(SHOWN) {
                line(f, name, scores)?;
            }
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, scores: [f64; 3]) -> fmt::Result {
    let [a, b, c] = scores;
    writeln!(f, "  {name:<22} {a:>8.2} {b:>8.2} {c:>8.2}")
}
