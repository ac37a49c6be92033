import time

from .. import api, audit, bed, ledger, waits
from ..scenario import Context, scenario
from ..waits import check, now_ms, until


@scenario(core=False)
def config_map_edited(t: Context) -> None:
    """A ConfigMap that the pods read is edited in place: one record says so and by whom, and is charged once; no Secret is looked at, though they read one too."""
    began = now_ms()
    names = ("settings", "password")
    shop = t.shop(rate=30, container={"envFrom": [{"configMapRef": {"name": names[0]}}, {"secretRef": {"name": names[1]}}]})
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": shop.namespace}})
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": shop.meta(names[0]), "data": {"COLOUR": "blue"}}
    api.apply(settings, "gitops")
    api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": shop.meta(names[1]), "stringData": {"PASSWORD": "hunter2"}}, "gitops")
    shop.start()
    shop.users()
    shop.remember_attempts()
    # An apply that changes nothing is no edit.
    api.apply(settings, "gitops")
    time.sleep(5)
    check(not shop.record(), "an apply without a change is on record")
    api.patch("ConfigMap", shop.namespace, names[0], {"data": {"COLOUR": "red"}}, how="merge", manager="anne")
    record = until("the edit is on record", waits.RELEASE_TAKEN_UP, shop.ended, instead=shop.state)
    change, status = record["spec"]["change"], record["status"]
    check((change["type"], status["outcome"]) == ("Config", "Bypassed"), f"it is on record as {change}, {status['outcome']}")
    check(names[0] in status["summary"] and "anne" in status["summary"], f"the record does not say what and by whom: {status['summary']}")
    check(not shop.paused() and shop.running() == {"v1": 3}, "an edit of a ConfigMap moved the workload")
    api.patch("Secret", shop.namespace, names[1], {"stringData": {"PASSWORD": "hunter3"}})
    # Held still: a record of the Secret, or a second one of the ConfigMap, would come in this time.
    time.sleep(5)
    check(len([r for r in shop.records() if r["spec"]["change"]["type"] == "Config"]) == 1, "more than one record of one edit")
    asked = [a for a in audit.of_secrets(began)]
    own = [a for a in asked if a.namespace == bed.TIDEGATE_NAMESPACE and a.verb in ("get", "watch", "patch", "update")]
    check(asked == own, f"Tidegate asked for Secrets: {[(a.verb, a.namespace, a.name) for a in asked if a not in own][:5]}")
    ledger.settles(shop, record)
    check(record["status"]["charge"]["exception"], f"what no stage has judged was charged as if one had: {record['status']['charge']}")
    # A release after it is judged as any other.
    answers = shop.ships("v2")
    ledger.settles(shop, record, shop.record())
    t.note(f"{status['summary']}")
    t.note(f"{len(own)} requests for its own Secret, none for another; seen by users: {answers.describe()}")
