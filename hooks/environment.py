"""What of the environment a service's own code gets to see in a proof: what it needs to build.

Build scripts, procedural macros and tests are code of the service and of its crates. They have no
business with `GH_TOKEN` and the like.
"""

from collections.abc import Mapping

# Names, separated by commas or blanks, of further variables that the service needs.
MORE = "SMOKE_ENV"

NAMES = frozenset(
    """
    APPDATA AR CC COLUMNS COMSPEC DEVELOPER_DIR HOME HTTPS_PROXY HTTP_PROXY ALL_PROXY JOBS LANG
    LD_LIBRARY_PATH LIBRARY_PATH CPATH CXX C_INCLUDE_PATH LOCALAPPDATA LOGNAME MAKEFLAGS NO_COLOR
    NO_PROXY NUM_JOBS PATH PROTOC SDKROOT SHELL SOURCE_DATE_EPOCH SYSTEMROOT TEMP TERM TMP TMPDIR
    TZ USER USERPROFILE
    """.split()
)
# Cargo, rustc and rustup; C compilers, for a target too; where libraries are.
PREFIXES = (
    *("CARGO_", "RUST", "CC_", "CXX_", "AR_", "CFLAGS", "CXXFLAGS", "LDFLAGS", "LC_", "PKG_CONFIG"),
    *("CMAKE", "OPENSSL_", "SSL_CERT_", "MACOSX_DEPLOYMENT", "NIX_", "DYLD_", "HOST_", "TARGET_"),
)
SECRET = ("TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "_KEY")


def for_cargo(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment Cargo and what it runs may see.

    Args:
        environment: All of it.

    Returns:
        What a build needs, and what `SMOKE_ENV` names. The crates have been downloaded, so no token
        of a registry is in it, and Cargo asks none.
    """
    return {**without_secrets(environment), "CARGO_NET_OFFLINE": "true"}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment a build needs, and what `SMOKE_ENV` names."""
    more = set(environment.get(MORE, "").replace(",", " ").split())
    return {name: value for name, value in environment.items() if name in more or _needed(name)}


def _needed(name: str) -> bool:
    upper = name.upper()
    if upper in NAMES:
        return True
    return upper.startswith(PREFIXES) and not any(word in upper for word in SECRET)
