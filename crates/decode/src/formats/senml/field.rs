//! The fields of a SenML record and what they are called in JSON and CBOR.

use crate::error::quote;

/// The fields of a record (clause 4.3, labels of clause 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseSum,
    BaseVersion,
    Name,
    Unit,
    Value,
    Text,
    Bool,
    Sum,
    Time,
    Data,
}

impl Field {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bn" => Self::BaseName,
            "bt" => Self::BaseTime,
            "bu" => Self::BaseUnit,
            "bv" => Self::BaseValue,
            "bs" => Self::BaseSum,
            "bver" => Self::BaseVersion,
            "n" => Self::Name,
            "u" => Self::Unit,
            "v" => Self::Value,
            "vs" => Self::Text,
            "vb" => Self::Bool,
            "s" => Self::Sum,
            "t" => Self::Time,
            "vd" => Self::Data,
            _ => return None,
        })
    }

    /// By its label in CBOR (clause 6, table 4). The update time (7) says nothing about values.
    pub(super) const fn labelled(label: i64) -> Option<Self> {
        Some(match label {
            -1 => Self::BaseVersion,
            -2 => Self::BaseName,
            -3 => Self::BaseTime,
            -4 => Self::BaseUnit,
            -5 => Self::BaseValue,
            -6 => Self::BaseSum,
            0 => Self::Name,
            1 => Self::Unit,
            2 => Self::Value,
            3 => Self::Text,
            4 => Self::Bool,
            5 => Self::Sum,
            6 => Self::Time,
            8 => Self::Data,
            _ => return None,
        })
    }

    /// By its name; a name that ends in `_` must be understood (clause 4.4).
    pub(super) fn known(name: &str) -> Result<Option<Self>, String> {
        match Self::named(name) {
            None if name.ends_with('_') => {
                let name = quote(name);
                Err(format!("the field `{name}` must be understood, but is not known"))
            }
            field => Ok(field),
        }
    }
}
