import json

from .. import api, bed, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, next_second, until

RBAC = "rbac.authorization.k8s.io"


@scenario(core=False)
def points(t: Context) -> None:
    """Two releases start at once and only one fits into the risk budget: one ships, one waits; break-glass costs half as much again; a deleted record shows."""
    policy = {"tier": 1, "requirements": {"mode": "Audit"}, "riskPoints": 15}
    first = t.shop(rate=60, stages=((25, "8s"), (100, "4s")), policy=policy)
    first.start()
    second = cart(first)
    t.shops.append(second)
    second.start()
    for shop in (first, second):
        shop.users()
    # Each costs 9 RP: base 3 of its tier, 6 for a new image that nobody explains.
    for shop in (first, second):
        shop.deploy("v2")
    shops = {shop.name: shop for shop in (first, second)}
    until("one of them goes and one is held", waits.RELEASE_TAKEN_UP, lambda: sorted(bool(shop.held("RiskPointsSpent")) for shop in shops.values()) == [False, True], instead=lambda: [shop.state() for shop in shops.values()])
    waits_for, goes = sorted(shops.values(), key=lambda shop: not shop.held("RiskPointsSpent"))
    t.note(waits_for.held("RiskPointsSpent")["message"])
    record = goes.ends("Succeeded")
    charge = record["status"]["charge"]
    check(charge == {**charge, "sequence": 1, "points": 9}, f"charged {charge}")
    check(waits_for.held("RiskPointsSpent") and waits_for.running() == {"v1": 3}, f"the other went: {waits_for.state()}")
    risk = until("the ledger counts it", waits.BUDGET_MEASURED, lambda: counted(first, 9), instead=lambda: status(first))
    check((risk["band"], risk["remaining"]) == ("Yellow", 6), f"what is left: {risk}")

    # Product and development manager give it more: the former holds until both have agreed.
    api.patch("RiskBudget", first.namespace, first.name, {"spec": {"riskPoints": 60}})
    waiting = until("the loosening waits", waits.BUDGET_MEASURED, lambda: condition(first, "Loosening", "True"), instead=lambda: status(first))
    check("spec.riskPoints: 15 → 60" in waiting["message"] and status(first)["risk"]["allocated"] == 15, waiting["message"])
    t.note(waiting["message"])
    for user, role in (("ann", "product-manager"), ("bob", "development-manager")):
        agree(first, user, role)
    record = waits_for.ends("Succeeded")
    check(status(first)["loosened"][0]["changes"] == ["spec.riskPoints: 15 → 60"], f"on record: {status(first).get('loosened')}")
    check(record["status"]["charge"]["sequence"] == 2, f"charged {record['status']['charge']}")

    goes.remember_attempts()
    goes.version, goes.change = "v3", {"tidegate.io/break-glass": "checkout is down", "tidegate.io/change": "git:v3"}
    api.apply(goes.workload(), "gitops")
    bypass = until("the bypass is on record", waits.RELEASE_ENDS, goes.ended, instead=goes.state)
    charge = bypass["status"]["charge"]
    check(charge["exception"] and (charge["sequence"], charge["points"]) == (3, 14), f"the bypass was charged {charge}")
    risk = until("the ledger counts all three", waits.BUDGET_MEASURED, lambda: counted(first, 32), instead=lambda: status(first))
    check((risk["releases"], risk["exceptions"]) == (3, 1), f"counted: {risk}")
    owed = until("what it takes afterwards is owed", waits.BUDGET_MEASURED, lambda: follow_ups(first, bypass), instead=lambda: status(first).get("obligations"))
    t.note(f"after break-glass: {'; '.join(f'{kind} until {due}' for kind, due in owed.items())}")
    overridden(t, first, bypass)
    t.note(f"{risk['consumed']} of {risk['allocated']} RP, {risk['band']}, {risk['remainingPercent']} % left")

    # Who may delete objects of the namespace takes no record away without the verb purge.
    gone = record["metadata"]["name"]
    bind_deleter(first, "eve")
    answer = until("Eve may delete, and is refused", waits.RELEASE_TAKEN_UP, lambda: deletes(first, "eve", gone), every=1)
    check("deleted by who holds the verb purge on releaserecords.tidegate.io, not by eve" in answer, answer)
    t.note(answer)
    # The administrator holds it. What the record cost still counts.
    before = status(first)["risk"]["consumed"]
    api.delete("ReleaseRecord", first.namespace, gone)
    broken = until("the ledger says that a record is gone", waits.BUDGET_MEASURED, lambda: condition(first, "LedgerBroken", "True"), instead=lambda: status(first))
    check("charges 2 are gone" in broken["message"], broken["message"])
    t.note(broken["message"])
    check("RP that they cost still count" in broken["message"], broken["message"])
    risk = status(first)["risk"]
    check(risk["consumed"] == before and risk["lost"] == {"charges": 1, "points": 9}, f"the deletion gave points back: {before}, then {risk}")
    for shop in (first, second):
        shop.leaves_nothing()
        answers = shop.all_answers()
        check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


def bind_deleter(shop: Shop, user: str) -> None:
    """The user may delete records as far as RBAC goes."""
    rules = [{"apiGroups": ["tidegate.io"], "resources": ["releaserecords"], "verbs": ["get", "delete"]}]
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": shop.meta("delete-records"), "rules": rules})
    ref, subject = {"apiGroup": RBAC, "kind": "Role", "name": "delete-records"}, {"apiGroup": RBAC, "kind": "User", "name": user}
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": shop.meta("delete-records"), "roleRef": ref, "subjects": [subject]})


def deletes(shop: Shop, user: str, record: str) -> str:
    """What the API server says where admission answers; nothing while RBAC does, which hears of the role a moment later."""
    said = bed.kubectl("delete", "releaserecord", record, "-n", shop.namespace, "--as", user, check=False).strip()
    return "" if "cannot delete resource" in said else said


def cart(shop: Shop) -> Shop:
    """A second application in the same namespace, on the same budget."""
    results = shop.results / "cart"
    results.mkdir(exist_ok=True)
    other = Shop(namespace=shop.namespace, results=results, name="cart", budget_name=shop.name, rate=shop.rate, stages=shop.stages, policy=shop.policy)
    other.host = f"cart.{shop.host}"
    return other


def status(shop: Shop) -> dict:
    return api.get("RiskBudget", shop.namespace, shop.name)["status"]


def follow_ups(shop: Shop, record: dict) -> dict[str, str] | None:
    """What people owe because of one record, by type, with when it is due; once it is all that a bypass takes."""
    owed = {one["type"]: one["due"] for one in status(shop).get("obligations", []) if one["name"].endswith(record["metadata"]["name"]) and one["state"] == "Due"}
    return owed if {"override-rationale", "override-approval", "exception-follow-up", "post-mortem"} <= owed.keys() else None


def overridden(t: Context, shop: Shop, record: dict) -> None:
    """The executive says afterwards whether it stays; nobody else does, and nobody approves what they let go."""
    name = f"override-approval-{record['metadata']['name']}"
    owner = {"apiGroup": RBAC, "kind": "User", "name": "olga"}
    bound = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "tidegate-obligations"}
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": shop.meta("obligations"), "roleRef": bound, "subjects": [owner]})
    refused(shop, "olga", {"revision": name, "type": "override-approval", "facts": {"note": "fine"}}, "may not attest override-approval")
    refused(shop, "olga", {"revision": name, "type": "approval", "role": "vp-engineering", "facts": {"note": "fine"}}, "may not speak as vp-engineering")
    bind(shop, "vera", "vp-engineering")
    says(shop, "vera", {"revision": name, "type": "approval", "role": "vp-engineering", "outcome": "Failed", "facts": {"note": "it loses orders"}})
    rejected = until("it stays open", waits.BUDGET_MEASURED, lambda: approval(shop, name, "Due", "does not approve it (it loses orders)"), instead=lambda: status(shop).get("obligations"))
    t.note(rejected["problem"])
    next_second()
    says(shop, "vera", {"revision": name, "type": "approval", "role": "vp-engineering", "facts": {"note": "mended by hand at 10:40"}})
    met = until("it is met", waits.BUDGET_MEASURED, lambda: approval(shop, name, "Met", ""), instead=lambda: status(shop).get("obligations"))
    check(met["met"]["by"] == "vera", f"met by {met['met']}")


def approval(shop: Shop, name: str, state: str, problem: str) -> dict | None:
    found = [one for one in status(shop).get("obligations", []) if one["name"] == name and one["state"] == state and problem in one.get("problem", "")]
    return found[0] if found else None


def counted(shop: Shop, points: int) -> dict | None:
    risk = status(shop).get("risk", {})
    return risk if risk.get("consumed") == points else None


def condition(shop: Shop, kind: str, truth: str) -> dict | None:
    found = [one for one in status(shop).get("conditions", []) if one["type"] == kind and one["status"] == truth]
    return found[0] if found else None


def agree(shop: Shop, user: str, role: str) -> None:
    """As that user, who holds the verb for the role, about the loosening that waits."""
    bind(shop, user, role)
    says(shop, user, {"revision": status(shop)["loosening"]["revision"], "type": "approval", "role": role})


def bind(shop: Shop, user: str, role: str) -> None:
    """The user may speak in the role."""
    subject = {"apiGroup": RBAC, "kind": "User", "name": user}
    bound = {"apiGroup": RBAC, "kind": "ClusterRole", "name": f"tidegate-approve-{role}"}
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": shop.meta(f"approve-{role}"), "roleRef": bound, "subjects": [subject]})


def claim(shop: Shop, spec: dict) -> str:
    about = {"releaseRef": {"kind": "RiskBudget", "name": shop.name}, **spec}
    return json.dumps({"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": {"generateName": "said-", "namespace": shop.namespace}, "spec": about})


def says(shop: Shop, user: str, spec: dict) -> None:
    """The user says something about the RiskBudget."""
    bed.kubectl("create", "-f", "-", "--as", user, stdin=claim(shop, spec))


def refused(shop: Shop, user: str, spec: dict, why: str) -> None:
    """The user may not say it; a role counts a moment after it was bound."""

    def answer() -> str:
        said = bed.kubectl("create", "-f", "-", "--as", user, stdin=claim(shop, spec), check=False)
        check("created" not in said, f"{user} was not refused as {spec}: {said}")
        return said if why in said else ""

    until(f"{user} is refused: {why}", waits.RELEASE_TAKEN_UP, answer, every=1)
