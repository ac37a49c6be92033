import os
import subprocess
import sys

from .. import bed
from ..scenario import Context, scenario
from ..waits import check

CASES = bed.CHECKOUT / "charts/tidegate/ci/admission_test.py"


@scenario(core=False)
def admission(t: Context) -> None:
    """Every case of the chart's admission policies and every rule of the kinds, one by one, on this API server."""
    done = subprocess.run([sys.executable, str(CASES)], text=True, capture_output=True, env=os.environ, timeout=300)
    (t.results / "cases.txt").write_text(done.stdout + done.stderr)
    check(done.returncode == 0, f"cases failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    t.note(done.stdout.strip().splitlines()[-1])
