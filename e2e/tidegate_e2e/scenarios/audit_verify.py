import os
import subprocess
from collections.abc import Callable

from .. import api, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until

QUICK = ((50, "3s"), (100, "3s"))
GUARD = "tidegate-records"  # the policy that lets nobody but the controller write records


@scenario(core=False, alone=True)
def audit_verify(t: Context) -> None:
    """The chain of records holds; an administrator who takes the policy away and edits or deletes a sealed one is found, by the first broken link."""
    shop = t.shop(rate=60, stages=QUICK, strategy={"verify": "3s", "handBack": "2s"})
    shop.start()
    shop.users()
    for version in ("v2", "v3"):
        shop.deploy(version)
        shop.ends("Succeeded")
        shop.leaves_nothing()
    names = [record["metadata"]["name"] for record in shop.records()]
    check(len(names) == 3, f"records: {names}")
    head = shop.records()[-1]["status"]["digest"]
    code, said = verify(shop)
    check(code == 0 and f"{shop.namespace}/{shop.name}: holds, 3 records" in said and head in said, f"exit code {code}: {said}")
    t.note(said)

    second = shop.record_named(names[1])
    edited = {**second, "status": {**second["status"], "summary": "Nothing happened."}}
    # As long as the object stands, the kind itself refuses, whatever becomes of the policy.
    check("the record is sealed" in refused(lambda: put(edited)), "a sealed record was edited in place")
    check("written by Tidegate only" in refused(lambda: api.create(anew(edited))), "a record was made by somebody else while the policy is in force")
    unguarded(t, second, lambda: check("the record is sealed" in refused(lambda: put(edited)), "a sealed record was edited in place without the policy"))
    unguarded(t, second, lambda: again(edited))
    code, said = verify(shop)
    check(code == 1 and f"BROKEN: {names[1]} was edited" in said, f"after an edit, exit code {code}: {said}")
    t.note(said)
    # What it said before makes the digest again.
    unguarded(t, second, lambda: again(second))
    code, said = verify(shop)
    check(code == 0, f"put back, exit code {code}: {said}")

    api.delete("ReleaseRecord", shop.namespace, names[1])
    code, said = verify(shop)
    check(code == 1 and f"BROKEN: {names[1]} is missing" in said and "  holds up to sha256:" in said, f"after a deletion, exit code {code}: {said}")
    t.note(said)
    # Tidegate goes on from the newest record: what was deleted stays missing, and nothing else breaks.
    shop.deploy("v4")
    shop.ends("Succeeded")
    code, said = verify(shop)
    check(code == 1 and f"BROKEN: {names[1]} is missing" in said, f"after the next release, exit code {code}: {said}")
    # The head is missing: the GatedRelease tells how many there were.
    newest = shop.records()[-1]["metadata"]["name"]
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
    unguarded(t, second, lambda: again(second))
    code, said = verify(shop)
    check(code == 0, f"made again, exit code {code}: {said}")
    api.delete("ReleaseRecord", shop.namespace, newest)
    code, said = verify(shop)
    check(code == 1 and f"BROKEN: {newest} is missing" in said, f"without the newest, exit code {code}: {said}")
    t.note(said)


def verify(shop: Shop) -> tuple[int, str]:
    done = subprocess.run([os.environ["TIDEGATE_BINARY"], "audit", "verify", "-n", shop.namespace], text=True, capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).strip()


def put(record: api.Object) -> None:
    """Writes the status of a record as it is given."""
    name, namespace = record["metadata"]["name"], record["metadata"]["namespace"]
    live = api.get("ReleaseRecord", namespace, name)["metadata"]
    api.call("PUT", f"{api.path('ReleaseRecord', namespace, name)}/status", {**record, "metadata": live})


def anew(record: api.Object) -> api.Object:
    """What is sent to create a record of that name and spec; its status is written afterwards."""
    meta = {k: v for k, v in record["metadata"].items() if k in ("name", "namespace", "labels", "annotations")}
    return {k: v for k, v in record.items() if k != "status"} | {"metadata": meta}


def again(record: api.Object) -> None:
    """Deletes a record and makes one of its name that says what is given."""
    api.delete("ReleaseRecord", record["metadata"]["namespace"], record["metadata"]["name"])
    api.create(anew(record))
    put(record)


def refused(deed: Callable[[], object]) -> str:
    """What the API server said where it refused, else nothing."""
    try:
        deed()
    except api.Refused as refusal:
        return str(refusal)
    return ""


def unguarded(t: Context, record: api.Object, deed: Callable[[], object]) -> None:
    """Does a deed while the policy is not bound, as who may change policies can."""
    kind = "ValidatingAdmissionPolicyBinding"
    binding = api.get(kind, None, GUARD)
    bound = {**binding, "metadata": {k: v for k, v in binding["metadata"].items() if k in ("name", "labels", "annotations")}}
    restore = lambda: api.find(kind, None, GUARD) or api.create(bound)
    t.afterwards(restore)

    def in_force() -> bool:
        where = api.path("ReleaseRecord", record["metadata"]["namespace"], dryRun="All")
        return "written by Tidegate only" in refused(lambda: api.call("POST", where, anew(record)))

    # A binding counts a moment after it was made or deleted.
    api.delete(kind, None, GUARD)
    until("the policy is out of force", waits.RELEASE_TAKEN_UP, lambda: not in_force())
    deed()
    restore()
    until("the policy is in force again", waits.RELEASE_TAKEN_UP, in_force)
