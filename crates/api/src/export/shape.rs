//! In which form somebody wants a list: a page of JSON or a file, whole or with some members only.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{FORMATS, Format, Options};
use crate::openapi;
use crate::parameters::{FromPairs, Pairs, bad};
use crate::problem::Answer;

/// The media type of pages.
const JSON: &str = "application/json";

/// The forms in which a list can be had.
#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "describes the parameter")]
enum FormatName {
    Json,
    Csv,
    GeoJson,
    GeoJsonSeq,
    NdJson,
    Parquet,
}

/// A form in which a list can be had.
#[derive(Clone, Copy)]
enum Form {
    Page,
    File(&'static Format),
}

/// In which form somebody wants a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Shape {
    /// `json` for a page, which is meant unless `Accept` says otherwise; or all that matches as a
    /// file: `csv`, `geojson`, `geojsonseq` (RFC 8142), `ndjson` or `parquet`. A file has no more rows
    /// than `limit` if that is given.
    #[param(inline, value_type = Option<FormatName>)]
    format: Option<Form>,
    /// Only these members of each item, or columns of the file, separated by commas.
    #[param(value_type = Option<String>)]
    fields: Option<Vec<String>>,
    /// `true`: CSV begins with a byte order mark, by which spreadsheet programs know UTF-8.
    bom: Option<bool>,
    /// `false`: CSV has texts as they are. Otherwise those that a spreadsheet program would take for a
    /// formula have an apostrophe before them.
    safe: Option<bool>,
    /// How many rows were asked for.
    #[param(ignore)]
    most: Option<usize>,
}

/// A file that somebody wants.
pub(crate) struct Wanted {
    pub(super) format: &'static Format,
    pub(super) fields: Option<Vec<String>>,
    pub(super) options: Options,
    pub(super) most: Option<usize>,
}

impl FromPairs for Shape {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        let mut words = vec![("json", Form::Page)];
        words.extend(FORMATS.iter().map(|format| (format.name, Form::File(format))));
        Ok(Self {
            format: pairs.one_of("format", &words)?,
            fields: pairs.list("fields"),
            bom: pairs.flag("bom")?,
            safe: pairs.flag("safe")?,
            most: pairs.peek("limit").and_then(|limit| limit.parse().ok()),
        })
    }
}

impl Shape {
    /// The file that is wanted, if it is not a page: the parameter goes before `Accept`.
    pub(crate) fn file(&self, headers: &HeaderMap) -> Option<Wanted> {
        match self.format.unwrap_or_else(|| accepted(headers)) {
            Form::Page => None,
            Form::File(format) => Some(self.wanted(format)),
        }
    }

    /// The same where there is nothing but files: CSV if nobody says otherwise, and lines of JSON for
    /// those who want JSON.
    pub(crate) fn only_file(&self, headers: &HeaderMap) -> Wanted {
        let lines = || FORMATS.iter().find(|format| format.name == "ndjson").copied();
        let format = match self.format {
            Some(Form::File(format)) => Some(format),
            Some(Form::Page) => lines(),
            None => match accepted(headers) {
                Form::File(format) => Some(format),
                Form::Page => None,
            },
        };
        self.wanted(format.unwrap_or(FORMATS[0]))
    }

    fn wanted(&self, format: &'static Format) -> Wanted {
        let options = Options { bom: self.bom.unwrap_or(false), safe: self.safe.unwrap_or(true) };
        Wanted { format, fields: self.fields.clone(), options, most: self.most }
    }

    /// A page, whose items are of the shape of this name in the document, with the members that are
    /// wanted.
    pub(crate) fn page(&self, item: &str, page: impl Serialize) -> Answer<Response> {
        let vary = [(header::VARY, HeaderValue::from_static("accept"))];
        let Some(fields) = &self.fields else { return Ok((vary, Json(page)).into_response()) };
        let known = openapi::members(item);
        check(fields, &known.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut page = serde_json::to_value(page).unwrap_or_default();
        for item in page["items"].as_array_mut().into_iter().flatten() {
            if let Value::Object(members) = item {
                members.retain(|name, _| fields.contains(name));
            }
        }
        Ok((vary, Json(page)).into_response())
    }
}

/// Whether all fields are known.
pub(super) fn check(fields: &[String], known: &[&str]) -> Answer<()> {
    match fields.iter().find(|field| !known.contains(&field.as_str())) {
        None => Ok(()),
        Some(field) => {
            let why = format!("it must be of {}", known.join(", "));
            Err(bad("fields", field, &why, known.first().copied().unwrap_or_default()))
        }
    }
}

/// The form that a client likes best (RFC 9110, section 12.5.1); a page if it likes nothing that there
/// is.
fn accepted(headers: &HeaderMap) -> Form {
    let lists = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(&str, f32)> = lists.flat_map(|list| list.split(',')).map(range).collect();
    if ranges.is_empty() {
        return Form::Page;
    }
    let mut best = (quality(&ranges, JSON), Form::Page);
    for format in FORMATS {
        let quality = quality(&ranges, format.media);
        if quality > best.0 {
            best = (quality, Form::File(format));
        }
    }
    best.1
}

/// A media range and how much it is liked, 0 to 1.
fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    (media, q.and_then(|q| q.parse().ok()).unwrap_or(1.0))
}

/// How much a media type is liked, by the range that says most about it.
fn quality(ranges: &[(&str, f32)], media: &str) -> f32 {
    let (kind, _) = media.split_once('/').unwrap_or_default();
    let fits = |range: &str| {
        if range.eq_ignore_ascii_case(media) {
            Some(3)
        } else if range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(kind)) {
            Some(2)
        } else {
            (range == "*/*").then_some(1)
        }
    };
    let told = ranges.iter().filter_map(|(range, q)| Some((fits(range)?, *q)));
    told.max_by_key(|(says, _)| *says).map_or(0.0, |(_, q)| q)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_that_is_liked_best_is_taken() {
        for (accept, expected) in [
            ("", None),
            ("*/*", None),
            ("application/json", None),
            ("text/csv", Some("csv")),
            ("TEXT/CSV;header=present", Some("csv")),
            ("text/*", Some("csv")),
            ("application/geo+json, */*;q=0.1", Some("geojson")),
            ("text/csv;q=0.5, application/vnd.apache.parquet", Some("parquet")),
            ("text/csv;q=0.5, application/json", None),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None),
            ("image/png", None),
            ("*/*, application/json;q=0", Some("csv")),
        ] {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(header::ACCEPT, accept.parse().expect("a header"));
            }
            let name = match accepted(&headers) {
                Form::Page => None,
                Form::File(format) => Some(format.name),
            };
            assert_eq!(name, expected, "{accept}");
        }
    }
}
