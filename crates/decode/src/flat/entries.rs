//! What an object holds, kept in the payload's order until its format has looked at it.

use std::borrow::Cow;
use std::cell::Cell;

use super::{Take, USUAL_PATH};
use crate::error::DecodeError;
use crate::wire::Raw;

/// How many values a message is expected to hold; more cost another allocation.
const USUAL_VALUES: usize = 12;

/// How many values and bytes of paths memory is kept for from one message to the next.
const KEPT_VALUES: usize = 256;
const KEPT_PATHS: usize = 16 << 10;

/// Values by path, in the payload's order.
#[derive(Debug)]
pub(crate) struct Entries<'a> {
    /// The paths that are not as sent, one after the other.
    paths: String,
    list: Vec<Entry<'a>>,
}

thread_local! {
    /// The memory of the object before: messages come by the thousand, and each is small.
    static SPARE: Cell<Option<(String, Vec<Entry<'static>>)>> = const { Cell::new(None) };
}

impl Default for Entries<'_> {
    fn default() -> Self {
        // There is none while the thread ends.
        let spare = SPARE.try_with(Cell::take).ok().flatten();
        let (paths, list) = spare.unwrap_or_default();
        Self { paths, list: emptied(list) }
    }
}

impl Drop for Entries<'_> {
    fn drop(&mut self) {
        let fits = self.list.capacity() <= KEPT_VALUES && self.paths.capacity() <= KEPT_PATHS;
        if !fits || self.list.capacity() == 0 {
            return;
        }
        let mut paths = std::mem::take(&mut self.paths);
        paths.clear();
        let list = emptied(std::mem::take(&mut self.list));
        // An error says that the thread ends.
        let _ = SPARE.try_with(|spare| spare.set(Some((paths, list))));
    }
}

/// Empties a list and gives its memory for another message's lifetime.
fn emptied<'b>(mut list: Vec<Entry<'_>>) -> Vec<Entry<'b>> {
    list.clear();
    // Nothing is left to convert; `collect` reuses the allocation because the layouts agree.
    list.into_iter().map_while(|_| None).collect()
}

#[derive(Debug)]
struct Entry<'a> {
    /// Where its path is in `paths`; nowhere if the name is as sent.
    start: usize,
    end: usize,
    sent: &'a str,
    raw: Raw<'a>,
}

/// The name of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a, 'f> {
    text: &'f str,
    /// As much of its end as the payload has in one piece.
    sent: &'a str,
}

impl<'a: 'f, 'f> Name<'a, 'f> {
    /// The name at which an object's walk has arrived; `sent` as [`Name`] has it.
    #[inline]
    pub(super) fn reached(text: &'f str, sent: &'a str) -> Self {
        Self { text, sent }
    }

    /// A name that is in the message as it is.
    pub(crate) fn sent(text: &'a str) -> Self {
        Self { text, sent: text }
    }

    /// A name that was put together.
    pub(crate) fn made(text: &'f str) -> Self {
        Self { text, sent: "" }
    }

    pub(crate) fn as_str(self) -> &'f str {
        self.text
    }

    /// The last name of the path.
    pub(crate) fn last(self) -> &'f str {
        match self.text.len().checked_sub(self.sent.len()) {
            // Behind the dot, unless there is no dot.
            Some(start) if !self.sent.is_empty() => self.text.get(start..).unwrap_or(self.text),
            _ => self.text.rsplit_once('.').map_or(self.text, |(_, last)| last),
        }
    }

    /// The name without its first bytes; itself if there is no character's border.
    pub(crate) fn after(self, bytes: usize) -> Self {
        Self { text: self.text.get(bytes..).unwrap_or(self.text), ..self }
    }

    pub(crate) fn strip_prefix(self, prefix: &str) -> Option<Self> {
        self.text.strip_prefix(prefix).map(|text| Self { text, ..self })
    }

    /// A name for a value to keep.
    pub(crate) fn keep(self) -> Cow<'a, str> {
        let beyond = self.sent.len().checked_sub(self.text.len());
        match beyond.and_then(|beyond| self.sent.get(beyond..)) {
            Some(sent) => Cow::Borrowed(sent),
            None => Cow::Owned(self.text.to_owned()),
        }
    }
}

impl<'a> Entries<'a> {
    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name<'a, '_>, &Raw<'a>)> {
        self.list.iter().map(|entry| (entry.name(&self.paths), &entry.raw))
    }

    /// Takes the values out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Name<'a, '_>, Raw<'a>)> {
        let Self { paths, list } = self;
        list.drain(..).map(|entry| (entry.name(paths), entry.raw))
    }

    /// All of them, to be taken by their names.
    pub(crate) fn parts(&mut self) -> Parts<'a, '_> {
        Parts { paths: &self.paths, list: &mut self.list }
    }

    /// The value of this name; of two, the first.
    pub(crate) fn get(&self, name: &str) -> Option<&Raw<'a>> {
        self.iter().find_map(|(other, raw)| (other.as_str() == name).then_some(raw))
    }

    /// Forgets all of them, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.paths.clear();
        self.list.clear();
    }

    /// The same for longer than their payload.
    pub(super) fn into_owned<'b>(mut self) -> Entries<'b> {
        let mut owned = Entries::default();
        for Entry { start, end, sent, raw } in std::mem::take(&mut self.list) {
            let text = Entry { start, end, sent, raw: Raw::Bool(false) };
            let from = owned.paths.len();
            owned.paths.push_str(text.name(&self.paths).as_str());
            let raw = raw.into_owned();
            owned.list.push(Entry { start: from, end: owned.paths.len(), sent: "", raw });
        }
        owned
    }

    /// Leaves what is inside an object, named from there, if there is anything; `prefix` is the
    /// object's path with its dot.
    pub(crate) fn go_inside(&mut self, prefix: &str) -> bool {
        if !self.iter().any(|(name, _)| name.as_str().starts_with(prefix)) {
            return false;
        }
        let paths = &self.paths;
        self.list.retain_mut(|entry| {
            let inside = entry.name(paths).as_str().starts_with(prefix);
            if inside {
                entry.cut(prefix.len());
            }
            inside
        });
        true
    }
}

/// Neighbouring entries, to be looked at together and taken one by one.
pub(crate) struct Parts<'a, 'f> {
    paths: &'f str,
    list: &'f mut [Entry<'a>],
}

impl<'a: 'f, 'f> Parts<'a, 'f> {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The name of the first.
    pub(crate) fn first(&self) -> Option<Name<'a, 'f>> {
        self.list.first().map(|entry| entry.name(self.paths))
    }

    pub(crate) fn name(&self, place: usize) -> Name<'a, 'f> {
        self.list[place].name(self.paths)
    }

    pub(crate) fn raw(&self, place: usize) -> &Raw<'a> {
        &self.list[place].raw
    }

    /// Takes a value; what is left in its place is not to be looked at.
    pub(crate) fn take(&mut self, place: usize) -> Raw<'a> {
        std::mem::replace(&mut self.list[place].raw, Raw::Bool(false))
    }

    /// Where the first is whose name is as asked for.
    pub(crate) fn position(&self, mut is_it: impl FnMut(&'f str) -> bool) -> Option<usize> {
        self.list.iter().position(|entry| is_it(entry.name(self.paths).text))
    }

    /// Parts these in two.
    pub(crate) fn split_at(self, place: usize) -> (Self, Self) {
        let Self { paths, list } = self;
        let (before, after) = list.split_at_mut(place);
        (Self { paths, list: before }, Self { paths, list: after })
    }

    /// Names all from so many bytes on.
    pub(crate) fn cut(&mut self, bytes: usize) {
        self.list.iter_mut().for_each(|entry| entry.cut(bytes));
    }
}

impl<'a> Entry<'a> {
    /// Names it from so many bytes on.
    fn cut(&mut self, bytes: usize) {
        if self.is_as_sent() {
            self.sent = self.sent.get(bytes..).unwrap_or_default();
        } else {
            self.start = self.end.min(self.start + bytes);
        }
    }

    fn is_as_sent(&self) -> bool {
        self.start == self.end
    }

    fn name<'f>(&self, paths: &'f str) -> Name<'a, 'f>
    where
        'a: 'f,
    {
        let text = if self.is_as_sent() { None } else { paths.get(self.start..self.end) };
        Name { text: text.unwrap_or(self.sent), sent: self.sent }
    }
}

impl<'a> Take<'a> for Entries<'a> {
    #[expect(clippy::inline_always, reason = "it is the innermost step, and moves are most of it")]
    #[inline(always)]
    fn take(&mut self, name: Name<'a, '_>, raw: Raw<'a>) -> Result<(), DecodeError> {
        let Self { paths, list } = self;
        if list.is_empty() {
            list.reserve(USUAL_VALUES);
        }
        let start = paths.len();
        if name.text.len() != name.sent.len() {
            if start == 0 {
                paths.reserve(USUAL_VALUES * USUAL_PATH);
            }
            paths.push_str(name.text);
        }
        list.push(Entry { start, end: paths.len(), sent: name.sent, raw });
        Ok(())
    }
}
