//! Air quality indices, one file for each standard and one line in [`STANDARDS`].

mod china;
mod hj633_2012;
mod hj633_2026;
mod line;
mod us_epa_2024;

use city_model::LocalText;

use crate::{Basis, Day, Decimal, Pollutant};

/// All standards, newest first within a country.
pub static STANDARDS: &[&Standard] =
    &[&hj633_2026::STANDARD, &hj633_2012::STANDARD, &us_epa_2024::STANDARD];

/// The standard with this id.
pub fn standard(id: &str) -> Option<&'static Standard> {
    STANDARDS.iter().copied().find(|standard| standard.id == id)
}

/// A way to compute an index.
#[derive(Debug)]
pub struct Standard {
    /// Its id in configuration, such as `hj633_2026`.
    pub id: &'static str,
    /// What the standard calls itself, with its year.
    pub name: &'static str,
    /// The document and the parts of it that are implemented.
    pub source: &'static str,
    title_en: &'static str,
    title_zh: &'static str,
    /// The metrics of the report of the last hour.
    hourly: Metrics,
    /// The metrics of the report of the last 24 hours.
    daily: Metrics,
    /// The unit in which it tells a pollutant.
    unit: fn(Pollutant) -> Unit,
    /// Which means a report is made of.
    means: fn(Form, &Day) -> Concentrations,
    /// The sub-index of a pollutant, from its means of all periods.
    sub_index: fn(Pollutant, &Concentrations) -> Option<u32>,
    /// Above which index there are primary pollutants.
    primary_above: u32,
    categories: &'static [Category],
}

/// A class of air, as a standard calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its id in rules, such as `lightly_polluted`.
    pub id: &'static str,
    /// In English and in Chinese.
    pub names: [&'static str; 2],
    /// It begins above this index; for the best one, 0 belongs to it, too.
    pub above: u32,
}

/// Where an index is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The metric of the index.
    pub index: &'static str,
    /// The metric of its primary pollutants, a text.
    pub primary: &'static str,
}

/// What time a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The air now: the last hour, and longer means that end with it where the standard asks.
    Hourly,
    /// The last 24 hours; at local midnight, the day.
    Daily,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Hourly, Self::Daily];
}

/// The length of a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// One hour.
    H1,
    /// Eight hours.
    H8,
    /// A day.
    H24,
}

/// A unit that standards tell concentrations in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// µg/m³.
    MicrogramsPerM3,
    /// mg/m³.
    MilligramsPerM3,
    /// Parts in a thousand million.
    Ppb,
    /// Parts in a million.
    Ppm,
}

impl Unit {
    /// An amount of a pollutant in this unit.
    pub fn tell(self, pollutant: Pollutant, basis: Basis, amount: Decimal) -> Option<Decimal> {
        let (into, part) = match self {
            Self::MicrogramsPerM3 => (Basis::Mass, 1),
            Self::MilligramsPerM3 => (Basis::Mass, 1_000),
            Self::Ppb => (Basis::Share, 1),
            Self::Ppm => (Basis::Share, 1_000),
        };
        basis.to(into, pollutant, amount)?.times(1, part)
    }
}

/// Means by pollutant and period, in the units of a standard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Concentrations([[Option<Decimal>; 3]; 6]);

impl Concentrations {
    /// Sets a mean, if there is one.
    pub fn set(&mut self, pollutant: Pollutant, period: Period, mean: Option<Decimal>) {
        self.0[pollutant.index()][period as usize] = mean;
    }

    /// A mean.
    pub fn get(&self, pollutant: Pollutant, period: Period) -> Option<Decimal> {
        self.0[pollutant.index()][period as usize]
    }
}

/// An air quality index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aqi {
    /// The index: the highest sub-index.
    pub index: u32,
    /// The pollutants whose sub-index that is; none in clean air, where the standard names none.
    pub primary: Vec<Pollutant>,
    /// The sub-indices, by [`Pollutant::index`].
    pub sub: [Option<u32>; 6],
}

impl Aqi {
    /// The primary pollutants as a text, such as `PM2.5, O3`; a dash if there are none.
    pub fn primary_text(&self) -> String {
        if self.primary.is_empty() {
            return "-".to_owned();
        }
        let symbols: Vec<&str> = self.primary.iter().map(|pollutant| pollutant.symbol()).collect();
        symbols.join(", ")
    }
}

impl Standard {
    /// What people call it.
    pub fn title(&self) -> LocalText {
        LocalText::new(self.title_en, self.title_zh)
    }

    /// The unit in which it tells a pollutant.
    pub fn unit(&self, pollutant: Pollutant) -> Unit {
        (self.unit)(pollutant)
    }

    /// Where a report is stored.
    pub const fn metrics(&self, form: Form) -> Metrics {
        match form {
            Form::Hourly => self.hourly,
            Form::Daily => self.daily,
        }
    }

    /// The classes of air, best first.
    pub const fn categories(&self) -> &'static [Category] {
        self.categories
    }

    /// The class of an index.
    pub fn category(&self, index: f64) -> Option<&'static Category> {
        self.categories.iter().rev().find(|category| {
            index > f64::from(category.above) || (category.above == 0 && index >= 0.0)
        })
    }

    /// The index of some concentrations; `None` if none of them gives a sub-index.
    pub fn index(&self, concentrations: &Concentrations) -> Option<Aqi> {
        let sub = Pollutant::ALL.map(|pollutant| (self.sub_index)(pollutant, concentrations));
        let index = sub.iter().flatten().copied().max()?;
        let leads = |pollutant: &Pollutant| sub[pollutant.index()] == Some(index);
        let primary = if index > self.primary_above {
            Pollutant::ALL.into_iter().filter(leads).collect()
        } else {
            Vec::new()
        };
        Some(Aqi { index, primary, sub })
    }

    /// The report at the end of a day's newest hour.
    pub fn report(&self, form: Form, day: &Day) -> Option<Aqi> {
        self.index(&(self.means)(form, day))
    }
}

#[cfg(test)]
mod tests;
