"""Which file is the policy of the organisation, if there is one.

`extensions/policy.py` reads it. Most copies have no policy, and need not wait for that module.
"""

import os
from pathlib import Path

from .pins import ROOT

VARIABLE, BESIDE = "CATALOG_POLICY", "policy.yaml"


def policy_file() -> Path | None:
    """Return the file that `CATALOG_POLICY` names, or else the one beside the template.

    Returns:
        The file, which need not be there if it is named; None if the variable is empty, or if there
        is neither.
    """
    named = os.environ.get(VARIABLE)
    if named is None:
        beside = ROOT / BESIDE
        return beside if beside.exists() else None
    return Path(named).absolute() if named else None
