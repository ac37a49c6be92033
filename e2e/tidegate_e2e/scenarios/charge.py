import json
from pathlib import Path

from .. import api, waits
from ..people import account, tidegate
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

INFRASTRUCTURE = ("--change", "git:infra-1", "--category", "infrastructure", "--type", "Infrastructure")


@scenario(core=False)
def charge(t: Context) -> None:
    """What a pipeline changes beside workloads (infrastructure, a schema, a flag) is charged once each, by its score, to the budget that releases spend; what that does not allow is not sent, or costs half as much again; nobody is heard without the verb."""
    policy = {"tier": 1, "requirements": {"mode": "Audit"}, "riskPoints": 60}
    shop = t.shop(rate=60, stages=((25, "5s"), (100, "4s")), strategy={"verify": "5s"}, policy=policy)
    shop.start()
    shop.users()
    pipeline = account(shop, "pipeline", "tidegate-ci")
    bystander = account(shop, "bystander", "tidegate-relay", "tidegate-view")
    name = f"system:serviceaccount:{shop.namespace}:pipeline"

    # Who may only bring what others signed says nothing in its own name.
    code, said = tidegate(bystander, "charge", "--budget", shop.name, *INFRASTRUCTURE)
    check(code == 1 and "may not attest charge" in said and "verb attest on evidence.tidegate.io" in said, f"the bystander, exit code {code}: {said}")
    t.note(f"without the verb: {said.splitlines()[-1]}")

    code, said = tidegate(pipeline, "charge", "--budget", shop.name, *INFRASTRUCTURE, "--dry-run")
    check(code == 0 and "would cost 18 RP; nothing was sent" in said and not claims(shop), f"only asked, exit code {code}: {said}")
    record = charged(shop, pipeline, 18, 1, *INFRASTRUCTURE)
    t.note(f"{record['metadata']['name']}: {record['status']['summary']}")
    check(record["spec"]["changedBy"] == name, f"it is on record as of {record['spec']['changedBy']}")
    assessment = record["status"]["assessment"]
    check((assessment["gate"], assessment["score"]) == ("G3", "18 RP = 3 base + 15 diff + 0 context - 0 mitigations"), f"assessed: {assessment}")
    counted(shop, 18, 42, "Green")

    # The pipeline is started again, and says something else the second time.
    code, said = tidegate(pipeline, "charge", "--budget", shop.name, *INFRASTRUCTURE, "--wait")
    check(code == 0 and "was charged before: 18 RP, number 1" in said, f"the second time, exit code {code}: {said}")
    spec = {"releaseRef": {"kind": "RiskBudget", "name": shop.name}, "revision": "git:infra-1", "type": "charge", "facts": {"categories": "platform-wide"}}
    api.create({"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": shop.meta("once-more"), "spec": {**spec, "author": "admin"}})
    # The next number is the migration's: the first change has kept its one.
    charged(shop, pipeline, 13, 2, "--change", "migration:0042", "--category", "schema-migration-additive")
    counted(shop, 31, 29, "Yellow")
    check(shop.record_named(record["metadata"]["name"])["status"] == record["status"], "what was charged first is another now")
    record = charged(shop, pipeline, 9, 3, "--change", "flag:new-prices", "--category", "feature-flag", "--type", "Config")
    check("Yellow: +1" in record["status"]["assessment"]["why"], f"Yellow did not escalate: {record['status']['assessment']}")
    counted(shop, 40, 20, "Yellow")

    # A release of the workload spends the same points, and has the next number.
    shop.deploy("v2")
    release = shop.ends("Succeeded")
    check((release["status"]["charge"]["sequence"], release["status"]["charge"]["points"]) == (4, 9), f"the release was charged {release['status']['charge']}")
    counted(shop, 49, 11, "Red")

    late = ("--change", "git:infra-2", "--category", "infrastructure", "--type", "Infrastructure")
    before = len(claims(shop))
    code, said = tidegate(pipeline, "charge", "--budget", shop.name, *late, "--wait")
    check(code == 3 and "not allowed by the budget; nothing was sent" in said and "000 §6.3, Red" in said, f"in Red, exit code {code}: {said}")
    check(len(claims(shop)) == before, "what the budget does not allow was sent")
    t.note(f"in Red: {said.splitlines()[-1]}")
    record = charged(shop, pipeline, 27, 5, *late, "--past-the-budget", "--change-author", "olga")
    authors = record["status"]["assessment"]["authors"]
    check(authors == {"names": ["olga"], "known": True}, f"who may not approve it: {authors}")
    check(record["status"]["charge"]["exception"] and "half as much again" in record["status"]["summary"], f"past the budget: {record['status']}")
    risk = counted(shop, 76, -16, "Exhausted")
    check((risk["releases"], risk["exceptions"]) == (5, 1), f"counted: {risk}")
    owed = until("its follow-up is owed", waits.BUDGET_MEASURED, lambda: follow_up(shop), instead=lambda: status(shop).get("obligations"))
    check(record["metadata"]["name"] in owed["name"] and owed["state"] == "Due", f"owed: {owed}")
    t.note(f"owed by {', '.join(owed['owedBy'])} until {owed['due']}: {owed['name']}")

    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 0 and f"{shop.namespace}/charges_{shop.name}: holds, 4 records" in said, f"the chains, exit code {code}: {said}")
    t.note(f"{risk['consumed']} of {risk['allocated']} RP; {said.splitlines()[0]}")
    # An administrator deletes the newest: it is missed at the chain's end, its number is not given again, and nothing is given back.
    api.delete("ReleaseRecord", shop.namespace, record["metadata"]["name"])
    missing = f"BROKEN: number 4 of charges_{shop.name} is missing"
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 1 and missing in said, f"without the newest, exit code {code}: {said}")
    risk = until("what it cost is told as lost", waits.BUDGET_MEASURED, lambda: status(shop)["risk"] if status(shop)["risk"].get("lost") else None, instead=lambda: status(shop).get("risk"))
    check(risk["consumed"] >= 76 and risk["lost"]["points"] == 27, f"the deletion gave points back: {risk}")
    until("what was attested is charged again", waits.BUDGET_MEASURED, lambda: api.find("ReleaseRecord", shop.namespace, record["metadata"]["name"]), instead=lambda: status(shop).get("ledger"))
    again = shop.record_named(record["metadata"]["name"])["spec"]
    check((again["attempt"], again["previousDigest"]) == (5, record["status"]["digest"]), f"made again as {again}")
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 1 and missing in said, f"after the next charge, exit code {code}: {said}")
    t.note(said)
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


def charged(shop: Shop, who: Path, points: int, number: int, *change: str) -> dict:
    """Charged to the budget at that figure and under that number, as the command and the record say; the record."""
    code, said = tidegate(who, "charge", "--budget", shop.name, *change, "--wait", "--output", "json")
    check(code == 0, f"{change}, exit code {code}: {said}")
    page = json.loads(said)
    check((page["charge"]["points"], page["charge"]["sequence"]) == (points, number), f"{change} was charged {page['charge']}")
    record = shop.record_named(page["record"])
    status = record["status"]
    check((status["outcome"], status["charge"]) == ("Charged", page["charge"]), f"on record: {status}")
    return record


def counted(shop: Shop, consumed: int, remaining: int, band: str) -> dict:
    """The RiskBudget's status comes to that."""

    def reached() -> dict | None:
        risk = status(shop).get("risk", {})
        return risk if (risk.get("consumed"), risk.get("remaining"), risk.get("band")) == (consumed, remaining, band) else None

    return until(f"{consumed} RP are spent and {remaining} left, {band}", waits.BUDGET_MEASURED, reached, instead=lambda: status(shop).get("risk"))


def status(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"]


def claims(shop: Shop) -> list[dict]:
    return [one for one in api.every("Attestation", shop.namespace) if one["spec"]["type"] == "charge"]


def follow_up(shop: Shop) -> dict | None:
    return next((one for one in status(shop).get("obligations", []) if one["type"] == "exception-follow-up"), None)
