//! Properties of the detector, and the shapes that it must and must not tell.

use proptest::prelude::*;

use super::*;

const STEP: i64 = 600;

/// Noise between -1 and 1 that is the same in every run.
fn noise(index: usize) -> f64 {
    let mut bits = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn at(index: usize) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + index as i64 * STEP)
}

/// A reading each ten minutes, with a peak from 9 to 18 o'clock.
fn daily(index: usize) -> f64 {
    let hour = index / 6 % 24;
    20.0 + if (9..18).contains(&hour) { 40.0 } else { 0.0 } + 2.0 * noise(index)
}

fn scores(config: Config, values: impl IntoIterator<Item = f64>) -> Vec<Score> {
    let mut detector = Detector::new(config);
    let values = values.into_iter().enumerate();
    values.map(|(index, value)| detector.update(at(index), Span::ZERO, value)).collect()
}

/// Where the surprise is above 3.
fn told(scores: &[Score]) -> Vec<usize> {
    (0..scores.len()).filter(|index| scores[*index].surprise > 3.0).collect()
}

#[test]
fn a_constant_series_is_never_odd() {
    for value in [0.0, 45.0, -1e9, 1e300] {
        let scores = scores(Config::default(), std::iter::repeat_n(value, 5_000));
        assert!(scores.iter().all(|score| score.surprise == 0.0), "{value}");
        assert!(scores.iter().all(|score| score.expected == value), "{value}");
    }
}

#[test]
fn a_constant_series_that_moves_is_odd_at_once() {
    let values = (0..600).map(|index| if index < 500 { 45.0 } else { 45.1 });
    assert_eq!(told(&scores(Config::default(), values)), [500]);
}

#[test]
fn another_level_is_told_once_and_then_expected() {
    let values = (0..2_000).map(|n| if n < 1_000 { 50.0 } else { 70.0 } + 2.0 * noise(n));
    let scores = scores(Config::default(), values);
    assert_eq!(told(&scores), [1_000]);
    let onset = scores[1_000];
    assert!(onset.deviation > 10.0 && (onset.expected - 50.0).abs() < 2.0, "{onset:?}");
    assert!(onset.low > 40.0 && onset.high < 65.0 && onset.low < onset.high, "{onset:?}");
    let last = scores[1_999];
    assert!((last.expected - 70.0).abs() < 2.0, "{last:?}");
}

#[test]
fn seasons_are_learnt_and_what_is_out_of_season_is_odd() {
    let days = 12 * 144;
    let usual = scores(Config::default(), (0..days).map(daily));
    assert_eq!(told(&usual), [0; 0]);
    assert!((usual[days - 60].expected - 60.0).abs() < 3.0, "{:?}", usual[days - 60]);
    // The peak of a day does not come.
    let missing = (0..days).map(|n| if n / 144 == 11 { 20.0 + 2.0 * noise(n) } else { daily(n) });
    let odd = told(&scores(Config::default(), missing));
    assert_eq!(odd.first(), Some(&(11 * 144 + 54)), "{odd:?}");
    assert!(odd.len() <= 2, "the begin of the peak and at most its end: {odd:?}");
}

#[test]
fn a_long_gap_is_not_odd_and_nothing_is_forgotten_in_it() {
    let mut detector = Detector::new(Config::default());
    let mut odd = Vec::new();
    for index in (0..12 * 144).filter(|index| !(8 * 144 + 30..10 * 144 + 60).contains(index)) {
        let score = detector.update(at(index), Span::ZERO, daily(index));
        if score.surprise > 3.0 {
            odd.push(index);
        }
    }
    assert_eq!(odd, [0; 0]);
}

#[test]
fn only_the_side_that_was_asked_for_is_odd() {
    let values =
        |sign: f64| (0..700).map(move |n| noise(n) + if n == 650 { 30.0 * sign } else { 0.0 });
    for (direction, sign, expected) in [
        (Direction::Above, 1.0, vec![650]),
        (Direction::Above, -1.0, vec![]),
        (Direction::Below, -1.0, vec![650]),
        (Direction::Below, 1.0, vec![]),
    ] {
        let config = Config { season: Seasons::None, direction };
        let scores = scores(config, values(sign));
        let odd: Vec<usize> = (0..700).filter(|index| scores[*index].surprise > 5.0).collect();
        assert_eq!(odd, expected, "{direction:?} {sign}");
    }
}

#[test]
fn the_state_is_small() {
    let size = size_of::<Detector>();
    assert!(size <= 1_024, "{size} bytes");
    let mut detector = Detector::new(Config::default());
    let before = detector.save().numbers.len();
    for index in 0..10_000 {
        detector.update(at(index), Span::ZERO, daily(index));
    }
    assert_eq!(detector.save().numbers.len(), before, "does not grow");
}

#[test]
fn what_another_version_saved_begins_anew() {
    let mut saved = Detector::new(Config::default()).save();
    saved.last = Some(5);
    saved.numbers.push(1.0);
    let detector = Detector::restore(Config::default(), &saved);
    assert_eq!(detector.save(), Detector::new(Config::default()).save());
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -100.0..100.0_f64,
        1 => Just(0.0),
        1 => prop_oneof![Just(f64::MAX), Just(f64::MIN), Just(f64::MIN_POSITIVE), Just(1e30)],
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
        1 => any::<f64>(),
    ]
}

fn any_config() -> impl Strategy<Value = Config> {
    let seasons = [Seasons::Auto, Seasons::None, Seasons::Day, Seasons::Week];
    let directions = [Direction::Either, Direction::Above, Direction::Below];
    (0..4_usize, 0..3_usize).prop_map(move |(season, direction)| Config {
        season: seasons[season],
        direction: directions[direction],
    })
}

/// Steps from reading to reading: mostly the same, some backwards, some long.
fn any_pause() -> impl Strategy<Value = i64> {
    prop_oneof![8 => Just(300_000_000_i64), 1 => -1_000..1_000_000_i64, 1 => 0..i64::MAX / 1_000]
}

proptest! {
    #[test]
    fn nothing_is_ever_not_a_number_and_a_restart_changes_nothing(
        config in any_config(),
        readings in prop::collection::vec((any_pause(), any_value()), 1..600),
        restart in 0..600_usize,
    ) {
        let mut whole = Detector::new(config);
        let mut broken = Detector::new(config);
        let mut now = 0_i64;
        for (index, (pause, value)) in readings.into_iter().enumerate() {
            if index == restart {
                broken = Detector::restore(config, &broken.save());
            }
            now = now.saturating_add(pause);
            let time = Timestamp::from_micros(now);
            let score = whole.update(time, Span::ZERO, value);
            prop_assert_eq!(broken.update(time, Span::ZERO, value), score);
            prop_assert!((0.0..=30.0).contains(&score.surprise), "{:?}", score);
            prop_assert!((0.0..1.0).contains(&score.output), "{:?}", score);
            for number in [score.expected, score.low, score.high, score.deviation] {
                prop_assert!(number.is_finite(), "{:?}", score);
            }
            prop_assert!(whole.save().numbers.iter().all(|number| number.is_finite()));
        }
    }

    /// The scores of a beginning are those of the whole: nothing later enters them.
    #[test]
    fn the_future_does_not_matter(
        values in prop::collection::vec(-100.0..100.0_f64, 1..800),
        cut in 0..800_usize,
        end in -1e6..1e6_f64,
    ) {
        let whole = scores(Config::default(), values.iter().copied());
        let cut = cut.min(values.len());
        let other = scores(Config::default(), values[..cut].iter().copied().chain([end; 5]));
        prop_assert_eq!(&whole[..cut], &other[..cut]);
    }
}
