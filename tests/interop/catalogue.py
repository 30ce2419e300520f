"""Reads the catalogue of open data in both forms and holds it against the shapes of DCAT-AP.

usage: catalogue.py BASE SHAPES
"""

import sys
import urllib.request

import pyshacl
import rdflib
from rdflib.compare import isomorphic

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
MODIFIED = rdflib.URIRef("http://purl.org/dc/terms/modified")
# They go on with the clock and with each reading.
MOVING = (DCAT.startDate, DCAT.endDate, MODIFIED)


def fetch(url, accept):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.headers["content-type"], answer.read()


def still(graph):
    """The graph with one and the same instant wherever instants go on while it is fetched."""
    copy = rdflib.Graph()
    for subject, predicate, value in graph:
        if predicate in MOVING:
            assert value.datatype == rdflib.XSD.dateTime and value.value, value
            value = rdflib.Literal("2020-01-01T00:00:00Z", datatype=rdflib.XSD.dateTime)
        copy.add((subject, predicate, value))
    return copy


def main(base, shapes):
    graphs = []
    for accept, form in [("text/turtle", "turtle"), ("application/ld+json", "json-ld")]:
        kind, text = fetch(f"{base}/open/v1", accept)
        assert kind.startswith(accept), kind
        graph = rdflib.Graph().parse(data=text, format=form)
        conforms, _, report = pyshacl.validate(graph, shacl_graph=shapes, inference="none")
        assert conforms, report
        graphs.append(graph)
    graphs_still = [still(graph) for graph in graphs]
    assert isomorphic(*graphs_still), "the two forms say different things"
    graph = graphs[0]
    datasets = set(graph.objects(None, DCAT.dataset))
    assert datasets, "there is no dataset"
    for url in set(graph.objects(None, DCAT.downloadURL)):
        kind, text = fetch(str(url), "*/*")
        assert text, f"{url} is empty"
    # The shapes find what is missing.
    title = rdflib.URIRef("http://purl.org/dc/terms/title")
    for dataset in datasets:
        graph.remove((dataset, title, None))
    conforms, _, _ = pyshacl.validate(graph, shacl_graph=shapes, inference="none")
    assert not conforms, "a dataset without a title was let through"
    print(f"{len(datasets)} datasets, {len(graphs[1])} statements")


main(*sys.argv[1:])
