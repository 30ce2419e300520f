//! What stands beside the values of a factor: flags and times.

use rustc_hash::FxHashMap;

use super::frame::Head;

/// What stands beside the values of a factor.
pub(super) struct Beside<'a> {
    flags: FxHashMap<&'a str, &'a str>,
    times: FxHashMap<&'a str, &'a str>,
}

/// Whether an item is about the values of its factor, and none itself: when and how they were
/// taken, what the device thinks of them, and what a check of it was to give (HJ 212-2025, with
/// CN=2013 and 2062).
pub(super) fn stands_beside(what: &str) -> bool {
    matches!(
        what,
        "Flag"
            | "EFlag"
            | "SampleTime"
            | "CompleteTime"
            | "SampleType"
            | "ResultType"
            | "StandardValue"
    )
}

impl<'a> Beside<'a> {
    pub(super) fn of(head: &Head<'a>) -> Self {
        let mut beside = Self { flags: FxHashMap::default(), times: FxHashMap::default() };
        for (name, value) in head.items() {
            match name.rsplit_once('-') {
                Some((code, "Flag")) => beside.flags.insert(code, value),
                Some((code, "SampleTime")) => beside.times.insert(code, value),
                _ => None,
            };
        }
        beside
    }

    pub(super) fn flag(&self, code: &str) -> Option<&'a str> {
        self.flags.get(code).copied()
    }

    pub(super) fn sample_time(&self, code: &str) -> Option<&'a str> {
        self.times.get(code).copied().filter(|text| !text.is_empty())
    }
}
