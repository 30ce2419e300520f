//! What can stand in an alert's log.

use serde::Serialize;
use utoipa::ToSchema;

/// Defines the kinds, their names in the API and the database, and the slice of them all.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $kind:ident $name:literal;)*) => {
        /// What stands in an alert's log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum AlertLogKind {
            $($(#[doc = $doc])* $kind,)*
        }

        impl AlertLogKind {
            /// All with their names.
            pub(crate) const ALL: &[(&str, Self)] = &[$(($name, Self::$kind)),*];
        }
    };
}

kinds! {
    Fired "fired";
    Escalated "escalated";
    Deescalated "deescalated";
    Resolved "resolved";
    Acknowledged "acknowledged";
    Noted "noted";
    /// A silence (`about`) began to hold it back.
    Silenced "silenced";
    /// A silence holds it back no longer.
    Unsilenced "unsilenced";
    /// Another alert (`about`) began to hold it back.
    Inhibited "inhibited";
    /// That alert holds it back no longer.
    Uninhibited "uninhibited";
    Shelved "shelved";
    Unshelved "unshelved";
    /// Somebody made a silence (`about`); of no alert.
    SilenceCreated "silence_created";
    /// Somebody ended a silence early; of no alert.
    SilenceEnded "silence_ended";
    /// Somebody was asked to take care of it (`about`).
    Assigned "assigned";
    Accepted "accepted";
    /// It was given to another department (`about`).
    HandedOver "handed_over";
    /// It was given back to whoever it came from (`about`).
    Returned "returned";
    /// Whoever had to act (`about`) did not in time.
    Overdue "overdue";
    /// More alerts came to an operator position (`about`) than anybody can look at; of no alert.
    FloodBegan "flood_began";
    /// The flood is over; of no alert.
    FloodEnded "flood_ended";
}

impl AlertLogKind {
    /// The name in the API and the database.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_api() {
        for (name, kind) in AlertLogKind::ALL {
            assert_eq!(serde_json::to_value(kind).expect("JSON"), *name);
            assert_eq!(AlertLogKind::named(name), Some(*kind));
            assert_eq!(kind.name(), *name);
        }
    }
}
