from .. import api, waits
from ..scenario import Context, scenario
from ..waits import check, until

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}


@scenario(core=False)
def autoscaler(t: Context) -> None:
    """An autoscaler may not take pods away during a release, Git or not; the previous version has one of its own."""
    shop = t.shop(rate=100)
    shop.start()
    api.apply(shop.autoscaler(15, CPU), "gitops")
    shop.users()
    shop.deploy("v2")
    policy = shop.scale_down_policy
    shop.at_weight(5)
    check(policy() == "Disabled", f"selectPolicy is {policy()} with users on the canary")
    api.apply(shop.autoscaler(15, CPU), "gitops")
    check(policy() == "Disabled", "a forced apply from Git let it take pods away")
    shop.in_phase("Verify")
    copy = api.find("HorizontalPodAutoscaler", shop.namespace, shop.previous)
    check(copy and copy["spec"]["minReplicas"] == 3 and copy["spec"]["maxReplicas"] == 6, f"the previous version's: {copy and copy['spec']}")
    shop.ends("Succeeded")
    check(policy() == "Disabled", "it was let go with the release, before one of its windows had passed")
    until("the autoscaler has its hand back", waits.GONE, lambda: policy() != "Disabled", instead=policy)
    shop.leaves_nothing()
    check(not api.find("HorizontalPodAutoscaler", shop.namespace, shop.previous), "the copy stayed")
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
