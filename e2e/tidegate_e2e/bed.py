"""The test bed as `e2e/run` brought it up: where things are, and its programs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from . import waits

HERE = Path(__file__).resolve().parent.parent
CHECKOUT = HERE.parent
BIN = Path(os.environ["BIN"])
STATE = Path(os.environ["TESTBED"])
LOGS = STATE / "logs"
PKI = STATE / "pki"
CGROUP = os.environ["CGROUP"]
RESULTS = Path(os.environ["RESULTS"])
PROMETHEUS = "http://10.96.0.90:9090"
TIDEGATE_NAMESPACE = "tidegate-system"
# What holds templates: "policy" in the API server, or the controllers' own "webhook".
ADMISSION = os.environ.get("E2E_ADMISSION", "policy")


def kubectl(*args: str, stdin: str | None = None, check: bool = True) -> str:
    """What kubectl prints; for files and for what people read, as `api` is quicker."""
    done = subprocess.run([BIN / "kubectl", *args], input=stdin, text=True, capture_output=True)
    if check and done.returncode:
        raise RuntimeError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout + ("" if check else done.stderr)


def helm(*args: str, stdin: str | None = None) -> str:
    """What Helm prints; it works on Tidegate's namespace."""
    done = subprocess.run([BIN / "helm", *args, "--namespace", TIDEGATE_NAMESPACE], input=stdin, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"helm {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


def configure(values: dict[str, object]) -> None:
    """The chart's values, by their paths, in place of what stood there: `--reuse-values` would keep parts of a map that is to go. The controller starts with them."""
    known = json.loads(helm("get", "values", "tidegate", "--output", "json"))
    for path, value in values.items():
        *maps, last = path.split(".")
        place = known
        for name in maps:
            place = place.setdefault(name, {})
        place[last] = value
    helm("upgrade", "tidegate", str(CHECKOUT / "charts/tidegate"), "--values", "-", stdin=json.dumps(known))
    kubectl("rollout", "status", "deployment/tidegate", "-n", TIDEGATE_NAMESPACE, "--timeout", f"{waits.TIDEGATE_READY}s")


def process_of(pod: dict, program: str) -> int:
    """The process id, as seen from here, of a program in a pod."""
    uid = pod["metadata"]["uid"]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")[0].decode()
            if Path(command).name == program and f"{CGROUP}/" in (groups := (folder / "cgroup").read_text()) and uid in groups:
                return int(folder.name)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    raise RuntimeError(f"no process {program} in pod {pod['metadata']['name']}")
