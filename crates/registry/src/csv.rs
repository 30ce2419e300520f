//! Device lists as CSV: one documented set of columns, one line of the slice per column.
//!
//! UTF-8 with a header; separated by commas, or by semicolons or tabs if the header is. An empty
//! cell says nothing. Attributes are columns named `attr.NAME`: `true`, `false` and JSON numbers
//! are what they look like, everything else is text; a text that looks like one of them is written
//! as a JSON string (`"12"`, in CSV `"""12"""`). What a spreadsheet would take for a formula has an
//! apostrophe in front, which is taken away again when it is read ([`city_model::csv_cell`]).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ::csv::{ReaderBuilder, StringRecord, Writer};
use city_model::{Attribute, Crs, DeclaredPosition, LifeCycle, LocalText, csv_cell, from_csv_cell};

use crate::list::Row;
use crate::{DeviceEntry, DeviceList, ImportProblem, RegistryError};

/// What the name of a column with an attribute begins with.
const ATTRIBUTE: &str = "attr.";

/// A column of device lists.
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// What its cells say, in English and Chinese.
    pub about: [&'static str; 2],
    /// Whether a list without it is no list of devices.
    pub required: bool,
    put: fn(&mut Draft, &str) -> Result<(), Refusal>,
    get: fn(&DeviceEntry) -> String,
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Column").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All columns but those of attributes, in the order of exports.
pub static COLUMNS: &[Column] = &[
    Column {
        name: "id",
        about: ["The device's id", "设备编号"],
        required: true,
        put: |draft, cell| set(&mut draft.entry.id, cell),
        get: |entry| entry.id.clone(),
    },
    Column {
        name: "name",
        about: ["What people call it; the id if empty", "名称；留空则为编号"],
        required: false,
        put: |draft, cell| set(&mut draft.name, cell),
        get: |entry| entry.name.as_ref().map_or_else(String::new, |name| name.en.clone()),
    },
    Column {
        name: "name_zh",
        about: ["The same in Chinese; `name` if empty", "中文名称；留空则同 name"],
        required: false,
        put: |draft, cell| set(&mut draft.name_zh, cell),
        get: |entry| match &entry.name {
            Some(LocalText { en, zh }) if en != zh => zh.clone(),
            _ => String::new(),
        },
    },
    Column {
        name: "kind",
        about: ["Its kind", "设备类型"],
        required: true,
        put: |draft, cell| set(&mut draft.entry.kind, cell),
        get: |entry| entry.kind.clone(),
    },
    Column {
        name: "department",
        about: ["The department that owns it", "所属部门"],
        required: true,
        put: |draft, cell| set(&mut draft.entry.department, cell),
        get: |entry| entry.department.clone(),
    },
    Column {
        name: "lon",
        about: ["Degrees east, in `position_crs`", "经度，坐标系见 position_crs"],
        required: false,
        put: |draft, cell| degrees(&mut draft.lon, cell),
        get: |entry| entry.position.map_or_else(String::new, |p| p.lon.to_string()),
    },
    Column {
        name: "lat",
        about: ["Degrees north, in `position_crs`", "纬度，坐标系见 position_crs"],
        required: false,
        put: |draft, cell| degrees(&mut draft.lat, cell),
        get: |entry| entry.position.map_or_else(String::new, |p| p.lat.to_string()),
    },
    Column {
        name: "position_crs",
        about: [
            "The coordinate system of lon and lat: WGS-84 (if empty), GCJ-02, BD-09, CGCS2000",
            "lon、lat 的坐标系：WGS-84（默认）、GCJ-02、BD-09、CGCS2000",
        ],
        required: false,
        put: |draft, cell| {
            draft.position_crs = Some(word(cell, CRS)?);
            Ok(())
        },
        get: |entry| match entry.position {
            Some(position) if position.crs != Crs::default() => position.crs.name().to_owned(),
            _ => String::new(),
        },
    },
    Column {
        name: "moving",
        about: [
            "true or false: whether its messages carry its position; as its kind says if empty",
            "true 或 false：消息是否自带位置；留空则按设备类型",
        ],
        required: false,
        put: |draft, cell| {
            draft.entry.moving = Some(word(cell, FLAGS)?);
            Ok(())
        },
        get: |entry| entry.moving.map_or_else(String::new, |moving| moving.to_string()),
    },
    Column {
        name: "interval",
        about: [
            "How often it sends, such as 30s or 5m; as its kind says if empty",
            "上报间隔，如 30s、5m；留空则按设备类型",
        ],
        required: false,
        put: |draft, cell| {
            let hint = "write it like 30s, 5m or 1h30m";
            let interval =
                cell.parse().map_err(|_| (format!("`{cell}` is no length of time"), hint));
            draft.entry.interval = Some(interval?);
            Ok(())
        },
        get: |entry| entry.interval.map_or_else(String::new, |interval| interval.to_string()),
    },
    Column {
        name: "gateway",
        about: ["The id of the device through which it sends", "所经网关的设备编号"],
        required: false,
        put: |draft, cell| {
            draft.entry.gateway = Some(cell.to_owned());
            Ok(())
        },
        get: |entry| entry.gateway.clone().unwrap_or_default(),
    },
    Column {
        name: "life_cycle",
        about: [
            "planned, active (if empty), maintenance or retired",
            "planned 规划、active 在用（默认）、maintenance 维护、retired 退役",
        ],
        required: false,
        put: |draft, cell| {
            draft.entry.life_cycle = word(cell, LIVES)?;
            Ok(())
        },
        get: |entry| match entry.life_cycle {
            LifeCycle::Active => String::new(),
            other => name_of(&other, LIVES).to_owned(),
        },
    },
    Column {
        name: "simulated",
        about: [
            "true if everything it sends is simulated or test data",
            "true 表示其数据均为模拟或测试数据",
        ],
        required: false,
        put: |draft, cell| {
            draft.entry.simulated = word(cell, FLAGS)?;
            Ok(())
        },
        get: |entry| if entry.simulated { "true".to_owned() } else { String::new() },
    },
    Column {
        name: "crs",
        about: [
            "The coordinate system of positions in its messages; as its kind says if empty",
            "其消息中位置的坐标系；留空则按设备类型",
        ],
        required: false,
        put: |draft, cell| {
            draft.entry.crs = Some(word(cell, CRS)?);
            Ok(())
        },
        get: |entry| entry.crs.map_or_else(String::new, |crs| crs.name().to_owned()),
    },
];

const FLAGS: &[(&str, bool)] = &[("true", true), ("false", false)];
const LIVES: &[(&str, LifeCycle)] = &[
    ("planned", LifeCycle::Planned),
    ("active", LifeCycle::Active),
    ("maintenance", LifeCycle::Maintenance),
    ("retired", LifeCycle::Retired),
];
const CRS: &[(&str, Crs)] = &[
    ("WGS-84", Crs::Wgs84),
    ("GCJ-02", Crs::Gcj02),
    ("BD-09", Crs::Bd09),
    ("CGCS2000", Crs::Cgcs2000),
];

/// Why a cell cannot be taken, and how to mend it.
type Refusal = (String, &'static str);

/// A row while its cells are read.
struct Draft {
    entry: DeviceEntry,
    name: String,
    name_zh: String,
    lon: Option<f64>,
    lat: Option<f64>,
    position_crs: Option<Crs>,
}

/// All devices as CSV that can be imported again.
pub fn write_csv<'a>(entries: impl IntoIterator<Item = &'a DeviceEntry> + Clone) -> String {
    let attributes: BTreeSet<&str> = entries
        .clone()
        .into_iter()
        .flat_map(|entry| entry.attributes.keys().map(String::as_str))
        .collect();
    let mut writer = Writer::from_writer(Vec::new());
    let names = COLUMNS.iter().map(|column| column.name.to_owned());
    let header = names.chain(attributes.iter().map(|name| format!("{ATTRIBUTE}{name}")));
    let safe = |cell: String| csv_cell(&cell).into_owned();
    // Writing to memory cannot fail.
    let _ = writer.write_record(header);
    for entry in entries {
        let cells = COLUMNS.iter().map(|column| (column.get)(entry));
        let values = attributes.iter().map(|name| entry.attributes.get(*name).map(attribute_cell));
        let cells = cells.chain(values.map(Option::unwrap_or_default));
        let _ = writer.write_record(cells.map(safe));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// Reads a list; `name` is what the person called the file.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<DeviceList, RegistryError> {
    let file = |message: String, hint| RegistryError::File { name: name.to_owned(), message, hint };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line = 1 + good.split(|byte| *byte == b'\n').count().saturating_sub(1);
        let hint = "save it as \"CSV UTF-8\"; spreadsheets offer that beside plain CSV";
        file(format!("line {line} is not UTF-8"), hint)
    })?;
    let mut reader =
        ReaderBuilder::new().delimiter(separator(text)).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| file(error.to_string(), SHAPE))?;
    let columns = columns(header).map_err(|(message, hint)| file(message, hint))?;
    let mut list = DeviceList::default();
    let mut record = StringRecord::new();
    let mut row = 0;
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(list),
            Ok(true) if record.iter().all(|cell| cell.trim().is_empty()) => {}
            Ok(true) => {
                row += 1;
                read_row(row, &record, &columns, &mut list);
            }
            Err(error) => return Err(file(error.to_string(), SHAPE)),
        }
    }
}

const SHAPE: &str = "a device list has a header with at least id, kind and department";

/// What the cells of one column are.
enum Target {
    Column(&'static Column),
    Attribute(String),
}

impl Target {
    fn name(&self) -> String {
        match self {
            Self::Column(column) => column.name.to_owned(),
            Self::Attribute(name) => format!("{ATTRIBUTE}{name}"),
        }
    }
}

fn columns(header: &StringRecord) -> Result<Vec<Target>, Refusal> {
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for name in header.iter().map(str::trim) {
        if !seen.insert(name) {
            return Err((
                format!("the column `{name}` stands there twice"),
                "remove one of the two",
            ));
        }
        let known = COLUMNS.iter().find(|column| column.name == name).map(Target::Column);
        let attribute = name.strip_prefix(ATTRIBUTE).filter(|name| !name.is_empty());
        let target = known.or_else(|| attribute.map(|name| Target::Attribute(name.to_owned())));
        let Some(target) = target else {
            let mut message = format!("there is no column `{name}`; there are ");
            for column in COLUMNS {
                let _ = write!(message, "{}, ", column.name);
            }
            message.push_str("attr.NAME");
            return Err((message, "rename it, or write attr. in front of it for an attribute"));
        };
        targets.push(target);
    }
    match COLUMNS.iter().find(|column| column.required && !seen.contains(column.name)) {
        Some(column) => Err((format!("the column `{}` is missing", column.name), SHAPE)),
        None => Ok(targets),
    }
}

fn read_row(row: usize, record: &StringRecord, columns: &[Target], list: &mut DeviceList) {
    let line = record.position().map(::csv::Position::line);
    let mut problems: Vec<(Option<String>, Refusal)> = Vec::new();
    let mut draft = Draft {
        entry: DeviceEntry::unknown("", "", "", false),
        name: String::new(),
        name_zh: String::new(),
        lon: None,
        lat: None,
        position_crs: None,
    };
    let extra = record.iter().skip(columns.len()).filter(|cell| !cell.is_empty()).count();
    if extra > 0 || record.len() < columns.len() {
        let message = format!("there are {} cells under {} columns", record.len(), columns.len());
        problems.push((None, (message, "put cells that hold the separator into double quotes")));
    }
    for (target, cell) in columns.iter().zip(record.iter().map(from_csv_cell)) {
        let done = match target {
            Target::Attribute(_) if cell.is_empty() => Ok(()),
            Target::Attribute(name) => {
                draft.entry.attributes.insert(name.clone(), attribute(cell));
                Ok(())
            }
            Target::Column(_) if cell.trim().is_empty() => Ok(()),
            Target::Column(column) => (column.put)(&mut draft, cell.trim()),
        };
        if let Err(refusal) = done {
            problems.push((Some(target.name()), refusal));
        }
    }
    let half = draft.lon.is_some() != draft.lat.is_some();
    if half && !problems.iter().any(|(field, _)| field.as_deref().is_some_and(is_degrees)) {
        let field = if draft.lon.is_some() { "lat" } else { "lon" };
        let refusal =
            ("half of a position is missing".to_owned(), "give both lon and lat, or none");
        problems.push((Some(field.to_owned()), refusal));
    }
    let entry = draft.finish();
    if problems.is_empty() {
        list.rows.push(Row { place: row, line, entry });
        return;
    }
    list.problems.extend(problems.into_iter().map(|(field, (message, hint))| ImportProblem {
        row,
        line,
        device: entry.id.clone(),
        field,
        message,
        hint: hint.to_owned(),
    }));
}

impl Draft {
    fn finish(self) -> DeviceEntry {
        let Self { mut entry, name, name_zh, lon, lat, position_crs } = self;
        entry.name = Some(LocalText { en: name, zh: name_zh });
        if let (Some(lon), Some(lat)) = (lon, lat) {
            let crs = position_crs.unwrap_or_default();
            entry.position = Some(DeclaredPosition { lon, lat, crs });
        }
        entry.tidy()
    }
}

/// What separates the cells: what is most frequent in the header.
fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| header.bytes().filter(|byte| byte == separator).count();
    // The last of those that are equally frequent wins: the comma.
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

#[allow(clippy::unnecessary_wraps, reason = "as all columns")]
fn set(field: &mut String, cell: &str) -> Result<(), Refusal> {
    cell.clone_into(field);
    Ok(())
}

fn is_degrees(field: &str) -> bool {
    field == "lon" || field == "lat"
}

fn degrees(field: &mut Option<f64>, cell: &str) -> Result<(), Refusal> {
    let number = cell.parse().ok().filter(|number: &f64| number.is_finite());
    let hint = "write degrees with a decimal point, such as 116.397";
    *field = Some(number.ok_or_else(|| (format!("`{cell}` is not a number"), hint))?);
    Ok(())
}

fn word<T: Copy>(cell: &str, words: &[(&'static str, T)]) -> Result<T, Refusal> {
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(cell));
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        (format!("`{cell}` is not one of {}", known.join(", ")), "write one of them, or nothing")
    })
}

fn name_of<T: PartialEq>(value: &T, words: &[(&'static str, T)]) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| *word)
}

fn attribute(cell: &str) -> Attribute {
    serde_json::from_str(cell).unwrap_or_else(|_| Attribute::Text(cell.to_owned()))
}

fn attribute_cell(value: &Attribute) -> String {
    match value {
        Attribute::Text(text) if !text.is_empty() && attribute(text) == *value => text.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use city_model::Span;

    use super::*;
    use crate::{ListFormat, read_devices};

    fn read_text(text: &str) -> DeviceList {
        DeviceList::read("x.csv", ListFormat::Csv, text.as_bytes()).expect("a list")
    }

    fn awkward() -> Vec<DeviceEntry> {
        let plain = DeviceEntry::unknown("plain", "lamp", "works", false);
        let full = DeviceEntry {
            name: Some(LocalText::new("Say \"hi\", then\nleave; ok", "中文，名")),
            position: Some(DeclaredPosition { lon: 116.1 + 0.2, lat: -1e-7, crs: Crs::Bd09 }),
            moving: Some(false),
            interval: Some(Span::from_millis(90_500)),
            gateway: Some("gw/1".to_owned()),
            life_cycle: LifeCycle::Maintenance,
            crs: Some(Crs::Wgs84),
            attributes: [
                ("limit", Attribute::Number(0.1 + 0.2)),
                ("big", Attribute::Number(1e300)),
                ("on", Attribute::Bool(true)),
                ("pole", Attribute::Text("007".to_owned())),
                ("code", Attribute::Text("12".to_owned())),
                ("yes", Attribute::Text("true".to_owned())),
                ("empty", Attribute::Text(String::new())),
                ("quoted", Attribute::Text("\"q\"".to_owned())),
                ("space", Attribute::Text(" x ".to_owned())),
                ("null", Attribute::Text("null".to_owned())),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            ..DeviceEntry::unknown("full", "air", "env", true)
        };
        let formula = DeviceEntry {
            id: "=1+1".to_owned(),
            name: Some(LocalText::new("@SUM(A1)", "'=quoted")),
            department: "-works".to_owned(),
            attributes: [
                ("pole", Attribute::Text("+49 30 1".to_owned())),
                ("limit", Attribute::Number(-1.5)),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            ..plain.clone()
        };
        let same = DeviceEntry { name: Some(LocalText::same("A")), ..plain.clone() };
        vec![plain, full, DeviceEntry { id: "same".to_owned(), ..same }, formula]
    }

    #[test]
    fn what_is_exported_is_imported_again_exactly() {
        let entries = awkward();
        let text = write_csv(&entries);
        let again = read_devices("x.csv", &text).expect("valid");
        assert_eq!(again, entries, "{text}");
        assert_eq!(write_csv(&again), text);
        let marked = format!("\u{feff}{text}");
        assert!(text.contains("\n'=1+1,'@SUM(A1),''=quoted,lamp,'-works,"), "{text}");
        assert_eq!(read_text(&marked).entries().count(), 4, "a byte order mark is no column");
    }

    #[test]
    fn every_bad_cell_is_reported_with_line_and_column_and_the_others_are_read() {
        let list = read_text(
            "id;kind;department;lon;lat;moving;interval;life_cycle\n\
             a;k;d;1;2;;;\n\
             b;k;d;116,3;39;maybe;5;gone\n\
             ;;;;;;;\n\
             c;k;d;7;;;;\n\
             d;k\n",
        );
        assert_eq!(list.entries().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["a"]);
        let found: Vec<_> = list
            .problems
            .iter()
            .map(|p| (p.line, p.device.as_str(), p.field.as_deref().unwrap_or("-")))
            .collect();
        let b = ["lon", "moving", "interval", "life_cycle"].map(|field| (Some(3), "b", field));
        let others = [(Some(5), "c", "lat"), (Some(6), "d", "-")];
        assert_eq!(found, [&b[..], &others[..]].concat());
        assert!(list.problems.iter().all(|problem| !problem.hint.is_empty()));
    }

    #[test]
    fn a_file_that_is_no_list_says_why() {
        let error = |bytes: &[u8]| {
            DeviceList::read("x.csv", ListFormat::Csv, bytes).expect_err("no list").to_string()
        };
        assert!(error(b"id,kind\na,b").contains("`department` is missing"));
        assert!(error(b"id,kind,department,colour\n").contains("`colour`"));
        assert!(error(b"id,kind,department,id\n").contains("twice"));
        let gbk = b"id,kind,department,name\na,k,d,\xD6\xD0\xCE\xC4";
        let text = error(gbk);
        assert!(text.contains("line 2 is not UTF-8") && text.contains("CSV UTF-8"), "{text}");
    }

    #[test]
    fn every_column_is_described_in_both_languages() {
        for column in COLUMNS {
            assert_ne!(column.about[0], column.about[1], "{}", column.name);
        }
    }
}
