//! The codecs of devices: from a device by its kind to a codec file or a built-in codec.
//!
//! Codec files are read once, from the folder `city.codecs`; a kind names one of them, or a
//! built-in codec such as `cayenne_lpp`. A kind may also come by the API, where it can name a file
//! of that folder but no other file of the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use city_codec::{JsCodec, Limits};
use city_decode::{BUILT_IN, Codec, CodecError, CodecOutput, Codecs, Frame, built_in};
use city_registry::{Kind, Registry};

use crate::settings::Problem;

/// The largest codec file, in bytes; vendors' files have up to some hundred thousand.
const LARGEST_FILE: u64 = 2 << 20;

/// The texts of codec files by the files' names.
#[derive(Clone, Debug, Default)]
pub struct CodecFiles(BTreeMap<String, Arc<str>>);

impl CodecFiles {
    /// Reads all `*.js` of a folder.
    pub fn read(folder: Option<&Path>, problems: &mut Vec<Problem>) -> Self {
        let Some(folder) = folder else { return Self::default() };
        let mut files = Self::default();
        let mut report = |message: String| {
            let hint = "it must be a folder with codec files, *.js";
            problems.push(Problem::new("city.codecs", message, hint));
        };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                report(format!("{} cannot be read: {error}", folder.display()));
                return files;
            }
        };
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path.extension().is_none_or(|extension| extension != "js") {
                continue;
            }
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            match read_file(&path) {
                Ok(text) => {
                    files.0.insert(name.to_owned(), text.into());
                }
                Err(why) => report(format!("{} {why}", path.display())),
            }
        }
        files
    }

    /// Tells about kinds whose codec is not there or cannot be compiled.
    pub fn check(&self, kinds: &[Kind], problems: &mut Vec<Problem>) {
        for (index, kind) in kinds.iter().enumerate() {
            let Some(Err(error)) = self.make(kind) else { continue };
            problems.push(Problem::new(
                format!("city.kinds[{index}].codec (`{}`)", kind.id),
                error.to_string(),
                error.hint,
            ));
        }
    }

    /// The codec of a kind; `None` if it has none.
    fn make(&self, kind: &Kind) -> Option<Result<Arc<dyn Codec>, CodecError>> {
        let name = kind.codec.as_deref()?;
        if let Some(codec) = built_in(name) {
            return Some(Ok(codec));
        }
        let Some(text) = self.0.get(name) else {
            let there: Vec<&str> =
                self.0.keys().map(String::as_str).chain(BUILT_IN.iter().copied()).collect();
            return Some(Err(CodecError {
                at: name.to_owned(),
                message: format!("there is no such codec; there are {}", there.join(", ")),
                hint: "put the file into the folder that `codecs` in [city] names, and start again",
            }));
        };
        let variables = kind.codec_variables.clone().into_iter().collect();
        let codec = JsCodec::new(name, text, &variables, Limits::default());
        Some(codec.map(|codec| Arc::new(codec) as Arc<dyn Codec>))
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > LARGEST_FILE {
        return Err(format!("has {size} bytes; a codec file has at most {LARGEST_FILE}"));
    }
    fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

/// The codecs of the registered devices, each made when its kind sends for the first time.
pub struct DeviceCodecs {
    registry: Arc<Registry>,
    files: CodecFiles,
    made: Mutex<BTreeMap<String, Made>>,
}

/// A codec and the kind as it was when the codec was made.
struct Made {
    kind: Arc<Kind>,
    codec: Arc<dyn Codec>,
}

impl DeviceCodecs {
    /// The codecs of a registry's devices.
    pub fn new(registry: Arc<Registry>, files: CodecFiles) -> Self {
        Self { registry, files, made: Mutex::default() }
    }
}

impl Codecs for DeviceCodecs {
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>> {
        let directory = self.registry.directory();
        let kind = self.registry.kind(&directory.device_by_id(device)?.kind)?;
        kind.codec.as_ref()?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get_mut(&kind.id) {
            let same = known.kind.codec == kind.codec
                && known.kind.codec_variables == kind.codec_variables;
            if Arc::ptr_eq(&known.kind, &kind) || same {
                known.kind = kind;
                return Some(known.codec.clone());
            }
        }
        let codec = self.files.make(&kind)?.unwrap_or_else(|error| {
            tracing::error!(kind = kind.id, codec = error.at, "{error}; {}", error.hint);
            Arc::new(Broken(error))
        });
        made.insert(kind.id.clone(), Made { kind, codec: codec.clone() });
        Some(codec)
    }
}

/// Stands where a codec could not be made, so that each frame is refused with the reason.
struct Broken(CodecError);

impl Codec for Broken {
    fn decode_uplink(&self, _frame: &Frame<'_>, _out: &mut CodecOutput) -> Result<(), CodecError> {
        Err(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use city_model::{LocalText, Timestamp, Value};
    use city_registry::{DeviceEntry, Seed};
    use city_store::StateDb;

    use super::*;

    fn kind(id: &str, codec: &str) -> Kind {
        Kind { codec: Some(codec.to_owned()), ..Kind::named(id, LocalText::same(id)) }
    }

    fn files(folder: &Path) -> CodecFiles {
        let source =
            "function decodeUplink(i) { return {data: {x: i.variables.factor * i.bytes[0]}}; }";
        fs::write(folder.join("x.js"), source).expect("written");
        fs::write(folder.join("broken.js"), "function {").expect("written");
        fs::write(folder.join("notes.txt"), "no codec").expect("written");
        let mut problems = Vec::new();
        let files = CodecFiles::read(Some(folder), &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(files.0.len(), 2);
        files
    }

    fn registry(folder: &Path, devices: &[(&str, &str)]) -> Arc<Registry> {
        let state = Arc::new(StateDb::open(folder.join("state.db")).expect("opened"));
        let registry = Registry::open(state, Seed::default()).expect("opened");
        let entry = |(id, kind): &(&str, &str)| DeviceEntry::unknown(id, kind, "city", false);
        let devices: Vec<DeviceEntry> = devices.iter().map(entry).collect();
        registry.import(&devices).expect("imported");
        Arc::new(registry)
    }

    fn x(codec: &dyn Codec) -> Result<Value, CodecError> {
        let received = Timestamp::from_secs(1_795_422_600);
        let frame = Frame { device: "a", bytes: &[4], f_port: Some(1), received };
        let mut out = CodecOutput::default();
        codec.decode_uplink(&frame, &mut out)?;
        Ok(out.values.remove(0).value)
    }

    #[test]
    fn a_device_has_the_codec_of_its_kind_as_it_is_now() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry(folder.path(), &[("a", "air"), ("b", "bench")]);
        let codecs = DeviceCodecs::new(registry.clone(), files(folder.path()));
        assert!(codecs.codec("a").is_none(), "its kind has none yet");
        let with = |factor: i32| Kind {
            codec_variables: BTreeMap::from([("factor".to_owned(), factor.into())]),
            ..kind("air", "x.js")
        };
        registry.put_kind(with(2)).expect("put");
        let codec = codecs.codec("a").expect("a codec");
        assert_eq!(x(&*codec), Ok(Value::from(8.0)));
        assert!(Arc::ptr_eq(&codec, &codecs.codec("a").expect("a codec")), "made once");
        registry.put_kind(with(3)).expect("put");
        assert_eq!(x(&*codecs.codec("a").expect("a codec")), Ok(Value::from(12.0)));
        assert!(codecs.codec("b").is_none() && codecs.codec("stranger").is_none());
        registry.put_kind(kind("bench", "cayenne_lpp")).expect("put");
        assert!(codecs.codec("b").is_some());
    }

    #[test]
    fn what_cannot_be_a_codec_is_told_at_the_start_and_with_each_frame() {
        let folder = tempfile::tempdir().expect("a folder");
        let registry = registry(folder.path(), &[("a", "air")]);
        let files = files(folder.path());
        let mut problems = Vec::new();
        let kinds = [kind("a", "x.js"), kind("b", "broken.js"), kind("c", "../state.db")];
        files.check(&kinds, &mut problems);
        let told: Vec<String> =
            problems.iter().map(|p| format!("{} {}", p.key, p.message)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("kinds[1].codec") && told[0].contains("broken.js:1"), "{told:?}");
        assert!(told[1].contains("x.js, cayenne_lpp"), "{told:?}");
        registry.put_kind(kind("air", "../state.db")).expect("put");
        let codecs = DeviceCodecs::new(registry, files);
        let error = x(&*codecs.codec("a").expect("one that refuses")).expect_err("no such file");
        assert!(error.message.contains("no such codec"), "{error}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_problem() {
        let mut problems = Vec::new();
        CodecFiles::read(Some(Path::new("/nowhere/at/all")), &mut problems);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].key, "city.codecs");
    }
}
