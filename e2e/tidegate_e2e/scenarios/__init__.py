"""One scenario a file; `@scenario` registers it under the name of its function."""

from __future__ import annotations

import importlib
import pkgutil

from ..scenario import ALL, Scenario


def load_all() -> dict[str, Scenario]:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return ALL
