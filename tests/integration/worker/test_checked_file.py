"""What is stored is what was checked, whatever happens to its name meanwhile; and the smallest of mp3s."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from mutagen.mp3 import MP3

from tests.integration.worker.hostile import ffmpeg
from tests.integration.worker.samples import Samples
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.inspection import Inspected
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import convert
from video2mp3_worker.transcode.convert import Converter, Mp3


def converted(source: Path, folder: Path) -> Mp3:
    return Converter(Stop()).convert(LocalSource.whole(source), folder / "output.mp3", Output())


def test_what_is_stored_is_what_was_checked(samples: Samples, tmp_path: Path) -> None:
    mp3 = converted(samples.clip(), tmp_path)
    mp3.file.unlink()
    mp3.file.write_bytes(b"another")

    content = b"".join(mp3.content.blocks())

    assert hashlib.sha256(mp3.tag + content).hexdigest() == mp3.sha256
    assert len(mp3.tag + content) == mp3.size
    mp3.content.close()


def test_a_file_put_in_its_place_while_it_is_made_is_never_looked_at(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a hostile decoder could do it that nothing confines: the encoder then writes into the wrong file."""
    encode = convert.encode

    def swapped(source: LocalSource, destination: Path, *arguments: object) -> float:
        destination.unlink()
        return encode(source, destination, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(convert, "encode", swapped)

    with pytest.raises(Refused) as refused:
        converted(samples.clip(), tmp_path)

    assert refused.value.reason is Reason.WORKER_CRASHED


def test_no_child_runs_between_the_check_and_the_end(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    cover, inspect = convert.cover_of, convert.inspect

    def noted_cover(*arguments: object) -> object:
        order.append("child")
        return cover(*arguments)  # type: ignore[arg-type]

    def noted_inspect(*arguments: object) -> Inspected:
        order.append("check")
        return inspect(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(convert, "cover_of", noted_cover)
    monkeypatch.setattr(convert, "inspect", noted_inspect)

    converted(samples.clip(), tmp_path).content.close()

    assert order == ["child", "check"]


def test_what_comes_out_wrong_is_not_tried_again(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would come out the same: nothing that a file does is worth another attempt."""
    monkeypatch.setattr(convert, "inspect", lambda _file: Inspected(Layout(44_100, 2), 0.0))

    with pytest.raises(Refused, match="came out"):
        converted(samples.clip(), tmp_path)


def test_no_descriptor_is_left(samples: Samples, tmp_path: Path) -> None:
    def held() -> bool:
        links = Path("/proc/self/fd").iterdir()
        return any(link.resolve() == tmp_path / "output.mp3" for link in links)

    mp3 = converted(samples.clip(), tmp_path)
    assert held()
    mp3.content.close()
    assert not held()


def test_an_mp3_that_ends_after_its_first_frames_is_a_very_short_mp3(tmp_path: Path) -> None:
    """Its encoder says that more samples are not to be heard than are left."""
    whole = bytearray(
        ffmpeg(
            "mp3", "-f", "lavfi", "-i", "sine=duration=0.02:sample_rate=24000", "-ac", "2", "-q:a", "9",
            "-id3v2_version", "0",
        )(tmp_path)
    )  # fmt: skip
    tag = max(whole.find(b"Xing"), whole.find(b"Info"))
    whole[tag + 141 : tag + 144] = (0x2C9 << 12 | 1500).to_bytes(3, "big")
    source = tmp_path / "source"
    source.write_bytes(whole[:744])

    mp3 = converted(source, tmp_path)

    assert 0 < mp3.duration_seconds < 0.1
    assert MP3(mp3.file).info.sample_rate == 24_000
    assert any("frames are so few" in note for note in mp3.notes)
    mp3.content.close()


@pytest.mark.parametrize("command", ["convert", "probe"])
def test_a_name_in_latin_1_is_a_name(samples: Samples, tmp_path: Path, command: str) -> None:
    source = tmp_path / "mod\udce0.mp4"
    source.write_bytes(samples.clip().read_bytes())
    options = [str(source), *[str(tmp_path / "mod\udce0.mp3")][: command == "convert"]]

    ended = subprocess.run(
        [sys.executable, "-m", "video2mp3_worker", command, *options], capture_output=True, check=False, timeout=60
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (tmp_path / "mod\udce0.mp3").exists() is (command == "convert")
