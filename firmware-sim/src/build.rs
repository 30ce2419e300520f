//! Builds a fleet from a scenario: who stands where, sends through whom, and what will happen.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::clock::from_millis;
use crate::device::{DeclaredPosition, DeviceSpec};
use crate::fault::Fault;
use crate::fleet::{Sender, Unit};
use crate::formats::{self, Via};
use crate::incident::{Incident, IncidentKind};
use crate::kinds::{self, BUS, GATEWAY, Kind, Seed};
use crate::noise::{between, key, mix};
use crate::route::{self, Ride, Route};
use crate::scenario::{DeviceGroup, FaultPlan, IncidentPlan, Repeat, Scenario};
use crate::text::slug;
use crate::zones::Zones;
use crate::{LocalText, SimError, Span};

/// A fleet under construction.
pub(crate) struct Builder<'s> {
    scenario: &'s Scenario,
    zones: &'s Zones,
    pub(crate) specs: Vec<DeviceSpec>,
    pub(crate) units: Vec<Unit>,
    /// The LoRaWAN gateway of each zone, as a device.
    lorawan: Vec<Option<usize>>,
    /// The cabinet of each zone, as a device.
    cabinets: Vec<Option<usize>>,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(scenario: &'s Scenario, zones: &'s Zones) -> Self {
        let none = vec![None; zones.list.len()];
        Self {
            scenario,
            zones,
            specs: Vec::new(),
            units: Vec::new(),
            lorawan: none.clone(),
            cabinets: none,
        }
    }

    /// Makes all devices: gateways first, because the others send through them.
    pub(crate) fn devices(&mut self) -> Result<(), SimError> {
        let scenario = self.scenario;
        let (gateways, others): (Vec<_>, Vec<_>) =
            scenario.devices.iter().partition(|group| group.kind == GATEWAY);
        for group in gateways {
            self.gateways(group);
        }
        for group in others {
            if group.kind == BUS {
                self.buses(group)?;
            } else {
                self.fixed(group);
            }
        }
        Ok(())
    }

    fn gateways(&mut self, group: &DeviceGroup) {
        let kinds = [
            ("gw", self.scenario.lorawan_gateways, ("LoRaWAN gateway", "LoRaWAN 网关")),
            ("cab", self.scenario.cabinets, ("Roadside cabinet", "路侧机柜")),
        ];
        for (prefix, count, (en, zh)) in kinds {
            for region in self.zones.regions(count) {
                let largest = region
                    .iter()
                    .copied()
                    .max_by(|a, b| self.zones.list[*a].area.total_cmp(&self.zones.list[*b].area));
                let Some(home) = largest else { continue };
                let name = &self.zones.list[home].name;
                let id = format!("{prefix}-{}", slug(&name.en));
                let name = LocalText::new(format!("{en} {}", name.en), format!("{}{zh}", name.zh));
                let index = self.add(group, id, name, home, None);
                let table = if prefix == "gw" { &mut self.lorawan } else { &mut self.cabinets };
                for zone in region {
                    table[zone] = Some(index);
                }
            }
        }
    }

    fn fixed(&mut self, group: &DeviceGroup) {
        for (zone, count) in self.zones.share_out(group.count).into_iter().enumerate() {
            for n in 1..=count {
                let Some(kind) = kinds::kind(&group.kind) else { continue };
                let place = &self.zones.list[zone].name;
                let id = format!("{}-{}-{n}", kind.prefix(), slug(&place.en));
                let name = kind.name();
                let name = LocalText::new(
                    format!("{} {} {n}", name.en, place.en),
                    format!("{}{} {n}", place.zh, name.zh),
                );
                self.add(group, id, name, zone, None);
            }
        }
    }

    fn buses(&mut self, group: &DeviceGroup) -> Result<(), SimError> {
        let routes = route::routes(self.zones, self.scenario.bus_routes);
        if routes.is_empty() && group.count > 0 {
            return Err(SimError::scenario(
                "[[devices]] of kind bus",
                "no straight street of 2.5 km fits into the zones",
                "leave the buses out or take larger zones",
            ));
        }
        for n in 0..group.count {
            let (line, bus) = (n % routes.len() + 1, n / routes.len() + 1);
            let id = format!("bus-{line}-{bus}");
            let name =
                LocalText::new(format!("Bus {line}, car {bus}"), format!("{line} 路 {bus} 号车"));
            self.add(group, id, name, 0, routes.get(n % routes.len()).copied());
        }
        Ok(())
    }

    fn add(
        &mut self,
        group: &DeviceGroup,
        id: String,
        name: LocalText,
        zone: usize,
        route: Option<Route>,
    ) -> usize {
        let index = self.specs.len();
        let (Some(kind), Some(format)) = (kinds::kind(&group.kind), formats::format(&group.format))
        else {
            unreachable!("the scenario was checked when it was read")
        };
        let seed = mix(self.scenario.seed, key(&id));
        let gateway = match format.via() {
            Via::Direct => None,
            Via::Lorawan => self.lorawan[zone],
            Via::Cabinet => self.cabinets[zone],
        };
        let ride = route.map(|route| Ride {
            route,
            speed: between(mix(seed, 1), 4.2, 6.0),
            ahead: between(mix(seed, 2), 0.0, 7_200.0),
        });
        let place = self.zones.list[zone].place(mix(seed, 3));
        let interval = group.interval.millis();
        let phase = (between(mix(seed, 4), 0.0, 1.0) * interval as f64) as i64;
        self.specs.push(DeviceSpec {
            id,
            name,
            kind: group.kind.clone(),
            department: kind.department().0.to_owned(),
            position: ride.is_none().then(|| DeclaredPosition {
                lon: place.0,
                lat: place.1,
                crs: "WGS-84".to_owned(),
            }),
            moving: ride.is_some(),
            interval: group.interval,
            gateway: gateway.map(|gateway| self.specs[gateway].id.clone()),
            attributes: kind.attributes(Seed(seed)),
            life_cycle: "active".to_owned(),
            simulated: true,
        });
        self.units.push(Unit {
            kind,
            format,
            seed: Seed(seed),
            zone,
            place,
            ride,
            gateway,
            interval,
            phase,
        });
        index
    }

    /// Who publishes: each device for itself, but those behind a cabinet together.
    pub(crate) fn senders(&self) -> Vec<Sender> {
        let mut senders = Vec::new();
        let mut cabinets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, unit) in self.units.iter().enumerate() {
            match (unit.format.via(), unit.gateway) {
                (Via::Cabinet, Some(cabinet)) => cabinets.entry(cabinet).or_default().push(index),
                _ => senders.push(Sender {
                    devices: vec![index],
                    link: mix(unit.seed.0, 5),
                    interval: unit.interval,
                    phase: unit.phase,
                }),
            }
        }
        for (cabinet, devices) in cabinets {
            let cabinet = &self.units[cabinet];
            let interval =
                devices.iter().map(|index| self.units[*index].interval).min().unwrap_or(1);
            senders.push(Sender {
                devices,
                link: mix(cabinet.seed.0, 5),
                interval,
                phase: cabinet.phase % interval,
            });
        }
        senders
    }

    /// The prescribed incidents and those that follow, by their start.
    pub(crate) fn incidents(&self, start: Timestamp) -> Result<Vec<Incident>, SimError> {
        let mut plans = self.scenario.incidents.clone();
        for (number, repeat) in self.scenario.repeat.iter().enumerate() {
            self.repeat(number, repeat, &mut plans);
        }
        plans.sort_by_key(|plan| plan.start);
        plans
            .iter()
            .enumerate()
            .map(|(index, plan)| self.incident(index + 1, plan, start))
            .collect()
    }

    fn incident(
        &self,
        number: usize,
        plan: &IncidentPlan,
        start: Timestamp,
    ) -> Result<Incident, SimError> {
        let fail = |problem: String| {
            let place = format!("incident {} in `{}`", plan.kind.name(), plan.zone);
            Err(SimError::scenario(place, problem, "choose another zone or more devices"))
        };
        let Some(zone) = self.zones.by_name(&plan.zone) else {
            return fail("the zone file has no such zone".to_owned());
        };
        let devices = self.struck(plan.kind, zone, plan.share);
        if devices.is_empty() {
            return fail(format!("no {} is there", plan.kind.acts_on().0.join(" or ")));
        }
        let after = |spans: &[Span]| {
            let millis: i64 = spans.iter().map(|span| span.millis()).sum();
            from_millis(start.as_millisecond() + millis)
        };
        Ok(Incident {
            number,
            kind: plan.kind,
            name: plan.kind.name_in(&self.zones.list[zone].name),
            zone: plan.zone.clone(),
            devices: devices.into_iter().map(|index| self.specs[index].id.clone()).collect(),
            start: after(&[plan.start]),
            peak_from: after(&[plan.start, plan.rise]),
            peak_until: after(&[plan.start, plan.rise, plan.hold]),
            end: after(&[plan.start, plan.rise, plan.hold, plan.fall]),
            peak: plan.peak,
        })
    }

    /// The faults of the scenario. What the registry says of places is changed by them.
    pub(crate) fn faults(&mut self, start: Timestamp) -> Result<Vec<Fault>, SimError> {
        let plans = self.scenario.faults.iter().enumerate();
        plans.map(|(index, plan)| self.fault(index + 1, plan, start)).collect()
    }

    fn fault(
        &mut self,
        number: usize,
        plan: &FaultPlan,
        start: Timestamp,
    ) -> Result<Fault, SimError> {
        let seed = mix(self.scenario.seed, 0xfa17 + number as u64);
        let drawn = |unit: &Unit| mix(unit.seed.0, seed);
        let of_kind = self.units.iter().enumerate().filter(|(_, u)| u.kind.id() == plan.devices);
        let mut hit: Vec<usize> = of_kind.map(|(index, _)| index).collect();
        hit.sort_by_key(|index| drawn(&self.units[*index]));
        hit.truncate(((hit.len() as f64 * plan.share).round() as usize).max(1));
        hit.sort_unstable();
        if plan.kind.is_of_places() {
            for index in &hit {
                self.say_place(*index, number, plan)?;
            }
        }
        let after = |span: Span| from_millis(start.as_millisecond().saturating_add(span.millis()));
        Ok(Fault {
            number,
            kind: plan.kind,
            devices: hit.into_iter().map(|index| self.specs[index].id.clone()).collect(),
            start: after(plan.start),
            end: plan
                .hold
                .map(|hold| after(Span::from_millis(plan.start.millis() + hold.millis()))),
            size: plan.kind.sizes().map_or(0.0, |(usual, _)| plan.size.unwrap_or(usual)),
            format: plan.format.clone(),
        })
    }

    /// Puts the place into the registry that a faulty device says.
    fn say_place(&mut self, index: usize, number: usize, plan: &FaultPlan) -> Result<(), SimError> {
        let unit = &self.units[index];
        let Some(said) = plan.kind.said(unit.place) else {
            return Err(SimError::scenario(
                format!("[[faults]] number {number}"),
                format!("there is no {} outside of China", plan.kind.name()),
                "leave it out for this city",
            ));
        };
        if let Some(position) = &mut self.specs[index].position {
            if !plan.start.is_zero() || plan.hold.is_some() {
                return Err(SimError::scenario(
                    format!("[[faults]] number {number}"),
                    "it has a start or an end, but the registry says one place for all times",
                    "leave start and hold out, or take devices that move",
                ));
            }
            (position.lon, position.lat) = said;
        }
        Ok(())
    }

    /// The devices on which an incident in a zone acts: a share of the zone's, or the usual few.
    fn struck(&self, kind: IncidentKind, zone: usize, share: Option<f64>) -> Vec<usize> {
        let (wanted, _, most) = kind.acts_on();
        let there = |index: &usize| {
            let unit: &Unit = &self.units[*index];
            wanted.contains(&unit.kind.id()) && unit.zone == zone && unit.ride.is_none()
        };
        if !kind.silences() {
            let mut all: Vec<usize> = (0..self.units.len()).filter(there).collect();
            all.truncate(share.map_or(most, |share| (all.len() as f64 * share).ceil() as usize));
            return all;
        }
        let gateway = self.lorawan[zone];
        let is_hit = |index: &usize| {
            let behind = gateway.is_some() && self.units[*index].gateway == gateway;
            behind || (kind == IncidentKind::PowerCut && Some(*index) != gateway && there(index))
        };
        if kind == IncidentKind::DarkGateway && gateway.is_none() {
            return Vec::new();
        }
        gateway.into_iter().chain((0..self.units.len()).filter(is_hit)).collect()
    }

    /// Incidents at random places, one after the other.
    fn repeat(&self, number: usize, repeat: &Repeat, plans: &mut Vec<IncidentPlan>) {
        let places: Vec<Vec<usize>> =
            repeat.kinds.iter().map(|kind| self.fitting_zones(*kind, repeat.share)).collect();
        let mut recent: Vec<usize> =
            plans.iter().filter_map(|plan| self.zones.by_name(&plan.zone)).collect();
        let mut start = repeat.first;
        for n in 0_u64.. {
            if start > repeat.until {
                return;
            }
            let seed = mix(mix(self.scenario.seed, 0x1c1d + number as u64), n);
            let which = n as usize % repeat.kinds.len();
            let kind = repeat.kinds[which];
            let fresh: Vec<usize> =
                places[which].iter().copied().filter(|zone| !recent.contains(zone)).collect();
            let choice = if fresh.is_empty() { &places[which] } else { &fresh };
            if !choice.is_empty() {
                let zone = choice[(mix(seed, 1) % choice.len() as u64) as usize];
                recent.push(zone);
                if recent.len() > 6 {
                    recent.remove(0);
                }
                plans.push(self.random_plan(repeat, kind, zone, start, seed));
            }
            let [low, high] = repeat.pause;
            let pause = between(mix(seed, 2), low.millis() as f64, high.millis() as f64);
            start = Span::from_millis(start.millis() + pause as i64);
        }
    }

    fn random_plan(
        &self,
        repeat: &Repeat,
        kind: IncidentKind,
        zone: usize,
        start: Span,
        seed: u64,
    ) -> IncidentPlan {
        let drawn = |which: u64, given: Option<[Span; 2]>, usual: [i64; 2]| {
            let [low, high] = given.unwrap_or(usual.map(Span::from_secs)).map(Span::secs_f64);
            Span::from_millis((between(mix(seed, which), low, high) * 1e3) as i64)
        };
        let sudden = kind.silences();
        let slope = |which, given| {
            if sudden { Span::default() } else { drawn(which, given, [30, 60]) }
        };
        IncidentPlan {
            kind,
            zone: self.zones.list[zone].name.en.clone(),
            start,
            rise: slope(3, repeat.rise),
            hold: drawn(4, repeat.hold, if sudden { [60, 120] } else { [40, 90] }),
            fall: slope(5, repeat.fall),
            peak: kind.usual_peak(),
            share: repeat.share,
        }
    }

    /// The zones with enough devices for an incident.
    fn fitting_zones(&self, kind: IncidentKind, share: Option<f64>) -> Vec<usize> {
        let (_, least, _) = kind.acts_on();
        let fits = |zone: &usize| self.struck(kind, *zone, share).len() >= least;
        (0..self.zones.list.len()).filter(fits).collect()
    }
}

/// What people call a kind's department, and the kind itself, for the registry.
pub(crate) fn labels(kinds: &[&'static dyn Kind]) -> (Vec<crate::Label>, Vec<crate::Label>) {
    let mut departments: BTreeMap<&str, LocalText> = BTreeMap::new();
    let mut labels = Vec::new();
    for kind in kinds {
        let (department, name) = kind.department();
        departments.insert(department, name);
        labels.push(crate::Label { id: kind.id().to_owned(), name: kind.name() });
    }
    let departments = departments
        .into_iter()
        .map(|(id, name)| crate::Label { id: id.to_owned(), name })
        .collect();
    (labels, departments)
}
