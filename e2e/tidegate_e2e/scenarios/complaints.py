from ..scenario import Context, scenario
from ..waits import check

# What users could not do stands for what they complain of.
QUERY = 'sum(increase(http_requests_total{namespace="$namespace",status="500"}[$window]))'


@scenario(core=False)
def complaints(t: Context) -> None:
    """More than three complaints come during a release, its other limits kept: it comes back, and the log says how many."""
    contract = {"errorRatePercent": 60, "latencyAdded": "5s", "complaints": 3, "complaintsQuery": QUERY}
    shop = t.shop(rate=100, stages=((25, "30s"), (100, "6s")), rollback=contract)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    shop.spoil("v2", error_rate="0.2")
    rollback = shop.ends("RolledBack")["status"]["rollback"]
    shop.leaves_nothing()
    check(rollback["trigger"] == "Complaints", f"the trigger was {rollback['trigger']}: {rollback}")
    number, _, what = rollback["value"].partition(" ")
    check(what == "complaints" and int(number.replace(",", "")) > 3, f"the log does not say how many came: {rollback['value']}")
    check(rollback["threshold"] == "3", f"the log does not say how many may: {rollback['threshold']}")
    t.note(f"{rollback['value']}, limit {rollback['threshold']}; traffic home after {rollback['took']}; seen by users: {shop.all_answers().describe()}")
