import time
from collections.abc import Callable

from .. import audit, controller
from ..history import History, canary_weights, weight_of
from ..scenario import Context, scenario
from ..shop import STAGES, Shop
from ..waits import check
from .errors import only_the_canary_fails, stays_at_stable


def stage_clocks_never_change(record: History) -> None:
    """Each stage's startedAt and passedAt, once written, stay as they are."""
    known: dict[tuple[int, str], str] = {}
    for _, obj in record.seen:
        for number, stage in enumerate(obj.get("status", {}).get("stages", [])):
            for clock in ("startedAt", "passedAt"):
                value = stage.get(clock)
                before = known.get((number, clock))
                check(not before or value == before, f"stage {number}: {clock} was {before} and became {value}")
                if value:
                    known[number, clock] = value


def kill_leader_after(moment: Callable[[], object]) -> str:
    """Kills the leader at that moment, waits for the next, and tells what was the last that the killed one wrote.

    The process is found beforehand, so that the kill follows the moment before the controller's next write."""
    leader = controller.wait_for_leader()
    pid = controller.process(leader)
    moment()
    controller.kill(leader, pid)
    name = leader["metadata"]["name"]
    controller.wait_for_leader(other_than=name)
    last = [w for w in audit.but_leases(audit.writes()) if w.pod == name][-1]
    return f"{last.verb} {last.resource}"


@scenario(alone=True)
def controller_killed(t: Context) -> None:
    """Killed in mid-stage, right after a weight write, in promotion and in rollback: it goes on where it was."""
    shop = t.shop(rate=100)
    shop.start()
    route = shop.follow("HTTPRoute")
    shop.users()
    good_version(t, shop, route)
    bad_version(t, shop, route)
    answers = shop.all_answers()
    only_the_canary_fails(answers, "v3")
    t.note(f"seen by users: {answers.describe()}")


def good_version(t: Context, shop: Shop, route: History) -> None:
    def weight_is(weight: int) -> int:
        return route.wait_for(f"weight {weight}", 120, lambda r: weight_of(r, shop.canary) == weight)

    shop.deploy("v2")
    record = shop.follow("ReleaseRecord", shop.taken_up()["metadata"]["name"])
    last = [kill_leader_after(lambda: (weight_is(25), time.sleep(3)))]
    last += [kill_leader_after(lambda: weight_is(50))]
    last += [kill_leader_after(lambda: record.wait_for("the workload rolls", 120, lambda r: r["status"].get("promotion", {}).get("resumedAt")))]
    shop.ends("Succeeded")
    shop.leaves_nothing()

    weights = [w for _, w in canary_weights(route, shop.canary)]
    top = weights.index(100)
    check([w for w in weights[: top + 1] if w] == [w for w, _ in STAGES], f"a stage was skipped or repeated: {weights}")
    check(weights[top:] == sorted(weights[top:], reverse=True), f"a weight rose after promotion began: {weights}")
    stage_clocks_never_change(record)
    t.note(f"good version, killed in mid-stage, right after a weight write and in promotion: weights {weights}")
    t.note(f"the last writes before each kill: {', '.join(last)}")


def bad_version(t: Context, shop: Shop, route: History) -> None:
    start = len(route.seen)
    shop.deploy("v3", ERROR_RATE="0.2")
    record = shop.follow("ReleaseRecord", shop.taken_up()["metadata"]["name"])
    up = route.wait_for("v3 has traffic", 120, lambda r: weight_of(r, shop.canary) > 0, since=start)
    last = kill_leader_after(lambda: route.wait_for("v3 has none", 120, lambda r: weight_of(r, shop.canary) == 0, since=up))
    shop.ends("RolledBack")
    stays_at_stable(shop)
    stage_clocks_never_change(record)
    weights = [weight_of(seen.obj, shop.canary) for seen in route.seen[up:]]
    check(not any(weights[weights.index(0) :]), f"a weight rose after the abort: {weights}")
    t.note(f"bad version, killed right after its weight became 0 (last write: {last}): weights {weights}")
