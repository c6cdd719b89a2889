"""Which images are known to be past their end of life."""

import datetime
from string import Template

import pytest

from catalog.fleet.ends import announced, ended
from extensions.images import pulled_from
from extensions.pins import alpine_for, versions
from extensions.registry import runtimes


@pytest.mark.parametrize(
    ("image", "distribution"),
    [
        ("alpine:3.22", "Alpine"),
        ("alpine:3.22.1", "Alpine"),
        ("rust:1.98.0-alpine3.22", "Alpine"),
        ("debian:bookworm", "Debian"),
        ("debian:bookworm-20260101-slim", "Debian"),
        ("debian:12.5-slim", "Debian"),
        ("rust:1.98-slim-trixie", "Debian"),
        ("gcr.io/distroless/static-debian12:nonroot", "Debian"),
        ("debian:trixie-slim@sha256:0123", "Debian"),
        ("alpine", ""),
        ("alpine:3.2", ""),
        ("alpine:3.220", ""),
        ("debian:120", ""),
        ("python:3.20", ""),
        ("registry.example:3.20/alpine3.20/tool:1", ""),
    ],
)
def test_the_name_of_an_image_says_what_it_is_made_from(image: str, distribution: str) -> None:
    found = announced(image)
    assert (found[0] if found else "") == distribution
    assert announced(pulled_from(image, "registry.acme.example:5000/mirror")) == found


def test_every_image_of_the_template_has_an_end_that_is_known() -> None:
    release = {
        "RUST_VERSION": versions()["rust"],
        "ALPINE_VERSION": alpine_for(versions()["rust"]),
        "DEBIAN_SUITE": versions()["debian"],
    }
    images = [*versions()["builders"].values(), *(each.image for each in runtimes().values())]
    known = {image: announced(Template(image).substitute(release)) for image in images if image}
    assert [image for image, end in known.items() if end is None] == []
    assert len(known) >= 4


def test_an_image_ends_on_its_day() -> None:
    day = datetime.date(2026, 7, 11)
    images = ["debian:bookworm-slim", "alpine:3.24"]
    line = "image: debian:bookworm-slim came to its end on 2026-07-11; Debian says so"
    assert ended(images, None, day - datetime.timedelta(days=1)) == []
    assert ended(images, None, day) == [line]
