//! The pollutants that indices are made of, and how their amounts are told: as mass or as a share
//! of the air.

use city_model::unit::{Conversion, conversion};

use crate::Decimal;

/// A pollutant of an air quality index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pollutant {
    /// Particles up to 2.5 µm.
    Pm25,
    /// Particles up to 10 µm.
    Pm10,
    /// Sulphur dioxide.
    So2,
    /// Nitrogen dioxide.
    No2,
    /// Carbon monoxide.
    Co,
    /// Ozone.
    O3,
}

impl Pollutant {
    /// All of them, in the order in which they are named.
    pub const ALL: [Self; 6] = [Self::Pm25, Self::Pm10, Self::So2, Self::No2, Self::Co, Self::O3];

    /// Its place in tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The metric that carries it.
    pub const fn metric(self) -> &'static str {
        match self {
            Self::Pm25 => "pm25",
            Self::Pm10 => "pm10",
            Self::So2 => "so2",
            Self::No2 => "no2",
            Self::Co => "co",
            Self::O3 => "o3",
        }
    }

    /// As both languages write it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Pm25 => "PM2.5",
            Self::Pm10 => "PM10",
            Self::So2 => "SO2",
            Self::No2 => "NO2",
            Self::Co => "CO",
            Self::O3 => "O3",
        }
    }

    /// The molar mass in mg/mol; `None` for particles. Standard atomic weights, abridged (IUPAC
    /// 2021): C 12.011, N 14.007, O 15.999, S 32.06.
    const fn molar_mass(self) -> Option<i64> {
        match self {
            Self::Pm25 | Self::Pm10 => None,
            Self::So2 => Some(64_058),
            Self::No2 => Some(46_005),
            Self::Co => Some(28_010),
            Self::O3 => Some(47_997),
        }
    }
}

/// The molar volume of an ideal gas at 25 °C and 1013.25 hPa, in µL/mol: R T / p with
/// R = 8.314 462 618 J/(mol K) (CODATA 2018). These are the reference conditions of GB 3095 (298.15 K,
/// 1013.25 hPa) and of 40 CFR 50.3 (25 °C, 760 mm of mercury).
const MOLAR_VOLUME: i64 = 24_465_404;

/// How an amount is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Mass in a volume of air, in µg/m³.
    Mass,
    /// A share of the air, in ppb.
    Share,
}

impl Basis {
    /// An amount of a pollutant told in this basis, told in another; `None` for particles, which
    /// have no share.
    pub fn to(self, other: Self, pollutant: Pollutant, amount: Decimal) -> Option<Decimal> {
        if self == other {
            return Some(amount);
        }
        // µg/m³ = ppb * (mg/mol) / (mL/mol) and the molar volume is in µL/mol.
        let mass = pollutant.molar_mass()? * 1_000;
        match other {
            Self::Mass => amount.times(mass, MOLAR_VOLUME),
            Self::Share => amount.times(MOLAR_VOLUME, mass),
        }
    }
}

/// How the numbers of a metric become amounts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intake {
    /// What the amounts are told in.
    pub basis: Basis,
    conversion: Conversion,
}

impl Intake {
    /// For a metric with this unit (UCUM); `None` if it measures neither mass nor share.
    pub fn of(unit: &str) -> Option<Self> {
        let mass = conversion(unit, "ug/m3").map(|conversion| (Basis::Mass, conversion));
        let either = mass.or_else(|_| conversion(unit, "[ppb]").map(|c| (Basis::Share, c)));
        either.ok().map(|(basis, conversion)| Self { basis, conversion })
    }

    /// The amount of a number in the metric's unit; `None` if it is no number that can be.
    pub fn amount(self, number: f64) -> Option<Decimal> {
        Decimal::from_f64(self.conversion.apply(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mass_and_share_convert_at_reference_conditions() {
        // The factors that agencies print: 1 ppb is 1.96 (O3), 1.88 (NO2), 2.62 (SO2), 1.145 (CO)
        // µg/m³ at 25 °C and 1 atm.
        for (pollutant, printed) in [
            (Pollutant::O3, 1.96),
            (Pollutant::No2, 1.88),
            (Pollutant::So2, 2.62),
            (Pollutant::Co, 1.145),
        ] {
            let mass = Basis::Share.to(Basis::Mass, pollutant, Decimal::new(1, 0)).expect("a gas");
            assert!((mass.to_f64() - printed).abs() < 0.005, "{pollutant:?} {}", mass.to_f64());
            let back = Basis::Mass.to(Basis::Share, pollutant, mass).expect("a gas").to_f64();
            assert!((back - 1.0).abs() < 1e-8, "{back}");
        }
        assert_eq!(Basis::Mass.to(Basis::Share, Pollutant::Pm25, Decimal::new(1, 0)), None);
    }

    #[test]
    fn the_constants_follow_from_their_definitions() {
        let microlitres: f64 = 8.314_462_618 * 298.15 / 101_325.0 * 1e9;
        assert_eq!(microlitres.round() as i64, MOLAR_VOLUME);
    }

    #[test]
    fn units_become_amounts() {
        for (unit, number, basis, billionths) in [
            ("ug/m3", 35.4, Basis::Mass, 35_400_000_000),
            ("mg/m3", 0.35, Basis::Mass, 350_000_000_000),
            ("[ppm]", 0.07, Basis::Share, 70_000_000_000),
            ("[ppb]", 75.0, Basis::Share, 75_000_000_000),
        ] {
            let intake = Intake::of(unit).expect(unit);
            assert_eq!(intake.basis, basis);
            assert_eq!(intake.amount(number).map(Decimal::billionths), Some(billionths), "{unit}");
        }
        assert!(Intake::of("Cel").is_none() && Intake::of("").is_none());
        assert_eq!(Intake::of("ug/m3").expect("mass").amount(f64::NAN), None);
    }
}
