"""The commands that `e2e/run` hands on once the cluster is up."""

from __future__ import annotations

import argparse
import sys

from . import killing, runner
from .scenarios import load_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="e2e/run")
    parser.add_argument("--list", action="store_true", help="print every scenario and its intent")
    parser.add_argument("--all", action="store_true", help="run every scenario, not only the core")
    parser.add_argument("--keep", action="store_true", help="leave the namespaces behind")
    parser.add_argument("--killing", type=int, metavar="SEED", help="kill the leading controller again and again, at moments of this seed")
    parser.add_argument("names", nargs="*", help="scenarios to run, or demo, figures, adopt or record-traces")
    asked = parser.parse_args()

    scenarios = load_all()
    if asked.list:
        for one in scenarios.values():
            print(f"{one.name:22} {'core ' if one.core else '     '} {one.intent.splitlines()[0]}")
        return 0
    if asked.names == ["demo"]:
        from . import demo

        return demo.main(asked.keep)
    if asked.names == ["figures"]:
        from . import figures

        return figures.main()
    if asked.names == ["adopt"]:
        from . import adopt

        return adopt.main()
    if asked.names[:1] == ["record-traces"]:
        from . import traces

        minutes = asked.names[1:] or ["15"]
        if len(minutes) > 1 or not minutes[0].isdecimal():
            parser.error("record-traces [MINUTES]")
        return traces.main(int(minutes[0]))
    if unknown := [n for n in asked.names if n not in scenarios]:
        parser.error(f"no scenario {', '.join(unknown)}; e2e/run --list names them")
    chosen = [s for s in scenarios.values() if s.name in asked.names or (not asked.names and (s.core or asked.all))]
    if asked.killing is None:
        return 0 if runner.run(chosen, asked.keep) else 1
    with killing.at_random(asked.killing):
        return 0 if runner.run(chosen, asked.keep) else 1


if __name__ == "__main__":
    sys.exit(main())
