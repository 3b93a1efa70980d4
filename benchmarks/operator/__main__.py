"""The operator under many conversions, on a real control plane with simulated nodes: see ../README.md."""

import argparse
import sys
from pathlib import Path

from benchmarks.operator.run import Result, measured
from benchmarks.operator.table import lines


def main() -> None:
    """Run each size on a cluster of its own, and print a table."""
    options = _options()
    results: list[Result] = []
    for count in options.conversions:
        results.append(measured(count, options.cap, options.logs))
        print("\n".join(lines(results)), flush=True)
    sys.exit(0 if all(result.succeeded == result.conversions for result in results) else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-operator BENCH=...")
    parser.add_argument("--conversions", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--cap", type=int, default=200, help="conversions that may run at a time")
    parser.add_argument("--logs", type=Path, help="a folder that keeps the programs' logs of the last run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
