//! The catalogue by DCAT-AP 3.0: all mandatory properties, and those recommended ones that are
//! known here. Clauses are those of <https://semiceu.github.io/DCAT-AP/releases/3.0.0/>.

use city_model::LocalText;

use super::describe::{OpenCatalogue, OpenDataset, OpenDistribution, OpenPeriod};
use super::rdf::{Node, flatten};

/// The authority tables of the Publications Office of the European Union.
const AUTHORITY: &str = "http://publications.europa.eu/resource/authority";
/// The register of media types.
const MEDIA_TYPES: &str = "https://www.iana.org/assignments/media-types";

/// The catalogue as RDF.
pub(super) fn catalogue(about: &OpenCatalogue) -> Vec<Node> {
    let publisher = agent(&format!("{}#publisher", about.url), &about.publisher);
    let mut catalogue = Node::new(format!("{}#catalogue", about.url), "dcat:Catalog")
        .told("dct:title", &about.title)
        .told("dct:description", &about.description)
        .linked("dct:publisher", publisher)
        .linked("foaf:homepage", Node::new(about.url.clone(), "foaf:Document"))
        .linked("dcat:themeTaxonomy", concept_scheme());
    catalogue = languages(catalogue);
    let described = about.datasets.iter().map(|dataset| dataset.described_at).max();
    if let Some(modified) = described {
        catalogue = catalogue.typed("dct:modified", &modified, "xsd:dateTime");
    }
    for dataset in &about.datasets {
        catalogue = catalogue.linked("dcat:dataset", self::dataset(dataset));
    }
    flatten(catalogue)
}

fn concept_scheme() -> Node {
    Node::new(format!("{AUTHORITY}/data-theme"), "skos:ConceptScheme")
        .told("dct:title", &LocalText::new("Data theme", "数据主题"))
}

fn languages(node: Node) -> Node {
    let language =
        |code: &str| Node::new(format!("{AUTHORITY}/language/{code}"), "dct:LinguisticSystem");
    node.linked("dct:language", language("ENG")).linked("dct:language", language("ZHO"))
}

fn agent(iri: &str, name: &LocalText) -> Node {
    Node::new(iri, "foaf:Agent").told("foaf:name", name)
}

fn dataset(about: &OpenDataset) -> Node {
    let mut node = Node::new(format!("{}#dataset", about.url), "dcat:Dataset")
        .told("dct:title", &about.title)
        .told("dct:description", &about.description)
        .typed("dct:identifier", &about.url, "xsd:anyURI")
        .linked("dct:publisher", agent(&format!("{}#publisher", about.url), &about.publisher))
        .linked("dcat:landingPage", Node::new(about.url.clone(), "foaf:Document"))
        .typed("dct:issued", &about.created_at, "xsd:dateTime")
        .typed("dct:modified", &about.updated_at.unwrap_or(about.described_at), "xsd:dateTime")
        .linked(
            "dct:accrualPeriodicity",
            Node::new(format!("{AUTHORITY}/frequency/UPDATE_CONT"), "dct:Frequency"),
        )
        .linked(
            "dct:accessRights",
            Node::new(format!("{AUTHORITY}/access-right/PUBLIC"), "dct:RightsStatement"),
        )
        .linked(
            "dct:provenance",
            Node::blank("dct:ProvenanceStatement").told("rdfs:label", &about.provenance),
        );
    node = languages(node);
    for metric in &about.metrics {
        node = node.told("dcat:keyword", &metric.name);
    }
    for theme in &about.themes {
        let concept = Node::new(format!("{AUTHORITY}/data-theme/{theme}"), "skos:Concept")
            .told("skos:prefLabel", &LocalText::same(theme))
            .linked("skos:inScheme", Node::reference(format!("{AUTHORITY}/data-theme")));
        node = node.linked("dcat:theme", concept);
    }
    if let Some(contact) = &about.contact {
        let property =
            if contact.starts_with("mailto:") { "vcard:hasEmail" } else { "vcard:hasURL" };
        let kind = Node::blank("vcard:Kind")
            .told("vcard:fn", &about.publisher)
            .linked(property, Node::reference(contact.clone()));
        node = node.linked("dcat:contactPoint", kind);
    }
    if let Some(bounds) = about.spatial {
        let place =
            Node::blank("dct:Location").typed("dcat:bbox", &polygon(bounds), "geo:wktLiteral");
        node = node.linked("dct:spatial", place);
    }
    if let Some(OpenPeriod { from, to }) = about.temporal {
        let period = Node::blank("dct:PeriodOfTime")
            .typed("dcat:startDate", &from, "xsd:dateTime")
            .typed("dcat:endDate", &to, "xsd:dateTime");
        node = node.linked("dct:temporal", period);
    }
    for distribution in &about.distributions {
        node = node.linked("dcat:distribution", self::distribution(distribution, about));
    }
    node
}

fn distribution(about: &OpenDistribution, of: &OpenDataset) -> Node {
    let format = match about.media_type {
        "text/csv" => "CSV",
        "application/geo+json" => "GEOJSON",
        _ => "JSON",
    };
    Node::new(format!("{}#distribution", about.url), "dcat:Distribution")
        .told("dct:title", &about.title)
        .linked("dcat:accessURL", Node::new(about.url.clone(), "rdfs:Resource"))
        .linked("dcat:downloadURL", Node::new(about.url.clone(), "rdfs:Resource"))
        .linked("dct:license", Node::new(of.licence.url.clone(), "dct:LicenseDocument"))
        .linked(
            "dcat:mediaType",
            Node::new(format!("{MEDIA_TYPES}/{}", about.media_type), "dct:MediaType"),
        )
        .linked(
            "dct:format",
            Node::new(format!("{AUTHORITY}/file-type/{format}"), "dct:MediaTypeOrExtent"),
        )
        .linked(
            "dcatap:availability",
            Node::new(format!("{AUTHORITY}/planned-availability/AVAILABLE"), "skos:Concept")
                .told("skos:prefLabel", &LocalText::new("available", "可用")),
        )
}

/// A box as well-known text (OGC 06-103r4), longitude first.
fn polygon([west, south, east, north]: [f64; 4]) -> String {
    format!("POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))")
}
