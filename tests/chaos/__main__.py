"""Kills parts of a release, and a node, at random while four people upload, and counts what became of every upload.

python -m tests.chaos --minutes 30 --seed 1

Installs the chart in a namespace of its own on the local cluster, and removes it at the end. The node is the cluster's
second one (`localcluster up --nodes 2`); the only one is left alone. Ends with 1 when anything was lost, wrong,
doubled, not told, or left over.
"""

import argparse
import secrets
import signal
import sys
from collections.abc import Sequence

from tests.chaos.patience import TooLongError
from tests.chaos.run import Options, run, speaker
from tests.chaos.table import table
from tests.e2e.installed import installed
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed

NAMESPACE = "video2mp3-chaos"
HOST = "chaos.video2mp3.test"


def parser() -> argparse.ArgumentParser:
    """The options; each has the default of a run that two cores carry."""
    parser = argparse.ArgumentParser(
        prog="make chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long parts are killed (default: 5)")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), help="repeats a plan (default: by chance)"
    )
    parser.add_argument("--gap", type=float, default=6.0, help="seconds between two kills, about (default: 6)")
    parser.add_argument("--clients", type=int, default=4, help="people who upload (default: 4)")
    parser.add_argument("--pause", type=float, default=8.0, help="seconds from an upload to its next (default: 8)")
    parser.add_argument("--settle", type=float, default=15.0, help="minutes until all must be settled (default: 15)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run. Answers the exit code: 0 nothing lost, 1 something was, 2 the run itself could not be carried out."""
    given = parser().parse_args(arguments)
    for ended in (signal.SIGTERM, signal.SIGHUP):
        # As Ctrl-C: by `timeout`, by a terminal that is closed, all is put back as well.
        signal.signal(ended, signal.default_int_handler)
    options = Options(60 * given.minutes, given.seed, given.gap, given.clients, given.pause, 60 * given.settle)
    say = speaker()
    say(f"seed {options.seed}, {given.minutes:g} minutes; installing")
    try:
        with installed(NAMESPACE, HOST) as release:
            counted = run(release, NodeFiles(), options, say)
            sys.stdout.write(table(counted))
            sys.stdout.flush()
    except (StepFailed, TooLongError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the release is removed, and both nodes are as they were\n")
        return 130
    return 0 if counted.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
