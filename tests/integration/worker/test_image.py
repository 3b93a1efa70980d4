"""What is promised of the sound, in the worker's image: its LAME is another than this machine's."""

from pathlib import Path

import pytest

from tests.integration.worker import in_image
from tests.integration.worker.oracle import compare
from tests.integration.worker.oracle.grid import covering

EVERY_SIXTH = list(enumerate(covering()))[::6]
NEWER = {"avx2", "bmi2", "fma"} <= set(Path("/proc/cpuinfo").read_text().split())
"""Whether this processor is one of x86-64-v3."""

pytestmark = pytest.mark.timeout(in_image.SECONDS + 300)


def test_its_lame_is_no_noisier_than_plain_ffmpeg(tmp_path: Path) -> None:
    """The image has one of its own for newer processors."""
    cases = {f"{number}.{case.setting}.{case.rate}.{case.channels}": case for number, case in EVERY_SIXTH}
    sources = {name: compare.source_of(case) for name, case in cases.items()}
    for name, source in sources.items():
        Path(tmp_path, f"{name}.pcm").write_bytes(compare.as_it_comes(source))

    done = in_image.run("tests.integration.worker.oracle.encoding", str(tmp_path), shared=tmp_path)

    assert done.returncode == 0, done.stderr
    assert ("x86-64-v3" in done.stdout) == NEWER
    mp3s = {name: Path(tmp_path, f"{name}.mp3").read_bytes() for name in cases}
    found = {name: compare.faults(*compare.judged(case, sources[name], mp3s[name])) for name, case in cases.items()}
    assert {str(cases[name]): faults for name, faults in found.items() if faults} == {}
