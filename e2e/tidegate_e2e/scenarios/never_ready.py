from ..scenario import Context, scenario
from ..waits import check
from .errors import stays_at_stable


def comes_back_unseen(t: Context, trigger: str, **env: str) -> None:
    shop = t.shop(rate=60, strategy={"readyWithin": "20s"})
    shop.start()
    shop.users()
    shop.deploy("v2", **env)
    record = shop.ends("RolledBack")
    stays_at_stable(shop)
    answers = shop.all_answers()
    rollback = record["status"]["rollback"]
    check(rollback["trigger"] in trigger.split("|"), f"the trigger was {rollback['trigger']}: {rollback}")
    check(rollback["fromWeight"] == 0, f"it had weight {rollback['fromWeight']}")
    check(not answers.of("v2"), f"{len(answers.of('v2'))} requests reached it")
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; seen by users: {answers.describe()}")


@scenario()
def never_ready(t: Context) -> None:
    """A version that never becomes ready gets no request and comes back at its deadline."""
    comes_back_unseen(t, "NotReady", NEVER_READY="1")
