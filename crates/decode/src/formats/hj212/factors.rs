//! What the standard's factor codes are called here, and the flags beside values.
//!
//! Codes: HJ 212-2017, annex B (air `a…`, water `w…`, noise `L…`); the short codes of
//! HJ/T 212-2005 and the plain names that some air stations send are known too, and `a05024`, which
//! annex B does not have and air stations send for ozone. Only what cities watch most is listed:
//! any other code keeps its own name, and `metrics` can name it.
//!
//! Units: the standard's, but for two that no device keeps to. Annex B gives particles in ng/m3,
//! and the gases of ambient air in mg/m3; air stations (ST=22) send both in ug/m3, as HJ 633
//! counts them. The option `units` is for stations that do otherwise.

use city_model::Quality;

/// A metric with the unit that its values come in.
pub(super) type Known = (&'static str, &'static str);

/// The kind of system (`ST`) of a stack or another source of exhaust gas.
const STACK: &str = "31";
/// That of an air station.
const AIR: &str = "22";

/// What a code is called; `None` if it keeps its name.
pub(super) fn metric(code: &str, st: &str) -> Option<Known> {
    if st == STACK
        && let Some(known) = stack_gas(code)
    {
        return Some(known);
    }
    air(code, st).or_else(|| water(code)).or_else(|| stack(code)).or_else(|| noise(code))
}

/// Gases that mean something else in a stack than in the street.
fn stack_gas(code: &str) -> Option<Known> {
    Some(match code {
        "a21026" | "02" => ("stack_so2", "mg/m3"),
        "a21002" | "03" => ("stack_nox", "mg/m3"),
        "a21005" | "04" => ("stack_co", "mg/m3"),
        "a34013" | "01" => ("stack_dust", "mg/m3"),
        _ => return None,
    })
}

fn stack(code: &str) -> Option<Known> {
    Some(match code {
        "a00000" | "B02" => ("stack_flow", "m3/s"),
        "a19001" | "S01" => ("stack_o2", "%"),
        "a01011" | "S02" => ("stack_velocity", "m/s"),
        "a01012" | "S03" => ("stack_temperature", "Cel"),
        "a01013" | "S08" => ("stack_pressure", "kPa"),
        "a01014" | "S05" => ("stack_humidity", "%"),
        _ => return None,
    })
}

fn air(code: &str, st: &str) -> Option<Known> {
    let gas = if st == AIR { "ug/m3" } else { "mg/m3" };
    Some(match code {
        "a34004" | "PM25" => ("pm25", "ug/m3"),
        "a34002" | "PM10" => ("pm10", "ug/m3"),
        "a34001" | "TSP" => ("tsp", "ug/m3"),
        "a21026" | "SO2" => ("so2", gas),
        "a21004" | "NO2" => ("no2", gas),
        "a21003" | "NO" => ("no", gas),
        "a21002" | "NOx" => ("nox", gas),
        "a05024" | "O3" => ("o3", gas),
        "a21005" | "CO" => ("co", "mg/m3"),
        "a01001" | "TEM" => ("temperature", "Cel"),
        "a01002" | "RH" => ("humidity", "%"),
        "a01006" | "PA" => ("pressure", "kPa"),
        "a01007" | "WS" => ("wind_speed", "m/s"),
        "a01008" | "WD" => ("wind_direction", "deg"),
        _ => return None,
    })
}

fn water(code: &str) -> Option<Known> {
    Some(match code {
        "w00000" | "B01" => ("water_flow", "L/s"),
        "w01001" | "001" => ("water_ph", "[pH]"),
        "w01009" => ("water_dissolved_oxygen", "mg/L"),
        "w01010" => ("water_temperature", "Cel"),
        "w01012" | "003" => ("water_suspended_solids", "mg/L"),
        "w01014" => ("water_conductivity", "uS/cm"),
        "w01018" | "011" => ("water_cod", "mg/L"),
        "w21003" | "060" => ("water_ammonia_n", "mg/L"),
        "w21011" | "101" => ("water_total_p", "mg/L"),
        "w21001" | "065" => ("water_total_n", "mg/L"),
        _ => return None,
    })
}

fn noise(code: &str) -> Option<Known> {
    Some(match code {
        "LA" => ("noise_la", "dB"),
        "Leq" => ("noise_laeq", "dB"),
        "Ld" => ("noise_ld", "dB"),
        "Ln" => ("noise_ln", "dB"),
        "Ldn" => ("noise_ldn", "dB"),
        "L5" => ("noise_l5", "dB"),
        "L10" => ("noise_l10", "dB"),
        "L50" => ("noise_l50", "dB"),
        "L90" => ("noise_l90", "dB"),
        "L95" => ("noise_l95", "dB"),
        "LMx" => ("noise_lmax", "dB"),
        "LMn" => ("noise_lmin", "dB"),
        _ => return None,
    })
}

/// What a flag says about the values beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Measured in order.
    Good,
    /// A value, but not to be trusted as far as this.
    Bad(Quality),
    /// No measured value at all.
    None,
}

/// The verdict of a flag (HJ 212-2017, table 8; P is of HJ/T 212-2005, Md, St and Sd of stacks'
/// monitoring systems; digits are those of air stations in HJ/T 212-2005, table 7). One that the
/// standard does not know makes a value suspect.
///
/// | flag | the device | verdict |
/// |---|---|---|
/// | N | works | good |
/// | T | is beyond its measuring range | suspect |
/// | S | was given the value by hand | suspect |
/// | St, Sd | works, while the source of the emission starts up or shuts down | suspect |
/// | M, C, D | is in maintenance, being calibrated, broken | fail |
/// | F, B, P | is off, cannot be reached by the logger, has no power | missing: the number was not measured |
/// | Md | has no data | missing |
/// | 3, 1; 2; 0 | (air station) normal, weather; abnormal; calibration | good; suspect; fail |
///
/// T is no fail: what is past the end of the range is at least as much as the number says, and the
/// highest flood and the worst smoke are told that way alone.
pub(super) fn verdict(flag: &str) -> Verdict {
    match flag {
        "" | "N" | "n" | "3" | "1" => Verdict::Good,
        "F" | "f" | "B" | "b" | "P" | "p" | "Md" | "MD" | "md" => Verdict::None,
        "M" | "m" | "C" | "c" | "D" | "d" | "0" => Verdict::Bad(Quality::Fail),
        _ => Verdict::Bad(Quality::Suspect),
    }
}
