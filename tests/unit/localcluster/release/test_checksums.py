import subprocess
from pathlib import Path

from video2mp3_localcluster.release.checksums import SUMS, digests, sums


def test_sha256sum_reads_the_list(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.tar").write_bytes(b"a")
    (tmp_path / "b.json").write_bytes(b"b")
    (tmp_path / SUMS).write_text(sums(digests(tmp_path)))
    check = ["sha256sum", "--check", "--strict", SUMS]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "b.json: OK\nimages/a.tar: OK\n"
    (tmp_path / "b.json").write_bytes(b"c")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False, timeout=30).returncode == 1
