"""The cluster's Prometheus, asked as the controller asks it."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import urlencode

from .bed import PROMETHEUS


def reload() -> None:
    """Reads the rule files again; the chart's ConfigMap arrives in the pod some time after its creation."""
    urllib.request.urlopen(urllib.request.Request(f"{PROMETHEUS}/-/reload", method="POST"), timeout=10).read()


def _ask(endpoint: str, **query: object) -> list[dict]:
    with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/{endpoint}?{urlencode(query)}", timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def value(promql: str) -> float | None:
    """The one number that a query answers, or none."""
    result = _ask("query", query=promql)
    return float(result[0]["value"][1]) if result else None


def over(promql: str, start: int, end: int, step: int) -> list[tuple[float, str]]:
    """The one series that a query answers, from second to second; none where there is none."""
    series = _ask("query_range", query=promql, start=start, end=end, step=step)
    return series[0]["values"] if series else []


def first_true(promql: str, start_ms: int, end_ms: int) -> int | None:
    """The first scrape, in milliseconds, at which the query answered anything, at a step of one second."""
    series = _ask("query_range", query=promql, start=start_ms / 1000, end=end_ms / 1000, step=1)
    times = [at for one in series for at, _ in one["values"]]
    return int(min(times) * 1000) if times else None


def rule_groups() -> list[str]:
    """The groups of rules that Prometheus has read; none while it starts."""
    try:
        with urllib.request.urlopen(f"{PROMETHEUS}/api/v1/rules", timeout=10) as answer:
            return [group["name"] for group in json.load(answer)["data"]["groups"]]
    except OSError:
        return []
