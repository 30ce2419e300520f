//! Dead letters in `ingest.db`: put in with their commit, found again, dropped when their time is
//! over or there are too many.
//!
//! How many there are and how large they are is counted beside them, in the same transactions, so
//! that neither a start nor maintenance has to look at all of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use city_model::{DeviceKey, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use rustc_hash::FxHashMap;

use super::ingest_db::add_to;
use crate::{DeadLetter, DeadLetterId, LetterCount, LettersFrom, NewDeadLetter, TimeRange};

/// The setting that counts the letters that are kept.
pub(super) const COUNT: &str = "dead_letters";
/// The setting that counts their bytes.
pub(super) const BYTES: &str = "dead_letter_bytes";
/// The setting that counts letters dropped, over the whole life of the store.
pub(super) const DROPPED: &str = "dead_letters_dropped";

/// Letters that are dropped in one transaction: a few milliseconds, in which commits wait.
const BATCH_LETTERS: u64 = 1_000;
/// The same in bytes.
const BATCH_BYTES: u64 = 8 << 20;

const SELECT: &str = "SELECT id, source, source_id, topic, payload, client, received, device,
                             reason, detail, hint, items, replayed_at, device_key
                      FROM dead_letters";

/// Some letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) letters: u64,
    pub(super) bytes: u64,
}

impl Amount {
    /// Whether this is as much as one transaction drops, so that there may be more.
    pub(super) fn is_full(&self) -> bool {
        self.letters >= BATCH_LETTERS || self.bytes >= BATCH_BYTES
    }
}

/// Letters kept before that a letter sent again is found among. Only those whose hash is the same
/// are looked at, and of them only the newest, so that a flood of redeliveries costs little.
pub(super) const FIND: &str = "SELECT 1 FROM dead_letters
    WHERE id IN (SELECT id FROM dead_letters WHERE hash = ?1 ORDER BY id DESC LIMIT 8)
      AND source IS ?2 AND reason = ?3 AND topic = ?4 AND payload = ?5";

/// A letter on its way in.
pub(super) struct Coming<'a> {
    pub(super) letter: &'a NewDeadLetter,
    hash: i64,
    /// Whether it was sent again and is kept already, or stands in front of itself.
    pub(super) repeated: bool,
}

/// Tells letters that are news from those that are kept already.
pub(super) fn sort<'a>(
    conn: &Connection,
    letters: &'a [NewDeadLetter],
) -> rusqlite::Result<Vec<Coming<'a>>> {
    let mut first: FxHashMap<i64, &NewDeadLetter> = FxHashMap::default();
    let mut coming = Vec::with_capacity(letters.len());
    for letter in letters {
        let hash = hash(letter);
        let before = *first.entry(hash).or_insert(letter);
        let here = !std::ptr::eq(before, letter) && before.repeats(letter);
        let repeated = letter.again && (here || is_kept(conn, hash, letter)?);
        coming.push(Coming { letter, hash, repeated });
    }
    Ok(coming)
}

fn is_kept(conn: &Connection, hash: i64, letter: &NewDeadLetter) -> rusqlite::Result<bool> {
    conn.prepare_cached(FIND)?.exists((
        hash,
        letter.source,
        &letter.reason,
        &letter.topic,
        &*letter.payload,
    ))
}

/// A number by which the same letter is found again. Were it computed in another way one day,
/// letters kept before would not be found, and nothing else would happen.
fn hash(letter: &NewDeadLetter) -> i64 {
    let mut hasher = DefaultHasher::new();
    (letter.source, &letter.reason, &letter.topic, &*letter.payload).hash(&mut hasher);
    hasher.finish().cast_signed()
}

/// Puts letters in, but those that are kept already. For use inside a transaction.
pub(super) fn insert(conn: &Connection, letters: &[Coming<'_>]) -> rusqlite::Result<Amount> {
    let mut came = Amount::default();
    if letters.iter().all(|coming| coming.repeated) {
        return Ok(came);
    }
    let mut insert = conn.prepare_cached(
        "INSERT INTO dead_letters (source, source_id, topic, payload, client, received, device,
                                   reason, detail, hint, items, bytes, device_key, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for Coming { letter, hash, .. } in letters.iter().filter(|coming| !coming.repeated) {
        let bytes = size(letter);
        insert.execute((
            letter.source,
            &letter.source_id,
            &letter.topic,
            &*letter.payload,
            &letter.client,
            letter.received.micros(),
            &letter.device,
            &letter.reason,
            &letter.detail,
            &letter.hint,
            letter.items,
            bytes as i64,
            letter.device_key.map(|key| key.0),
            hash,
        ))?;
        came.letters += 1;
        came.bytes += bytes;
    }
    add_to(conn, COUNT, came.letters as i64)?;
    add_to(conn, BYTES, came.bytes as i64)?;
    Ok(came)
}

/// Drops letters received before `before`, and the oldest as long as all together have more than
/// `most_bytes`; no more than [`Amount::is_full`] at a time. For use inside a transaction.
pub(super) fn drop_some(
    conn: &Connection,
    before: i64,
    most_bytes: u64,
) -> rusqlite::Result<Amount> {
    let mut gone = Amount::default();
    let old = "SELECT id, bytes FROM dead_letters WHERE received < ?1 ORDER BY received";
    drop_while(conn, old, [before], &mut gone, |_| true)?;
    let kept = conn
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([BYTES], |row| row.get::<_, i64>(0))
        .optional()?
        .map_or(0, |bytes| bytes as u64);
    let oldest = "SELECT id, bytes FROM dead_letters ORDER BY id";
    drop_while(conn, oldest, [], &mut gone, |gone| kept.saturating_sub(gone.bytes) > most_bytes)?;
    if gone.letters > 0 {
        add_to(conn, COUNT, -(gone.letters as i64))?;
        add_to(conn, BYTES, -(gone.bytes as i64))?;
        add_to(conn, DROPPED, gone.letters as i64)?;
    }
    Ok(gone)
}

/// Letters before `before`, newest first.
pub(super) fn page(
    conn: &Connection,
    from: LettersFrom,
    reason: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let (place, rest) = match from {
        LettersFrom::Newest => (i64::MAX, "id < ?1 ORDER BY id DESC"),
        LettersFrom::Before(id) => (id.0, "id < ?1 ORDER BY id DESC"),
        LettersFrom::Oldest => (i64::MIN, "id > ?1 ORDER BY id"),
        LettersFrom::After(id) => (id.0, "id > ?1 ORDER BY id"),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match reason {
        Some(reason) => conn
            .prepare_cached(&format!("{SELECT} WHERE reason = ?3 AND {rest} LIMIT ?2"))?
            .query_map((place, limit, reason), to_letter)?
            .collect(),
        None => conn
            .prepare_cached(&format!("{SELECT} WHERE {rest} LIMIT ?2"))?
            .query_map((place, limit), to_letter)?
            .collect(),
    }
}

/// Letters received in a range, counted by source and reason.
pub(super) fn count(conn: &Connection, received: TimeRange) -> rusqlite::Result<Vec<LetterCount>> {
    conn.prepare_cached(
        "SELECT source_id, reason, count(*), sum(items), count(replayed_at) FROM dead_letters
         WHERE received >= ?1 AND received < ?2 GROUP BY source_id, reason
         ORDER BY source_id, reason",
    )?
    .query_map((received.from.micros(), received.to.micros()), |row| {
        let number = |column| row.get::<_, i64>(column).map(|number| number as u64);
        Ok(LetterCount {
            source_id: row.get(0)?,
            reason: row.get(1)?,
            letters: number(2)?,
            items: number(3)?,
            replayed: number(4)?,
        })
    })?
    .collect()
}

/// One letter.
pub(super) fn one(conn: &Connection, id: DeadLetterId) -> rusqlite::Result<Option<DeadLetter>> {
    conn.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?.query_row([id.0], to_letter).optional()
}

/// Notes that a letter was replayed.
pub(super) fn mark_replayed(
    conn: &Connection,
    id: DeadLetterId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE dead_letters SET replayed_at = ?2 WHERE id = ?1")?
        .execute((id.0, at.micros()))
        .map(|_| ())
}

/// What a letter counts: all that grows with what was sent. A flood of empty messages has bytes
/// too, for topic and explanation are kept with each.
fn size(letter: &NewDeadLetter) -> u64 {
    let texts = [
        letter.source_id.len(),
        letter.topic.len(),
        letter.client.as_ref().map_or(0, String::len),
        letter.device.as_ref().map_or(0, String::len),
        letter.reason.len(),
        letter.detail.len(),
        letter.hint.len(),
    ];
    (letter.payload.len() + texts.iter().sum::<usize>()) as u64
}

/// Deletes the letters that a query of `id, bytes` finds, as long as `go_on` says so, adding them
/// to `gone` until it is full.
fn drop_while(
    conn: &Connection,
    select: &str,
    params: impl Params,
    gone: &mut Amount,
    go_on: impl Fn(&Amount) -> bool,
) -> rusqlite::Result<()> {
    let mut ids: Vec<i64> = Vec::new();
    let mut select = conn.prepare_cached(select)?;
    let mut rows = select.query(params)?;
    while !gone.is_full() && go_on(gone) {
        let Some(row) = rows.next()? else { break };
        ids.push(row.get(0)?);
        gone.letters += 1;
        gone.bytes += row.get::<_, i64>(1)? as u64;
    }
    drop(rows);
    let mut delete = conn.prepare_cached("DELETE FROM dead_letters WHERE id = ?1")?;
    for id in ids {
        delete.execute([id])?;
    }
    Ok(())
}

fn to_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let payload: Arc<[u8]> = match row.get_ref(4)? {
        ValueRef::Blob(bytes) => bytes.into(),
        _ => Arc::default(),
    };
    Ok(DeadLetter {
        id: DeadLetterId(row.get(0)?),
        letter: NewDeadLetter {
            source: row.get(1)?,
            source_id: row.get(2)?,
            topic: row.get(3)?,
            payload,
            client: row.get(5)?,
            received: Timestamp::from_micros(row.get(6)?),
            device: row.get(7)?,
            device_key: row.get::<_, Option<u32>>(13)?.map(DeviceKey),
            reason: row.get(8)?,
            detail: row.get(9)?,
            hint: row.get(10)?,
            items: row.get(11)?,
            again: false,
        },
        replayed_at: row.get::<_, Option<i64>>(12)?.map(Timestamp::from_micros),
    })
}
