"""Jobs of the namespace that find out whether the new version is well, at the end of each stage."""

from .. import api
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, until
from .checked import comes_back_by_its_check

CHECK = {"name": "cart", "job": {"cronJob": "cart-probe"}, "timeout": "1m", "retries": 0}


def probe(shop: Shop) -> api.Object:
    """What a team keeps in Git: a program that asks for a cart, never runs by itself, and that checks may start."""
    container = {
        "name": "probe", "image": "testbed.local/app:1", "args": ["get", "http://$(TIDEGATE_HOST)/cart"],
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532},
    }
    return {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": shop.meta("cart-probe", labels={"tidegate.io/check": "true"}),
        "spec": {
            "schedule": "0 0 1 1 *", "suspend": True,
            "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}},
        },
    }


def begin(t: Context, **fields: object) -> Shop:
    shop = t.shop(analysis={"checks": [CHECK]}, **fields)
    shop.start(gated=False)
    api.apply(probe(shop), "gitops")
    shop.gate()
    shop.users()
    return shop


def jobs(shop: Shop) -> list[api.Object]:
    return sorted(api.every("Job", shop.namespace), key=lambda job: job["metadata"]["creationTimestamp"])


@scenario(core=False)
def job_checks(t: Context) -> None:
    """A Job passes the first stage; in the second carts break, and the change comes back with the Job's last words."""
    shop = begin(t, rate=200, stages=((10, "8s"), (30, "12s"), (100, "6s")))
    status = comes_back_by_its_check(shop)
    rollback = status["rollback"]
    check(rollback["value"] == "check cart failed: probe: exit code 1: no cart", f"the record does not have the Job's last words: {rollback['value']}")
    check(status["stages"][0]["verdict"].endswith("checked: cart"), f"the first verdict does not say what was checked: {status['stages'][0]['verdict']}")
    made = jobs(shop)
    check(len(made) == 2, f"not one Job a stage: {[job['metadata']['name'] for job in made]}")
    for job in made:
        check(not job["status"].get("active"), f"{job['metadata']['name']} still runs")
        owner = job["metadata"]["ownerReferences"][0]
        check(owner["kind"] == "GatedRelease", f"{job['metadata']['name']} belongs to {owner}")
    answers = shop.all_answers()
    check(not answers.failed(), f"users saw errors: {answers.failed().examples()}")
    t.note(f"{rollback['value']}; traffic home after {rollback['took']}; users: {answers.describe()}")


@scenario(core=False)
def job_check_missing(t: Context) -> None:
    """A CronJob that goes away in the middle of a release holds the stage by its name, and blames nobody; with it the release goes on."""
    shop = begin(t)
    shop.deploy("v2")
    shop.at_weight(5)
    api.delete("CronJob", shop.namespace, "cart-probe")
    held = until("the stage is held", 60, lambda: shop.held("CheckNotRun"), instead=shop.state)
    for words in (f"CronJob {shop.namespace}/cart-probe", "does not exist", "Not held against the new version"):
        check(words in held["message"], f"{words!r} is not in {held['message']}")
    ready = until("the missing CronJob shows", 30, lambda: shop.condition("Ready")["status"] == "False" and shop.condition("Ready"))
    check(ready["reason"] == "CheckJobMissing", f"Ready says {ready['reason']}: {ready['message']}")
    check(shop.canary_weight() == 5, f"the weight moved to {shop.canary_weight()}")
    api.apply(probe(shop), "gitops")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    for stage in status["stages"]:
        check(stage["verdict"].endswith("checked: cart"), f"the verdict does not say what was checked: {stage['verdict']}")
    check(len(jobs(shop)) == len(status["stages"]), f"not one Job a stage: {[job['metadata']['name'] for job in jobs(shop)]}")
    t.note(f"held: {held['message']}")


@scenario(core=False)
def job_check_refused(t: Context) -> None:
    """A Job that a quota refuses, and a CronJob whose owner has not allowed it: each is told with its remedy, and starts nothing."""
    shop = begin(t)
    api.patch("CronJob", shop.namespace, "cart-probe", {"metadata": {"labels": {"tidegate.io/check": None}}})
    shop.deploy("v2")
    ready = until("the missing label shows", 60, lambda: shop.condition("Ready")["status"] == "False" and shop.condition("Ready"), instead=shop.state)
    check(ready["reason"] == "CheckJobNotAllowed", f"Ready says {ready['reason']}: {ready['message']}")
    check("kubectl label cronjob cart-probe" in ready["message"], f"no remedy: {ready['message']}")
    check(shop.canary_weight() == 0, "the new version has users")
    api.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": shop.meta("no-jobs"), "spec": {"hard": {"count/jobs.batch": "0"}}})
    api.patch("CronJob", shop.namespace, "cart-probe", {"metadata": {"labels": {"tidegate.io/check": "true"}}})
    held = until("the stage is held", 90, lambda: shop.held("CheckNotRun"), instead=shop.state)
    check("exceeded quota: no-jobs" in held["message"], f"the quota is not named: {held['message']}")
    check(not jobs(shop), "a Job was made")
    api.delete("ResourceQuota", shop.namespace, "no-jobs")
    shop.ends("Succeeded")
    shop.leaves_nothing()
    t.note(f"held: {held['message']}")


def taken_away(shop: Shop) -> None:
    """What a drain does to the pods of Jobs: they are gone, those that never began too."""
    for pod in api.every("Pod", shop.namespace, labelSelector="batch.kubernetes.io/job-name"):
        if pod["status"].get("phase") == "Pending":
            api.delete("Pod", shop.namespace, pod["metadata"]["name"])


@scenario(core=False)
def job_check_drained(t: Context) -> None:
    """A Job whose pod is taken away before it ran is a failed Job to Kubernetes, and says nothing about the new version."""
    shop = begin(t)
    nowhere = probe(shop)
    nowhere["spec"]["jobTemplate"]["spec"]["template"]["spec"]["nodeSelector"] = {"e2e.tidegate.io/node": "nowhere"}
    api.apply(nowhere, "gitops")
    shop.deploy("v2")

    def drained() -> api.Object | None:
        taken_away(shop)
        return shop.held("CheckNotRun")

    held = until("the stage is held", 90, drained, instead=shop.state)
    for words in ("has no pod that ran", "Not held against the new version"):
        check(words in held["message"], f"{words!r} is not in {held['message']}")
    api.apply(probe(shop), "gitops")
    taken_away(shop)
    shop.ends("Succeeded")
    shop.leaves_nothing()
    t.note(f"held: {held['message']}")
