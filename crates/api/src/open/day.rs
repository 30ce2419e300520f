//! A day of readings as one file, which is written while it is read.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use city_model::{Span, Timestamp};
use city_store::{Cancel, TimeRange};
use futures_util::StreamExt as _;
use futures_util::stream::unfold;

use super::cache::CACHE_CONTROL;
use super::csv;
use super::readings::{OpenReadingsQuery, head, lines, no_history, page};
use super::view::PublicView;
use crate::parameters::short;
use crate::problem::{Answer, Problem, codes};

/// The day that a file is named after, by UTC.
fn day_of(file: &str) -> Answer<TimeRange> {
    let day = file.strip_suffix(".csv").and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let range = day.and_then(|day| {
        let from =
            day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond();
        let from = Timestamp::from_micros(from);
        Some(TimeRange { from, to: from + Span::from_hours(24) })
    });
    range.ok_or_else(|| {
        let detail = format!("`{}` is no file of a day.", short(file));
        Problem::new(codes::NOT_FOUND, detail).hint("Write it like readings/2026-11-28.csv.")
    })
}

/// All readings of a day as lines of cells, read page by page as the client takes them, so that
/// a slow one holds no thread and no turn, and what is withdrawn meanwhile is not sent.
pub(super) async fn day_file(view: PublicView, id: String, file: String) -> Answer<Response> {
    let day = day_of(&file)?;
    let (of, name) = (id.clone(), file.trim_end_matches(".csv").to_owned());
    let dataset = view.short(move |view| view.dataset(&of)).await?;
    if dataset.history().is_none() {
        return Err(no_history());
    }
    if dataset.clip(day).is_none() {
        let detail = format!("Readings of {name} are not public.");
        return Err(Problem::new(codes::NOT_FOUND, detail)
            .hint("The dataset's description says of which time they are."));
    }
    let disposition = format!("attachment; filename=\"{id}-{name}.csv\"");
    let query = OpenReadingsQuery::all_of(day);
    let file = DayFile { view, id, query, begun: false };
    let body = unfold(Some(file), async |file| {
        let mut file = file?;
        match file.next().await {
            Ok((piece, more)) => Some((Ok(piece), more.then_some(file))),
            Err(problem) => {
                tracing::warn!(error.cause = ?problem, "a file of a day was cut off");
                // Whoever reads must not take what is there for the whole day.
                Some((Err(Cut), None))
            }
        }
    });
    // Whoever sends it may ask once more after the end.
    let body = body.fuse();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(csv::TYPE)),
        (header::CACHE_CONTROL, CACHE_CONTROL),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(disposition)
                .unwrap_or(HeaderValue::from_static("attachment; filename=\"day.csv\"")),
        ),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// The file ends before its end.
#[derive(Debug, thiserror::Error)]
#[error("the readings could not be read to the end")]
struct Cut;

/// A file under way.
struct DayFile {
    view: PublicView,
    id: String,
    query: OpenReadingsQuery,
    begun: bool,
}

impl DayFile {
    /// The next lines, and whether there are more.
    async fn next(&mut self) -> Answer<(Bytes, bool)> {
        let (id, query) = (self.id.clone(), self.query.clone());
        let work = move |view: &PublicView, cancel: &Cancel| page(view, &id, &query, cancel);
        let page = self.view.renewed().history(work).await?;
        let mut out = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            head(&mut out, false);
        }
        lines(&mut out, &page, false);
        let more = page.next_cursor.is_some();
        self.query.go_on(page.next_cursor.as_deref())?;
        Ok((out.into(), more))
    }
}
