"""Base images are the official ones where these can be pulled, and stand-ins elsewhere."""

from pathlib import Path

import pytest

from lab import image_registry, stand_ins
from lab.containers import Docker
from tests.conftest import need


def test_an_official_image_takes_the_place_of_a_stand_in(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("docker-registry", "apt-get install docker-registry")
    engine = docker.provided.engine
    context = tmp_path / "context"
    context.mkdir()

    def there(image: str, content: str, *options: str) -> None:
        dockerfile = f"FROM scratch\nLABEL content={content}\n"
        docker.build(context, f"--tag={image}", *options, dockerfile=dockerfile)

    label = f"--label={stand_ins.LABEL}={stand_ins._digest()}"
    with image_registry.running(tmp_path) as address:
        image = f"{address}/library/alpine:3"
        monkeypatch.setattr(stand_ins, "IMAGES", {"alpine": image})
        there(image, "official")
        docker("push", "--quiet", image)
        there(image, "stand-in", label)
        provided = stand_ins.provide(engine)
        assert (provided.official, provided.stand_ins) == ((image,), ())
        assert f"official images {image}" in str(provided)
        assert docker.inspect(image)["Config"]["Labels"] == {"content": "official"}
    # Now nobody answers: what was pulled or made before is taken again.
    assert stand_ins.provide(engine).official == (image,)
    there(image, "stand-in", label)
    provided = stand_ins.provide(engine)
    assert (provided.official, provided.stand_ins) == ((), (image,))
    assert f"stand-ins for {image}" in str(provided)
    docker("image", "rm", "--force", image)
