//! The book from outside: files in a list, a state database in memory, and the real evaluator.

use std::sync::{Arc, Mutex};

use city_model::{
    Catalogue, Crs, Device, DeviceKey, Directory, LifeCycle, LocalText, ManualClock, Marks,
    Placement, Position, Quality, Reading, SeriesKey, Span, Timestamp, Zone, ZoneKey,
};
use city_rules::Evaluator;
use city_store::StateDb;

use crate::{
    Author, Book, BookError, BookParts, Change, Edited, EntryKind, Files, Home, Text, kept_groups,
};

const T0: Timestamp = Timestamp::from_secs(1_795_435_200);
const ADA: Author<'_> = Author { by: "ada", why: "too many alerts" };

/// A rule file of one threshold rule.
fn text(group: &str, id: &str, limit: u32) -> String {
    format!(
        "group: {group}\ndepartment: city\nrules:\n  - id: {id}\n    kind: threshold\n    \
         select: {{metric: pm25}}\n    severity: high\n    raise: {{above: {limit}}}\n"
    )
}

fn file(name: &str, text: String) -> Text {
    (name.to_owned(), text)
}

#[derive(Clone, Default)]
struct Folder(Arc<Mutex<Vec<Text>>>);

impl Folder {
    fn set(&self, files: &[Text]) {
        *self.0.lock().expect("not poisoned") = files.to_vec();
    }
}

impl Files for Folder {
    fn read(&self) -> Result<Vec<Text>, String> {
        self.peek()
    }

    fn peek(&self) -> Result<Vec<Text>, String> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }

    fn are_configured(&self) -> bool {
        true
    }
}

/// A book whose rules run.
struct City {
    folder: Folder,
    state: Arc<StateDb>,
    directory: Arc<Mutex<Arc<Directory>>>,
    clock: Arc<ManualClock>,
}

fn zone(id: &str) -> Zone {
    Zone {
        key: ZoneKey(0),
        id: id.into(),
        name: LocalText::same(id),
        layer: "district".into(),
        label: Position { lon: 0.0, lat: 0.0 },
        bounds: [0.0, 0.0, 1.0, 1.0],
        parent: None,
        area_km2: 1.0,
    }
}

fn directory(zones: Vec<Zone>) -> Arc<Directory> {
    let device = Device {
        key: DeviceKey(0),
        id: "d0".into(),
        name: LocalText::same("d0"),
        kind: "air_station".into(),
        department: "city".into(),
        placement: Placement::Moving,
        declared: None,
        crs: Crs::default(),
        zones: [].into(),
        interval: None,
        gateway: None,
        life_cycle: LifeCycle::Active,
        simulated: false,
        attributes: [].into(),
    };
    Arc::new(Directory::new([Arc::new(device)], Catalogue::embedded(), zones, 1))
}

/// A reading of 90 micrograms per cubic metre.
fn dust() -> Reading {
    let metric = Catalogue::embedded().by_id("pm25").expect("known").key;
    Reading {
        series: SeriesKey { device: DeviceKey(0), metric },
        time: T0,
        received: T0,
        value: 90.0.into(),
        quality: Quality::Pass,
        marks: Marks::NONE,
        position: None,
        zones: [].into(),
    }
}

impl City {
    fn new(files: &[Text]) -> Self {
        let folder = Folder::default();
        folder.set(files);
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let directory = Arc::new(Mutex::new(directory(vec![zone("loop")])));
        Self { folder, state, directory, clock: Arc::new(ManualClock::new(T0)) }
    }

    fn open(&self) -> Result<Book, BookError> {
        let directory = self.directory.clone();
        Book::open(BookParts {
            state: self.state.clone(),
            files: Box::new(self.folder.clone()),
            directory: Box::new(move || directory.lock().expect("not poisoned").clone()),
            setting: city_rules::Setting::default(),
            clock: self.clock.clone(),
        })
    }

    /// Opened, and connected to an evaluator.
    fn start(&self) -> (Book, Arc<Mutex<Evaluator>>) {
        let book = self.open().expect("good");
        let rules = book.in_force().load_full();
        let directory = self.directory.lock().expect("not poisoned").clone();
        let evaluator = Arc::new(Mutex::new(Evaluator::new(rules, directory, T0)));
        let engine = evaluator.clone();
        book.connect(Box::new(move |rules| {
            Some(engine.lock().expect("not poisoned").set_rules(rules, T0 + Span::from_secs(60)))
        }));
        (book, evaluator)
    }
}

fn edit(book: &Book, group: &str, change: Change<'_>) -> Result<Edited, BookError> {
    book.edit(group, change, ADA, |_| Ok(()))
}

fn names(ids: &[Arc<str>]) -> Vec<&str> {
    ids.iter().map(|id| &**id).collect()
}

fn in_force(book: &Book) -> Vec<String> {
    book.in_force().load().rules().iter().map(|rule| rule.id.to_string()).collect()
}

#[test]
fn a_group_is_written_replaced_deleted_and_restored_with_all_of_it_in_its_history() {
    let city = City::new(&[file("water.yaml", text("water", "flood", 1))]);
    let (book, _) = city.start();
    let first = edit(&book, "air", Change::Write(&text("air", "dust", 75))).expect("good");
    assert!(first.created);
    assert_eq!(names(&first.reloaded.changes.added), ["dust"]);
    assert_eq!(in_force(&book), ["flood", "dust"]);
    city.clock.advance(Span::from_secs(9));
    let second = edit(&book, "air", Change::Write(&text("air", "dust", 80))).expect("good");
    assert_eq!((second.created, names(&second.reloaded.changes.changed)), (false, vec!["dust"]));
    let kept = second.kept.expect("kept");
    assert_eq!((kept.number, &*kept.by, kept.at), (2, "ada", T0 + Span::from_secs(9)));

    // The same text once more is no change, and nothing to remember.
    let again = edit(&book, "air", Change::Write(&text("air", "dust", 80))).expect("good");
    assert_eq!(again.kept.expect("kept").number, 2);

    let gone = edit(&book, "air", Change::Delete).expect("deleted");
    assert_eq!((gone.kept, names(&gone.reloaded.changes.removed)), (None, vec!["dust"]));
    assert_eq!((in_force(&book), book.group("air")), (vec!["flood".to_owned()], None));
    assert_eq!(book.deleted().expect("read")[0].number, 3);
    assert!(matches!(edit(&book, "air", Change::Delete), Err(BookError::Unknown(_))));
    assert!(matches!(edit(&book, "air", Change::Restore(3)), Err(BookError::NoText { .. })));
    assert!(matches!(
        edit(&book, "air", Change::Restore(9)),
        Err(BookError::UnknownEntry { number: 9, .. })
    ));

    let back = edit(&book, "air", Change::Restore(1)).expect("restored");
    let kept = back.kept.expect("kept");
    assert_eq!((kept.number, &*kept.text), (4, &*text("air", "dust", 75)));
    let history = book.history("air", None, 10).expect("read");
    let kinds: Vec<_> = history.iter().map(|entry| (entry.number, entry.kind)).collect();
    assert_eq!(
        kinds,
        [
            (4, EntryKind::Restored { from: 1 }),
            (3, EntryKind::Deleted),
            (2, EntryKind::Written),
            (1, EntryKind::Written)
        ]
    );
    assert_eq!(book.history("air", Some(3), 1).expect("read")[0].number, 2);
    assert!(book.deleted().expect("read").is_empty());

    // The next start has the same rules.
    assert_eq!(in_force(&city.open().expect("good")), ["flood", "dust"]);
}

#[test]
fn who_changes_must_have_seen_what_is_there() {
    let city = City::new(&[]);
    let (book, _) = city.start();
    let wrote = edit(&book, "air", Change::Write(&text("air", "dust", 75))).expect("good");
    let tag = wrote.kept.expect("kept").tag();
    let saw = Mutex::new(None);
    let refused: Result<_, BookError> =
        book.edit("air", Change::Write(&text("air", "dust", 1)), ADA, |present| {
            *saw.lock().expect("not poisoned") = present.map(str::to_owned);
            Err(BookError::Unknown("refused".to_owned()))
        });
    assert!(refused.is_err());
    assert_eq!(saw.into_inner().expect("not poisoned"), Some(tag));
    assert_eq!(book.history("air", None, 10).expect("read").len(), 1);
}

#[test]
fn each_group_has_one_home() {
    let water = file("water.yaml", text("water", "flood", 1));
    let city = City::new(std::slice::from_ref(&water));
    let (book, _) = city.start();
    let error = edit(&book, "water", Change::Write(&text("water", "flood", 2))).expect_err("files");
    assert_eq!(error.to_string(), "the group `water` lives in water.yaml");
    let error = edit(&book, "water", Change::Delete).expect_err("files");
    assert!(matches!(error, BookError::InFiles { .. }), "{error}");

    edit(&book, "air", Change::Write(&text("air", "dust", 75))).expect("good");
    for id in ["smog", "dust"] {
        city.folder.set(&[file("air.yaml", text("air", id, 75)), water.clone()]);
        let error = book.reload().expect_err("refused").to_string();
        assert!(error.starts_with("air.yaml:1:8: the group `air` is kept in the API"), "{error}");
        assert_eq!(in_force(&book), ["flood", "dust"]);
        assert!(book.problems()[0].contains("were refused"), "{:?}", book.problems());
        assert!(city.open().expect_err("refused").to_string().contains("air.yaml:1:8"));
    }

    city.folder.set(&[water]);
    book.reload().expect("mended");
    assert_eq!(book.problems(), Vec::<String>::new());
    let homes: Vec<_> = book
        .groups()
        .into_iter()
        .map(|group| (group.name, matches!(group.home, Home::Kept(_)), group.rules))
        .collect();
    assert_eq!(homes, [("air".to_owned(), true, 1), ("water".to_owned(), false, 1)]);
}

#[test]
fn the_group_that_changes_is_blamed_for_what_does_not_go_together() {
    let city = City::new(&[file("water.yaml", text("water", "flood", 1))]);
    let (book, _) = city.start();
    edit(&book, "b", Change::Write(&text("b", "dust", 75))).expect("good");
    for (id, where_) in [("flood", "water.yaml:4:9"), ("dust", "api:b:4:9")] {
        let error = edit(&book, "a", Change::Write(&text("a", id, 1))).expect_err("taken");
        let BookError::Rules(problems) = error else { panic!("{error}") };
        let problem = &problems.0[0];
        assert_eq!((problems.0.len(), &*problem.file, problem.line), (1, "api:a", 4));
        assert!(problem.message.contains(where_), "{problem}");
    }
    let error = edit(&book, "a", Change::Write(&text("other", "x", 1))).expect_err("named");
    assert!(
        error.to_string().starts_with("api:a:1:8: the text names the group `other`"),
        "{error}"
    );
    let calendars = "calendars:\n  - {id: work, days: Mon-Fri}\n";
    let error = edit(&book, "a", Change::Write(calendars)).expect_err("no group");
    assert!(error.to_string().starts_with("api:a:1:1: "), "{error}");
    assert!(book.history("a", None, 10).expect("read").is_empty());
    assert_eq!(in_force(&book), ["flood", "dust"]);
}

#[test]
fn a_group_that_became_invalid_is_disabled_and_the_others_run() {
    let city = City::new(&[]);
    let (book, _) = city.start();
    let zoned = text("roads", "jam", 1).replace("{metric: pm25}", "{metric: pm25, zone: loop}");
    edit(&book, "roads", Change::Write(&zoned)).expect("good");
    edit(&book, "air", Change::Write(&text("air", "dust", 75))).expect("good");
    *city.directory.lock().expect("not poisoned") = directory(Vec::new());

    let (book, _) = city.start();
    assert_eq!(in_force(&book), ["dust"]);
    let roads = book.group("roads").expect("kept");
    let problem = &roads.problems.expect("disabled").0[0];
    assert_eq!((&*problem.file, problem.line, roads.rules), ("api:roads", 6, 0));
    assert!(book.problems()[0].contains("`roads` is disabled"), "{:?}", book.problems());

    // What others change leaves it as it is; a reload, or other zones, let it be tried again.
    edit(&book, "air", Change::Write(&text("air", "dust", 80))).expect("good");
    assert_eq!(in_force(&book), ["dust"]);
    book.reload().expect("good");
    assert_eq!(in_force(&book), ["dust"]);
    assert_eq!(book.retry_disabled(), None);
    *city.directory.lock().expect("not poisoned") = directory(vec![zone("loop")]);
    let done = book.retry_disabled().expect("it goes now");
    assert_eq!(names(&done.changes.added), ["jam"]);
    assert_eq!(book.problems(), Vec::<String>::new());

    // A group that runs is never switched off by a reload.
    *city.directory.lock().expect("not poisoned") = directory(Vec::new());
    assert!(book.reload().expect_err("refused").to_string().contains("unknown zone `loop`"));
    assert_eq!(in_force(&book), ["dust", "jam"]);
}

#[test]
fn a_preview_tells_and_does_nothing() {
    let city = City::new(&[]);
    let (book, _) = city.start();
    let preview = |change: Change<'_>| book.preview("air", change, |_| Ok::<_, BookError>(()));
    let told = preview(Change::Write(&text("air", "dust", 75))).expect("good");
    assert_eq!((told.created, names(&told.reloaded.changes.added)), (true, vec!["dust"]));
    assert!(in_force(&book).is_empty() && book.group("air").is_none());
    let bad = text("air", "dust", 75).replace("above", "abvoe");
    assert!(preview(Change::Write(&bad)).expect_err("bad").to_string().contains("api:air:8:13"));
    assert!(kept_groups(&city.state).expect("read").is_empty());
}

#[test]
fn a_group_moves_between_its_homes_without_losing_an_alert() {
    let city = City::new(&[file("air.yaml", text("air", "dust", 75))]);
    let (book, evaluator) = city.start();
    let firing = || evaluator.lock().expect("not poisoned").firing().count();
    evaluator.lock().expect("not poisoned").observe(&dust(), &mut Vec::new());
    assert_eq!(firing(), 1);

    // The file goes, and before anybody looks the API has the group.
    city.folder.set(&[]);
    let seen = book.group("air").expect("in force").tag();
    let moved = book.edit("air", Change::Write(&text("air", "dust", 75)), ADA, |present| {
        assert_eq!(present, Some(&*seen));
        Ok::<_, BookError>(())
    });
    let moved = moved.expect("moved");
    assert!(!moved.created);
    assert_eq!((names(&moved.reloaded.changes.kept), firing()), (vec!["dust"], 1));

    // The file comes, which alone is refused; with the group deleted it is taken at once.
    city.folder.set(&[file("air.yaml", text("air", "dust", 75))]);
    book.reload().expect_err("kept");
    let moved = edit(&book, "air", Change::Delete).expect("moved");
    assert_eq!((names(&moved.reloaded.changes.kept), firing()), (vec!["dust"], 1));
    assert!(moved.reloaded.ended.is_empty());
    assert!(matches!(book.group("air").expect("there").home, Home::Files(_)));

    // Without a file it is gone, and its alert with it.
    city.folder.set(&[]);
    let done = book.reload().expect("good");
    assert_eq!((done.ended.len(), firing()), (1, 0));
}

#[test]
fn without_an_engine_a_change_is_stored_and_says_so() {
    let city = City::new(&[]);
    let book = city.open().expect("good");
    let error = edit(&book, "air", Change::Write(&text("air", "dust", 75))).expect_err("no engine");
    assert!(matches!(error, BookError::NoEngine), "{error}");
    assert_eq!(in_force(&city.open().expect("good")), ["dust"]);
}

#[test]
fn names_are_file_names() {
    let city = City::new(&[]);
    let (book, _) = city.start();
    for name in ["", " a", ".hidden", "a/b", "a\\b", "a\u{7}", &"a".repeat(65)] {
        let error = edit(&book, name, Change::Write(&text("x", "dust", 75))).expect_err(name);
        assert!(matches!(error, BookError::Name { .. }), "{name}: {error}");
    }
    edit(&book, "空气 质量", Change::Write(&text("空气 质量", "dust", 75))).expect("a good name");
}
