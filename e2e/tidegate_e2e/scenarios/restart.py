from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def restart(t: Context) -> None:
    """`kubectl rollout restart` of an idle workload rolls natively: not a change, not held, no attempt."""
    shop = t.shop(rate=60)
    shop.start()
    pods, attempts = shop.stable_pods(), len(shop.records())
    shop.users()
    annotations = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    api.patch("Deployment", shop.namespace, shop.name, {"spec": {"template": {"metadata": {"annotations": annotations}}}})
    until("every pod is a new one", waits.PODS_READY, lambda: shop.all_ready() and not shop.stable_pods() & pods)
    answers = shop.all_answers()
    check(not shop.paused(), "a restart was held")
    check(len(shop.records()) == attempts, "a restart was recorded as an attempt")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"seen by users: {answers.describe()}")
