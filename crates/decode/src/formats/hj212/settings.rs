//! What a source's options say about checksums, units and the key.

use city_model::unit;
use rustc_hash::FxHashMap;

use super::frame::{CrcKind, Sm4Key};
use crate::error::OptionsError;
use crate::options::{Options, name_of};

/// Which checksums are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crc {
    Either,
    Only(CrcKind),
    Ignore,
}

/// The units of codes that do not come in the standard's, by `units`.
pub(super) fn units(options: &Options<'_>) -> Result<FxHashMap<Box<str>, Box<str>>, OptionsError> {
    let mut units = FxHashMap::default();
    for (code, value) in options.table("units")?.into_iter().flatten() {
        let key = options.full(&format!("units.{code}"));
        let Some(text) = value.as_str() else {
            let problem = format!("must be a unit such as ug/m3, not {}", name_of(value));
            return Err(OptionsError::bad(key, problem));
        };
        if !unit::is_known(text) {
            let known: Vec<_> = unit::known().collect();
            let problem = format!("unit `{text}` is not known; known are {}", known.join(", "));
            return Err(OptionsError::bad(key, problem));
        }
        units.insert(code.as_str().into(), text.into());
    }
    Ok(units)
}

/// The key of encrypted data, by `sm4_key`. What is no key is not shown either: it may be nearly
/// one.
pub(super) fn sm4_key(options: &Options<'_>) -> Result<Option<Sm4Key>, OptionsError> {
    let Some(text) = options.text("sm4_key")? else { return Ok(None) };
    Sm4Key::from_hex(text).map(Some).ok_or_else(|| {
        let problem = "must be 32 hexadecimal digits, the 16 bytes of the device's SM4 key";
        OptionsError::bad(options.full("sm4_key"), problem)
    })
}
