//! Backups of a small city, taken, damaged and brought back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use city_model::{
    DeviceKey, ManualClock, Marks, MetricKey, Quality, Reading, SeriesKey, Span, Timestamp, Value,
    ZoneSet,
};
use city_store::{Commit, Embedded, Options, StateDb, StateError, Store as _, TimeRange};

use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

struct City {
    folder: tempfile::TempDir,
    data: PathBuf,
    config: PathBuf,
    tree: serde_json::Value,
}

impl City {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let etc = folder.path().join("etc");
        fs::create_dir_all(etc.join("rules")).expect("folders");
        fs::write(etc.join("rules/air.yaml"), "group: air").expect("written");
        fs::write(etc.join("key.pem"), "secret").expect("written");
        fs::write(folder.path().join("outside.json"), "{}").expect("written");
        let config = etc.join("citybrain.toml");
        let text = "[city]\nrules = \"rules\"\nzones = [{file = \"../outside.json\"}]\n\
                    [mqtt.tls]\nkey = \"key.pem\"\n";
        fs::write(&config, text).expect("written");
        let tree = toml::from_str(text).expect("TOML");
        let data = folder.path().join("data");
        let city = Self { folder, data, config, tree };
        let state = StateDb::open({
            fs::create_dir_all(&city.data).expect("a folder");
            city.data.join("state.db")
        });
        let state = state.expect("a database");
        state.migrate("test", &["CREATE TABLE notes (text TEXT)"]).expect("a table");
        let written = state.write(|tx| -> Result<usize, StateError> {
            Ok(tx.execute("INSERT INTO notes VALUES ('水位')", [])?)
        });
        written.expect("written");
        fs::write(city.data.join("started"), "1").expect("written");
        fs::write(city.data.join("running.json"), "{}").expect("written");
        city
    }

    fn open(data: &Path) -> Embedded {
        Embedded::open(data.join(crate::store::EMBEDDED), Options::default()).expect("a store").0
    }

    fn store_a_day(&self) {
        let store = Self::open(&self.data);
        let readings: Vec<Reading> = (0..100).map(reading).collect();
        let sources = vec![0; readings.len()];
        store.commit(&Commit { readings, sources, ..Commit::default() }).expect("commits");
        for hour in 0..4 {
            store.maintain(NOW + Span::from_hours(48 + hour)).expect("maintains");
        }
    }

    fn take(&self, to: &Path, since: Option<&Path>) -> anyhow::Result<Taken> {
        let clock = ManualClock::new(NOW);
        let config = Some((self.config.as_path(), &self.tree));
        let wanted = Wanted { data_dir: &self.data, config, since, clock: &clock };
        super::take(&wanted, to, &mut |_, _, _| {})
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What lies around beside what there should be.
    fn litter(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).expect("a folder");
        let names = names.map(|entry| entry.expect("an entry").file_name().into_string());
        names.map(|name| name.expect("text")).filter(|name| name.starts_with('.')).collect()
    }
}

fn reading(minute: i64) -> Reading {
    let time = NOW + Span::from_secs(60 * minute);
    Reading {
        series: SeriesKey { device: DeviceKey(0), metric: MetricKey(0) },
        time,
        received: time,
        value: Value::from(1.0),
        quality: Quality::Pass,
        marks: Marks::NONE,
        position: None,
        zones: ZoneSet::default(),
    }
}

fn bring_back(from: &Path, data_dir: &Path, replace: bool) -> anyhow::Result<Restored> {
    restore(&Restore { from, data_dir, config_dir: None, replace, now: NOW }, &mut |_, _, _| {})
}

fn damages(backup: &Path) -> Vec<String> {
    verify(backup, &mut |_, _, _| {}).expect("a backup").damages
}

fn is_whole(data: &Path) {
    let store = City::open(data);
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 100);
    let state = StateDb::open(data.join("state.db")).expect("a database");
    let note = state.read(|conn| -> Result<String, StateError> {
        Ok(conn.query_row("SELECT text FROM notes", [], |row| row.get(0))?)
    });
    let note = note.expect("a note");
    assert_eq!(note, "水位");
    assert!(data.join("started").exists() && !data.join("running.json").exists());
}

#[test]
fn a_folder_and_archives_bring_the_same_city_back() {
    let city = City::new();
    city.store_a_day();
    for name in ["folder", "file.tar", "file.tar.gz"] {
        let backup = city.at(name);
        let taken = city.take(&backup, None).expect("taken");
        let left: Vec<&str> = taken.manifest.left_out.iter().map(|l| l.key.as_str()).collect();
        assert_eq!(left, ["mqtt.tls.key"]);
        assert_eq!(damages(&backup), Vec::<String>::new(), "{name}");
        let data = city.at(&format!("{name}-restored"));
        let config_dir = city.at(&format!("{name}-etc"));
        let wanted = Restore {
            from: &backup,
            data_dir: &data,
            config_dir: Some(&config_dir),
            replace: false,
            now: NOW,
        };
        let restored = restore(&wanted, &mut |_, _, _| {}).expect("restored");
        assert_eq!(restored.manifest, taken.manifest);
        is_whole(&data);
        assert!(config_dir.join("rules/air.yaml").exists() && !config_dir.join("key.pem").exists());
        let outside = taken.manifest.files.iter().find(|file| file.original.is_some());
        let outside = outside.expect("a file from elsewhere");
        assert!(outside.path.ends_with("-outside.json"), "{outside:?}");
        let again = bring_back(&backup, &data, false).expect_err("something is there");
        assert!(again.to_string().contains("--replace"), "{again}");
    }
    assert_eq!(city.litter(), Vec::<String>::new());
}

#[test]
fn only_its_owner_can_read_a_backup_and_what_comes_of_it() {
    let city = City::new();
    city.store_a_day();
    let (folder, file, data) = (city.at("folder"), city.at("file.tar"), city.at("restored"));
    city.take(&folder, None).expect("taken");
    city.take(&file, None).expect("taken");
    bring_back(&file, &data, false).expect("restored");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&file), mode(&data)), (0o700, 0o600, 0o700));
    for top in [folder, data] {
        for name in files::below(&top).expect("walks") {
            assert_eq!(mode(&top.join(&name)), 0o600, "{}", name.display());
        }
    }
}

#[test]
fn damage_is_found_and_nothing_is_restored_from_it() {
    let city = City::new();
    city.store_a_day();
    let (folder, file) = (city.at("folder"), city.at("file.tar"));
    city.take(&folder, None).expect("taken");
    city.take(&file, None).expect("taken");

    // One bit of the state database.
    let state = folder.join("data/state.db");
    let whole = fs::read(&state).expect("readable");
    let mut bytes = whole.clone();
    bytes[5_000] ^= 1;
    fs::write(&state, &bytes).expect("written");
    assert_eq!(damages(&folder), ["data/state.db: its content is another than was written"]);
    fs::write(&state, &whole[..5_000]).expect("written");
    assert!(damages(&folder)[0].contains("it has 5000 bytes instead"));
    fs::remove_file(&state).expect("removed");
    assert!(damages(&folder)[0].starts_with("data/state.db: "));
    let mut archive = fs::read(&file).expect("readable");
    let place = archive.windows(16).position(|bytes| bytes == b"SQLite format 3\0").expect("there");
    archive[place + 4_000] ^= 1;
    fs::write(&file, &archive).expect("written");
    assert_eq!(damages(&file).len(), 1, "{:?}", damages(&file));
    let cut = city.at("cut.tar");
    fs::write(&cut, &archive[..archive.len() / 2]).expect("written");

    for damaged in [&folder, &file, &cut] {
        let data = city.at("restored");
        let error = bring_back(damaged, &data, false).expect_err("damaged");
        assert!(!data.exists(), "{error:#}");
    }
    assert_eq!(city.litter(), Vec::<String>::new());
}

#[test]
fn what_is_in_the_way_is_moved_and_never_while_it_is_in_use() {
    let city = City::new();
    city.store_a_day();
    let backup = city.at("folder");
    city.take(&backup, None).expect("taken");
    let running = City::open(&city.data);
    let error = bring_back(&backup, &city.data, true).expect_err("it runs");
    assert!(error.to_string().contains("stop it first"), "{error}");
    drop(running);
    let restored = bring_back(&backup, &city.data, true).expect("restored");
    is_whole(&city.data);
    let moved = &restored.moved;
    assert_eq!(*moved, [city.at("data.before-restore-20261123T120000Z")]);
    assert!(moved[0].join("running.json").exists(), "it is all there");
}

#[test]
fn days_that_have_not_changed_take_no_space_again() {
    let city = City::new();
    city.store_a_day();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
    for name in files::below(&city.data).expect("walks") {
        let file = fs::File::options().append(true).open(city.data.join(name)).expect("opens");
        file.set_modified(long_ago).expect("set");
    }
    let (first, second, third) = (city.at("first"), city.at("second"), city.at("third"));
    assert_eq!(city.take(&first, None).expect("taken").linked, 0);
    let taken = city.take(&second, Some(&first)).expect("taken");
    assert!(taken.linked >= 2, "the day and its summaries: {}", taken.linked);
    let day = taken.manifest.files.iter().find(|file| file.path.contains("/chunks/"));
    let day = &day.expect("a day").path;
    let inode = |backup: &Path| fs::metadata(backup.join(day)).expect("there").ino();
    assert_eq!(inode(&first), inode(&second));
    assert_eq!(damages(&second), Vec::<String>::new());
    // The chain goes on, and does not need its beginning.
    assert!(city.take(&third, Some(&second)).expect("taken").linked >= 2);
    fs::remove_dir_all(&first).expect("removed");
    fs::remove_dir_all(&second).expect("removed");
    let data = city.at("restored");
    bring_back(&third, &data, false).expect("restored");
    is_whole(&data);
    assert_ne!(fs::metadata(data.join(&day["data/".len()..])).expect("there").ino(), inode(&third));
}

#[test]
fn nothing_is_written_over_and_nothing_is_left_of_what_failed() {
    let city = City::new();
    city.store_a_day();
    let (full, file) = (city.at("full"), city.at("file.tar"));
    fs::create_dir(&full).expect("a folder");
    fs::write(full.join("precious"), "").expect("written");
    fs::write(&file, "precious").expect("written");
    assert!(city.take(&full, None).is_err() && city.take(&file, None).is_err());
    assert_eq!(fs::read_to_string(&file).expect("there"), "precious");
    // The state database is no database.
    fs::write(city.data.join("state.db"), "x".repeat(9_000)).expect("written");
    city.take(&city.at("new"), None).expect_err("damaged");
    assert!(!city.at("new").exists());
    assert_eq!(city.litter(), Vec::<String>::new());
    let nothing = city.at("nothing");
    let clock = ManualClock::new(NOW);
    let wanted = Wanted { data_dir: &nothing, config: None, since: None, clock: &clock };
    let error = super::take(&wanted, &city.at("b"), &mut |_, _, _| {}).expect_err("no city");
    assert!(error.to_string().contains("holds no city"), "{error}");
}
