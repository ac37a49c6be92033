"""The users: a client at a fixed rate that writes down every answer, and what it saw."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from .bed import BIN


class Answer(NamedTuple):
    sent: int  # Unix milliseconds
    done: int
    version: str  # "-": no application answered
    status: int  # 0: nobody answered
    error: str

    @property
    def failed(self) -> bool:
        return self.status != 200


class Answers(list[Answer]):
    @classmethod
    def read(cls, path: Path) -> Answers:
        answers = cls()
        for line in path.read_text().splitlines():
            fields = line.split(",", 4)
            if len(fields) < 4 or not fields[3].isdigit():
                continue  # a line that is still being written
            sent, took = int(fields[0]), int(fields[1])
            answers.append(Answer(sent, sent + took // 1000, fields[2], int(fields[3]), fields[4] if len(fields) > 4 else ""))
        return answers

    def between(self, start: int, end: int) -> Answers:
        """Those sent in [start, end)."""
        return Answers(a for a in self if start <= a.sent < end)

    def of(self, *versions: str) -> Answers:
        return Answers(a for a in self if a.version in versions)

    def outside(self, *windows: tuple[int, int]) -> Answers:
        """Those that had ended before each [start, end) began, or were sent when it was over."""
        return Answers(a for a in self if all(a.done < start or a.sent >= end for start, end in windows))

    def others(self, *versions: str) -> Answers:
        """Those of another version than these; where nobody answered there is none."""
        return Answers(a for a in self if a.version not in (*versions, "-"))

    def failed(self) -> Answers:
        return Answers(a for a in self if a.failed)

    def share(self, version: str) -> float:
        """Percent of the answers that came from this version."""
        return 100 * len(self.of(version)) / len(self) if self else 0.0

    def versions(self) -> Counter[str]:
        return Counter(a.version for a in self)

    def describe(self) -> str:
        """`v1 2034 (0 failed), v2 511 (3 failed)`, for messages."""
        failed = self.failed().versions()
        return ", ".join(f"{v} {n} ({failed[v]} failed)" for v, n in sorted(self.versions().items())) or "none"

    def examples(self, most: int = 5) -> str:
        return "; ".join(f"at {a.sent}: {a.version} {a.status} {a.error}" for a in self[:most])


class Client:
    """`app load` against a host of the gateway, from its start until `stop`; `alone`: each request by a connection of its own."""

    def __init__(self, url: str, host: str, rate: float, record: Path, alone: bool = False) -> None:
        self._record = record
        self._process = subprocess.Popen([BIN / "app", "load", "-rate", str(rate), "-host", host, "-out", record, *(["-alone"] if alone else []), url])

    def so_far(self) -> Answers:
        return Answers.read(self._record) if self._record.exists() else Answers()

    def stop(self) -> Answers:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)
        return self.so_far()


