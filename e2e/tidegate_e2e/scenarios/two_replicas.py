from itertools import groupby, pairwise

from .. import audit, controller
from ..history import canary_weights
from ..scenario import Context, scenario
from ..shop import STAGES
from ..waits import check, now_ms


@scenario(alone=True)
def two_replicas(t: Context) -> None:
    """The leader of two controllers is killed: the standby goes on, and nothing is written twice."""
    t.afterwards(lambda: controller.scale(1))
    controller.scale(2)
    shop = t.shop(rate=100)
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users()
    began = now_ms()
    shop.deploy("v2")
    shop.at_weight(25)
    leader = controller.wait_for_leader()
    killed = now_ms()
    controller.kill(leader, controller.process(leader))
    heir = controller.wait_for_leader(other_than=leader["metadata"]["name"])
    took_over = now_ms()
    shop.ends("Succeeded")
    shop.leaves_nothing()
    answers = shop.all_answers()

    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    weights = [w for _, w in canary_weights(route, shop.canary)]
    check([w for w in weights[: weights.index(100) + 1] if w] == [w for w, _ in STAGES], f"a stage was skipped or repeated: {weights}")
    written = [w for w in audit.but_leases(audit.writes(began)) if w.namespace == shop.namespace]
    turns = [pod for pod, _ in groupby(w.pod for w in written)]
    names = [leader["metadata"]["name"], heir["metadata"]["name"]]
    check(turns == names, f"writes came from {turns}, not from the leader and then from its heir: {names}")
    routes = [w for w in written if w.resource == "httproutes" and w.took_effect]
    twice = [a for a, b in pairwise(routes) if a.body == b.body]
    check(not twice, f"the route was written twice: {twice[:1]}")
    t.note(f"a new leader after {(took_over - killed) / 1000:.1f} s; {len(written)} writes, {len(routes)} of them to the route")
    t.note(f"seen by users: {answers.describe()}")
