//! Sets of checks, in one byte.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{CHECKS, Check};

/// A set of checks: those that a reading did not pass.
///
/// A list of names in text formats (`["spike"]`), the bits in binary ones.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct CheckSet(u8);

impl CheckSet {
    /// No check.
    pub const EMPTY: Self = Self(0);
    /// The gross range check.
    pub const GROSS_RANGE: Self = Self(1);
    /// The spike check.
    pub const SPIKE: Self = Self(1 << 1);
    /// The rate of change check.
    pub const RATE_OF_CHANGE: Self = Self(1 << 2);
    /// The flat line check.
    pub const FLAT_LINE: Self = Self(1 << 3);
    /// The location check.
    pub const LOCATION: Self = Self(1 << 4);

    /// The bits: bit `i` is `CHECKS[i]`.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From bits, as written by [`CheckSet::bits`]; bits that no check has are dropped.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & (u8::MAX >> (8 - CHECKS.len())))
    }

    /// The set with the check at this place in [`CHECKS`].
    pub(crate) const fn of_index(index: usize) -> Self {
        Self(1 << index)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The checks, with their names and titles.
    pub fn iter(self) -> impl Iterator<Item = &'static Check> {
        let mine = move |index: &usize| self.has(Self::of_index(*index));
        (0..CHECKS.len()).filter(mine).map(|index| &CHECKS[index])
    }

    /// The set of one check, by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        CHECKS.iter().position(|check| check.name == name).map(Self::of_index)
    }
}

impl fmt::Debug for CheckSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|check| check.name)).finish()
    }
}

impl Serialize for CheckSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_seq(self.iter().map(|check| check.name))
        } else {
            serializer.serialize_u8(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for CheckSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u8::deserialize(deserializer).map(Self::from_bits);
        }
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().try_fold(Self::EMPTY, |set, name| {
            let check = Self::by_name(name);
            check.map(|check| set.with(check)).ok_or_else(|| {
                let known: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
                de::Error::custom(format!("no check `{name}`; known are {}", known.join(", ")))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_constant_and_its_bit() {
        let constants = [
            (CheckSet::GROSS_RANGE, "gross_range"),
            (CheckSet::SPIKE, "spike"),
            (CheckSet::RATE_OF_CHANGE, "rate_of_change"),
            (CheckSet::FLAT_LINE, "flat_line"),
            (CheckSet::LOCATION, "location"),
        ];
        assert_eq!(constants.len(), CHECKS.len());
        for (set, name) in constants {
            assert_eq!(set.iter().map(|check| check.name).collect::<Vec<_>>(), [name]);
            assert_eq!(CheckSet::by_name(name), Some(set));
        }
        assert_eq!(CheckSet::from_bits(0xff).iter().count(), CHECKS.len());
    }

    #[test]
    fn text_formats_hold_names_and_binary_ones_a_byte() {
        let set = CheckSet::SPIKE.with(CheckSet::LOCATION);
        let json = serde_json::to_string(&set).expect("JSON");
        assert_eq!(json, r#"["spike","location"]"#);
        assert_eq!(serde_json::from_str::<CheckSet>(&json).expect("read"), set);
        let bytes = postcard::to_allocvec(&set).expect("postcard");
        assert_eq!(bytes, [0b1_0010]);
        assert_eq!(postcard::from_bytes::<CheckSet>(&bytes).expect("read"), set);
        let error = serde_json::from_str::<CheckSet>(r#"["spyke"]"#).expect_err("unknown");
        assert!(error.to_string().contains("spyke") && error.to_string().contains("flat_line"));
    }
}
