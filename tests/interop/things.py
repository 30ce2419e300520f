"""Asks SensorThings by the client of FROST, as its users do.

usage: things.py BASE TOKEN
"""

import sys

import frost_sta_client as fsc
import requests


class Service(fsc.SensorThingsService):
    """The client, with a token instead of a password."""

    def __init__(self, url, token):
        super().__init__(url)
        self.token = token

    def execute(self, method, url, **kwargs):
        headers = {"Authorization": f"Bearer {self.token}"}
        response = requests.request(method, str(url), headers=headers, **kwargs)
        response.raise_for_status()
        return response


def main(base, token):
    service = Service(f"{base}/sta/v1.1", token)
    things = list(service.things().query().top(5).expand("Datastreams").list())
    assert len(things) > 5, "it follows the links to further pages"
    thing = next(thing for thing in things if len(thing.datastreams.entities))
    stream = thing.datastreams.entities[0]
    again = service.datastreams().find(stream.id)
    assert again.name == stream.name and again.unit_of_measurement.symbol, again
    query = service.datastreams().query().filter(f"Thing/id eq '{thing.id}'").count()
    assert any(found.id == stream.id for found in query.list())
    newest = service.observations().query()
    newest = newest.filter(f"Datastream/id eq '{stream.id}' and phenomenonTime gt 2020-01-01T00:00:00Z")
    newest = newest.orderby("phenomenonTime", "desc").top(2).list()
    first, second = newest.get(0), newest.get(1)
    assert first.phenomenon_time > second.phenomenon_time, (first, second)
    assert first.result is not None
    places = service.locations().query().filter(
        "geo.intersects(location, geography'POLYGON ((-180 -90, 180 -90, 180 90, -180 90, -180 -90))')"
    )
    places = list(places.top(1000).list())
    assert places and places[0].location["coordinates"], places
    for dao in [service.sensors(), service.observed_properties(), service.features_of_interest(),
                service.historical_locations()]:
        entity = dao.query().top(1).list().get(0)
        assert dao.find(entity.id).id == entity.id, entity
    print(f"{len(things)} things, {len(places)} places")


main(*sys.argv[1:])
