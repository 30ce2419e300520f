//! Times as frames write them.

use city_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::error::OptionsError;
use crate::options::Options;
use crate::time::parse_offset;

/// Reads `YYYYMMDDhhmmss`, with or without milliseconds behind it.
pub(super) fn local_time(text: &str, offset: Offset) -> Option<Timestamp> {
    if !matches!(text.len(), 14 | 17) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let short = |from: usize, to: usize| i8::try_from(part(from, to)?).ok();
    let millis = if text.len() == 17 { part(14, 17)? } else { 0 };
    let local = DateTime::new(
        part(0, 4)?,
        short(4, 6)?,
        short(6, 8)?,
        short(8, 10)?,
        short(10, 12)?,
        short(12, 14)?,
        i32::from(millis) * 1_000_000,
    );
    let time = offset.to_timestamp(local.ok()?).ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}

/// Where local times are from, by `time_offset`.
pub(super) fn offset(options: &Options<'_>) -> Result<Offset, OptionsError> {
    let text = options.text("time_offset")?.unwrap_or("+08:00");
    parse_offset(text).ok_or_else(|| {
        let problem = format!("`{text}` is not an offset such as +08:00");
        OptionsError::bad(options.full("time_offset"), problem)
    })
}
