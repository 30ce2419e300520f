//! `dependency`: while one thing is wrong, what hangs on it raises no alerts of its own.
//!
//! ```yaml
//! kind: dependency
//! when: [power-out]                  # while one of these rules fires
//! suppress: [air-silent, lamp-off]   # these raise nothing …
//! via: {attribute: feeder}           # … about devices on the same feeder
//! ```
//!
//! `via: gateway` is for what is behind the gateway that the alert is about, `via: zone` (with
//! `layer`) for what is in the same zone, `via: device` for the same device, and `via: {attribute:
//! feeder}` for devices whose attribute has the same value as that of the alert's device, or is its
//! id. It raises no alert itself. An alert that fires already goes on: it has its own story. When
//! the cause is over, silences have their full allowance anew, and what still holds waits for its
//! `for` again. So give the cause a shorter time to be found than what hangs on it.

use std::sync::Arc;

use city_model::{Severity, Span};

use super::{Built, Condition, Kind};
use crate::fields::{self, Fields};
use crate::parse::located;
use crate::problem::{Mark, Sink};
use crate::rule::Trust;
use crate::selector::Selector;
use crate::yaml::{Content, Node};

pub(super) static KIND: Kind = Kind {
    name: "dependency",
    about: [
        "Lets what hangs on something that is out raise no alerts of its own.",
        "上级设施故障期间，抑制其下属设备的告警。",
    ],
    keys: &["when", "suppress", "via", "layer"],
    placeholders: &[],
    summary: ["Suppresses what hangs on it", "抑制下属设备的告警"],
    read,
};

/// How what is suppressed hangs on the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// It is the same device.
    Device,
    /// Its gateway is the device that the alert is about.
    Gateway,
    /// It is in the same zone.
    Zone,
    /// An attribute of it has the value that the alert's device has, or is that device's id.
    Attribute(Arc<str>),
}

/// What suppresses what.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The ids of the rules that tell the cause.
    pub when: Vec<Arc<str>>,
    /// The ids of the rules that are held back.
    pub suppress: Vec<Arc<str>>,
    /// How they hang together.
    pub via: Via,
    /// Only zones of these layers; all if empty.
    pub(crate) layers: Vec<(Arc<str>, Mark)>,
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    if *select != Selector::default() {
        sink.report_with(
            rule.get("select").map_or(rule.node.mark, |node| node.mark),
            "rules of kind dependency select no readings",
            "remove `select`: the rules that it names do that",
        );
    }
    let layers = located(rule.get("layer"), "layer", sink);
    let rules = |key, hint, rule: &mut Fields<'_>, sink: &mut Sink| {
        let node = rule.need(key, hint, sink)?;
        let found = located(Some(node), key, sink);
        if found.is_empty() {
            sink.report_with(node.mark, format!("`{key}` names no rule"), hint);
        }
        Some(found)
    };
    let when = rules("when", "the ids of the rules that tell the cause", rule, sink);
    let suppress = rules("suppress", "the ids of the rules that are held back", rule, sink);
    let via = rule.need("via", "write `via: gateway`, `zone`, `device` or `{attribute: …}`", sink);
    let via = read_via(via?, sink);
    if let (Some((_, at)), Some(via)) = (layers.first(), &via)
        && *via != Via::Zone
    {
        sink.report_with(*at, "`layer` is for zones", "write `via: zone`, or remove `layer`");
    }
    let (when, suppress) = (when?, suppress?);
    let ids = |places: &[(Arc<str>, Mark)]| places.iter().map(|(id, _)| id.clone()).collect();
    Some(Built {
        severity: Severity::Low,
        ladder: None,
        condition: Condition::Dependency(Dependency {
            when: ids(&when),
            suppress: ids(&suppress),
            via: via?,
            layers,
        }),
        hold: Span::ZERO,
        trust: Trust::default(),
        metrics: None,
        places: [when, suppress].concat(),
    })
}

fn read_via(node: &Node, sink: &mut Sink) -> Option<Via> {
    if let Content::Map(_) = node.content {
        let mut fields = Fields::of(node, "`via`", sink)?;
        let name = fields.need("attribute", "write `via: {attribute: feeder}`", sink);
        let name = name.and_then(|node| fields::text(node, "attribute", sink));
        fields.finish(|_| None, sink);
        return Some(Via::Attribute(name?.into()));
    }
    match node.text_value() {
        Some("device") => Some(Via::Device),
        Some("gateway") => Some(Via::Gateway),
        Some("zone") => Some(Via::Zone),
        _ => {
            sink.report_with(
                node.mark,
                format!("cannot go via {}", node.found()),
                "possible here: device, gateway, zone, {attribute: …}",
            );
            None
        }
    }
}
