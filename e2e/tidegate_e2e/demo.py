"""One good and one bad release of examples/checkout, told as they happen."""

from __future__ import annotations

import time

from . import api, bed, waits
from .history import weight_of
from .load import Client
from .shop import Shop, gateway_url
from .waits import now_ms, until

RATE = 200
EXAMPLE = bed.CHECKOUT / "examples" / "checkout"
# The example has stages of 15 minutes; here they take seconds. Nothing else differs.
IN_SECONDS = {
    "spec": {
        "strategy": {
            "schedule": None, "verify": "10s", "handBack": "6s", "drain": "2s",
            "stages": [{"weight": w, "bake": "10s"} for w in (5, 25, 50, 100)],
        },
        "analysis": {"interval": "1s", "window": "8s", "minRequests": 50},
    }
}


class Teller:
    """Prints what changed since the last look: phase, message, weights, events, and what users see."""

    def __init__(self, shop: Shop, users: Client) -> None:
        self._shop, self._users = shop, users
        self._start, self._told, self._looked = time.monotonic(), dict[str, str](), now_ms()
        self._events: set[tuple[str, int]] = {(e["metadata"]["uid"], e.get("count") or 1) for e in self._read_events()}

    def say(self, who: str, text: str) -> None:
        seconds = int(time.monotonic() - self._start)
        print(f"{seconds // 60:3}:{seconds % 60:02}  {who:9} {text}", flush=True)

    def run(self, command: str) -> None:
        """Types a command for the reader, and runs it."""
        self.say("you", f"$ kubectl {command}")
        bed.kubectl(*command.split())

    def _changed(self, who: str, text: str) -> None:
        if text and self._told.get(who) != text:
            self._told[who] = text
            self.say(who, text)

    def _read_events(self) -> list[api.Object]:
        found = api.every("Event", self._shop.namespace, fieldSelector="involvedObject.kind=GatedRelease")
        return sorted(found, key=lambda e: e.get("eventTime") or e["metadata"]["creationTimestamp"])

    def look(self) -> None:
        status = self._shop.live_release().get("status", {})
        self._changed("phase", " ".join(str(status[k]) for k in ("phase", "stage") if status.get(k)))
        refs = self._shop.live_route()["spec"]["rules"][0]["backendRefs"]
        if len(refs) > 1 or "route" in self._told:
            self._changed("route", "  ".join(f"{r['name']} {r.get('weight', 1)}" for r in refs))
        for event in self._read_events():
            key = (event["metadata"]["uid"], event.get("count") or (event.get("series") or {}).get("count") or 1)
            if key not in self._events:
                self._events.add(key)
                self.say("event", f"{event['reason']}: {event['message']}")
        self._changed("status", status.get("message", ""))
        since, now = self._looked, now_ms()
        if now - since >= 3_000:
            # The client writes its record twice a second: what is older is complete.
            window, self._looked = self._users.so_far().between(since - 600, now - 600), now
            shares = ", ".join(f"{version} {window.share(version):4.1f} %" for version in sorted(window.versions()))
            self.say("users", f"{1000 * len(window) / (now - since):.0f} requests/s: {shares}; {len(window.failed())} failed")

    def until_it_ends(self, seconds: float = 300) -> api.Object:
        end = time.monotonic() + seconds
        while not (record := self._shop.ended()):
            waits.check(time.monotonic() < end, f"the release did not end within {seconds:g} s")
            self.look()
            time.sleep(0.5)
        self.look()
        return record


def prepare() -> tuple[Shop, Client]:
    bed.kubectl("apply", "-f", str(EXAMPLE))
    api.patch("GatedRelease", "shop", "checkout", IN_SECONDS)
    shop = Shop(namespace="shop", results=bed.RESULTS)
    shop.host = "checkout.example.com"
    until("the Gateway has an address", 90, lambda: api.get("Gateway", "shop", "shop").get("status", {}).get("addresses"))
    url = gateway_url("shop", "shop")
    until("the application's pods are ready", waits.PODS_READY, shop.all_ready)
    until("the gateway answers", 60, lambda: shop.answers(url))
    users = Client(url, shop.host, RATE, bed.RESULTS / "answers.csv")
    print("Waiting for the error budget to be measured: recording rules count every so often.", flush=True)
    until("the gate is in force", waits.RULES_RECORD, lambda: shop.budget() and shop.condition("Ready").get("status") == "True")
    return shop, users


def release(teller: Teller, shop: Shop, change: str, *variables: str) -> None:
    shop.remember_attempts()
    teller.run(f"annotate -n shop deploy/checkout tidegate.io/change={change} tidegate.io/change-type=Feature --overwrite")
    teller.run(f"set env -n shop deploy/checkout {' '.join(variables)}")
    status = teller.until_it_ends()["status"]
    teller.say("record", f"{status['outcome']}: {status.get('summary', '')}")


def main(keep: bool) -> int:
    print(f"\nThe application of examples/checkout comes up and gets {RATE} requests per second.", flush=True)
    shop, users = prepare()
    try:
        budget = shop.budget() or {}
        teller = Teller(shop, users)
        teller.say("budget", f"{budget['status']}: {budget['remainingPercent']} % of the error budget left, decided by {budget['decidedBy']}")
        print("\nA good version. Users move to it in stages; nobody sees an error.\n")
        release(teller, shop, "git:4f2c9e1", "VERSION=v2")
        print("\nA bad version: one request in five fails. It comes back by itself.\n")
        release(teller, shop, "git:bad0bad", "VERSION=v3", "ERROR_RATE=0.2")
        until("the canary is gone", waits.GONE, lambda: not weight_of(shop.live_route(), shop.canary))
        print("\nWhat is left: traffic is on v2, the Deployment is paused with the bad template, Git decides what comes next.\n")
        print(bed.kubectl("get", "gatedreleases,riskbudgets,releaserecords,deployments", "-n", "shop"))
    finally:
        print(f"All that users saw: {users.stop().describe()}")
        if not keep:
            api.delete("Namespace", None, "shop")
    return 0
