//! Days, windows, and the names of the files that hold them.
//!
//! A day's file is called `2026-11-23.db`. When it is written anew (see [`super::compact`]), the
//! new one is `2026-11-23.g1.db`, then `.g2.db`: of several the highest generation counts, the
//! others are what a crash left behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use city_model::Timestamp;

/// A day, in microseconds.
pub(super) const DAY: i64 = 86_400_000_000;

/// Where the day starts in which a window lies.
pub(super) fn day_of(window: i64) -> i64 {
    window.div_euclid(DAY) * DAY
}

/// The window in which a time lies. Times near or past the ends of the calendar share the outer
/// windows, so that every window has a day with a name.
pub(super) fn window_of(time: i64, window: i64) -> i64 {
    let margin = 3 * DAY;
    let inside = time.clamp(Timestamp::MIN.micros() + margin, Timestamp::MAX.micros() - margin);
    inside.div_euclid(window) * window
}

/// The name of a day's file.
pub(super) fn name_of(day: i64, generation: u32) -> String {
    let date = date_of(day);
    if generation == 0 { format!("{date}.db") } else { format!("{date}.g{generation}.db") }
}

/// The date of a day, `2026-11-23`.
pub(super) fn date_of(day: i64) -> String {
    let at = Timestamp::from_micros(day).to_string();
    at.split_once('T').map_or(at.as_str(), |(date, _)| date).to_owned()
}

/// The day and the generation of a file with such a name.
pub(super) fn day_of_name(path: &Path) -> Option<(i64, u32)> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".db")?;
    let (date, generation) = match stem.rsplit_once(".g") {
        Some((date, generation)) => (date, generation.parse().ok().filter(|g| *g > 0)?),
        None => (stem, 0),
    };
    let day: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some((day.micros(), generation))
}

/// The newest generation of each day in a store's folder, and its file.
pub(super) fn files_in(dir: &Path) -> BTreeMap<i64, (u32, PathBuf)> {
    let mut days: BTreeMap<i64, (u32, PathBuf)> = BTreeMap::new();
    let entries = std::fs::read_dir(dir.join("chunks")).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let Some((day, generation)) = day_of_name(&path) else { continue };
        if days.get(&day).is_none_or(|(known, _)| *known < generation) {
            days.insert(day, (generation, path));
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_window_and_every_day_a_name() {
        let hour = 3_600_000_000;
        for time in [i64::MIN, -377_000_000_000_000_000, -1, 0, 1_795_422_600_250_000, i64::MAX] {
            let window = window_of(time, hour);
            for generation in [0, 1, 12] {
                let name = name_of(day_of(window), generation);
                let back = day_of_name(Path::new(&name));
                assert_eq!(back, Some((day_of(window), generation)), "{name}");
            }
        }
        assert_eq!(name_of(day_of(1_795_422_600_250_000), 0), "2026-11-23.db");
        assert_eq!(window_of(-1, hour), -hour);
    }

    #[test]
    fn other_files_have_no_day() {
        for name in ["ingest.db", "2026-11-23.g0.db", "2026-11-23.gx.db", "2026-11-23.g1.db.new"] {
            assert_eq!(day_of_name(Path::new(name)), None, "{name}");
        }
    }
}
