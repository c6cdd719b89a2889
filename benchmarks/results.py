"""The results of the full mode, kept so that its parts can be measured one at a time."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Record
from extensions.pins import ROOT

FILE = ROOT / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Part:
    """What one part of the full mode found.

    Attributes:
        name: Of the part.
        day: When it was measured, as in 2026-11-24.
        machine: What it was measured on.
        records: The figures.
    """

    name: str
    day: str
    machine: str
    records: tuple[Record, ...]


def measured(name: str, records: Sequence[Record], bases: str) -> Part:
    """Return the results of a part that has just been measured here.

    Args:
        name: Of the part.
        records: What it found.
        bases: The base images and the engine.
    """
    machine = f"{_processor()}, {os.cpu_count()} processors; {bases}"
    return Part(name, datetime.now(tz=UTC).date().isoformat(), machine, tuple(records))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def load(file: Path = FILE) -> dict[str, Part]:
    """Return all parts that have been measured."""
    if not file.exists():
        return {}
    return {
        name: Part(
            name,
            part["day"],
            part["machine"],
            tuple(
                Record(**{**record, "values": tuple(record["values"])})
                for record in part["records"]
            ),
        )
        for name, part in json.loads(file.read_text("utf-8")).items()
    }


def keep(part: Part, file: Path = FILE) -> None:
    """Put the results of a part in the place of its earlier ones."""
    parts = {**load(file), part.name: part}
    kept = {
        name: {
            "day": part.day,
            "machine": part.machine,
            "records": [
                {**asdict(record), "values": [float(f"{value:.5g}") for value in record.values]}
                for record in part.records
            ],
        }
        for name, part in sorted(parts.items())
    }
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
