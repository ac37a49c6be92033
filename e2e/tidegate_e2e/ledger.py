"""What releases were charged: what the RiskBudget counts, beside what the records say."""

from __future__ import annotations

from . import api, waits
from .api import Object
from .shop import Shop
from .waits import check, until


def settles(shop: Shop, *charged: Object) -> None:
    """Just these records were charged, in this order, each once and as much as its score says; and the RiskBudget counts just that, with
    nothing promised or on its way any more."""
    names = [record["metadata"]["name"] for record in charged]
    agrees(shop)
    records = {record["metadata"]["name"]: record for record in shop.records()}
    numbers = sorted((charge["sequence"], name) for name, record in records.items() if (charge := record["status"].get("charge")))
    check(numbers == list(enumerate(names, 1)), f"charged were {numbers}, not {names}")
    for name in names:
        price(records[name])


def price(record: Object) -> int:
    """What a record was charged: its score, half as much again for an exception, rounded up."""
    charge, score = record["status"]["charge"], record["status"]["assessment"]["points"]
    wanted = (score * 3 + 1) // 2 if charge.get("exception") else score
    check(charge["points"] == wanted > 0, f"{record['metadata']['name']} was charged {charge}, and its score is {score} RP")
    return wanted


def agrees(shop: Shop) -> Object:
    """Waits until the RiskBudget counts what the records were charged, and keeps nothing for anybody; what it counts."""

    def counted() -> Object | None:
        charges = [charge for record in shop.records() if (charge := record.get("status", {}).get("charge"))]
        status = of(shop)
        risk, ledger = status.get("risk", {}), status.get("ledger", {})
        wanted = (sum(c["points"] for c in charges), len(charges), sum(c.get("exception", False) for c in charges), 0)
        seen = tuple(risk.get(figure) for figure in ("consumed", "releases", "exceptions", "reserved"))
        number = max((c["sequence"] for c in charges), default=0)
        settled = ledger.get("sequence", 0) == number and not ledger.get("reservations") and not ledger.get("pending")
        return risk if seen == wanted and settled else None

    told = lambda: {"status": {k: of(shop).get(k) for k in ("risk", "ledger")}, "charges": [(r["metadata"]["name"], r.get("status", {}).get("charge")) for r in shop.records()]}
    return until("the RiskBudget counts what was charged", waits.BUDGET_MEASURED, counted, instead=told)


def of(shop: Shop) -> Object:
    """The status of its RiskBudget."""
    return api.get("RiskBudget", shop.namespace, shop.budget_name or shop.name).get("status", {})
