"""Answers that tests share: what is refused and what is legal."""
# ruff: noqa: RUF001

import itertools

from extensions.registry import frameworks, runtimes
from extensions.rules import DEPLOY, OBSERVABILITY, RULES, yes_or_no

TABLE_HEADER = 'a"]\n[dependencies]\nevil = "1"'

BAD_NAMES: list[object] = [
    "fn",
    "match",
    "self",
    "Self",
    "gen",
    "test",
    "core",
    "std",
    "alloc",
    "proc-macro",
    "deps",
    "build",
    "9lives",
    "",
    " ",
    "   ",
    "a b",
    "a.b",
    "../x",
    "-x",
    "x-",
    "ok\n",
    "\nok",
    "Foo",
    "ünïcode",
    "\N{CYRILLIC SMALL LETTER A}",
    "a\N{ZERO WIDTH SPACE}b",
    "con",
    "com1",
    "a" * 64,
    "a" * 256,
    "rocket",
    "actix-web",
    "tokio",
    "mimalloc",
    "x;ls",
    "$(id)",
    "x_y",
    "examples",
    "incremental",
]
GOOD_NAMES = ["x", "x--y", "order-api", "a" * 63, "x9", "url", "libc", "time"]

BAD_DESCRIPTIONS: list[object] = [
    "",
    " ",
    "two\nlines",
    'x"\nedition = "2015"',
    "x\nRUN id",
    TABLE_HEADER,
    "bell\a",
    "nul\0",
    "tab\t",
    "esc\x1b[31m",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    "line\N{LINE SEPARATOR}two",
    "x" * 257,
    "x" * 10_000_000,
    " padded",
    "padded ",
    "next\x85line",
    "\ufeffmark",
    "\ufffe",
]
GOOD_DESCRIPTIONS = [
    'It\'s "quoted"',
    "back\\slash \\n \\",
    '"] [dependencies]',
    "key: value",
    "a # b",
    "# head",
    "*bold* _it_ `code`",
    "&anchor",
    "!tag",
    "- item",
    "+ item",
    "1. item",
    "1) item",
    "> quote",
    "| a | b |",
    "${{ secrets.X }}",
    "$HOME and ${HOME:-x}",
    "{{7*7}}",
    "{% raw %}",
    "{# note #}",
    "emoji 🦀👩‍👩‍👧",
    "é ü ß 漢字",
    "<b>html</b> &amp; <!-- x -->",
    "[link](x) ![i](y)",
    "~~struck~~",
    "yes",
    "0123",
    "null",
    "~",
    "@at",
    "`",
    "%percent",
    "=====",
    "---",
    "a\\",
    "\\",
    '"',
    "'",
    "$",
    "x" * 256,
    "\N{NO-BREAK SPACE}x".strip(),
]

BAD_PORTS: list[object] = [
    "0",
    "80",
    "1023",
    "65536",
    "-5",
    "abc",
    "8080.5",
    "true",
    "",
    " 8080",
    "8_080",
    "0x2000",
    "８０８０",
    "9" * 5000,
]
BAD_RUST: list[object] = [
    "1.85",
    "nightly",
    "stable",
    "1.85.0",
    "1.88.9",
    "1.98.0\n",
    "1.98",
    "01.98.0",
    "",
    "latest",
]
BAD_OWNERS: list[object] = [
    "",
    "a b",
    "team\n",
    "@org/team",
    "-x",
    "x/y/z",
    "a" * 64,
    '"',
    "${X}",
    "a:b:c",
]
GOOD_OWNERS = ["platform", "group:default/platform", "user:jane.doe", "Team_1", "x"]

BAD_PLATFORMS: list[object] = [
    "",
    "[]",
    "linux/amd64",
    "[linux/s390x]",
    "[linux/amd64",
    "{}",
    "[[]]",
]
# Every legal answer to it, the one with nothing first.
SUBSETS = [
    some
    for count in range(len(OBSERVABILITY) + 1)
    for some in itertools.combinations(OBSERVABILITY, count)
]
BAD_OBSERVABILITY: list[object] = ["", "logs", "[events]", "[logs", "{}", "[[]]"]
BAD_DEPLOY: list[object] = ["", "compose", "[helm]", "[compose", "{}", "[[]]"]
BAD_IMAGE_REGISTRIES: list[object] = [
    "https://registry.example.com",
    "user:secret@registry.example.com",
    "registry",
    "harbor/proxy",
    "registry.example.com/",
    "registry.example.com/Upper",
    "registry.example.com:port",
    "registry.example.com//x",
    "registry.example.com/x:tag",
    "registry.example.com\nRUN id",
    "a b.example.com",
    "x." * 120 + "com",
    "-x.example.com",
]
GOOD_IMAGE_REGISTRIES = [
    "",
    "localhost",
    "localhost:5000",
    "127.0.0.1:5000",
    "registry.example.com",
    "registry:5000/a/b",
    "[::1]:5000",
    "123.dkr.ecr.eu-west-1.amazonaws.com/docker-hub",
    "harbor.example.com/proxy_cache/a-b",
]
BAD_CARGO_REGISTRIES: list[object] = ["a b", "9x", "-x", "a.b", "crates-io", "x\n", "ü", "x" * 64]
GOOD_CARGO_REGISTRIES = ["", "acme", "Acme_2", "my-company", "x" * 63]
BAD_INDEXES: list[object] = [
    "",
    "cargo.example.com",
    "http://cargo.example.com/index/",
    "sparse+http://cargo.example.com/index/",
    "sparse+https://cargo.example.com/index",
    "sparse+https://user:secret@cargo.example.com/index/",
    "https://token@git.example.com/index.git",
    "ssh://git@git.example.com/index.git",
    "git@git.example.com:index.git",
    "registry+https://cargo.example.com/index/",
    "sparse+https:///index/",
    "sparse+https://cargo.example.com/in dex/",
    'sparse+https://cargo.example.com/"/',
    "sparse+https://cargo.example.com/index/\n",
    "sparse+https://cargo.example.com/?x/",
    "https://cargo.example.com/" + "x" * 2000,
]
GOOD_INDEXES = [
    "sparse+https://cargo.example.com/index/",
    "sparse+https://cargo.example.com/",
    "sparse+https://127.0.0.1:8443/a/b%20c/",
    "https://git.example.com/index.git",
    "https://git.example.com:8443/group/index",
]

# By the name of its question; strings, as `--data` and a prompt give them.
BAD: dict[str, list[object]] = {
    "service_name": BAD_NAMES,
    "description": BAD_DESCRIPTIONS,
    "owner": BAD_OWNERS,
    "port": BAD_PORTS,
    "rust_version": BAD_RUST,
    "framework": ["axum", "Actix", "", "actix\n"],
    "runtime": ["ubuntu", ""],
    "profile": ["tiny"],
    "platforms": BAD_PLATFORMS,
    "observability": BAD_OBSERVABILITY,
    "ci": ["GitHub", ""],
    "deploy": BAD_DEPLOY,
    "image_registry": BAD_IMAGE_REGISTRIES,
    "cargo_registry": BAD_CARGO_REGISTRIES,
    "cargo_registry_index": BAD_INDEXES,
    "smoke": ["all", ""],
    **{name: ["maybe", ""] for name, rule in RULES.items() if rule is yes_or_no},
}
# Only YAML can give these.
BAD_YAML: dict[str, list[object]] = {
    "service_name": [None, 1, ["x"], {"x": 1}, True],
    "description": [None, True, 83, ["x"]],
    "owner": [None, 1],
    "port": [True, False, 8080.5, 8080.0, None, 0, 80, 65536, -5, [8080]],
    "rust_version": [1.85, 1, None],
    "framework": [None, 1],
    "platforms": [None, [], {}, 1, True, ["linux/s390x"], [None], [["linux/amd64"]]],
    "observability": [None, {}, 1, True, ["logs", "events"], [None], [["logs"]]],
    "ci": [None, True, ["github"]],
    "deploy": [None, {}, 1, True, ["compose", "helm"], [None], [["compose"]]],
    "image_registry": [None, 1, ["x.example.com"]],
    "cargo_registry": [None, True],
    "cargo_registry_index": [None, 1],
    **{name: [None, 1, "2"] for name, rule in RULES.items() if rule is yes_or_no},
}

FRAMEWORKS = tuple(frameworks())
RUNTIMES = tuple(runtimes())
REGISTRIES = {
    "image_registry": "registry.example.com/mirror",
    "cargo_registry": "acme-private",
    "cargo_registry_index": "sparse+https://cargo.example.com/index/",
}
# Every framework on every runtime, in both profiles; the other answers come in pairs with them.
COMBINATIONS: list[dict[str, object]] = [
    {"framework": framework, "runtime": runtime, "profile": profile, **others}
    for framework, runtime in itertools.product(FRAMEWORKS, RUNTIMES)
    for profile, others in (
        ("size", {"ca_certificates": True, "catalog": True, "port": 3000}),
        (
            "speed",
            {
                "platforms": ["linux/amd64"],
                **REGISTRIES,
                "observability": ["metrics"],
                "ci": "gitlab",
                "deploy": [*DEPLOY],
            },
        ),
        ("speed", {"ci": "none", "deploy": []}),
        (
            "size",
            {
                "platforms": ["linux/arm64"],
                **REGISTRIES,
                "port": 3000,
                "observability": [*OBSERVABILITY],
                "deploy": ["kubernetes"],
            },
        ),
    )
]
