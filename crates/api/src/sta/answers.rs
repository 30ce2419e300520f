//! Answers as SensorThings writes them (OGC 18-088, clauses 8.1, 9.2 and 9.3).

use city_sta::{EntityType, Options, Relation, ResourcePath, ResultFormat, Tail};
use serde_json::{Map, Value as Json, json};

use super::item::{Item, Set};
use super::links::{next_link, self_link};
use super::pages::{Page, page};
use super::properties::property;
use super::world::World;
use crate::problem::{Answer, Problem, codes};

/// What an address leads to.
pub(super) enum Found {
    /// JSON.
    Json(Json),
    /// A property as it is.
    Text(String),
    /// A property that has no value.
    Nothing,
}

/// Follows an address and tells what is there.
pub(super) fn answer(world: &World, path: &ResourcePath, options: &Options) -> Answer<Found> {
    let Some(kind) = path.steps.last().map(|step| step.target) else {
        return Ok(Found::Json(service(world)));
    };
    let place = follow(world, path)?;
    match (place, &path.tail) {
        (Place::Set(set, address), Tail::Reference) => {
            let page = page(world, set, options)?;
            let link = |item: &Item| json!({ "@iot.selfLink": self_link(world, item) });
            let values = page.items.iter().map(link).collect();
            Ok(Found::Json(collection(values, &page, &format!("{address}/$ref"), options)))
        }
        (Place::Set(set, address), _) => {
            let page = page(world, set, options)?;
            let values = if options.format == ResultFormat::DataArray {
                data_array(world, &page.items, options)?
            } else {
                let told = page.items.iter().map(|item| entity(world, item, options));
                told.collect::<Answer<Vec<_>>>()?
            };
            Ok(Found::Json(collection(values, &page, &address, options)))
        }
        (Place::One(item), Tail::Entities) => Ok(Found::Json(entity(world, &item, options)?)),
        (Place::One(item), Tail::Reference) => {
            Ok(Found::Json(json!({ "@iot.selfLink": self_link(world, &item) })))
        }
        (Place::One(item), Tail::Property(steps)) => match value(world, &item, steps) {
            Json::Null => Ok(Found::Nothing),
            told => {
                let name = steps.last().cloned().unwrap_or_default();
                Ok(Found::Json(Json::Object(Map::from_iter([(name, told)]))))
            }
        },
        (Place::One(item), Tail::Value(steps)) => Ok(match value(world, &item, steps) {
            Json::Null => Found::Nothing,
            Json::String(text) => Found::Text(text),
            told => Found::Text(told.to_string()),
        }),
        (Place::Nothing, _) => {
            let detail = format!("There is no such {}.", kind.singular());
            Err(Problem::new(codes::NOT_FOUND, detail).hint(format!(
                "{}/{} lists those that there are.",
                world.root,
                kind.plural()
            )))
        }
    }
}

/// Where an address leads.
enum Place {
    /// To several, with the address without options.
    Set(Set, String),
    One(Item),
    Nothing,
}

fn follow(world: &World, path: &ResourcePath) -> Answer<Place> {
    let mut at: Option<Item> = None;
    let last = path.steps.len().saturating_sub(1);
    for (nth, step) in path.steps.iter().enumerate() {
        if let Some(key) = &step.key {
            let Some(found) = Item::find(world, step.target, key)? else {
                return Ok(Place::Nothing);
            };
            // It must be one of those that the way leads to.
            if at.as_ref().is_some_and(|from| !leads_to(world, from, &found)) {
                return Ok(Place::Nothing);
            }
            at = Some(found);
            continue;
        }
        let (set, address) = match &at {
            None => {
                (Item::all(world, step.target), format!("{}/{}", world.root, step.target.plural()))
            }
            Some(from) => {
                let name = if step.many { step.target.plural() } else { step.target.singular() };
                let address = format!("{}/{name}", self_link(world, from));
                (from.related(world, step.target), address)
            }
        };
        if step.many {
            debug_assert_eq!(nth, last, "nothing leads on from several");
            return Ok(Place::Set(set, address));
        }
        let Set::Listed(mut items) = set else { return Ok(Place::Nothing) };
        match items.pop() {
            Some(item) => at = Some(item),
            None => return Ok(Place::Nothing),
        }
    }
    Ok(at.map_or(Place::Nothing, Place::One))
}

fn leads_to(world: &World, from: &Item, found: &Item) -> bool {
    match (from.related(world, found.kind()), found) {
        (Set::Listed(items), _) => {
            let id = found.id(world);
            items.iter().any(|item| item.id(world) == id)
        }
        (Set::Observations(all), Item::Observation(series, _)) => {
            all.iter().any(|one| one.key() == series.key())
        }
        (Set::HistoricalLocations(all), Item::HistoricalLocation(device, ..)) => {
            all.iter().any(|one| one.key == device.key)
        }
        _ => false,
    }
}

/// A property, or what is inside it.
fn value(world: &World, item: &Item, steps: &[String]) -> Json {
    let Some((first, rest)) = steps.split_first() else { return Json::Null };
    let mut told = member(world, item, first.trim_start_matches("@iot."));
    for step in rest {
        told = told.get_mut(step).map(Json::take).unwrap_or_default();
    }
    told
}

fn member(world: &World, item: &Item, name: &str) -> Json {
    match name {
        "id" => json!(item.id(world)),
        "selfLink" => json!(self_link(world, item)),
        _ => property(world, item, name),
    }
}

/// Requirement `resource-path/resource-path-to-entities`, clause 9.2.1.
fn service(world: &World) -> Json {
    let sets = EntityType::ALL.map(
        |kind| json!({ "name": kind.plural(), "url": format!("{}/{}", world.root, kind.plural()) }),
    );
    const BASE: &str = "http://www.opengis.net/spec/iot_sensing/1.1/req";
    let met = [
        "datamodel",
        "resource-path/resource-path-to-entities",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/orderby",
        "request-data/skip",
        "request-data/top",
        "request-data/filter",
        "request-data/built-in-filter-operations",
        "request-data/built-in-query-functions",
        "request-data/pagination",
        "data-array/data-array",
    ];
    json!({ "value": sets,
        "serverSettings": { "conformance": met.map(|name| format!("{BASE}/{name}")) } })
}

fn collection(values: Vec<Json>, page: &Page, address: &str, options: &Options) -> Json {
    let mut members = Map::new();
    if let Some(count) = page.count {
        members.insert("@iot.count".to_owned(), json!(count));
    }
    if let Some((name, next)) = &page.next {
        members
            .insert("@iot.nextLink".to_owned(), json!(next_link(address, options, (name, next))));
    }
    members.insert("value".to_owned(), Json::Array(values));
    Json::Object(members)
}

/// An entity with what is told along.
fn entity(world: &World, item: &Item, options: &Options) -> Answer<Json> {
    world.tell()?;
    let kind = item.kind();
    let is_selected = |name: &str| {
        options.select.as_ref().is_none_or(|select| select.iter().any(|chosen| chosen == name))
    };
    let mut members = Map::new();
    let link = self_link(world, item);
    if is_selected("id") {
        members.insert("@iot.id".to_owned(), json!(item.id(world)));
    }
    if is_selected("selfLink") {
        members.insert("@iot.selfLink".to_owned(), json!(link));
    }
    for name in kind.properties().iter().filter(|name| is_selected(name)) {
        let told = property(world, item, name);
        if !told.is_null() {
            members.insert((*name).to_owned(), told);
        }
    }
    for relation in kind.relations() {
        let expanded = options.expand.iter().find(|expand| expand.relation == *relation);
        if let Some(expand) = expanded {
            tell_along(world, item, (relation, &link), &expand.options, &mut members)?;
        } else if is_selected(relation.name) {
            let name = format!("{}@iot.navigationLink", relation.name);
            members.insert(name, json!(format!("{link}/{}", relation.name)));
        }
    }
    Ok(Json::Object(members))
}

fn tell_along(
    world: &World,
    item: &Item,
    (relation, link): (&Relation, &str),
    options: &Options,
    members: &mut Map<String, Json>,
) -> Answer<()> {
    let set = item.related(world, relation.target);
    if !relation.many {
        let Set::Listed(items) = set else { return Ok(()) };
        let told = items.first().map(|one| entity(world, one, options)).transpose()?;
        members.insert(relation.name.to_owned(), told.unwrap_or_default());
        return Ok(());
    }
    let page = page(world, set, options)?;
    let told: Answer<Vec<Json>> =
        page.items.iter().map(|one| entity(world, one, options)).collect();
    members.insert(relation.name.to_owned(), Json::Array(told?));
    if let Some(count) = page.count {
        members.insert(format!("{}@iot.count", relation.name), json!(count));
    }
    if let Some((name, next)) = &page.next {
        let address = format!("{link}/{}", relation.name);
        let next = next_link(&address, options, (name, next));
        members.insert(format!("{}@iot.nextLink", relation.name), json!(next));
    }
    Ok(())
}

/// Observations in rows, those of one datastream after each other together (clause 12.2.2).
fn data_array(world: &World, items: &[Item], options: &Options) -> Answer<Vec<Json>> {
    let all = ["id", "phenomenonTime", "result", "resultTime", "resultQuality", "parameters"];
    let chosen = options.select.clone();
    let components: Vec<String> =
        chosen.unwrap_or_else(|| all.into_iter().map(str::to_owned).collect());
    let mut groups: Vec<(String, Vec<Json>)> = Vec::new();
    for item in items {
        world.tell()?;
        let Item::Observation(series, _) = item else { continue };
        let row = Json::Array(components.iter().map(|name| member(world, item, name)).collect());
        let stream = self_link(world, &Item::Datastream(series.clone()));
        match groups.last_mut().filter(|(last, _)| *last == stream) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((stream, vec![row])),
        }
    }
    let told = groups.into_iter().map(|(stream, rows)| {
        json!({ "Datastream@iot.navigationLink": stream, "components": components,
            "dataArray@iot.count": rows.len(), "dataArray": rows })
    });
    Ok(told.collect())
}
