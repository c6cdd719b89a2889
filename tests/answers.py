"""Answers that tests share: what is refused and what is legal."""
# ruff: noqa: RUF001

import itertools

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
    "smoke": ["all", ""],
    "ca_certificates": ["maybe", ""],
}
# Only YAML can give these.
BAD_YAML: dict[str, list[object]] = {
    "service_name": [None, 1, ["x"], {"x": 1}, True],
    "description": [None, True, 83, ["x"]],
    "owner": [None, 1],
    "port": [True, False, 8080.5, 8080.0, None, 0, 80, 65536, -5, [8080]],
    "rust_version": [1.85, 1, None],
    "framework": [None, 1],
    "ca_certificates": [None, 1, "2"],
}

FRAMEWORKS = ("actix", "rocket")
RUNTIMES = ("scratch", "distroless", "alpine", "debian")
PROFILES = ("size", "speed")
COMBINATIONS = [
    dict(zip(("framework", "runtime", "profile", "ca_certificates", "port"), values, strict=True))
    for values in itertools.product(FRAMEWORKS, RUNTIMES, PROFILES, (False, True), (8080, 3000))
]
