//! Units by their UCUM codes and the conversion between those of one dimension.
//!
//! Source of codes and factors: The Unified Code for Units of Measure, version 2.1
//! (<https://ucum.org>), a part that city sensors use. Spellings that devices send instead of
//! the code (`°C`, `µg/m³`) are accepted as aliases.

/// One unit: `value_in_base = value * scale + offset`.
struct Unit {
    code: &'static str,
    dimension: &'static str,
    scale: f64,
    offset: f64,
    aliases: &'static [&'static str],
}

const fn unit(
    code: &'static str,
    dimension: &'static str,
    scale: f64,
    aliases: &'static [&'static str],
) -> Unit {
    Unit { code, dimension, scale, offset: 0.0, aliases }
}

static UNITS: &[Unit] = &[
    unit("1", "ratio", 1.0, &["", "count", "unit", "/"]),
    unit("%", "ratio", 0.01, &["percent", "%RH", "%EL"]),
    unit("[ppth]", "ratio", 1e-3, &["permille", "‰"]),
    unit("[ppm]", "fraction", 1e-6, &["ppm"]),
    unit("[ppb]", "fraction", 1e-9, &["ppb"]),
    unit("K", "temperature", 1.0, &["kelvin"]),
    Unit {
        code: "Cel",
        dimension: "temperature",
        scale: 1.0,
        offset: 273.15,
        aliases: &["°C", "℃", "C", "degC", "celsius"],
    },
    Unit {
        code: "[degF]",
        dimension: "temperature",
        scale: 5.0 / 9.0,
        offset: 459.67 * 5.0 / 9.0,
        aliases: &["°F", "℉", "F", "degF", "fahrenheit"],
    },
    unit("ug/m3", "density", 1e-9, &["µg/m³", "μg/m³", "ug/m³", "µg/m3", "μg/m3"]),
    unit("mg/m3", "density", 1e-6, &["mg/m³"]),
    unit("g/m3", "density", 1e-3, &["g/m³"]),
    unit("mg/L", "density", 1e-3, &["mg/l"]),
    unit("ug/L", "density", 1e-6, &["ug/l", "µg/L", "μg/L"]),
    unit("kg/m3", "density", 1.0, &["kg/m³"]),
    unit("m", "length", 1.0, &["metre", "meter"]),
    unit("cm", "length", 0.01, &[]),
    unit("mm", "length", 1e-3, &[]),
    unit("km", "length", 1e3, &[]),
    unit("[in_i]", "length", 0.0254, &["in", "inch"]),
    unit("[ft_i]", "length", 0.3048, &["ft", "feet"]),
    unit("[mi_i]", "length", 1609.344, &["mi", "mile"]),
    unit("m/s", "speed", 1.0, &["mps"]),
    unit("km/h", "speed", 1.0 / 3.6, &["kmh", "km/hr", "kph"]),
    unit("[mi_i]/h", "speed", 0.447_04, &["mph"]),
    unit("[kn_i]", "speed", 1852.0 / 3600.0, &["kn", "knot"]),
    unit("Pa", "pressure", 1.0, &[]),
    unit("hPa", "pressure", 100.0, &["mbar"]),
    unit("kPa", "pressure", 1000.0, &[]),
    unit("bar", "pressure", 100_000.0, &[]),
    unit("mm[Hg]", "pressure", 133.322_387_415, &["mmHg"]),
    unit("W", "power", 1.0, &[]),
    unit("kW", "power", 1000.0, &[]),
    unit("V", "voltage", 1.0, &[]),
    unit("mV", "voltage", 1e-3, &[]),
    unit("A", "current", 1.0, &[]),
    unit("mA", "current", 1e-3, &[]),
    unit("kW.h", "energy", 1000.0, &["kWh"]),
    unit("W.h", "energy", 1.0, &["Wh"]),
    unit("dB", "level", 1.0, &["dB(A)", "dBA", "dB[A]"]),
    unit("dBm", "signal", 1.0, &[]),
    unit("lx", "illuminance", 1.0, &["lux"]),
    unit("s", "time", 1.0, &["sec"]),
    unit("min", "time", 60.0, &[]),
    unit("h", "time", 3600.0, &[]),
    unit("d", "time", 86_400.0, &[]),
    unit("ms", "time", 1e-3, &[]),
    unit("deg", "angle", 1.0, &["°"]),
    unit("L", "volume", 1.0, &["l"]),
    unit("m3", "volume", 1000.0, &["m³"]),
    unit("m3/s", "flow", 1.0, &["m³/s"]),
    unit("L/s", "flow", 1e-3, &["l/s"]),
    unit("uS/cm", "conductivity", 1e-4, &["µS/cm", "μS/cm"]),
    unit("mS/cm", "conductivity", 0.1, &[]),
    unit("S/m", "conductivity", 1.0, &[]),
    unit("Hz", "frequency", 1.0, &[]),
    unit("[pH]", "acidity", 1.0, &["pH"]),
];

fn find(code: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.code == code || unit.aliases.contains(&code))
}

/// Whether this is a known code or alias.
pub fn is_known(code: &str) -> bool {
    find(code).is_some()
}

/// The UCUM codes that can be used.
pub fn known() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|unit| unit.code)
}

/// A conversion `to = from * scale + offset`, made once and applied to many numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    scale: f64,
    /// Divides instead when the factor is the reciprocal of a whole number, so that 25 % of a
    /// decimal stays exact.
    divide: bool,
    offset: f64,
    /// What the number is multiplied with before anything else.
    factor: f64,
}

impl Conversion {
    /// The conversion that changes nothing.
    pub const IDENTITY: Self = Self { scale: 1.0, divide: false, offset: 0.0, factor: 1.0 };

    /// The conversion of a number that is multiplied with `factor` first: for devices that send
    /// tenths.
    #[must_use]
    pub fn after(self, factor: f64) -> Self {
        Self { factor, ..self }
    }

    /// Converts a number.
    pub fn apply(self, number: f64) -> f64 {
        let number = if self.factor == 1.0 { number } else { round_noise(number * self.factor) };
        let scaled = if self.divide { number / self.scale } else { number * self.scale };
        if self.offset == 0.0 { scaled } else { round_noise(scaled + self.offset) }
    }
}

/// Why one unit cannot be converted to another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The code is not known.
    #[error("unit `{0}` is not known; use a UCUM code such as Cel, ug/m3, km/h")]
    Unknown(String),
    /// Both are known, but they measure different things.
    #[error("unit `{from}` measures {from_dimension}, but `{to}` measures {to_dimension}")]
    Dimension {
        /// What was sent.
        from: String,
        /// What it measures.
        from_dimension: &'static str,
        /// What the metric needs.
        to: String,
        /// What that measures.
        to_dimension: &'static str,
    },
}

/// The conversion from one unit to another.
pub fn conversion(from: &str, to: &str) -> Result<Conversion, UnitError> {
    if from == to {
        return Ok(Conversion::IDENTITY);
    }
    let source = find(from).ok_or_else(|| UnitError::Unknown(from.to_owned()))?;
    let target = find(to).ok_or_else(|| UnitError::Unknown(to.to_owned()))?;
    if source.dimension != target.dimension {
        return Err(UnitError::Dimension {
            from: from.to_owned(),
            from_dimension: source.dimension,
            to: to.to_owned(),
            to_dimension: target.dimension,
        });
    }
    let scale = source.scale / target.scale;
    let inverse = round_noise(target.scale / source.scale);
    let divide = scale < 1.0 && inverse.fract() == 0.0;
    Ok(Conversion {
        scale: if divide { inverse } else { round_noise(scale) },
        divide,
        offset: (source.offset - target.offset) / target.scale,
        factor: 1.0,
    })
}

/// Drops the last digits that only binary fractions put there (12 significant digits remain).
fn round_noise(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let digits = 11 - number.abs().log10().floor() as i32;
    if !(-300..=300).contains(&digits) {
        return number;
    }
    let power = 10f64.powi(digits.abs());
    if digits >= 0 { (number * power).round() / power } else { (number / power).round() * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_agree_with_known_pairs() {
        for (from, to, input, expected) in [
            ("[degF]", "Cel", 212.0, 100.0),
            ("°F", "Cel", -40.0, -40.0),
            ("K", "Cel", 300.0, 26.85),
            ("mg/m3", "ug/m3", 0.35, 350.0),
            ("ug/m3", "mg/m3", 3200.0, 3.2),
            ("m/s", "km/h", 10.0, 36.0),
            ("mph", "km/h", 100.0, 160.9344),
            ("cm", "m", 137.0, 1.37),
            ("Pa", "hPa", 101_325.0, 1013.25),
            ("1", "%", 0.25, 25.0),
            ("µg/m³", "ug/m3", 12.3, 12.3),
        ] {
            let got = conversion(from, to).expect("convertible").apply(input);
            assert!((got - expected).abs() < 1e-9, "{input} {from} = {got} {to}, not {expected}");
        }
    }

    #[test]
    fn a_factor_comes_first() {
        let tenths = conversion("[degF]", "Cel").expect("temperature").after(0.1);
        assert_eq!(tenths.apply(2120.0).to_string(), "100");
        assert_eq!(Conversion::IDENTITY.after(0.1).apply(3.0).to_string(), "0.3");
    }

    #[test]
    fn decimals_stay_decimals() {
        assert_eq!(conversion("cm", "m").expect("length").apply(137.0).to_string(), "1.37");
        assert_eq!(conversion("K", "Cel").expect("temperature").apply(300.0).to_string(), "26.85");
    }

    #[test]
    fn what_cannot_be_converted_says_why() {
        let error = conversion("Cel", "ug/m3").expect_err("dimensions differ");
        assert!(error.to_string().contains("measures temperature"), "{error}");
        assert_eq!(conversion("wag", "m"), Err(UnitError::Unknown("wag".into())));
    }
}
