//! Lines of cells that no spreadsheet takes for formulas.

use std::fmt::Write as _;

/// The type of such a file.
pub(super) const TYPE: &str = "text/csv; charset=utf-8; header=present";

/// A line under way (RFC 4180).
#[derive(Debug)]
pub(super) struct Line<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Line<'a> {
    /// The next line of `out`.
    pub(super) fn new(out: &'a mut String) -> Self {
        Self { out, first: true }
    }

    /// A cell of text; what a spreadsheet could compute gets an apostrophe in front.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.next();
        let cell = city_model::csv_cell(text);
        if *cell == *text && !text.contains([',', '"', '\n', '\r']) {
            self.out.push_str(text);
            return self;
        }
        self.out.push('"');
        self.out.push_str(&cell.replace('"', "\"\""));
        self.out.push('"');
        self
    }

    /// A cell of a number, an instant or a word of ours; empty if there is none.
    pub(super) fn plain(mut self, value: Option<impl std::fmt::Display>) -> Self {
        self.next();
        if let Some(value) = value {
            let _ = write!(self.out, "{value}");
        }
        self
    }

    /// Ends the line.
    pub(super) fn end(self) {
        self.out.push_str("\r\n");
    }

    fn next(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn texts_are_quoted_where_they_must_and_never_formulas() {
        let mut out = String::new();
        let line = Line::new(&mut out).text("a").text("b,c").text("say \"x\"").text("=1+1");
        line.text("-cmd").text("@a").text("").plain(Some(-1.5)).plain(None::<f64>).end();
        let said = "a,\"b,c\",\"say \"\"x\"\"\",\"'=1+1\",\"'-cmd\",\"'@a\",,-1.5,\r\n";
        assert_eq!(out, said);
    }
}
