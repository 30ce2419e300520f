//! One device's hours: open ones that readings still come for, and the means of those that are
//! over.

use std::collections::VecDeque;

use city_model::{Span, Timestamp};

use crate::{Basis, DAY_HOURS, Day, Decimal, Hour, OpenHour, Pollutant, Slots, Standard};

/// How many hours that are over are kept: a day, and six hours in which late readings still
/// correct what was derived.
pub const KEPT_HOURS: usize = 30;

/// How far into the next hour a device must be before the hour is over: its other series may be a
/// message behind.
const GRACE: Span = Span::from_mins(1);

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts.
    InTime,
    /// It is not newer than what came before, or its hour is over: that hour must be computed
    /// anew from what is stored, because a second delivery must not count twice.
    Late(Hour),
    /// It is older than anything that is kept.
    TooOld,
}

/// The last hours of one pollutant.
#[derive(Clone, Debug)]
struct Series {
    basis: Basis,
    /// The newest reading that counts.
    newest: Timestamp,
    /// The newest reading.
    heard: Timestamp,
    /// At most the hour that the device is in and the one before.
    open: Vec<OpenHour>,
    /// By hour, the last one at the back.
    means: VecDeque<Option<Decimal>>,
}

/// The last hours of one device; at most 2.5 kB for each of its pollutants.
#[derive(Clone, Debug)]
pub struct Station {
    slots: Slots,
    series: [Option<Box<Series>>; 6],
    /// The last hour that is over; all hours up to it are.
    over: Option<Hour>,
    newest: Timestamp,
}

impl Station {
    /// A device that is expected to send this often, of which nothing is known yet.
    pub fn new(interval: Option<Span>) -> Self {
        Self {
            slots: Slots::of(interval),
            series: Default::default(),
            over: None,
            newest: Timestamp::MIN,
        }
    }

    /// How its hours are divided.
    pub fn slots(&self) -> Slots {
        self.slots
    }

    /// The last hour that is over.
    pub fn over(&self) -> Option<Hour> {
        self.over
    }

    /// The oldest hour that late readings can still correct the index of.
    pub fn correctable(&self) -> Option<Hour> {
        self.over.map(|over| over.plus(DAY_HOURS as i64 - KEPT_HOURS as i64 + 1))
    }

    /// The oldest hour whose mean is kept.
    fn oldest(&self) -> Option<Hour> {
        self.over.map(|over| over.plus(1 - KEPT_HOURS as i64))
    }

    /// Takes a reading; `amount` is `None` if it cannot be trusted or is no number, which says no
    /// more than that the device is there.
    pub fn take(
        &mut self,
        pollutant: Pollutant,
        basis: Basis,
        time: Timestamp,
        amount: Option<Decimal>,
    ) -> Taken {
        let (slots, over, oldest) = (self.slots, self.over, self.oldest());
        let hour = Hour::of(time);
        self.newest = self.newest.max(time);
        let series = self.series_mut(pollutant, basis);
        if series.basis != basis {
            // The unit of the metric is another one now: what was before cannot be compared.
            *series = Series::new(basis);
        }
        series.heard = series.heard.max(time);
        if oldest.is_some_and(|oldest| hour < oldest) {
            return Taken::TooOld;
        }
        if time <= series.newest || over.is_some_and(|over| hour <= over) {
            return Taken::Late(hour);
        }
        if let Some(amount) = amount {
            series.newest = time;
            series.open_hour(hour).add(slots, time, amount);
        }
        Taken::InTime
    }

    /// The hours that are over by what the device has said: it is well inside a later one.
    pub fn finished(&self) -> Vec<Hour> {
        self.open_before(Hour::of(self.newest - GRACE))
    }

    /// The hours before this one that have readings and are not over, in order.
    pub fn open_before(&self, before: Hour) -> Vec<Hour> {
        let open = self.series.iter().flatten().flat_map(|series| &series.open);
        let mut hours: Vec<Hour> =
            open.map(|open| open.hour).filter(|hour| *hour < before).collect();
        hours.sort_unstable();
        hours.dedup();
        hours
    }

    /// When the device measured last.
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Ends an hour: its means are made, and with them those of all hours before it.
    pub fn close(&mut self, hour: Hour) {
        if self.over.is_some_and(|over| hour <= over) {
            return;
        }
        let gap = self.over.map_or(KEPT_HOURS as i64, |over| hour.0.saturating_sub(over.0));
        let slots = self.slots;
        for series in self.series.iter_mut().flatten() {
            series.advance(gap.min(KEPT_HOURS as i64) as usize);
            let (over, open) =
                std::mem::take(&mut series.open).into_iter().partition(|open| open.hour <= hour);
            series.open = open;
            let over: Vec<OpenHour> = over;
            for open in over {
                series.put(hour, open.hour, open.mean(slots));
            }
        }
        self.over = Some(hour);
    }

    /// Replaces the readings of an hour by those that are stored; tells whether the mean of an
    /// hour that is over has changed by that.
    pub fn replace(&mut self, pollutant: Pollutant, stored: OpenHour) -> bool {
        let (slots, last) = (self.slots, self.over);
        let Some(series) = &mut self.series[pollutant.index()] else { return false };
        match last {
            Some(over) if stored.hour <= over => series.put(over, stored.hour, stored.mean(slots)),
            _ => {
                let open = series.open_hour(stored.hour);
                *open = stored;
                false
            }
        }
    }

    /// Begins a series with what is stored of it: when it was heard last, the hours that count, and
    /// the newest reading that does.
    pub fn load(
        &mut self,
        pollutant: Pollutant,
        basis: Basis,
        heard: Timestamp,
        hours: Vec<OpenHour>,
        newest: Option<Timestamp>,
    ) {
        let newest = newest.unwrap_or(Timestamp::MIN);
        let series = self.series_mut(pollutant, basis);
        *series = Series { newest, heard, open: hours, ..Series::new(basis) };
        self.newest = self.newest.max(heard);
    }

    /// The day that ends with an hour that is over, in a standard's units.
    pub fn day(&self, hour: Hour, standard: &Standard) -> Day {
        let mut day = Day::default();
        let Some(over) = self.over else { return day };
        let skip = usize::try_from(over.0 - hour.0).unwrap_or(KEPT_HOURS);
        for pollutant in Pollutant::ALL {
            let Some(series) = &self.series[pollutant.index()] else { continue };
            let unit = standard.unit(pollutant);
            let newest_first = series.means.iter().rev().skip(skip);
            for (mean, place) in newest_first.zip(&mut day.0[pollutant.index()]) {
                *place = mean.and_then(|mean| unit.tell(pollutant, series.basis, mean));
            }
        }
        day
    }

    /// Whether an hour that is over has a valid mean of anything.
    pub fn has_means(&self, hour: Hour) -> bool {
        let Some(back) = self.over.and_then(|over| usize::try_from(over.0 - hour.0).ok()) else {
            return false;
        };
        let mean = |series: &Series| series.means.iter().rev().nth(back).copied().flatten();
        self.series.iter().flatten().any(|series| mean(series).is_some())
    }

    /// Whether the device measures a pollutant: it has sent readings of it, good or not, in the
    /// hours that are kept.
    pub fn measures(&self, pollutant: Pollutant) -> bool {
        let oldest = self.oldest();
        self.series[pollutant.index()]
            .as_ref()
            .is_some_and(|series| oldest.is_none_or(|oldest| series.heard >= oldest.start()))
    }

    fn series_mut(&mut self, pollutant: Pollutant, basis: Basis) -> &mut Series {
        self.series[pollutant.index()].get_or_insert_with(|| Box::new(Series::new(basis)))
    }
}

impl Series {
    fn new(basis: Basis) -> Self {
        Self {
            basis,
            newest: Timestamp::MIN,
            heard: Timestamp::MIN,
            open: Vec::new(),
            means: VecDeque::from([None; KEPT_HOURS]),
        }
    }

    fn open_hour(&mut self, hour: Hour) -> &mut OpenHour {
        let at = self.open.iter().position(|open| open.hour == hour).unwrap_or_else(|| {
            self.open.push(OpenHour::new(hour));
            self.open.len() - 1
        });
        &mut self.open[at]
    }

    fn advance(&mut self, hours: usize) {
        for _ in 0..hours {
            self.means.pop_front();
            self.means.push_back(None);
        }
    }

    /// Sets the mean of an hour, where `last` is the last that is over; tells whether it changed.
    fn put(&mut self, last: Hour, hour: Hour, mean: Option<Decimal>) -> bool {
        let back = usize::try_from(last.0 - hour.0).unwrap_or(KEPT_HOURS);
        let Some(at) = self.means.len().checked_sub(back + 1) else { return false };
        std::mem::replace(&mut self.means[at], mean) != mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::standard;

    const MINUTE: Option<Span> = Some(Span::from_mins(1));

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_secs(minute * 60)
    }

    fn take(station: &mut Station, minute: i64, amount: i64) -> Taken {
        let amount = Some(Decimal::new(amount, 0));
        station.take(Pollutant::Pm25, Basis::Mass, at(minute), amount)
    }

    fn means(station: &Station, hour: i64, count: usize) -> Vec<Option<i64>> {
        let standard = standard("hj633_2026").expect("known");
        let day = station.day(Hour(hour), standard);
        let means = day.0[Pollutant::Pm25.index()].iter().take(count);
        means.map(|mean| mean.map(|mean| mean.billionths() / 1_000_000_000)).collect()
    }

    #[test]
    fn an_hour_is_over_when_the_device_is_well_inside_the_next() {
        let mut station = Station::new(MINUTE);
        for minute in 0..60 {
            assert_eq!(take(&mut station, minute, 10), Taken::InTime);
        }
        take(&mut station, 60, 20);
        assert_eq!(station.finished(), [], "other series may be a message behind");
        take(&mut station, 61, 20);
        assert_eq!(station.finished(), [Hour(0)]);
        station.close(Hour(0));
        assert_eq!(station.finished(), []);
        assert_eq!(means(&station, 0, 2), [Some(10), None]);
        assert!(station.measures(Pollutant::Pm25) && !station.measures(Pollutant::O3));
    }

    #[test]
    fn what_comes_twice_or_late_is_not_counted_but_named() {
        let mut station = Station::new(MINUTE);
        for minute in 0..62 {
            take(&mut station, minute, 10);
        }
        assert_eq!(take(&mut station, 61, 99), Taken::Late(Hour(1)));
        station.close(Hour(0));
        assert_eq!(take(&mut station, 5, 99), Taken::Late(Hour(0)));
        let mut stored = OpenHour::new(Hour(0));
        for minute in 0..60 {
            stored.add(station.slots(), at(minute), Decimal::new(30, 0));
        }
        assert!(station.replace(Pollutant::Pm25, stored.clone()));
        assert!(!station.replace(Pollutant::Pm25, stored), "nothing new");
        assert_eq!(means(&station, 0, 1), [Some(30)]);
    }

    #[test]
    fn hours_without_readings_leave_gaps_and_old_ones_go() {
        let mut station = Station::new(MINUTE);
        for hour in [0, 2, 40] {
            for minute in 0..60 {
                take(&mut station, hour * 60 + minute, hour + 1);
            }
            station.close(Hour(hour));
        }
        assert_eq!(means(&station, 40, 2), [Some(41), None]);
        assert_eq!(means(&station, 2, 1), [None], "30 hours are kept");
        assert_eq!(take(&mut station, 60, 1), Taken::TooOld);
        assert_eq!(station.correctable(), Some(Hour(35)));
    }

    #[test]
    fn a_day_can_be_looked_at_from_an_earlier_hour() {
        let mut station = Station::new(MINUTE);
        for hour in 0..3 {
            for minute in 0..60 {
                take(&mut station, hour * 60 + minute, hour + 1);
            }
            station.close(Hour(hour));
        }
        assert_eq!(means(&station, 2, 3), [Some(3), Some(2), Some(1)]);
        assert_eq!(means(&station, 1, 3), [Some(2), Some(1), None]);
    }

    #[test]
    fn a_station_that_was_loaded_is_the_one_that_was_fed() {
        let mut fed = Station::new(MINUTE);
        let mut hours: Vec<OpenHour> = Vec::new();
        for minute in 0..150 {
            take(&mut fed, minute, minute);
            let hour = Hour(minute / 60);
            if hours.last().is_none_or(|last| last.hour != hour) {
                hours.push(OpenHour::new(hour));
            }
            let slots = fed.slots();
            if let Some(open) = hours.last_mut() {
                open.add(slots, at(minute), Decimal::new(minute, 0));
            }
        }
        let mut loaded = Station::new(MINUTE);
        loaded.load(Pollutant::Pm25, Basis::Mass, at(149), hours, Some(at(149)));
        for station in [&mut fed, &mut loaded] {
            let finished = station.finished();
            assert_eq!(finished, [Hour(0), Hour(1)]);
            for hour in finished {
                station.close(hour);
            }
        }
        assert_eq!(means(&fed, 1, 2), means(&loaded, 1, 2));
        assert_eq!(take(&mut loaded, 149, 1), Taken::Late(Hour(2)));
    }
}
