"""A Prometheus that misleads: it stands between Tidegate and the cluster's own, and spoils what that one answers."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .bed import PROMETHEUS

# Where the metrics sources of tidegate-values.yaml are that are spoiled: the node's own address, which pods reach.
ADDRESS = "172.30.0.1"
PORTS = {"faulty": 19090, "faulty-budget": 19091}
TIMEOUT = 2  # seconds, as there

Reply = tuple[int, bytes]


def _changed(body: bytes, change: Callable[[list], list]) -> bytes:
    answer = json.loads(body)
    answer["data"]["result"] = change(answer["data"]["result"])
    return json.dumps(answer).encode()


def _every(value: Callable[[list], list]) -> Callable[[Reply], Reply]:
    """Another moment or figure in each series."""
    return lambda reply: (reply[0], _changed(reply[1], lambda series: [{**one, "value": value(one["value"])} for one in series]))


def _said(**more: object) -> Callable[[Reply], Reply]:
    """The truth, and beside it what says that it may be a part only."""
    return lambda reply: (reply[0], json.dumps(json.loads(reply[1]) | more).encode())


def _slow(reply: Reply) -> Reply:
    time.sleep(2 * TIMEOUT)
    return reply


FAULTS: dict[str, Callable[[Reply], Reply]] = {
    "NaN": _every(lambda value: [value[0], "NaN"]),
    "empty": lambda reply: (reply[0], _changed(reply[1], lambda _: [])),
    "stale": _every(lambda value: [value[0] - 300, value[1]]),
    "slow": _slow,
    "500": lambda _: (500, b'{"status":"error","errorType":"internal","error":"the store is away"}'),
    "429": lambda _: (429, b"too many requests"),
    # As Thanos and as VictoriaMetrics say that half of a store is away.
    "warnings": _said(warnings=["receive series from Addr: store-1:10901: rpc error: code = Unavailable"]),
    "isPartial": _said(isPartial=True),
    "truncated": lambda reply: (reply[0], reply[1][: len(reply[1]) // 2]),
}


class Faulty:
    """Answers from its making until `stop`; as Prometheus does while `fault` is none, else with what that one of FAULTS makes of it."""

    def __init__(self, source: str) -> None:
        self.fault: str | None = None
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    with urllib.request.urlopen(PROMETHEUS + self.path, timeout=10) as answer:
                        reply = answer.status, answer.read()
                except urllib.error.HTTPError as refused:
                    reply = refused.code, refused.read()
                fault = proxy.fault
                code, body = FAULTS[fault](reply) if fault and reply[0] == 200 else reply
                try:
                    self.send_response(code)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # who asked has stopped waiting

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((ADDRESS, PORTS[source]), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
