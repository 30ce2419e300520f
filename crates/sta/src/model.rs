//! The entities of the sensing profile and how they hang together (OGC 18-088, clause 8.2).

/// A kind of entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntityType {
    /// Clause 8.2.1.
    Thing,
    /// Clause 8.2.2.
    Location,
    /// Clause 8.2.3.
    HistoricalLocation,
    /// Clause 8.2.4.
    Datastream,
    /// Clause 8.2.5.
    Sensor,
    /// Clause 8.2.6.
    ObservedProperty,
    /// Clause 8.2.7.
    Observation,
    /// Clause 8.2.8.
    FeatureOfInterest,
}

/// A way from one entity to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation {
    /// As addresses spell it: in the plural if it leads to several.
    pub name: &'static str,
    /// Where it leads.
    pub target: EntityType,
    /// Whether it leads to several.
    pub many: bool,
}

const fn one(name: &'static str, target: EntityType) -> Relation {
    Relation { name, target, many: false }
}

const fn many(name: &'static str, target: EntityType) -> Relation {
    Relation { name, target, many: true }
}

impl EntityType {
    /// All, in the order of the standard.
    pub const ALL: [Self; 8] = [
        Self::Thing,
        Self::Location,
        Self::HistoricalLocation,
        Self::Datastream,
        Self::Sensor,
        Self::ObservedProperty,
        Self::Observation,
        Self::FeatureOfInterest,
    ];

    /// The name of one.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Thing => "Thing",
            Self::Location => "Location",
            Self::HistoricalLocation => "HistoricalLocation",
            Self::Datastream => "Datastream",
            Self::Sensor => "Sensor",
            Self::ObservedProperty => "ObservedProperty",
            Self::Observation => "Observation",
            Self::FeatureOfInterest => "FeatureOfInterest",
        }
    }

    /// The name of the set of them.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Thing => "Things",
            Self::Location => "Locations",
            Self::HistoricalLocation => "HistoricalLocations",
            Self::Datastream => "Datastreams",
            Self::Sensor => "Sensors",
            Self::ObservedProperty => "ObservedProperties",
            Self::Observation => "Observations",
            Self::FeatureOfInterest => "FeaturesOfInterest",
        }
    }

    /// The set of this name.
    pub fn of_set(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.plural() == name)
    }

    /// Its properties beside `id` and `selfLink`.
    pub const fn properties(self) -> &'static [&'static str] {
        match self {
            Self::Thing => &["name", "description", "properties"],
            Self::Location => &["name", "description", "properties", "encodingType", "location"],
            Self::HistoricalLocation => &["time"],
            Self::Datastream => &[
                "name",
                "description",
                "properties",
                "observationType",
                "unitOfMeasurement",
                "observedArea",
                "phenomenonTime",
                "resultTime",
            ],
            Self::Sensor => &["name", "description", "properties", "encodingType", "metadata"],
            Self::ObservedProperty => &["name", "description", "properties", "definition"],
            Self::Observation => &[
                "phenomenonTime",
                "result",
                "resultTime",
                "resultQuality",
                "validTime",
                "parameters",
            ],
            Self::FeatureOfInterest => {
                &["name", "description", "properties", "encodingType", "feature"]
            }
        }
    }

    /// The ways that lead from it.
    pub const fn relations(self) -> &'static [Relation] {
        const THING: Relation = one("Thing", EntityType::Thing);
        const THINGS: Relation = many("Things", EntityType::Thing);
        const LOCATIONS: Relation = many("Locations", EntityType::Location);
        const HISTORY: Relation = many("HistoricalLocations", EntityType::HistoricalLocation);
        const DATASTREAM: Relation = one("Datastream", EntityType::Datastream);
        const DATASTREAMS: Relation = many("Datastreams", EntityType::Datastream);
        const SENSOR: Relation = one("Sensor", EntityType::Sensor);
        const PROPERTY: Relation = one("ObservedProperty", EntityType::ObservedProperty);
        const OBSERVATIONS: Relation = many("Observations", EntityType::Observation);
        const FEATURE: Relation = one("FeatureOfInterest", EntityType::FeatureOfInterest);
        match self {
            Self::Thing => &[LOCATIONS, HISTORY, DATASTREAMS],
            Self::Location => &[THINGS, HISTORY],
            Self::HistoricalLocation => &[THING, LOCATIONS],
            Self::Datastream => &[THING, SENSOR, PROPERTY, OBSERVATIONS],
            Self::Sensor | Self::ObservedProperty => &[DATASTREAMS],
            Self::Observation => &[DATASTREAM, FEATURE],
            Self::FeatureOfInterest => &[OBSERVATIONS],
        }
    }

    /// The way of this name.
    pub fn relation(self, name: &str) -> Option<Relation> {
        self.relations().iter().copied().find(|relation| relation.name == name)
    }

    /// Whether it has a property of this name; `id` and `selfLink` with and without `@iot.`.
    pub fn has_property(self, name: &str) -> bool {
        matches!(name, "id" | "@iot.id" | "selfLink" | "@iot.selfLink")
            || self.properties().contains(&name)
    }

    /// What there is instead of a name that is not known, for people.
    pub(crate) fn names(self) -> String {
        let relations = self.relations().iter().map(|relation| relation.name);
        let names = ["id"].into_iter().chain(self.properties().iter().copied()).chain(relations);
        format!("{} has {}", self.singular(), names.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requirement `datamodel/*/relations`: what leads there leads back.
    #[test]
    fn every_relation_leads_back() {
        for kind in EntityType::ALL {
            assert_eq!(EntityType::of_set(kind.plural()), Some(kind));
            for relation in kind.relations() {
                let back = relation.target.relations().iter();
                assert!(back.clone().any(|back| back.target == kind), "{kind:?} {relation:?}");
                let name = if relation.many {
                    relation.target.plural()
                } else {
                    relation.target.singular()
                };
                assert_eq!(relation.name, name);
            }
        }
    }
}
