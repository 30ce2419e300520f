//! The values of a frame: their names, units, times and the device's verdict.

use std::borrow::Cow;

use city_model::Quality;

use super::Reader;
use super::beside::{self, Beside};
use super::factors::{self, Verdict};
use super::frame::Head;
use super::period::{Period, has_own_period, statistic_name};
use crate::error::{At, DecodeError};
use crate::guard::Sink;
use crate::wire::Raw;

impl Reader {
    /// Gives the values of a frame to the sink. `keep` makes its texts outlast it: those of a
    /// decrypted frame are copied, others stay where they are.
    pub(super) fn values<'a, 'h>(
        &'a self,
        head: &Head<'h>,
        keep: impl Fn(&'h str) -> Cow<'a, str> + Copy,
        place: usize,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let beside = Beside::of(head);
        for (name, text) in head.items() {
            let Some((code, what)) = name.rsplit_once('-') else { continue };
            if beside::stands_beside(what) || text.is_empty() {
                continue;
            }
            let raw = match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Raw::Number(number),
                // The device says that it has none: that is news, and none about the others.
                Ok(_) => Raw::Absent(keep(text)),
                Err(_) => Raw::Text(keep(text.trim_matches('/'))),
            };
            let time = match beside.sample_time(code) {
                Some(text) => Some(self.read_time("SampleTime", text, place)?),
                None => None,
            };
            let absent = matches!(raw, Raw::Absent(_));
            let before = sink.found().len();
            self.value(head, (name, code, what), keep, raw, place, sink)?;
            let verdict = beside.flag(code).map_or(Verdict::Good, factors::verdict);
            for value in sink.since(before) {
                value.time = time;
                match verdict {
                    _ if absent => value.quality = Some(Quality::Missing),
                    Verdict::Good => {}
                    Verdict::Bad(quality) => value.quality = Some(quality),
                    Verdict::None => {
                        value.missing = true;
                        value.quality = Some(Quality::Missing);
                    }
                }
            }
        }
        Ok(())
    }

    fn value<'a, 'h>(
        &'a self,
        head: &Head<'h>,
        (name, code, what): (&'h str, &'h str, &'h str),
        keep: impl Fn(&'h str) -> Cow<'a, str>,
        raw: Raw<'a>,
        place: usize,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let at = || At::Byte(place);
        let known = factors::metric(code, head.st);
        let period = Period::of(head.cn);
        let (converted, statistic) = match what.strip_prefix("Zs") {
            Some(what) => (true, what),
            None => (false, what),
        };
        let plain = period.unwrap_or(Period::RealTime).is_plain(statistic, self.plain);
        let unit = self.unit(code, statistic, known.map(|(_, unit)| unit));
        let mapping = sink.mapping();
        let by_code = || if plain && !converted { mapping.find(code) } else { None };
        if let Some(rule) = mapping.find(name).or_else(by_code) {
            return sink.ruled(rule, unit, raw, at);
        }
        let of = || known.map_or_else(|| keep(code), |(metric, _)| Cow::Borrowed(metric));
        let converted = if converted { "_converted" } else { "" };
        let called = match (plain, statistic_name(statistic)) {
            (true, _) if converted.is_empty() => of(),
            (true, _) => Cow::Owned(format!("{}{converted}", of())),
            (false, Some(statistic_name)) => {
                let period = period.filter(|_| !has_own_period(statistic));
                let period = period.map_or("", Period::suffix);
                Cow::Owned(format!("{}{converted}_{statistic_name}{period}", of()))
            }
            (false, None) => keep(name),
        };
        sink.named(called, unit, raw, at)
    }

    /// The unit of a value. Sums are of another dimension: that of a flow is a volume, and that of
    /// a concentration a mass, which the standard gives in kg (HJ 212-2017, annex B).
    fn unit<'a>(
        &'a self,
        code: &str,
        statistic: &str,
        known: Option<&'static str>,
    ) -> Option<Cow<'a, str>> {
        if statistic == "Cou" {
            return match known {
                Some("L/s" | "m3/s") => Some(Cow::Borrowed("m3")),
                Some("mg/L" | "mg/m3") => Some(Cow::Borrowed("kg")),
                _ => None,
            };
        }
        statistic_name(statistic)?;
        self.units.get(code).map(|unit| Cow::Borrowed(&**unit)).or(known.map(Cow::Borrowed))
    }
}
