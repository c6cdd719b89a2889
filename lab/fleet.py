"""Fleets of services for tests and benchmarks: thousands of git repositories in seconds.

A few services are made by a real `copier copy` of each version. All others are these with another
name, owner and description, and with edits as owners make them. What was done to each is returned,
so that a test can compare it with what `catalog status` sees.
"""

import random
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hooks.command_line import ANSWERS_FILE
from lab.rendering import render_service
from lab.repository import git

# What stands in the copies where each service has something of its own; no file has it otherwise.
NAME, OWNER, DESCRIPTION = "zq-placeholder", "zqowner", "Zqdescription."
OWNERS = ("shop", "payments", "logistics", "identity", "search", "platform")
WORDS = (
    *("order", "invoice", "parcel", "basket", "refund", "price", "stock", "voucher"),
    *("mailer", "ledger", "index", "router", "tracker", "gate", "archive", "planner"),
)
CHOICES: Mapping[str, Sequence[Any]] = {
    "framework": ("actix", "rocket"),
    "runtime": ("scratch", "distroless", "alpine", "debian"),
    "port": (8000, 8080, 9000, 18080),
    "profile": ("size", "speed"),
    "ca_certificates": (False, True),
    "platforms": (["linux/amd64", "linux/arm64"], ["linux/amd64"]),
    "image_registry": ("", "", "registry.acme.example/mirror"),
    "catalog": (False, True),
}
ROUTES, DOCKERFILE, IGNORED = "src/routes.rs", "Dockerfile", ".dockerignore"
# How many services of a hundred have these edits, and how many are of the newest version.
OWN_ROUTES, OWN_DOCKERFILE, NOT_IGNORED, NEWEST = 0.50, 0.15, 0.10, 0.60
# The objects of all repositories of a fleet, which borrow them.
STORE = ".store"
Files = dict[str, tuple[int, bytes]]


@dataclass(frozen=True)
class Member:
    """A service of a fleet, and the truth about it.

    Attributes:
        path: Its repository, whose branch `main` has one commit.
        name: Its name, which the folder has too.
        owner: Who answers for it.
        version: The tag of the template that it is made from.
        commit: The full id of its commit.
        answers: What it records, by the names of the questions of that version.
        edited: The files of the template that its owners changed.
        removed: The files of the template that they removed.
    """

    path: Path
    name: str
    owner: str
    version: str
    commit: str
    answers: Mapping[str, Any]
    edited: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class _Copy:
    """What a real copy of one version with some answers has: its files, and what it recorded."""

    version: str
    files: Files
    answers: Mapping[str, Any]


@dataclass
class _Plan:
    """What a service is going to be."""

    copy: _Copy
    name: str
    owner: str
    edited: tuple[str, ...]
    removed: tuple[str, ...]

    def changed(self, text: bytes) -> bytes:
        """Return a text of the copy as this service has it."""
        for placeholder, own in (
            (NAME, self.name),
            (NAME.replace("-", "_"), self.name.replace("-", "_")),
            (OWNER, self.owner),
            (DESCRIPTION, self.description),
        ):
            text = text.replace(placeholder.encode(), own.encode())
        return text

    @property
    def description(self) -> str:
        return f"Keeps what {self.owner} knows of each {self.name.partition('-')[0]}."


def make_fleet(  # noqa: PLR0913 (fleets differ in that much)
    folder: Path,
    template: Path,
    number: int,
    seed: int,
    *,
    tags: Sequence[str],
    source: str = "",
    variety: int = 12,
    bare: bool = True,
) -> list[Member]:
    """Make a folder of git repositories, each with a service of its own.

    Half of the services have routes of their own, 15 % an edited Dockerfile, 10 % no .dockerignore,
    and the versions of 40 % are drawn from all. The same arguments give the same services.

    Args:
        folder: Where the repositories are made, as `NAME.git`, or as `NAME` if they are not bare;
            it may exist.
        template: A git repository of the template.
        number: How many services.
        seed: Decides answers and edits.
        tags: The versions of the template that services are made from, the newest last.
        source: How services record the template; without it, its path.
        variety: How many sets of answers there are; each is copied once for each version in use.
        bare: Whether the repositories are bare; others have their files checked out.

    Returns:
        The truth about each service, in the order of their names.
    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    sets = [{name: chance.choice(few) for name, few in CHOICES.items()} for _ in range(variety)]
    drawn = [
        (chance.randrange(variety), tags[-1] if chance.random() < NEWEST else chance.choice(tags))
        for _ in range(number)
    ]
    copies = _copies(template, source or str(template), sets, sorted(set(drawn)))
    plans = [_plan(copies[key], place, chance) for place, key in enumerate(drawn)]
    plans.sort(key=lambda plan: plan.name)
    folder.mkdir(parents=True, exist_ok=True)
    commits = _write(folder / STORE, plans)
    members = []
    for plan, commit in zip(plans, commits, strict=True):
        path = folder / (f"{plan.name}.git" if bare else plan.name)
        _borrow(path, f"../../{'' if bare else '../'}{STORE}/objects", commit, bare=bare)
        answers = {
            name: {NAME: plan.name, OWNER: plan.owner, DESCRIPTION: plan.description}.get(
                str(answer), answer
            )
            for name, answer in plan.copy.answers.items()
        }
        version, edited, removed = plan.copy.version, plan.edited, plan.removed
        members.append(
            Member(path, plan.name, plan.owner, version, commit, answers, edited, removed)
        )
    return members


def _copies(
    template: Path,
    source: str,
    sets: Sequence[Mapping[str, Any]],
    wanted: Iterable[tuple[int, str]],
) -> dict[tuple[int, str], _Copy]:
    """Copy each version with the sets of answers that services of it have."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="lab-fleet-") as scratch:
        for which, tag in wanted:
            if not (unpacked := Path(scratch) / tag).exists():
                archive = Path(scratch) / f"{tag}.tar"
                git(template, "archive", f"--output={archive}", tag)
                shutil.unpack_archive(archive, unpacked)
            given = {"service_name": NAME, "owner": OWNER, "description": DESCRIPTION}
            given |= {**sets[which], "smoke": "none"}
            made = Path(scratch) / f"{tag}-{which}"
            render_service(unpacked, made, **_as_asked(given, template, tag))
            files = {
                path.relative_to(made).as_posix(): (
                    0o100755 if path.stat().st_mode & 0o100 else 0o100644,
                    path.read_bytes(),
                )
                for path in sorted(made.rglob("*"))
                if path.is_file()
            }
            mode, text = files[ANSWERS_FILE]
            recorded = f"_src_path: {unpacked}\n".encode()
            assert recorded in text
            text = text.replace(recorded, f"_commit: {tag}\n_src_path: {source}\n".encode())
            files[ANSWERS_FILE] = mode, text
            answers = {
                name: value
                for name, value in yaml.safe_load(text).items()
                if not name.startswith("_")
            }
            found[which, tag] = _Copy(tag, files, answers)
            shutil.rmtree(made)
    return found


def _as_asked(answers: Mapping[str, Any], template: Path, tag: str) -> dict[str, Any]:
    """Return answers by the names that the questions of a version have."""
    asked = yaml.safe_load(git(template, "show", f"{tag}:copier.yml"))
    renames = tomllib.loads(git(template, "show", "HEAD:renames.toml"))["questions"]
    earlier = {change["is"]: change["was"] for change in renames}
    return {name if name in asked else earlier[name]: value for name, value in answers.items()}


def _plan(copy: _Copy, place: int, chance: random.Random) -> _Plan:
    """Decide what a service is called and what its owners did."""
    first, second = chance.sample(WORDS, 2)
    edited = [
        path
        for path, part in ((ROUTES, OWN_ROUTES), (DOCKERFILE, OWN_DOCKERFILE))
        if chance.random() < part
    ]
    removed = (IGNORED,) if chance.random() < NOT_IGNORED else ()
    owner = chance.choice(OWNERS)
    return _Plan(copy, f"{first}-{second}-{place}", owner, tuple(sorted(edited)), removed)


def _as_edited(path: str, text: bytes, framework: str) -> bytes:
    """Return a file as owners edit it: code that compiles, where the template leaves room."""
    if path == DOCKERFILE:
        return text.replace(b"\nUSER ", b"\nENV RUST_BACKTRACE=1\nUSER ")
    if framework == "actix":
        entry, route = b"    config.service(list);\n", b"async fn list() -> impl Responder"
    else:
        entry, route = b"            list,\n", b"fn list() -> &'static str"
    room, tests = text.index(b"// More routes go here."), text.index(b"#[cfg(test)]")
    room = text.rindex(b"\n", 0, room) + 1
    added = b'#[get("/list")]\n%b {\n    "[]"\n}\n\n' % route
    return text[:room] + entry + text[room:tests] + added + text[tests:]


def _write(store: Path, plans: Sequence[_Plan]) -> list[str]:
    """Write the objects of all services into one repository, and return their commits.

    Source: https://git-scm.com/docs/git-fast-import
    """
    git(store.parent, "init", "--quiet", "--bare", str(store))
    marks = store / "marks"
    command = ["git", "-c", "core.compression=1", "fast-import", "--quiet", "--force"]
    with subprocess.Popen(
        [*command, f"--export-marks={marks}"], cwd=store, stdin=subprocess.PIPE
    ) as program:
        assert program.stdin is not None
        program.stdin.writelines(_stream(plans))
    assert program.returncode == 0, program.returncode
    by_mark = dict(line.split() for line in marks.read_text().splitlines())
    marks.unlink()
    return [by_mark[f":{place}"] for place in range(1, len(plans) + 1)]


def _stream(plans: Sequence[_Plan]) -> Iterator[bytes]:
    """Yield what `git fast-import` reads; the commits have the marks from 1 on."""
    last = len(plans)
    marks: dict[bytes, int] = {}
    trees: list[list[bytes]] = [[] for _ in plans]
    alike = sorted(range(len(plans)), key=lambda place: repr(plans[place].copy.answers))
    # Files of one path follow each other, so that each is stored as what it has of its own.
    for path in sorted({path for plan in plans for path in plan.copy.files}):
        for place in alike:
            plan = plans[place]
            if path not in plan.copy.files or path in plan.removed:
                continue
            mode, text = plan.copy.files[path]
            if path in plan.edited:
                text = _as_edited(path, text, plan.copy.answers["framework"])
            text = plan.changed(text)
            if text not in marks:
                last += 1
                yield b"blob\nmark :%d\ndata %d\n%b\n" % (last, len(text), text)
                if len(marks) > 10_000:
                    marks.clear()
                marks[text] = last
            trees[place].append(b"M %o :%d %b\n" % (mode, marks[text], path.encode()))
    for place, tree in enumerate(trees, 1):
        yield (
            b"reset refs/heads/last\ncommit refs/heads/last\nmark :%d\n"
            b"committer Jane <jane@example.com> 1790000000 +0000\ndata 6\nBegin\n\n" % place
        )
        yield from tree


def _borrow(path: Path, objects: str, commit: str, *, bare: bool) -> None:
    """Make a repository of one commit whose objects are elsewhere.

    Source: https://git-scm.com/docs/gitrepository-layout
    """
    own = path if bare else path / ".git"
    for part in ("objects/info", "refs/heads"):
        (own / part).mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (own / "config").write_text(
        f"[core]\n\trepositoryformatversion = 0\n\tbare = {str(bare).lower()}\n"
    )
    (own / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    (own / "refs" / "heads" / "main").write_text(f"{commit}\n")
    if not bare:
        git(path, "reset", "--quiet", "--hard")
