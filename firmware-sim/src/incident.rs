//! What goes wrong in the city, when and where: the ground truth.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::LocalText;
use crate::noise::smoothstep;

/// The kinds without a battery.
const ON_THE_MAINS: &[&str] =
    &["air_station", "weather_station", "traffic_loop", "parking_garage", "street_light"];

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// The air of a zone gets bad; the peak is PM2.5 in µg/m³.
    AirEpisode,
    /// The water rises at the gauges of a zone; the peak is in m above their danger level.
    RisingWater,
    /// The gateway that serves a zone falls silent, and all behind it; the peak means nothing.
    DarkGateway,
    /// Traffic in a zone stands still; the peak is the speed that is left, in km/h.
    TrafficJam,
    /// It is very loud in a zone; the peak is in dB(A).
    LoudEvent,
    /// The mains of a zone fail: what has no battery falls silent, and with the zone's gateway all
    /// behind it; the peak means nothing.
    PowerCut,
    /// Many people come into a zone: it is loud, and the garages are full; the peak is in dB(A).
    Festival,
}

impl IncidentKind {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AirEpisode => "air_episode",
            Self::RisingWater => "rising_water",
            Self::DarkGateway => "dark_gateway",
            Self::TrafficJam => "traffic_jam",
            Self::LoudEvent => "loud_event",
            Self::PowerCut => "power_cut",
            Self::Festival => "festival",
        }
    }

    /// The kinds of devices that it acts on, how many of one zone it needs and how many at most it
    /// takes; a gateway is looked up by the zone that it serves.
    pub(crate) const fn acts_on(self) -> (&'static [&'static str], usize, usize) {
        match self {
            Self::AirEpisode => (&["air_station"], 3, 5),
            Self::RisingWater => (&["water_gauge"], 1, 2),
            Self::DarkGateway => (&[crate::kinds::GATEWAY], 1, 1),
            Self::TrafficJam => (&["traffic_loop"], 3, 16),
            Self::LoudEvent => (&["noise_meter"], 1, 2),
            Self::PowerCut => (ON_THE_MAINS, 3, usize::MAX),
            Self::Festival => (&["noise_meter", "parking_garage"], 2, 8),
        }
    }

    /// Whether what it acts on cannot be heard: the gateway of its zone, and all behind it, too.
    pub(crate) const fn silences(self) -> bool {
        matches!(self, Self::DarkGateway | Self::PowerCut)
    }

    /// How bad it gets when nobody says.
    pub(crate) const fn usual_peak(self) -> f64 {
        match self {
            Self::AirEpisode => 170.0,
            Self::RisingWater => 0.3,
            Self::DarkGateway | Self::PowerCut => 0.0,
            Self::Festival => 88.0,
            Self::TrafficJam => 8.0,
            Self::LoudEvent => 94.0,
        }
    }

    pub(crate) fn name_in(self, zone: &LocalText) -> LocalText {
        let (en, zh) = match self {
            Self::AirEpisode => ("Bad air in", "空气污染过程"),
            Self::RisingWater => ("Rising water in", "水位上涨"),
            Self::DarkGateway => ("Dark gateway in", "网关离线"),
            Self::TrafficJam => ("Traffic jam in", "交通拥堵"),
            Self::LoudEvent => ("Loud event in", "噪声事件"),
            Self::PowerCut => ("Power cut in", "停电"),
            Self::Festival => ("Festival in", "大型活动"),
        };
        LocalText::new(format!("{en} {}", zone.en), format!("{}{zh}", zone.zh))
    }
}

/// Something that happens: a rise, a peak and an end at certain devices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Incident {
    /// Its number from 1.
    pub number: usize,
    /// What happens.
    pub kind: IncidentKind,
    /// What people would call it.
    pub name: LocalText,
    /// The English name of the zone.
    pub zone: String,
    /// The ids of the devices that it acts on; of a dark gateway or a power cut those that fall
    /// silent, the gateway first.
    pub devices: Vec<String>,
    /// When it begins.
    #[serde(serialize_with = "rfc3339")]
    pub start: Timestamp,
    /// From when on it is at its worst.
    #[serde(serialize_with = "rfc3339")]
    pub peak_from: Timestamp,
    /// Until when it is at its worst.
    #[serde(serialize_with = "rfc3339")]
    pub peak_until: Timestamp,
    /// When all is as before.
    #[serde(serialize_with = "rfc3339")]
    pub end: Timestamp,
    /// How bad it gets, see [`IncidentKind`].
    pub peak: f64,
}

impl Incident {
    /// How far it is at a time: 0 before and after, 1 at its worst.
    pub fn strength(&self, time: Timestamp) -> f64 {
        let share = |from: Timestamp, to: Timestamp| {
            let (from, to) = (from.as_millisecond(), to.as_millisecond());
            if to == from {
                1.0
            } else {
                (time.as_millisecond() - from) as f64 / (to - from) as f64
            }
        };
        if time < self.start || time >= self.end {
            0.0
        } else if time < self.peak_from {
            smoothstep(share(self.start, self.peak_from))
        } else if time < self.peak_until {
            1.0
        } else {
            1.0 - smoothstep(share(self.peak_until, self.end))
        }
    }
}

pub(crate) fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn strength_rises_stays_and_falls() {
        let at = |s: i64| from_millis(s * 1_000);
        let incident = Incident {
            number: 1,
            kind: IncidentKind::AirEpisode,
            name: LocalText::default(),
            zone: String::new(),
            devices: Vec::new(),
            start: at(10),
            peak_from: at(20),
            peak_until: at(30),
            end: at(50),
            peak: 1.0,
        };
        for (second, strength) in
            [(9, 0.0), (10, 0.0), (15, 0.5), (20, 1.0), (29, 1.0), (30, 1.0), (40, 0.5), (50, 0.0)]
        {
            assert!((incident.strength(at(second)) - strength).abs() < 1e-9, "at {second} s");
        }
        let sudden = Incident { peak_from: at(10), peak_until: at(50), ..incident };
        assert_eq!((sudden.strength(at(10)), sudden.strength(at(49))), (1.0, 1.0));
    }
}
