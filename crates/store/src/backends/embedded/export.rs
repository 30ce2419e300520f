//! All readings of a device, page by page: for copying and exports.

use std::ops::ControlFlow;

use city_model::{DeviceKey, Reading, SeriesKey, Timestamp};

use super::Embedded;
use super::columns::DeviceColumns;
use crate::backends::bare_reading;
use crate::port::EXPORT_PAGE;
use crate::steps::check_range;
use crate::{StoreError, TimeRange};

impl Embedded {
    /// What is in memory at a time is one day of the device in columns, about 16 bytes a reading,
    /// and one page.
    pub(super) fn query_export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        let mut pages = Pages { page: Vec::new(), each };
        for day in self.days_of(range) {
            // In columns of their own, so that nothing is locked while somebody takes their time.
            let mut pieces: Vec<DeviceColumns> = Vec::new();
            self.each_piece(day, device, range, |piece| {
                pieces.push(piece.all()?);
                Ok(())
            })?;
            for piece in pieces {
                if pages.add(device, range, piece).is_break() {
                    return Ok(());
                }
            }
            // A page ends with its day, so that those who export little wait for nothing.
            if pages.hand_out().is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

struct Pages<'a> {
    page: Vec<Reading>,
    each: &'a mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
}

impl Pages<'_> {
    fn add(
        &mut self,
        device: DeviceKey,
        range: TimeRange,
        mut columns: DeviceColumns,
    ) -> ControlFlow<()> {
        columns.columns.sort_by_key(|column| column.metric);
        for (row, time) in columns.times.iter().enumerate() {
            let time = Timestamp::from_micros(*time);
            if !range.contains(time) {
                continue;
            }
            let position = columns.positions.get(row).copied().flatten();
            for column in &columns.columns {
                let series = SeriesKey { device, metric: column.metric };
                let Some((value, quality)) = column.get(row) else { continue };
                self.page.push(bare_reading(series, time, value, quality, position));
                if self.page.len() == EXPORT_PAGE {
                    self.hand_out()?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn hand_out(&mut self) -> ControlFlow<()> {
        let page = std::mem::take(&mut self.page);
        if page.is_empty() { ControlFlow::Continue(()) } else { (self.each)(page) }
    }
}
