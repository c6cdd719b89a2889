"""The results of the full mode, kept so that its parts can be measured one at a time."""

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from benchmarks.figures import Record
from extensions.pins import ROOT

FILE = ROOT / "benchmarks" / "results.json"


class Part(TypedDict):
    """What one part of the full mode found, on which day and on which machine."""

    day: str
    machine: str
    records: list[Record]


def load(file: Path = FILE) -> dict[str, Part]:
    """Return all parts that have been measured, by their names."""
    parts: dict[str, Part] = {}
    for name, part in json.loads(file.read_text("utf-8")).items():
        records = [Record(**{**each, "values": tuple(each["values"])}) for each in part["records"]]
        parts[name] = Part(day=part["day"], machine=part["machine"], records=records)
    return parts


def of_budgets(parts: Mapping[str, Part]) -> list[Record]:
    """Return what the budgets are about, of all that has been measured."""
    return [
        each for name in ("budgets", "fleet") if name in parts for each in parts[name]["records"]
    ]


def keep(name: str, records: list[Record], tools: str, file: Path = FILE) -> None:
    """Put what has just been measured here in the place of a part's earlier results.

    Args:
        name: Of the part.
        records: What was measured.
        tools: What else decides the figures: the base images and the engine, or versions.
        file: Where the results of all parts are.
    """
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = model[1].strip() if model else platform.machine()
    machine = f"{processor}, {os.cpu_count()} processors; {tools}"
    part = Part(day=datetime.now(tz=UTC).date().isoformat(), machine=machine, records=records)
    parts = dict(sorted({**load(file), name: part}.items()))
    text = json.dumps(parts, indent=1, ensure_ascii=False, default=asdict)
    file.write_text(f"{text}\n", "utf-8")
