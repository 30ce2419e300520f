//! The scoring rule of the Numenta Anomaly Benchmark 1.1 (Lavin and Ahmad 2015, "Evaluating
//! real-time anomaly detection algorithms", section III): early detections inside a labelled window
//! are worth most, a window without any costs, and so does every detection outside, more the
//! farther it is from the window before.

/// The share of a series, and the most rows, in which a detector may learn unscored.
const PROBATION: f64 = 0.15;
const PROBATION_OF: f64 = 5_000.0;

/// What hits and misses weigh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Profile {
    /// The name in published tables.
    pub(super) name: &'static str,
    /// The name in figures.
    pub(super) short: &'static str,
    /// What the best detection in a window is worth at most.
    pub(super) hit: f64,
    /// What a window without detection costs.
    pub(super) miss: f64,
    /// What a detection far from any window costs.
    pub(super) false_alarm: f64,
}

/// The three profiles of the benchmark.
pub(super) const PROFILES: [Profile; 3] = [
    Profile { name: "standard", short: "standard", hit: 1.0, miss: 1.0, false_alarm: 0.11 },
    Profile { name: "reward_low_FP_rate", short: "low_fp", hit: 1.0, miss: 1.0, false_alarm: 0.22 },
    Profile { name: "reward_low_FN_rate", short: "low_fn", hit: 1.0, miss: 2.0, false_alarm: 0.11 },
];

/// The rows of a series and what is known of them, detections aside.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Labels {
    /// How many rows there are.
    pub(super) rows: usize,
    /// The labelled windows in order, as first and last row.
    pub(super) windows: Vec<(usize, usize)>,
}

/// What one row would add if it were detected.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Worth {
    /// It is not scored.
    Nothing,
    /// It is in this window and worth so much, if no better one is in it.
    Hit(usize, f64),
    /// It is in no window.
    FalseAlarm(f64),
}

fn sigmoid(x: f64) -> f64 {
    if x > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * x).exp()) - 1.0 }
}

impl Labels {
    /// The windows that have scored rows.
    pub(super) fn scored_windows(&self) -> usize {
        self.windows.iter().filter(|(_, last)| *last >= self.probation()).count()
    }

    /// How many rows at the beginning are not scored.
    pub(super) fn probation(&self) -> usize {
        (PROBATION * self.rows as f64).floor().min(PROBATION * PROBATION_OF) as usize
    }

    fn worth(&self, row: usize, profile: &Profile) -> Worth {
        if row < self.probation() {
            return Worth::Nothing;
        }
        let begun = self.windows.partition_point(|(first, _)| *first <= row);
        let Some((first, last)) = begun.checked_sub(1).map(|index| self.windows[index]) else {
            return Worth::FalseAlarm(-profile.false_alarm);
        };
        let width = (last - first + 1) as f64;
        if row <= last {
            let position = -((last - row + 1) as f64) / width;
            return Worth::Hit(begun - 1, profile.hit * sigmoid(position) / sigmoid(-1.0));
        }
        let position = (row - last) as f64 / (width - 1.0);
        Worth::FalseAlarm(profile.false_alarm * sigmoid(position))
    }

    /// How many of the detections are scored and in no window.
    pub(super) fn outside(&self, detections: impl IntoIterator<Item = usize>) -> usize {
        let alarm = |row: &usize| matches!(self.worth(*row, &PROFILES[0]), Worth::FalseAlarm(_));
        detections.into_iter().filter(alarm).count()
    }

    /// The raw score of the detections of one series.
    pub(super) fn score(
        &self,
        detections: impl IntoIterator<Item = usize>,
        profile: &Profile,
    ) -> f64 {
        let mut best = vec![-profile.miss; self.windows.len()];
        let mut false_alarms = 0.0;
        for row in detections {
            match self.worth(row, profile) {
                Worth::Nothing => {}
                Worth::Hit(window, worth) => best[window] = best[window].max(worth),
                Worth::FalseAlarm(worth) => false_alarms += worth,
            }
        }
        let scored = self.windows.iter().zip(best);
        let scored = scored.filter(|((_, last), _)| *last >= self.probation());
        scored.map(|(_, worth)| worth).sum::<f64>() + false_alarms
    }
}

/// The threshold that serves all series best, with the raw score that it gets. A row is detected if
/// its score is at least the threshold; 1.1, the threshold that nothing reaches, is the first one
/// tried.
pub(super) fn best_threshold(series: &[(&Labels, &[f64])], profile: &Profile) -> (f64, f64) {
    let mut rows: Vec<(f64, usize, usize)> = Vec::new();
    let mut best: Vec<Vec<f64>> = Vec::new();
    let mut total = 0.0;
    for (index, (labels, scores)) in series.iter().enumerate() {
        rows.extend(scores.iter().enumerate().map(|(row, score)| (*score, index, row)));
        best.push(vec![-profile.miss; labels.windows.len()]);
        total += labels.score([], profile);
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut found = (1.1, total);
    let mut rows = rows.into_iter().peekable();
    while let Some((score, index, row)) = rows.next() {
        match series[index].0.worth(row, profile) {
            Worth::Nothing => {}
            Worth::Hit(window, worth) => {
                let before = &mut best[index][window];
                total += (worth - *before).max(0.0);
                *before = before.max(worth);
            }
            Worth::FalseAlarm(worth) => total += worth,
        }
        if rows.peek().is_none_or(|(next, _, _)| *next < score) && total > found.1 {
            found = (score, total);
        }
    }
    found
}

/// A raw score on the scale on which no detection at all is 0 and all windows found at once without
/// a false alarm is 100. Not a number where there are no windows.
pub(super) fn normalised(raw: f64, windows: usize, profile: &Profile) -> f64 {
    let (worst, perfect) = (-profile.miss * windows as f64, profile.hit * windows as f64);
    100.0 * (raw - worst) / (perfect - worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_detections_are_worth_most_and_false_alarms_cost_by_their_distance() {
        let labels = Labels { rows: 1_000, windows: vec![(400, 499)] };
        let standard = &PROFILES[0];
        let score = |rows: &[usize]| labels.score(rows.iter().copied(), standard);
        assert_eq!(score(&[]), -1.0);
        assert_eq!(score(&[400]), 1.0, "the first row of a window is worth all");
        assert_eq!(score(&[400, 420, 499]), 1.0, "only the best counts");
        assert!(score(&[450]) < score(&[410]) && score(&[450]) > 0.8);
        assert_eq!(score(&[149]), -1.0, "not scored yet");
        assert!((score(&[150, 400]) - 0.89).abs() < 1e-12, "before the first window");
        assert!(score(&[400, 505]) > score(&[400, 560]), "a little late costs less");
        assert!((score(&[400, 900]) - 0.89).abs() < 1e-12, "far behind");
        assert_eq!(labels.outside([10, 200, 450, 500]), 2);
    }

    #[test]
    fn the_best_threshold_is_that_of_trying_all() {
        let labels = Labels { rows: 200, windows: vec![(60, 80), (150, 170)] };
        let scores: Vec<f64> =
            (0..200_usize).map(|row| (row * 7_919 % 101) as f64 / 101.0).collect();
        for profile in &PROFILES {
            let by_trying = (0..=101)
                .map(|n| {
                    let threshold = f64::from(n) / 101.0;
                    let rows = (0..200).filter(|row| scores[*row] >= threshold - 1e-12);
                    labels.score(rows, profile)
                })
                .fold(labels.score([], profile), f64::max);
            let (threshold, raw) = best_threshold(&[(&labels, &scores)], profile);
            assert!((raw - by_trying).abs() < 1e-9, "{raw} is not {by_trying}");
            let rows = (0..200).filter(|row| scores[*row] >= threshold);
            assert!((labels.score(rows, profile) - raw).abs() < 1e-9);
        }
    }
}
