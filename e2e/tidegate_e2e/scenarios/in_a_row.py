from .. import waits
from ..scenario import Context, scenario
from ..waits import check, until


@scenario(core=False)
def in_a_row(t: Context) -> None:
    """Where the contract asks for many breaches in a row, failures that end soon bring nothing back and raise nothing meanwhile; failures that last do."""
    contract = {"errorRatePercent": 5, "latencyAdded": "5s", "consecutive": 20}
    shop = t.shop(rate=100, stages=((25, "30s"), (100, "6s")), rollback=contract)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    shop.spoil("v2", error_rate="0.5")
    streaks = lambda: [one for one in (shop.record() or {"status": {}})["status"].get("streaks", []) if one["count"] >= 3]
    until("breaches are counted", waits.RELEASE_ENDS, streaks, instead=shop.state)
    shop.spoil("v2", error_rate="0")
    until("they are over", waits.RELEASE_ENDS, lambda: not shop.record()["status"].get("streaks"), instead=shop.state)
    came_back = shop.record()["status"].get("rollback")
    check(not came_back, f"it came back for a breach that ended: {came_back}")
    shop.spoil("v2", error_rate="0.5")
    status = shop.ends("RolledBack")["status"]
    shop.leaves_nothing()
    check(status["rollback"]["trigger"] == "ErrorRate", f"the trigger was {status['rollback']}")
    check("streaks" not in status, "a sealed record still keeps what it needed to go on")
    t.note(f"{status['rollback']['value']}, limit {status['rollback']['threshold']}; seen by users: {shop.all_answers().describe()}")


@scenario(core=False)
def on_trial(t: Context) -> None:
    """A latency limit on trial is exceeded: it is told, put on record, and the version is released all the same."""
    contract = {"errorRatePercent": 5, "latencyAdded": "100ms", "dryRun": ["Latency"]}
    shop = t.shop(rate=100, stages=((50, "15s"), (100, "6s")), rollback=contract)
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(50)
    shop.spoil("v2", latency="400ms")
    told = until("it is told", waits.RELEASE_ENDS, lambda: shop.condition("WouldHaveRolledBack"), instead=shop.state)
    check("On trial" in told["message"] and told["reason"] == "Latency", f"the condition says {told}")
    status = shop.ends("Succeeded")["status"]
    shop.leaves_nothing()
    check([one["trigger"] for one in status["wouldHave"]] == ["Latency"], f"the record says {status.get('wouldHave')}")
    check(shop.events("WouldHaveRolledBack"), "no event tells of it")
    t.note(told["message"])
