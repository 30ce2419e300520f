//! The orders of the list of devices, and where a page of it ends.

use std::cmp::Ordering;

use city_model::Device;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::live::DeviceNow;
use crate::parameters::Pairs;
use crate::problem::Answer;

/// What devices are sorted by. Equals are in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sort {
    by: By,
    descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum By {
    Id,
    Name,
    Kind,
    Department,
    LastSeen,
    NewestReading,
}

/// What devices are sorted by.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the parameter")]
pub(super) enum SortName {
    #[serde(rename = "id")]
    Id,
    #[serde(rename = "-id")]
    IdDescending,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "-name")]
    NameDescending,
    #[serde(rename = "kind")]
    Kind,
    #[serde(rename = "-kind")]
    KindDescending,
    #[serde(rename = "department")]
    Department,
    #[serde(rename = "-department")]
    DepartmentDescending,
    #[serde(rename = "last_seen_at")]
    LastSeen,
    #[serde(rename = "-last_seen_at")]
    LastSeenDescending,
    #[serde(rename = "newest_reading_at")]
    NewestReading,
    #[serde(rename = "-newest_reading_at")]
    NewestReadingDescending,
}

const fn sort(by: By, descending: bool) -> Sort {
    Sort { by, descending }
}

const SORTS: &[(&str, Sort)] = &[
    ("id", sort(By::Id, false)),
    ("-id", sort(By::Id, true)),
    ("name", sort(By::Name, false)),
    ("-name", sort(By::Name, true)),
    ("kind", sort(By::Kind, false)),
    ("-kind", sort(By::Kind, true)),
    ("department", sort(By::Department, false)),
    ("-department", sort(By::Department, true)),
    ("last_seen_at", sort(By::LastSeen, false)),
    ("-last_seen_at", sort(By::LastSeen, true)),
    ("newest_reading_at", sort(By::NewestReading, false)),
    ("-newest_reading_at", sort(By::NewestReading, true)),
];

/// What a device is compared by; what was never seen is before everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Time(Option<i64>),
    Text(String),
}

/// The last device of a page, by what it was sorted by when the page was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) sort: Sort,
    key: Key,
    id: String,
}

impl Sort {
    /// The parameter `sort`.
    pub(super) fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(pairs.one_of("sort", SORTS)?.unwrap_or(sort(By::Id, false)))
    }

    pub(super) fn compare(self, a: (&Device, &DeviceNow), b: (&Device, &DeviceNow)) -> Ordering {
        let ((a, of_a), (b, of_b)) = (a, b);
        let order = match self.by {
            By::Id => a.id.cmp(&b.id),
            By::Name => a.name.en.cmp(&b.name.en),
            By::Kind => a.kind.cmp(&b.kind),
            By::Department => a.department.cmp(&b.department),
            By::LastSeen => of_a.heard.cmp(&of_b.heard),
            By::NewestReading => of_a.newest.cmp(&of_b.newest),
        };
        (if self.descending { order.reverse() } else { order }).then_with(|| a.id.cmp(&b.id))
    }

    fn key(self, device: &Device, state: &DeviceNow) -> Key {
        match self.by {
            By::Id => Key::Text(device.id.to_string()),
            By::Name => Key::Text(device.name.en.clone()),
            By::Kind => Key::Text(device.kind.to_string()),
            By::Department => Key::Text(device.department.to_string()),
            By::LastSeen => Key::Time(state.heard.map(city_model::Timestamp::micros)),
            By::NewestReading => Key::Time(state.newest.map(city_model::Timestamp::micros)),
        }
    }
}

impl Place {
    /// The place of this device.
    pub(super) fn of(sort: Sort, device: &Device, state: &DeviceNow) -> Self {
        Self { sort, key: sort.key(device, state), id: device.id.to_string() }
    }

    /// Whether the place is at the device or after it.
    pub(super) fn is_at_or_after(&self, device: &Device, state: &DeviceNow) -> bool {
        let order = self.sort.key(device, state).cmp(&self.key);
        let order = if self.sort.descending { order.reverse() } else { order };
        order.then_with(|| (*device.id).cmp(&*self.id)).is_le()
    }
}
