//! A registry that changes under way: what was looked up of devices that did not change is kept, and
//! that must not show.

use super::*;

const SELECTIVE: &str = "
group: all
department: d
rules:
  - {id: all, kind: threshold, select: {metric: pm25}, for: 20s, severity: low, raise: {above: 60}}
  - {id: kind, kind: threshold, select: {metric: pm25, kind: other}, severity: low, raise: {above: 55}}
  - {id: one, kind: threshold, select: {metric: pm25, device: [d1, d7]}, severity: low, raise: {above: 50}}
  - {id: north, kind: threshold, select: {metric: pm25, zone: north, department: d}, severity: low,
     raise: {above: 65}}
  - {id: tagged, kind: threshold, select: {metric: pm25, attributes: {line: [2, blue]}}, severity: low,
     raise: {above: 70}}
  - {id: gone, kind: absence, severity: low, for: 45s, group_by: gateway, min_devices: 2, share: 0.6}
  - {id: quiet, kind: absence, select: {kind: other}, severity: low, for: 30s}
  - {id: zone, kind: zone_aggregate, select: {metric: pm25}, severity: high, raise: {above: 65},
     aggregate: {function: mean, over: 30s, min_devices: 2}}
";

#[derive(Clone, Debug)]
enum Change {
    Kind(bool),
    Home(u32),
    Gateway(u32),
    Tag(u8),
    Stage(LifeCycle),
}

#[derive(Clone, Debug)]
enum Deed {
    Read(u32, i64, f64),
    /// Of a device that may be new.
    Change(u32, Change),
    Remove(u32),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let stages = prop::sample::select(vec![
        LifeCycle::Active,
        LifeCycle::Maintenance,
        LifeCycle::Planned,
        LifeCycle::Retired,
    ]);
    let change = prop_oneof![
        any::<bool>().prop_map(Change::Kind),
        (0u32..2).prop_map(Change::Home),
        (0u32..3).prop_map(Change::Gateway),
        (0u8..4).prop_map(Change::Tag),
        stages.prop_map(Change::Stage),
    ];
    let deed = prop_oneof![
        8 => (0u32..8, 0i64..9_000, 20.0f64..110.0).prop_map(|(d, gap, v)| Deed::Read(d, gap, v)),
        3 => (0u32..8, change).prop_map(|(d, change)| Deed::Change(d, change)),
        1 => (5u32..8).prop_map(Deed::Remove),
    ];
    prop::collection::vec(deed, 1..120)
}

fn changed(before: &Directory, key: u32, change: &Change) -> Device {
    let known = before.device(DeviceKey(key)).map(|device| (**device).clone());
    let mut changed = known.unwrap_or_else(|| device(key));
    match change {
        Change::Kind(other) => {
            changed.kind = if *other { "other".into() } else { "air_station".into() };
        }
        Change::Home(zone) => changed.zones = [ZoneKey(*zone)].into(),
        // The second gateway is a device that is watched itself as long as it is none.
        Change::Gateway(number) => {
            let gateways = [None, Some("gw".into()), Some("d0".into())];
            changed.gateway = gateways[*number as usize].clone();
        }
        Change::Tag(number) => {
            let values = [
                Attribute::Number(2.0),
                Attribute::Text("2".to_owned()),
                Attribute::Text("blue".to_owned()),
                Attribute::Bool(true),
            ];
            let value = values[usize::from(*number)].clone();
            changed.attributes.insert("line".to_owned(), value);
        }
        Change::Stage(stage) => changed.life_cycle = *stage,
    }
    changed
}

proptest! {
    #[test]
    fn what_is_kept_over_a_change_of_the_registry_does_not_show(deeds in deeds()) {
        let rules = rules(SELECTIVE);
        let mut directory = directory(["north", "south"]);
        let mut keeps = Evaluator::new(rules.clone(), directory.clone(), T0);
        // Looks everything up anew after each change.
        let mut forgets = Evaluator::new(rules.clone(), directory.clone(), T0);
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut now = 0;
        for deed in &deeds {
            match deed {
                Deed::Read(key, gap, value) => {
                    now += gap;
                    let mut reading = pm25(*key, now, *value);
                    reading.zones = directory
                        .device(DeviceKey(*key))
                        .map_or_else(ZoneSet::default, |device| device.zones.clone());
                    keeps.observe(&reading, &mut left);
                    forgets.observe(&reading, &mut right);
                    prop_assert_eq!(keeps.firing_count(), keeps.firing().count());
                    continue;
                }
                Deed::Change(key, change) => {
                    let device = changed(&directory, *key, change);
                    let mut next = (*directory).clone();
                    next.put(Arc::new(device));
                    directory = Arc::new(next);
                }
                Deed::Remove(key) => {
                    let mut next = (*directory).clone();
                    next.remove(DeviceKey(*key));
                    directory = Arc::new(next);
                }
            }
            let at = T0 + Span::from_millis(now);
            left.append(&mut keeps.set_directory(directory.clone(), at).events);
            right.append(&mut forgets.set_directory(directory.clone(), at).events);
            forgets = restarted(&forgets, &rules);
            prop_assert_eq!(keeps.firing_count(), forgets.firing_count());
        }
        let end = T0 + Span::from_millis(now + 120_000);
        keeps.advance(end, &mut left);
        forgets.advance(end, &mut right);
        prop_assert_eq!(left, right);
    }
}

#[test]
fn rules_of_other_devices_are_not_looked_at() {
    let mut text = "group: g\ndepartment: d\nrules:\n".to_owned();
    for number in 0..3_000 {
        let part = match number % 3 {
            0 => format!("kind: kind-{}", number / 3),
            1 => format!("department: dep-{}", number / 3),
            // One that selects nearly all does not count where a rarer part is given.
            _ => format!("kind: air_station, attributes: {{block: {}}}", number / 3),
        };
        writeln!(
            text,
            "  - {{id: r{number}, kind: threshold, select: {{metric: pm25, {part}}}, \
             severity: low, raise: {{above: 1}}}}"
        )
        .expect("written");
    }
    let devices = (0..1_000).map(|key| {
        let mut device = device(key);
        if key >= 5 {
            (device.kind, device.department) =
                (format!("kind-{key}").into(), format!("dep-{key}").into());
        }
        let block = Attribute::Number(f64::from(key));
        device.attributes = BTreeMap::from([("block".to_owned(), block)]);
        Arc::new(device)
    });
    let directory = Directory::new(devices, Catalogue::embedded(), Vec::new(), 1);
    let program = Program::new(&rules(&text), &directory);
    let metric = Catalogue::embedded().by_id("pm25").expect("known").key;
    let mut found = Vec::new();
    let device = directory.device(DeviceKey(40)).expect("registered");
    program.index.candidates(metric, device, &mut found);
    found.sort_unstable();
    assert_eq!(found, [120, 121, 122]);
}

#[test]
fn receivers_and_evaluator_are_brought_together() {
    let rules = rules(RULES);
    let directory = directory(["north", "south"]);
    let mut evaluator = Evaluator::new(rules.clone(), directory, T0);
    let mut out = Vec::new();
    for at in 0..40 {
        evaluator.observe(&pm25(0, at * 1_000, 90.0), &mut out);
    }
    let told: Vec<Told> = evaluator.told().collect();
    assert!(told.len() >= 3, "{told:?}");
    let before = evaluator.snapshot();

    out.clear();
    evaluator.reconcile(told.clone(), |_| None, &mut out);
    assert_eq!((out.len(), evaluator.snapshot()), (0, before), "nothing is amiss");

    // One was told of a milder one, one was told of more, one was told to nobody.
    let mut amiss = told.clone();
    let high = amiss.iter_mut().find(|told| told.alert.severity == Severity::High);
    let high = high.expect("one is high");
    (high.alert.severity, high.seq) = (Severity::Low, 7);
    let high = high.alert.id.clone();
    let untold = amiss.iter().position(|told| told.alert.id != high).expect("another");
    let untold = amiss.swap_remove(untold).alert.id;
    let mut lost = amiss[0].clone();
    lost.alert.id = "lost".into();
    lost.alert.rule.id = "no-such-rule".into();
    amiss.push(lost);
    evaluator.reconcile(amiss, |_| None, &mut out);
    let seen: Vec<_> = out.iter().map(|e| (&*e.key, e.kind, e.reason)).collect();
    let (escalated, resolved) = (AlertEventKind::Escalated, AlertEventKind::Resolved);
    assert_eq!(seen[0], (format!("{high}/8").as_str(), escalated, None));
    assert_eq!((seen[1].1, seen[1].2), (resolved, Some(EndReason::RuleRemoved)));
    assert_eq!(seen.len(), 2);
    assert!(evaluator.firing().all(|alert| alert.id != untold));
    assert_eq!(evaluator.firing_count(), evaluator.firing().count());

    // It is raised again, under another id.
    out.clear();
    for at in 40..80 {
        evaluator.observe(&pm25(0, at * 1_000, 90.0), &mut out);
    }
    out.retain(|event| &*event.alert.rule.id != "gone");
    assert_eq!(out.len(), 1, "{out:?}");
    assert!(out[0].kind == AlertEventKind::Fired && out[0].alert.id != untold);
}
