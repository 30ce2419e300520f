//! Repeatable randomness: every number is a pure function of its key, so any moment of the
//! simulation can be computed without the ones before it.

/// Mixes two numbers into one (the finaliser of SplitMix64, Steele et al. 2014).
pub(crate) const fn mix(a: u64, b: u64) -> u64 {
    let mut z = a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The number of a text.
pub(crate) fn key(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash, u64::from(byte)))
}

/// Uniform in [0, 1).
pub(crate) fn unit(key: u64) -> f64 {
    (mix(key, 1) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Uniform in [low, high).
pub(crate) fn between(key: u64, low: f64, high: f64) -> f64 {
    low + (high - low) * unit(key)
}

/// White noise in [-1, 1) at a time in seconds.
pub(crate) fn jitter(key: u64, secs: f64) -> f64 {
    unit(mix(key, (secs * 1e3).round() as i64 as u64)) * 2.0 - 1.0
}

/// A smooth curve in [-1, 1] that has forgotten itself after about `period` seconds (value noise,
/// smoothstep between random lattice points).
pub(crate) fn smooth(key: u64, secs: f64, period: f64) -> f64 {
    let x = secs / period + unit(key);
    let cell = x.floor();
    let at = |cell: f64| unit(mix(key, cell as i64 as u64)) * 2.0 - 1.0;
    at(cell) + (at(cell + 1.0) - at(cell)) * smoothstep(x - cell)
}

/// 0 below 0, 1 above 1, and a smooth step between.
pub(crate) fn smoothstep(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Between `a` (at 0) and `b` (at 1).
pub(crate) fn lerp(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

/// Rounds to a number of decimals, as a display or a firmware does.
pub(crate) fn round(number: f64, decimals: i32) -> f64 {
    let power = 10_f64.powi(decimals);
    let rounded = (number * power).round() / power;
    // No sensor sends "-0".
    if rounded == 0.0 { 0.0 } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_bounded_repeatable_and_not_constant() {
        let curve: Vec<f64> = (0..2_000).map(|i| smooth(7, f64::from(i), 50.0)).collect();
        assert!(curve.iter().all(|v| (-1.0..=1.0).contains(v)));
        assert_eq!(curve[1_234], smooth(7, 1_234.0, 50.0));
        let steps = curve.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        assert!(steps < 0.07, "a step of {steps} is not smooth");
        let spread = curve.iter().copied().fold(f64::MIN, f64::max)
            - curve.iter().copied().fold(f64::MAX, f64::min);
        assert!(spread > 1.0, "{spread}");
    }

    #[test]
    fn white_noise_has_no_bias() {
        let mean = (0..10_000).map(|i| jitter(3, f64::from(i))).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.03, "{mean}");
    }
}
