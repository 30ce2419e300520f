//! Units by their UCUM codes and the conversion between those of one dimension.
//!
//! Source of codes and factors: The Unified Code for Units of Measure, version 2.1
//! (<https://ucum.org>), a part that city sensors use. Spellings that devices send instead of
//! the code (`°C`, `µg/m³`) are accepted as aliases; so are those of SenML (RFC 8428, RFC 9100)
//! and of Home Assistant's and Zigbee2MQTT's worlds.
//!
//! Not here on purpose: volume fractions of a gas (ppm, ppb) and its mass in a volume (µg/m³) are
//! of two dimensions. Between them stand the gas, its temperature and its pressure, so that no
//! unit conversion can be right; a source says `unit` for what its device sends. Levels of
//! different weightings and references (dB(A), dB(C), dBm) are not converted into each other
//! either.

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

const fn scaled(
    code: &'static str,
    dimension: &'static str,
    scale: f64,
    offset: f64,
    aliases: &'static [&'static str],
) -> Unit {
    Unit { code, dimension, scale, offset, aliases }
}

static UNITS: &[Unit] = &[
    // Ratios and counts.
    unit("1", "ratio", 1.0, &["", "count", "counts", "unit", "units", "/", "{count}", "pcs"]),
    unit("%", "ratio", 0.01, &["percent", "%RH", "%rh", "% RH", "%EL", "/100", "％", "pct"]),
    unit("[ppth]", "ratio", 1e-3, &["permille", "‰", "/1000"]),
    unit("[ppm]", "fraction", 1e-6, &["ppm", "PPM", "ppmv", "umol/mol", "µmol/mol", "μmol/mol"]),
    unit("[ppb]", "fraction", 1e-9, &["ppb", "PPB", "ppbv", "nmol/mol"]),
    unit("[pptr]", "fraction", 1e-12, &["ppt", "pptv"]),
    unit("{index}", "index", 1.0, &["UV index", "UVI", "UV Index", "index", "AQI"]),
    // Temperatures.
    unit("K", "temperature", 1.0, &["kelvin", "Kelvin"]),
    scaled(
        "Cel",
        "temperature",
        1.0,
        273.15,
        &["°C", "℃", "C", "degC", "deg C", "º C", "ºC", "° C", "celsius", "Celsius", "°c"],
    ),
    scaled(
        "[degF]",
        "temperature",
        5.0 / 9.0,
        459.67 * 5.0 / 9.0,
        &["°F", "℉", "F", "degF", "deg F", "ºF", "fahrenheit", "Fahrenheit"],
    ),
    // Mass in a volume.
    unit("ng/m3", "density", 1e-12, &["ng/m³"]),
    unit(
        "ug/m3",
        "density",
        1e-9,
        &["µg/m³", "μg/m³", "ug/m³", "µg/m3", "μg/m3", "ug/m^3", "µg/m^3", "ug/Nm3", "mcg/m3"],
    ),
    unit("mg/m3", "density", 1e-6, &["mg/m³", "mg/m^3", "mg/Nm3"]),
    unit("g/m3", "density", 1e-3, &["g/m³"]),
    unit("kg/m3", "density", 1.0, &["kg/m³"]),
    unit("ng/L", "density", 1e-9, &["ng/l"]),
    unit("ug/L", "density", 1e-6, &["µg/L", "μg/L", "ug/l", "µg/l", "μg/l"]),
    unit("mg/L", "density", 1e-3, &["mg/l"]),
    unit("g/L", "density", 1.0, &["g/l"]),
    // Particles in a volume.
    unit("/m3", "number density", 1.0, &["1/m3", "#/m3", "{count}/m3"]),
    unit("/L", "number density", 1e3, &["1/L", "pcs/L", "#/L"]),
    unit("/cm3", "number density", 1e6, &["1/cm3", "#/cm³", "#/cm3", "pt/cm3", "{count}/cm3"]),
    // Lengths and areas.
    unit("m", "length", 1.0, &["metre", "meter", "meters"]),
    unit("cm", "length", 0.01, &["cms"]),
    unit("mm", "length", 1e-3, &[]),
    unit("um", "length", 1e-6, &["µm", "μm"]),
    unit("km", "length", 1e3, &[]),
    unit("[in_i]", "length", 0.0254, &["in", "inch", "\""]),
    unit("[ft_i]", "length", 0.3048, &["ft", "feet", "foot"]),
    unit("[mi_i]", "length", 1609.344, &["mi", "mile", "miles"]),
    unit("m2", "area", 1.0, &["m²"]),
    unit("har", "area", 1e4, &["ha"]),
    // Speeds, also of rain and of rising water.
    unit("m/s", "speed", 1.0, &["mps", "m/sec"]),
    unit("km/h", "speed", 1.0 / 3.6, &["kmh", "km/hr", "kph", "KPH"]),
    unit("[mi_i]/h", "speed", 0.447_04, &["mph", "MPH"]),
    unit("[kn_i]", "speed", 1852.0 / 3600.0, &["kn", "knot", "kt", "kts"]),
    unit("[ft_i]/s", "speed", 0.3048, &["ft/s", "fps"]),
    unit("cm/s", "speed", 0.01, &[]),
    unit("mm/s", "speed", 1e-3, &[]),
    unit("mm/h", "speed", 1e-3 / 3600.0, &["mm/hr"]),
    unit("[in_i]/h", "speed", 0.0254 / 3600.0, &["in/h", "in/hr"]),
    unit("m/h", "speed", 1.0 / 3600.0, &[]),
    unit("m/s2", "acceleration", 1.0, &["m/s²", "m/s^2"]),
    unit("[g]", "acceleration", 9.806_65, &["gee", "gn"]),
    // Pressures.
    unit("Pa", "pressure", 1.0, &[]),
    unit("hPa", "pressure", 100.0, &[]),
    unit("mbar", "pressure", 100.0, &["mb", "millibar"]),
    unit("kPa", "pressure", 1000.0, &[]),
    unit("MPa", "pressure", 1e6, &[]),
    unit("bar", "pressure", 100_000.0, &[]),
    unit("atm", "pressure", 101_325.0, &[]),
    unit("mm[Hg]", "pressure", 133.322_387_415, &["mmHg", "m[Hg]e-3", "torr"]),
    unit("[in_i'Hg]", "pressure", 3_386.388_640_341, &["inHg"]),
    unit("[psi]", "pressure", 6_894.757_293_168_361, &["psi"]),
    unit("mm[H2O]", "pressure", 9.806_65, &["mmH2O"]),
    unit("cm[H2O]", "pressure", 98.066_5, &["cmH2O"]),
    unit("m[H2O]", "pressure", 9_806.65, &["mH2O"]),
    // Electricity.
    unit("mW", "power", 1e-3, &[]),
    unit("W", "power", 1.0, &["watt", "Watt"]),
    unit("kW", "power", 1000.0, &[]),
    unit("MW", "power", 1e6, &[]),
    unit("V.A", "apparent power", 1.0, &["VA"]),
    unit("kV.A", "apparent power", 1000.0, &["kVA"]),
    unit("var", "reactive power", 1.0, &["VAR", "VAr"]),
    unit("kvar", "reactive power", 1000.0, &["kVAR", "kVAr"]),
    unit("uV", "voltage", 1e-6, &["µV", "μV"]),
    unit("mV", "voltage", 1e-3, &[]),
    unit("V", "voltage", 1.0, &["volt", "Volt"]),
    unit("kV", "voltage", 1e3, &[]),
    unit("uA", "current", 1e-6, &["µA", "μA"]),
    unit("mA", "current", 1e-3, &[]),
    unit("A", "current", 1.0, &["ampere", "amp"]),
    unit("Ohm", "resistance", 1.0, &["Ω", "ohm", "\u{2126}"]),
    unit("kOhm", "resistance", 1e3, &["kΩ", "kohm"]),
    unit("A.h", "charge", 3600.0, &["Ah"]),
    unit("mA.h", "charge", 3.6, &["mAh"]),
    // Energies.
    unit("J", "energy", 1.0, &["Ws", "W.s"]),
    unit("kJ", "energy", 1e3, &[]),
    unit("MJ", "energy", 1e6, &[]),
    unit("GJ", "energy", 1e9, &[]),
    unit("W.min", "energy", 60.0, &["Wmin"]),
    unit("W.h", "energy", 3.6e3, &["Wh"]),
    unit("kW.h", "energy", 3.6e6, &["kWh", "KWH"]),
    unit("MW.h", "energy", 3.6e9, &["MWh"]),
    unit("V.A.h", "apparent energy", 1.0, &["VAh"]),
    unit("kV.A.h", "apparent energy", 1e3, &["kVAh"]),
    unit("var.h", "reactive energy", 1.0, &["varh", "VARh"]),
    unit("kvar.h", "reactive energy", 1e3, &["kvarh", "kVARh"]),
    // Levels: of sound by weighting, where `dB` alone is the A that cities measure; and of radio.
    unit("dB", "level", 1.0, &["dB(A)", "dBA", "dB[A]", "dB{A}"]),
    unit("dB{C}", "C-weighted level", 1.0, &["dB(C)", "dBC"]),
    unit("dB[SPL]", "unweighted level", 1.0, &["dB(Z)", "dBZ", "dBSPL", "dB SPL"]),
    unit("B[SPL]", "unweighted level", 10.0, &["Bspl"]),
    unit("dBm", "signal", 1.0, &["dB[mW]", "B[mW]e-1"]),
    // Light and radiation.
    unit("lx", "illuminance", 1.0, &["lux", "Lux", "lm/m2"]),
    unit("klx", "illuminance", 1e3, &["klux"]),
    unit("W/m2", "irradiance", 1.0, &["W/m²", "W/m^2", "w/m2"]),
    unit("mW/cm2", "irradiance", 10.0, &["mW/cm²"]),
    unit("umol/m2/s", "photon flux", 1.0, &["µmol/m²/s", "μmol/m²/s", "umol/(m2.s)", "PPFD"]),
    unit("Bq/m3", "activity concentration", 1.0, &["Bq/m³"]),
    unit("pCi/L", "activity concentration", 37.0, &["pCi/l"]),
    unit("Sv/h", "dose rate", 1.0, &[]),
    unit("uSv/h", "dose rate", 1e-6, &["µSv/h", "μSv/h"]),
    unit("nSv/h", "dose rate", 1e-9, &[]),
    // Times and how often.
    unit("us", "time", 1e-6, &["µs", "μs"]),
    unit("ms", "time", 1e-3, &[]),
    unit("s", "time", 1.0, &["sec", "secs", "seconds"]),
    unit("min", "time", 60.0, &["minutes"]),
    unit("h", "time", 3600.0, &["hr", "hours"]),
    unit("d", "time", 86_400.0, &["days"]),
    unit("Hz", "frequency", 1.0, &["/s", "1/s", "cps", "{count}/s"]),
    unit("kHz", "frequency", 1e3, &[]),
    unit("MHz", "frequency", 1e6, &[]),
    unit("/min", "frequency", 1.0 / 60.0, &["1/min", "cpm", "rpm", "{count}/min"]),
    unit("/h", "frequency", 1.0 / 3600.0, &["1/h", "veh/h", "{count}/h"]),
    unit("/d", "frequency", 1.0 / 86_400.0, &["1/d", "{count}/d"]),
    unit("deg", "angle", 1.0, &["°", "º", "degrees"]),
    unit("rad", "angle", 180.0 / std::f64::consts::PI, &[]),
    // Volumes and flows.
    unit("mL", "volume", 1e-3, &["ml"]),
    unit("L", "volume", 1.0, &["l", "litre", "liter"]),
    unit("m3", "volume", 1000.0, &["m³", "cbm"]),
    unit("[gal_us]", "volume", 3.785_411_784, &["gal"]),
    unit("[cft_i]", "volume", 28.316_846_592, &["ft3", "ft³"]),
    unit("m3/s", "flow", 1.0, &["m³/s"]),
    unit("m3/h", "flow", 1.0 / 3600.0, &["m³/h", "cmh"]),
    unit("m3/d", "flow", 1.0 / 86_400.0, &["m³/d"]),
    unit("L/s", "flow", 1e-3, &["l/s"]),
    unit("L/min", "flow", 1e-3 / 60.0, &["l/min", "lpm", "LPM"]),
    unit("L/h", "flow", 1e-3 / 3600.0, &["l/h"]),
    unit("[gal_us]/min", "flow", 3.785_411_784e-3 / 60.0, &["gpm", "gal/min"]),
    // Masses.
    unit("mg", "mass", 1e-6, &[]),
    unit("g", "mass", 1e-3, &[]),
    unit("kg", "mass", 1.0, &[]),
    unit("t", "mass", 1e3, &["tonne"]),
    // Water and soil.
    unit("[pH]", "acidity", 1.0, &["pH", "ph"]),
    unit("{NTU}", "turbidity", 1.0, &["NTU", "[NTU]", "FNU", "ntu"]),
    unit("S/m", "conductivity", 1.0, &[]),
    unit("mS/cm", "conductivity", 0.1, &[]),
    unit("uS/cm", "conductivity", 1e-4, &["µS/cm", "μS/cm"]),
    // Data.
    unit("By", "data", 1.0, &["B", "byte", "bytes"]),
    unit("kBy", "data", 1e3, &["kB"]),
    unit("KiBy", "data", 1_024.0, &["KiB"]),
    unit("MBy", "data", 1e6, &["MB"]),
    unit("MiBy", "data", 1_048_576.0, &["MiB"]),
    unit("GBy", "data", 1e9, &["GB"]),
    unit("bit/s", "data rate", 1.0, &["bps", "b/s"]),
    unit("kbit/s", "data rate", 1e3, &["kbps"]),
    unit("Mbit/s", "data rate", 1e6, &["Mbps", "Mbit"]),
    unit("By/s", "data rate", 8.0, &["B/s"]),
];

fn find(code: &str) -> Option<&'static Unit> {
    let code = code.trim();
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
    #[error("unit `{0}` is not known; use a UCUM code such as Cel, ug/m3, km/h{hint}", hint = near(.0))]
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

/// A known unit that differs in upper and lower case only, as a hint.
fn near(code: &str) -> String {
    let spellings = UNITS.iter().flat_map(|unit| {
        std::iter::once(&unit.code).chain(unit.aliases).map(move |spelling| (spelling, unit.code))
    });
    let mut alike = spellings.filter(|(spelling, _)| spelling.eq_ignore_ascii_case(code.trim()));
    alike.next().map(|(_, code)| format!("; did you mean {code}?")).unwrap_or_default()
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
    // Factors that are no decimals, such as 5/9, keep all their digits.
    let exact = round_noise(scale);
    let scale = if (exact - scale).abs() <= 4.0 * f64::EPSILON * scale { exact } else { scale };
    let divide = scale < 1.0 && inverse.fract() == 0.0;
    Ok(Conversion {
        scale: if divide { inverse } else { scale },
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
            ("kW.h", "J", 1.0, 3_600_000.0),
            ("kWh", "MJ", 2.5, 9.0),
            ("W.min", "W.h", 90.0, 1.5),
            ("kVA", "V.A", 1.2, 1_200.0),
            ("m³/h", "L/min", 6.0, 100.0),
            ("l/s", "m3/h", 10.0, 36.0),
            ("mg/L", "ug/m3", 1.0, 1_000_000.0),
            ("mS/cm", "uS/cm", 0.5, 500.0),
            ("S/m", "mS/cm", 1.0, 10.0),
            ("ft", "m", 10.0, 3.048),
            ("mph", "m/s", 10.0, 4.4704),
            ("psi", "kPa", 1.0, 6.894_757_293),
            ("bar", "mbar", 1.013, 1_013.0),
            ("mbar", "hPa", 1_013.25, 1_013.25),
            ("inHg", "hPa", 29.92, 1_013.207_481),
            ("mmHg", "hPa", 753.3, 1_004.317_544),
            ("ppm", "[ppb]", 0.041, 41.0),
            ("pCi/L", "Bq/m3", 4.0, 148.0),
            ("klx", "lx", 27.55, 27_550.0),
            ("/h", "/min", 120.0, 2.0),
            ("%RH", "%", 47.0, 47.0),
            (" ℃ ", "K", 20.0, 293.15),
            ("rad", "deg", std::f64::consts::PI, 180.0),
            ("in/h", "mm/h", 1.0, 25.4),
            ("gpm", "L/min", 1.0, 3.785_411_784),
            ("kbps", "bit/s", 9.6, 9_600.0),
            ("mAh", "A.h", 2_600.0, 2.6),
            ("uSv/h", "nSv/h", 0.11, 110.0),
        ] {
            let got = conversion(from, to).expect("convertible").apply(input);
            let close = (got - expected).abs() < 1e-6;
            assert!(close, "{input} {from} = {got} {to}, not {expected}");
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
        let hint = conversion("UG/M3", "ug/m3").expect_err("upper case").to_string();
        assert!(hint.contains("did you mean ug/m3?"), "{hint}");
        // What a gas weighs depends on the gas.
        assert!(matches!(conversion("ppb", "ug/m3"), Err(UnitError::Dimension { .. })));
        assert!(matches!(conversion("dBm", "dB"), Err(UnitError::Dimension { .. })));
        assert!(matches!(conversion("dB(C)", "dB(A)"), Err(UnitError::Dimension { .. })));
    }

    #[test]
    fn every_spelling_means_one_unit() {
        let mut seen = std::collections::BTreeMap::new();
        for unit in UNITS {
            for spelling in std::iter::once(&unit.code).chain(unit.aliases) {
                let before = seen.insert(*spelling, unit.code);
                assert_eq!(before, None, "{spelling} is {} too", unit.code);
                assert_eq!(*spelling, spelling.trim());
            }
        }
        assert!(UNITS.len() > 130 && seen.len() > 300, "{} {}", UNITS.len(), seen.len());
    }

    #[test]
    fn there_and_back_is_where_it_was() {
        for from in UNITS {
            for to in UNITS.iter().filter(|to| to.dimension == from.dimension) {
                let there = conversion(from.code, to.code).expect("one dimension");
                let back = conversion(to.code, from.code).expect("one dimension");
                let (sent, got) = (17.25, back.apply(there.apply(17.25)));
                let close = ((got - sent) / sent).abs() < 1e-9;
                assert!(close, "{} to {} and back: {got}", from.code, to.code);
            }
        }
    }
}
