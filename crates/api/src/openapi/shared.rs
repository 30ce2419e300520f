//! What calls that give lists in several forms have in common in the document.

use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Response};

use crate::export::FORMATS;

/// The name of the shape of pages with chosen members.
pub(super) const CHOSEN: &str = "ChosenFields";

/// The shape of a page whose items have only the members that were asked for.
pub(super) fn chosen() -> RefOr<Schema> {
    let item = ObjectBuilder::new().schema_type(Type::Object);
    let cursor =
        ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("A page whose items have only the members that `fields` names."))
        .property("items", ArrayBuilder::new().items(item))
        .property("next_cursor", cursor)
        .required("items")
        .required("next_cursor")
        .into()
}

/// Adds the files to a call that can give them, and pages with chosen members.
pub(super) fn add_forms(operation: &mut Operation) {
    let parameters = operation.parameters.iter().flatten();
    let has = |name: &str| {
        let is_it = |of: &RefOr<Parameter>| matches!(of, RefOr::T(of) if of.name == name);
        parameters.clone().any(is_it)
    };
    if !has("format") || !has("safe") {
        return;
    }
    let Some(RefOr::T(Response { content, .. })) = operation.responses.responses.get_mut("200")
    else {
        return;
    };
    if let Some(RefOr::T(page)) = content.get_mut("application/json")
        && let Some(whole) = page.schema.take()
    {
        let either = AnyOfBuilder::new().item(whole).item(Ref::from_schema_name(CHOSEN));
        page.schema = Some(either.into());
    }
    for format in FORMATS {
        content.insert(format.media.to_owned(), RefOr::T(file(format.media)));
    }
}

fn file(media: &str) -> Content {
    let is_object = media == "application/geo+json";
    let kind = if is_object { Type::Object } else { Type::String };
    let schema =
        ObjectBuilder::new().schema_type(kind).description(Some("Everything that matches"));
    ContentBuilder::new().schema(Some(schema)).build()
}
