import hashlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path

from .. import api, bed, waits
from ..people import tidegate
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until

# Attempts of a service that was here before. With the one that takes over what runs and the first release there are two more,
# and of all the newest 20 stay.
ATTEMPTS = 30
GO = ATTEMPTS + 2 - 20
QUICK = ((50, "3s"), (100, "3s"))
LOOKED_THROUGH = 700  # seconds


@scenario(core=False, alone=True)
def pruning(t: Context) -> None:
    """A service that was restored from a backup, with three months of records: the oldest go, not before they were exported where that is asked for; the chain holds with what was pruned, exports and cluster together are the whole of it, and what somebody else deletes is still missed."""
    shop = t.shop(rate=60, stages=QUICK, strategy={"verify": "3s", "handBack": "2s"}, policy={"tier": 1, "requirements": {"mode": "Audit"}})
    shop.start(gated=False)
    t.afterwards(lambda: bed.configure({"admission.recordWriters": [], "records.pruneOnlyExported": False}))
    bed.configure({"admission.recordWriters": ["admin"], "records.pruneOnlyExported": True})
    restored = history(shop)
    until("the restore may write records", waits.RELEASE_TAKEN_UP, lambda: may_write(restored[0]))
    for record in restored:
        restore(record)
    shop.gate()
    restore_windows(shop)
    taken_over = lambda: shop.records()[-1]["status"].get("outcome") == "Bootstrap" and shop.live_release()["status"].get("attempts") == ATTEMPTS + 1
    until("what runs is taken over", waits.RELEASE_TAKEN_UP, taken_over, instead=shop.state)
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 0 and f"{shop.namespace}/{shop.name}: holds, {ATTEMPTS + 1} records" in said, f"restored, exit code {code}: {said}")

    # Charges are counted on from the backup's. Nothing was exported, so that nothing goes however often it is looked at.
    shop.users()
    shop.deploy("v2")
    charge = shop.ends("Succeeded")["status"]["charge"]
    check(charge["sequence"] == ATTEMPTS, f"charged {charge}, and the backup's last number is {ATTEMPTS - 1}")
    shop.leaves_nothing()
    for _ in range(15):
        looks(shop)
        time.sleep(1)
    check(len(shop.records()) == ATTEMPTS + 2, f"records went that nobody exported: {[r['metadata']['name'] for r in shop.records()]}")
    export = shop.results / "records.jsonl"
    code, said = tidegate(None, "audit", "export", "-n", shop.namespace, "--output", export, "--mark")
    check(code == 0 and len(export.read_text().splitlines()) == ATTEMPTS + 2, f"the export, exit code {code}: {said}")
    # A controller that has begun looks within ten minutes, and one that has found nothing only after an hour.
    bed.kubectl("rollout", "restart", "deployment/tidegate", "-n", bed.TIDEGATE_NAMESPACE)
    bed.kubectl("rollout", "status", "deployment/tidegate", "-n", bed.TIDEGATE_NAMESPACE, "--timeout", f"{waits.TIDEGATE_READY}s")
    began = now_ms()
    until("the oldest records go", LOOKED_THROUGH, lambda: looks(shop) and begins(shop) == GO + 1, every=1, instead=lambda: (begins(shop), shop.live_release()["status"].get("records")))
    kept = shop.live_release()["status"]["records"]
    check(kept == {"begins": GO + 1, "previousDigest": restored[GO - 1]["status"]["digest"], "pruned": GO}, f"the chain is said to begin with {kept}")
    told = shop.events("RecordsPruned")
    check(told and f"{GO} records were pruned" in told[-1]["message"], f"told: {[event['message'] for event in told]}")
    t.note(f"after {(now_ms() - began) / 1000:.0f} s: {told[-1]['message']}")

    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    begin = f"begins with attempt {GO + 1}, {GO} earlier were pruned"
    check(code == 0 and "holds, 20 records" in said and begin in said, f"pruned, exit code {code}: {said}")
    t.note(said)
    # What goes on is chained to what is left, and one more may go; export and cluster together are all of it.
    shop.deploy("v3")
    shop.ends("Succeeded")
    until("the next record goes", LOOKED_THROUGH, lambda: looks(shop) and begins(shop) == GO + 2, every=1, instead=lambda: begins(shop))
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace, "--with-cluster", "--file", export)
    check(code == 0 and f"holds, {ATTEMPTS + 3} records" in said and "begins with" not in said, f"the whole chain, exit code {code}: {said}")
    t.note(f"with the export: {said.splitlines()[0]}")
    rest = shop.results / "rest.jsonl"
    code, said = tidegate(None, "audit", "export", "-n", shop.namespace, "--output", rest)
    check(code == 0 and not names(rest) & {record["metadata"]["name"] for record in restored[: GO + 1]}, f"the second export, exit code {code}: {said}")
    code, said = tidegate(None, "audit", "verify", "--file", export, "--file", rest)
    check(code == 0 and f"holds, {ATTEMPTS + 3} records" in said, f"from the two exports, exit code {code}: {said}")

    oldest = shop.records()[0]["metadata"]["name"]
    api.delete("ReleaseRecord", shop.namespace, oldest)
    code, said = tidegate(None, "audit", "verify", "-n", shop.namespace)
    check(code == 1 and f"BROKEN: {oldest} is missing" in said, f"the oldest deleted by hand, exit code {code}: {said}")
    t.note(said.splitlines()[0])
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


def history(shop: Shop) -> list[api.Object]:
    """Records of a GatedRelease of this name, in a month that lies before the two before this one; it was deleted at last."""
    month = months(3)[0]
    found: list[api.Object] = []
    for attempt in range(1, ATTEMPTS + 1):
        name, at = f"{shop.name}-{attempt:04d}", f"{month}-{min(attempt, 28):02d}T12:00:00Z"
        spec = {
            "release": shop.name, "attempt": attempt, "workloadUid": "of-the-former-cluster", "revision": f"r{attempt:04d}", "arm": "Canary",
            "change": {"reference": f"git:{attempt:07x}", "type": "Feature", "categories": []}, "riskBudget": shop.name,
        }
        spec |= {"previousDigest": found[-1]["status"]["digest"]} if found else {}
        status = {
            "phase": "Complete", "phaseSince": at, "stages": [], "stage": 0, "verify": "0s", "endedAt": at,
            "outcome": "Succeeded" if attempt < ATTEMPTS else "Abandoned", "summary": "As it stood in the backup.",
        }
        status |= {"charge": {"sequence": attempt, "points": 1, "at": at}} if attempt < ATTEMPTS else {}
        status["digest"] = digest({"name": name, "spec": spec, "status": status})
        meta = shop.meta(name, labels={"tidegate.io/release": shop.name, "tidegate.io/budget": shop.name})
        found.append({"apiVersion": "tidegate.io/v1alpha1", "kind": "ReleaseRecord", "metadata": meta, "spec": spec, "status": status})
    return found


def digest(said: object) -> str:
    """Canonical JSON of what has no fractions and no other letters than ASCII: keys in order, no spaces."""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def may_write(record: api.Object) -> bool:
    try:
        api.call("POST", api.path("ReleaseRecord", record["metadata"]["namespace"], dryRun="All"), {key: value for key, value in record.items() if key != "status"})
    except api.Refused as refusal:
        check("written by Tidegate only" in str(refusal), f"the restore was refused by: {refusal}")
        return False
    return True


def restore(record: api.Object) -> None:
    made = api.create({key: value for key, value in record.items() if key != "status"})
    where = f"{api.path('ReleaseRecord', made['metadata']['namespace'], made['metadata']['name'])}/status"
    api.call("PUT", where, {**record, "metadata": made["metadata"]})


def restore_windows(shop: Shop) -> None:
    """What the two windows before this one came to stands in the status of the RiskBudget, which a backup has too."""
    window = {"allocated": 200, "consumed": 0, "sequence": ATTEMPTS - 1, "releases": 0, "failed": 0, "exceptions": 0, "mttr": "0s"}
    windows = [{"window": month, "from": f"{month}-01T00:00:00Z", **window} for month in reversed(months(2))]
    where = f"{api.path('RiskBudget', shop.namespace, shop.name)}/status"
    api.call("PATCH", where, {"status": {"windows": windows}}, "application/merge-patch+json")
    names = lambda: [one["window"] for one in api.get("RiskBudget", shop.namespace, shop.name)["status"].get("windows", [])]
    check(names() == [one["window"] for one in windows], f"the windows in the status: {names()}")


def months(count: int) -> list[str]:
    """So many months before this one, the oldest first."""
    now = datetime.now(UTC)
    numbers = [now.year * 12 + now.month - 1 - back for back in range(count, 0, -1)]
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in numbers]


def looks(shop: Shop) -> bool:
    """Something about the GatedRelease changes, so that it is looked at."""
    mark = {"metadata": {"annotations": {"e2e.tidegate.io/look": str(now_ms())}}}
    return bool(api.patch("GatedRelease", shop.namespace, shop.name, mark))


def begins(shop: Shop) -> int:
    return shop.records()[0]["spec"]["attempt"]


def names(export: Path) -> set[str]:
    return {json.loads(line)["metadata"]["name"] for line in export.read_text().splitlines()}
