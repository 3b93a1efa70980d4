"""Lists of Conversions by the gateway, beside paging the API server: see ../README.md."""

import argparse

from benchmarks.gateway.memory import from_memory
from benchmarks.gateway.peer import by_paging
from benchmarks.gateway.times import Times


def main() -> None:
    """Measure both, and print a table."""
    options = _options()
    print(Times.HEAD, flush=True)
    for times in by_paging(options.peer, options.lists):
        print(times.line(), flush=True)
    measured, facts = from_memory(options.conversions, options.owned, options.lists)
    for times in measured:
        print(times.line(), flush=True)
    for name, value in facts.items():
        print(f"{name:<44} {value}", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-gateway BENCH=...")
    parser.add_argument("--conversions", type=int, default=100_000, help="that the gateway holds")
    parser.add_argument("--owned", type=int, default=20_000, help="those of them that belong to the account that lists")
    parser.add_argument("--peer", type=int, default=1000, help="Conversions of one account in a real API server")
    parser.add_argument("--lists", type=int, default=300, help="lists of each kind")
    return parser.parse_args()


if __name__ == "__main__":
    main()
