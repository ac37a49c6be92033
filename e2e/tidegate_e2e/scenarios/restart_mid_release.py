import os
import subprocess

from .. import api
from ..scenario import Context, scenario
from ..waits import check


@scenario(core=False)
def restart_mid_release(t: Context) -> None:
    """`tidegate restart` in mid-release, where kubectl refuses: every pod of stable and canary is a new one, and the release goes on."""
    shop = t.shop(stages=((50, "40s"), (100, "6s")))
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(50)  # two pods: one that is alone would be left
    attempt = shop.taken_up()["metadata"]["name"]
    before = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in shop.pods()}
    command = [os.environ["TIDEGATE_BINARY"], "restart", shop.name, "-n", shop.namespace, "--timeout", "90s"]
    done = subprocess.run(command, text=True, capture_output=True, timeout=300)
    (t.results / "restart.txt").write_text(done.stdout + done.stderr)
    check(done.returncode == 0, f"exit code {done.returncode}: {done.stdout}{done.stderr}")
    stayed = [name for uid, name in before.items() if uid in {pod["metadata"]["uid"] for pod in shop.pods()}]
    check(not stayed, f"pods that were not replaced: {stayed}")
    check("outcome" not in shop.record_named(attempt)["status"], f"the release ended by it: {shop.state()}")
    check(shop.canary_weight() >= 50, f"the weight fell to {shop.canary_weight()}")
    check(shop.ends("Succeeded")["metadata"]["name"] == attempt, "another attempt was made")
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")
    t.note(f"{len(before)} pods replaced; seen by users: {answers.describe()}")
