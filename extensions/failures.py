"""Tells an error of the machine, while Copier writes, in one line instead of a traceback."""

import sys
from types import TracebackType

from plumbum import ProcessExecutionError

from . import interrupts


def tell_in_a_line() -> None:
    """Tell an error that ends Copier in one line, such as a full disk or a git that fails."""
    sys.excepthook = _tell


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, ProcessExecutionError):
        lines = str(error.stderr).strip().splitlines() or ["it does not say why"]
        reason = f"{error.argv[0]} ended with {error.retcode}: {lines[-1]}"
    elif isinstance(error, OSError) and error.strerror:
        reason = error.strerror + (f": {error.filename}" if error.filename else "")
    else:
        sys.__excepthook__(kind, error, trace)
        return
    print(f"{reason}; {interrupts.left_behind()}", file=sys.stderr)
