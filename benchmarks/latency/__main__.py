"""From an upload to its mp3 on the local cluster, beside bare Jobs of plain ffmpeg on the same node.

make bench-latency                                    # some four minutes
make bench-latency BENCH="--uploads 40 --clips 120"
"""

import argparse
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.latency.bare import bare_seconds
from benchmarks.latency.watching import Moments, Watcher
from tests.e2e import media
from tests.e2e.installed import installed
from tests.e2e.release import Account, Release

_CLIENTS: Final = 4
_SECONDS: Final = 10
"""Of media."""

_STEPS: Final = (
    ("accepted", "Conversion seen"),
    ("Conversion seen", "Job made"),
    ("Job made", "worker runs"),
    ("worker runs", "result stored"),
    ("result stored", "Succeeded"),
    ("accepted", "Succeeded"),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench-latency", description=__doc__)
    parser.add_argument("--uploads", type=int, default=20, help="one after the other")
    parser.add_argument("--clips", type=int, default=60, help="by four clients at once, and as bare Jobs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, installed("video2mp3-bench", "bench.video2mp3.test") as release:
        clip = media.make_video(Path(folder) / "clip.mp4", _SECONDS)
        account = release.create_account()
        _one_after_the_other(release, account, clip, asked.uploads)
        ours = _all_at_once(release, account, clip, asked.clips)
        bare = bare_seconds(release, clip, asked.clips)
        sys.stdout.write(f"{asked.clips} clips by {_CLIENTS} clients: {ours:.1f} s; as bare Jobs: {bare:.1f} s\n")
        sys.stdout.write(f"ratio: {ours / bare:.2f}\n")


def _one_after_the_other(release: Release, account: Account, clip: Path, count: int) -> None:
    """Print where the time of an upload goes, in medians and worst cases."""
    found: list[Moments] = []
    bearer = release.login(account)
    with Watcher(release) as watcher:
        for number in range(count + 1):
            name = _upload(release, bearer, clip)
            moments = watcher.until_succeeded(name, accepted=time.monotonic())
            # The first one has the page cache to fill.
            found += [moments] if number else []
    sys.stdout.write(f"{'from':18}{'to':18}{'median':>8}{'worst':>8}\n")
    for begin, end in _STEPS:
        spans = [each[end] - each[begin] for each in found if begin in each and end in each]
        if spans:
            sys.stdout.write(f"{begin:18}{end:18}{statistics.median(spans):8.2f}{max(spans):8.2f}\n")


def _all_at_once(release: Release, account: Account, clip: Path, count: int) -> float:
    """Seconds from the first upload to the last success."""
    bearer = release.login(account)
    with Watcher(release) as watcher, ThreadPoolExecutor(_CLIENTS) as clients:
        begun = time.monotonic()
        names = list(clients.map(lambda _: _upload(release, bearer, clip), range(count)))
        for name in names:
            watcher.until_succeeded(name, accepted=begun)
        return time.monotonic() - begun


def _upload(release: Release, bearer: dict[str, str], clip: Path) -> str:
    """Upload the clip; answers its Conversion's name."""
    with clip.open("rb") as content:
        answer = release.request("POST", "/upload", headers=bearer, files={"file": (clip.name, content)})
    answer.raise_for_status()
    name: str = answer.json()["conversion"]
    return name


if __name__ == "__main__":
    main()
