"""What a scenario is: a function with one sentence of intent, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import api, bed, waits
from .shop import Shop
from .waits import until


@dataclass(frozen=True)
class Scenario:
    name: str
    intent: str
    run: Callable[[Context], None]
    core: bool
    alone: bool


ALL: dict[str, Scenario] = {}


def scenario(*, core: bool = True, alone: bool = False) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Registers a function under its name. `core`: part of a plain `e2e/run`. `alone`: it disturbs what others rest on."""

    def register(run: Callable[[Context], None]) -> Callable[[Context], None]:
        name = run.__name__.replace("_", "-")
        ALL[name] = Scenario(name, (run.__doc__ or "").strip(), run, core, alone)
        return run

    return register


@dataclass
class Context:
    """What a scenario is given: a namespace of its own, a folder for what is kept, a voice."""

    name: str
    notes: list[str] = field(default_factory=list)
    shops: list[Shop] = field(default_factory=list)
    cleanups: list[Callable[[], None]] = field(default_factory=list)

    @property
    def results(self) -> Path:
        folder = bed.RESULTS / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def shop(self, suffix: str = "", **fields: Any) -> Shop:
        namespace = f"e2e-{self.name}{suffix}"
        folder = self.results / suffix.strip("-") if suffix else self.results
        folder.mkdir(exist_ok=True)
        # What an earlier run left behind (--keep) has a past of its own.
        if api.find("Namespace", None, namespace):
            api.delete("Namespace", None, namespace)
            until(f"the namespace {namespace} of an earlier run goes", 2 * waits.GONE, lambda: not api.find("Namespace", None, namespace))
        shop = Shop(namespace=namespace, results=folder, **fields)
        self.shops.append(shop)
        return shop

    def note(self, text: str) -> None:
        """A figure or finding that is printed with the result."""
        self.notes.append(text)

    def afterwards(self, undo: Callable[[], None]) -> None:
        """Undone at the end, whatever the outcome; last in, first out."""
        self.cleanups.append(undo)

    def clean_up(self, keep: bool) -> None:
        for shop in self.shops:
            shop.stop()
        for undo in reversed(self.cleanups):
            undo()
        if not keep:
            for shop in self.shops:
                api.delete("Namespace", None, shop.namespace)
