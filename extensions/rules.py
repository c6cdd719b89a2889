"""The rules for answers: one pure function a question.

Every rule takes an answer as it was given (a string from the command line or a prompt, any YAML
value from a data file) and returns it in the type of its question. If the answer is not legal,
it raises `Refusal`, which says what would be right. What JSON Schema can say of a rule stands above
its function, in the function's own constants.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import NoReturn

import yaml

from . import patterns
from .images import pulled_from
from .pins import Release, parse_release
from .registry import frameworks, images, minimum_rust, runtimes

Answer = str | int | bool | list[str]
Schema = dict[str, object]


@dataclass(frozen=True)
class Rule:
    """The rule of a question.

    Attributes:
        check: Returns the answer in the type of its question, or raises `Refusal`.
        schema: Returns what a JSON Schema can say of legal answers, as data holds them.
    """

    check: Callable[[object], Answer]
    schema: Callable[[], Schema]

    def __call__(self, value: object) -> Answer:
        """Check an answer."""
        return self.check(value)


def _says(schema: Callable[[], Schema]) -> Callable[[Callable[[object], Answer]], Rule]:
    """Make a rule of the function below."""
    return lambda check: Rule(check, schema)


# https://doc.rust-lang.org/reference/keywords.html, strict and reserved, of every edition.
KEYWORDS = frozenset(
    """
    abstract as async await become box break const continue crate do dyn else enum extern false
    final fn for gen if impl in let loop macro match mod move mut override priv pub ref return
    self static struct super trait true try type typeof unsafe unsized use virtual where while
    yield
    """.split()
)
# `cargo new` refuses these or warns of them: rust-lang/cargo, src/cargo/util/restricted_names.rs.
STANDARD_CRATES = frozenset({"alloc", "core", "proc-macro", "std", "test"})
CARGO_FOLDERS = frozenset({"build", "deps", "examples", "incremental"})
WINDOWS_DEVICES = frozenset({"aux", "con", "nul", "prn"}) | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)
}
# Both frameworks run on it, and a service soon depends on it itself.
RUNTIME_CRATES = frozenset({"tokio"})

NAME = r"[a-z](?:[a-z0-9-]*[a-z0-9])?"
# A part of an entity reference, `[kind:][namespace/]name`.
ENTITY = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
OWNER = rf"(?:{ENTITY}:)?(?:{ENTITY}/)?{ENTITY}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"(?:localhost|{_LABEL}(?:\.{_LABEL})+|(?:{_LABEL}|\[[0-9A-Fa-f:]+\])(?=:))"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = rf"{_HOST}(?::[0-9]{{1,5}})?(?:/{_PART})*"
_SITE = r"https://[A-Za-z0-9.\[\]:-]+"
_PATH = r"/[!$&'()*+,;=:@%A-Za-z0-9._~/-]*"

MAX_LABEL = 63  # RFC 1123, section 2.1
REGISTRY = rf"[A-Za-z][A-Za-z0-9_-]{{0,{MAX_LABEL - 1}}}"
PUBLIC_REGISTRY = "crates-io"
MAX_DESCRIPTION = 256
MAX_REPOSITORY = 255  # https://github.com/distribution/reference, reference.go
MAX_URL = 2000
LOWEST_PORT, HIGHEST_PORT = 1024, 65535
PLATFORMS = ("linux/amd64", "linux/arm64")
# The signals of https://opentelemetry.io/docs/concepts/signals/
OBSERVABILITY = ("logs", "metrics", "traces")
DEPLOY = ("compose", "kubernetes")

# Characters that change the order of text: https://www.unicode.org/reports/tr9/, section 2
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

TRUE_WORDS = frozenset({"true", "yes", "y", "on"})
FALSE_WORDS = frozenset({"false", "no", "n", "off"})


class Refusal(ValueError):
    """An answer that is not legal; the message says what would be right."""


def shown(value: object) -> str:
    """Return an answer as a message quotes it: one line of ASCII, some forty characters at most."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:36]}...{text[0]}"


def said(answer: object) -> str:
    """Return an answer as people read it."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, list) and answer:
        return f"[{', '.join(map(str, answer))}]"
    return str(answer) if answer not in ("", []) else "nothing"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Refusal(f"must be text, not {shown(value)}; put it in quotes")
    return value


def _dependencies() -> frozenset[str]:
    return RUNTIME_CRATES.union(*(each.requirements for each in frameworks().values()))


def _taken() -> dict[str, str]:
    """Return every name that a service cannot have, with who has it."""
    return {
        **dict.fromkeys(_dependencies(), "a crate that the service depends on"),
        **dict.fromkeys(WINDOWS_DEVICES, "a device on Windows, where no such folder can be made"),
        **dict.fromkeys(CARGO_FOLDERS, "a folder that Cargo builds in"),
        **dict.fromkeys(STANDARD_CRATES, "a crate of Rust's standard library"),
        **dict.fromkeys(KEYWORDS, "a keyword of Rust"),
    }


@_says(
    lambda: {
        "type": "string",
        "maxLength": MAX_LABEL,
        "pattern": patterns.whole(NAME),
        "not": {"enum": sorted(_taken())},
    }
)
def service_name(value: object) -> str:
    """Check the name of the crate, of the binary and of the image.

    Returns:
        The name: lower-case ASCII letters, digits and hyphens, a letter first, no hyphen last, at
        most 63 characters, and no name that Cargo, Rust or a dependency has taken.

    Raises:
        Refusal: It says which of these the name breaks.

    Sources: https://doc.rust-lang.org/cargo/reference/manifest.html#the-name-field and Cargo's
    `restricted_names.rs`; RFC 1123 labels, a letter first as Kubernetes wants for a service (RFC
    1035); the repository grammar of https://github.com/distribution/reference.
    """
    name = _text(value)
    if not re.fullmatch(NAME, name):
        raise Refusal(
            f"{shown(name)} must be lower-case ASCII letters, digits and hyphens, "
            "with a letter first and no hyphen last, such as order-api"
        )
    if len(name) > MAX_LABEL:
        raise Refusal(f"must have at most {MAX_LABEL} characters, not {len(name)}")
    taken = _taken().get(name)
    if taken is None:
        return name
    raise Refusal(f"{shown(name)} is {taken}; choose another, such as {name}-api")


def _is_refused(character: str) -> bool:
    """Tell whether a character is no printable one of a line of text."""
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or character in BIDI_CONTROLS
        or character == "\ufeff"
        or ord(character) & 0xFFFE == 0xFFFE
        or 0xFDD0 <= ord(character) <= 0xFDEF
    )


@cache
def _refused() -> str:
    return patterns.characters(_is_refused)


@cache
def _spaces() -> str:
    return patterns.characters(lambda each: each.isspace() and not _is_refused(each))


@_says(
    lambda: {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_DESCRIPTION,
        "pattern": patterns.whole(f"[^{_spaces()}](?:.*[^{_spaces()}])?"),
        "not": {"pattern": f"[{_refused()}]"},
    }
)
def description(value: object) -> str:
    """Check the sentence that says what the service is for.

    Returns:
        The sentence: one line of 1 to 256 characters that every emitted file can hold, with no
        white space at its ends.

    Raises:
        Refusal: It says which of these the text breaks.

    Sources: https://toml.io/en/v1.0.0#string and https://yaml.org/spec/1.2.2/#51-character-set for
    what can be held; TR 9 for what would show the text in another order.
    """
    text = _text(value)
    if not 0 < len(text) <= MAX_DESCRIPTION:
        raise Refusal(f"must have 1 to {MAX_DESCRIPTION} characters, not {len(text)}")
    if text != text.strip():
        raise Refusal("must not begin or end with white space")
    # So Python shows bytes that the locale cannot decode: https://peps.python.org/pep-0383/
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise Refusal("cannot be read in this locale; LC_ALL=C.UTF-8 in the environment helps")
    for character in text:
        if _is_refused(character):
            raise Refusal(
                f"must be one line of printable text, without the character U+{ord(character):04X}"
            )
    return text


@_says(lambda: {"type": "string", "pattern": patterns.whole(OWNER)})
def owner(value: object) -> str:
    """Check who owns the service.

    Returns:
        An entity reference, `[kind:][namespace/]name`. Each part has at most 63 characters:
        letters and digits, with `-_.` between them.

    Raises:
        Refusal: The text is no such reference.

    Source: https://backstage.io/docs/features/software-catalog/references and
    https://backstage.io/docs/features/software-catalog/descriptor-format#name-required.
    """
    text = _text(value)
    if not re.fullmatch(OWNER, text):
        raise Refusal(
            f"{shown(text)} must be a team or person as a catalog names them: letters, digits "
            "and -_. between them, such as platform or user:jane.doe"
        )
    return text


@_says(lambda: {"type": "integer", "minimum": LOWEST_PORT, "maximum": HIGHEST_PORT})
def port(value: object) -> int:
    """Check the port that the service listens on by default.

    Returns:
        A port from 1024 to 65535: the service runs as non-root.

    Raises:
        Refusal: The value is no such whole number.

    Source: https://www.rfc-editor.org/rfc/rfc6335#section-6, whose system ports end at 1023.
    """
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise Refusal(f"{shown(value)} must be a whole number from {LOWEST_PORT} to {HIGHEST_PORT}")
    if not LOWEST_PORT <= number <= HIGHEST_PORT:
        raise Refusal(
            f"{shown(number)} must be from {LOWEST_PORT} to {HIGHEST_PORT}; "
            "ports below are for root, which the service never is"
        )
    return number


def _lowest_release() -> Release:
    return parse_release(minimum_rust()) or (0, 0, 0)


@_says(
    lambda: {
        "type": "string",
        "pattern": patterns.whole(patterns.release_from(_lowest_release())),
    }
)
def rust_version(value: object) -> str:
    """Check the Rust release that the image is built with.

    Returns:
        The release as `x.y.z`, not below what the dependencies need.

    Raises:
        Refusal: The value is no exact release, or too old a one.

    Source: https://doc.rust-lang.org/cargo/reference/rust-version.html and the tags of the official
    image, https://hub.docker.com/_/rust.
    """
    lowest = minimum_rust()
    if not isinstance(value, str):
        raise Refusal(f"{shown(value)} must be an exact release in quotes, such as '{lowest}'")
    release = parse_release(value)
    if release is None:
        raise Refusal(f"{shown(value)} must be an exact release of Rust, such as {lowest}")
    if release < _lowest_release():
        raise Refusal(f"{shown(value)} is older than {lowest}, which the dependencies need")
    return value


@_says(lambda: {"type": "boolean"})
def yes_or_no(value: object) -> bool:
    """Check the answer to a question of type `bool`.

    Returns:
        The answer as a bool.

    Raises:
        Refusal: The value is neither yes nor no.
    """
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise Refusal(f"{shown(value)} must be yes or no")


@_says(
    lambda: {
        "type": "array",
        "minItems": 1,
        "items": {"enum": list(PLATFORMS)},
    }
)
def platforms(value: object) -> list[str]:
    """Check the platforms that the image can be built for.

    Args:
        value: A list, or its YAML as the command line gives it.

    Returns:
        At least one of `PLATFORMS`, each once, in their order.

    Raises:
        Refusal: The value is no such list.

    Source: https://github.com/opencontainers/image-spec/blob/main/image-index.md, `platform`.
    """
    return some_of(PLATFORMS, value) or _no_list(PLATFORMS, value)


def some_of(choices: tuple[str, ...], value: object) -> list[str]:
    """Return what a list chooses, each once, in the order of the choices.

    Args:
        choices: What there is to choose from.
        value: The list, or its YAML as the command line gives it; it may be empty.

    Raises:
        Refusal: The value is no list, or has something else.
    """
    wanted = value
    if isinstance(value, str):
        try:
            wanted = yaml.safe_load(value)
        except yaml.YAMLError:
            wanted = None
    if not isinstance(wanted, list):
        _no_list(choices, value)
    for each in wanted:
        if each not in choices:
            raise Refusal(f"{shown(each)} must be one of {', '.join(choices)}")
    return [each for each in choices if each in wanted]


def _no_list(choices: tuple[str, ...], value: object) -> NoReturn:
    raise Refusal(f"{shown(value)} must be a list such as [{', '.join(choices)}]")


def _longest(registry: str) -> int:
    """Return the length of the longest repository that an image is pulled from, without the tag."""
    return max(len(pulled_from(each, registry).rpartition(":")[0]) for each in images().values())


@_says(
    lambda: {
        "type": "string",
        "maxLength": MAX_REPOSITORY - _longest("x") + 1,
        "pattern": patterns.whole(f"(?:{REPOSITORY})?"),
    }
)
def image_registry(value: object) -> str:
    """Check the mirror that all base images are pulled through.

    Returns:
        `host[:port][/path]`, or an empty string for no mirror.

    Raises:
        Refusal: The text is anything else, or has a scheme or credentials.

    Source: the grammar of https://github.com/distribution/reference, whose first part is a host
    only if it is `localhost` or has a dot or a port.
    """
    text = _text(value)
    example = "such as registry.example.com/mirror"
    if "://" in text:
        raise Refusal(f"{shown(text)} must have no scheme, {example}")
    if "@" in text:
        raise Refusal("must have no credentials; `docker login` keeps those")
    if text and not re.fullmatch(REPOSITORY, text):
        raise Refusal(f"{shown(text)} must be host[:port][/path], {example}")
    if text and (longest := _longest(text)) > MAX_REPOSITORY:
        raise Refusal(f"must have at most {len(text) + MAX_REPOSITORY - longest} characters")
    return text


@_says(
    lambda: {
        "type": "string",
        "pattern": patterns.whole(f"(?:{REGISTRY})?"),
        "not": {"const": PUBLIC_REGISTRY},
    }
)
def cargo_registry(value: object) -> str:
    """Check the name of a private crate registry.

    Returns:
        ASCII letters, digits, `-` and `_`, a letter first, at most 63; or an empty string for none.

    Raises:
        Refusal: The text is anything else, or the name of crates.io.

    Source: https://doc.rust-lang.org/cargo/reference/config.html#registries; the name is part
    of an environment variable.
    """
    text = _text(value)
    if text and not re.fullmatch(REGISTRY, text):
        raise Refusal(
            f"{shown(text)} must be at most {MAX_LABEL} ASCII letters, digits, - and _, "
            "with a letter first, such as acme"
        )
    if text == PUBLIC_REGISTRY:
        raise Refusal(
            f"'{PUBLIC_REGISTRY}' is a name of the public registry; "
            "choose another for the private one"
        )
    return text


@_says(
    lambda: {
        "type": "string",
        "maxLength": MAX_URL,
        "pattern": patterns.whole(rf"sparse\+{_SITE}(?:/|{_PATH}/)|{_SITE}(?:{_PATH})?"),
    }
)
def cargo_registry_index(value: object) -> str:
    """Check where the index of the private registry is.

    Returns:
        `sparse+https://host/path/` or the `https://` URL of a git repository, without credentials.

    Raises:
        Refusal: The text is anything else.

    Sources: https://doc.rust-lang.org/cargo/reference/registries.html#using-an-alternate-registry
    and https://doc.rust-lang.org/cargo/reference/registry-index.html#sparse-protocol, which wants
    the slash at the end. The builder image has no SSH client.
    """
    text = _text(value)
    example = "such as sparse+https://cargo.example.com/index/"
    address = _SITE.replace("https://", "https://(?P<user>[^/@]*@)?")
    match = re.fullmatch(rf"(?P<sparse>sparse\+)?{address}(?:{_PATH})?", text)
    if match is None or len(text) > MAX_URL:
        raise Refusal(f"{shown(text)} must be a sparse+https:// or a git https:// URL, {example}")
    if match["user"]:
        raise Refusal("must have no credentials; the token comes from the environment")
    if match["sparse"] and not text.endswith("/"):
        raise Refusal(f"{shown(text)} must end with a slash, {example}")
    return text


def token_variable(registry: str) -> str:
    """Return the environment variable that Cargo takes a registry's token from, "" for none.

    Source: https://doc.rust-lang.org/cargo/reference/config.html#registriesnametoken
    """
    name = registry.upper().replace("-", "_")
    return f"CARGO_REGISTRIES_{name}_TOKEN" if name else ""


def _one_of(*choices: str) -> Rule:
    def check(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise Refusal(f"{shown(value)} must be one of {', '.join(choices)}")

    return Rule(check, lambda: {"enum": list(choices)})


def _any_of(*choices: str) -> Rule:
    return Rule(
        partial(some_of, choices), lambda: {"type": "array", "items": {"enum": list(choices)}}
    )


CHOICES: Mapping[str, tuple[str, ...]] = {
    "framework": tuple(frameworks()),
    "runtime": tuple(runtimes()),
    "profile": ("size", "speed"),
    "ci": ("github", "gitlab", "none"),
    "smoke": ("image", "build", "check", "none"),
}

# The questions that several choices answer, which a list holds; only platforms must be some.
SEVERAL: Mapping[str, tuple[str, ...]] = {
    "platforms": PLATFORMS,
    "observability": OBSERVABILITY,
    "deploy": DEPLOY,
}

RULES: Mapping[str, Rule] = {
    "service_name": service_name,
    "description": description,
    "owner": owner,
    "port": port,
    "ca_certificates": yes_or_no,
    "catalog": yes_or_no,
    "rust_version": rust_version,
    "platforms": platforms,
    "image_registry": image_registry,
    "cargo_registry": cargo_registry,
    "cargo_registry_index": cargo_registry_index,
    **{name: _one_of(*choices) for name, choices in CHOICES.items()},
    **{name: _any_of(*choices) for name, choices in SEVERAL.items() if name != "platforms"},
}


def refusal(value: object, question: str) -> str:
    """Say why an answer is refused.

    Args:
        value: The answer as it was given.
        question: The name of its question.

    Returns:
        One sentence with what would be right, or an empty string when the answer is legal.
    """
    try:
        RULES[question](value)
    except Refusal as reason:
        return str(reason)
    return ""


def refusals(
    answers: Mapping[str, object],
    questions: Iterable[str],
    why: Callable[[object, str], str] = refusal,
) -> list[str]:
    """Say which of the given answers are refused.

    Args:
        answers: Answers by the name of their question; names that begin with `_` are Copier's own.
        questions: The names of the questions the template asks.
        why: What says why an answer is refused, if it is.

    Returns:
        One line for each; it begins with the name of the question.
    """
    known = list(questions)
    lines = []
    for name, value in answers.items():
        if name.startswith("_"):
            continue
        if name not in known:
            similar = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {similar[0]}?" if similar else f"they are {', '.join(known)}"
            lines.append(f"{shown(name)[1:-1]}: no question has this name; {hint}")
        elif reason := why(value, name):
            lines.append(f"{name}: {reason}")
    return lines
