"""Files made to mislead the worker: each is refused, and nothing but the source is ever read."""

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.worker.hostile import HOSTILE, Hostile, a_movie, a_wav, box, of
from tests.integration.worker.opened import Opened
from tests.integration.worker.samples import Samples
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_worker.app.cli import command_line
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{0}\n#EXT-X-ENDLIST\n"
_SCRIPTS = {
    "playlist": _PLAYLIST,
    "playlist after a byte order mark": "\ufeff" + _PLAYLIST,
    "playlist after blanks": "\n\n" + _PLAYLIST,
    "concat script": "ffconcat version 1.0\nfile {0}\n",
    "session description": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "manifest": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet>'
    "<Representation><BaseURL>{0}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "subtitles": "1\n00:00:00,000 --> 00:00:10,000\n{0}\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{0}"/></svg>',
    "metadata": ";FFMETADATA1\ntitle={0}\n",
}


@pytest.mark.parametrize("kind", sorted(_SCRIPTS))
@pytest.mark.parametrize("reference", ["neighbour.mp4", "{folder}/neighbour.mp4", "file:{folder}/neighbour.mp4"])
def test_text_that_points_at_another_file_is_not_media(
    samples: Samples, tmp_path: Path, kind: str, reference: str
) -> None:
    (tmp_path / "neighbour.mp4").write_bytes(samples.clip().read_bytes())
    source = tmp_path / "film.mp4"
    source.write_text(_SCRIPTS[kind].format(reference.format(folder=tmp_path)))

    with pytest.raises(Refused) as refused:
        Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "out.mp3", Output())

    assert refused.value.reason is Reason.NOT_MEDIA


@pytest.fixture
def quiet_server() -> Iterator[socket.socket]:
    """A server that nobody may call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.fixture(scope="module")
def ingredients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ingredients")


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.what)
def test_each_kind_has_its_reason_and_leaves_nothing(
    hostile: Hostile, ingredients: Path, tmp_path: Path, quiet_server: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else in its folder is opened, no address is called, and the command ends with the right code."""
    port = str(quiet_server.getsockname()[1]).encode()
    content = hostile.make(ingredients).replace(b"{port}", port)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "neighbour.wav").write_bytes(a_wav(8000, 1))
    source = folder / "film.mp4"
    source.write_bytes(content)

    with Opened(folder) as opened:
        code = command_line(["convert", str(source), str(folder / "output.mp3")])

    said = capsys.readouterr().err.strip()
    assert (code, said.partition(":")[0]) == (ExitCode.BAD_MEDIA, hostile.reason), said
    assert said.endswith(".")
    assert {path.name for path in folder.iterdir()} == {"film.mp4", "neighbour.wav"}
    assert {name for name in opened.names() if not name.startswith(".video2mp3-")} <= {"film.mp4"}


def test_the_sentence_about_tracks_counts_them(ingredients: Path, tmp_path: Path) -> None:
    (many,) = [hostile for hostile in HOSTILE if "65 audio tracks" in hostile.what]
    source = tmp_path / "film.mkv"
    source.write_bytes(many.make(ingredients))

    with pytest.raises(Refused, match="more than 64 tracks"):
        Converter(Stop()).plan(LocalSource.whole(source), Output())


def test_other_files_that_a_mov_names_are_not_opened(tmp_path: Path) -> None:
    """An alias in its data references, by which players of the nineties found the sound beside it."""
    (tmp_path / "neighbour.wav").write_bytes(a_wav(8000, 1))
    path = str(tmp_path / "neighbour.wav").encode()
    names = struct.pack(">10xB27x12xB63s16xhh16x", 0, 13, b"neighbour.wav", 1, 1)
    alias = box(b"alis", bytes(4), names, struct.pack(">HH", 2, len(path)), path, struct.pack(">HH", 0xFFFF, 0))
    source = tmp_path / "film.mov"
    source.write_bytes(a_movie(references=box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), alias))))

    with Opened(tmp_path) as opened, pytest.raises(Refused, match="no sound in it"):
        Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "output.mp3", Output())

    assert "film.mov" in opened.names()
    assert opened.names() <= {"film.mov", "output.mp3"}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.2, 0.4, 0.6, 0.8, 0.97])
@pytest.mark.parametrize("name", ["mp4, aac", "matroska, opus", "wav, pcm_s16le", "asf/wmv, wma v2"])
def test_wherever_a_file_is_cut_that_is_what_is_said(
    ingredients: Path, tmp_path: Path, name: str, share: float
) -> None:
    content = of(name)(ingredients)
    source = tmp_path / "source"
    source.write_bytes(content[: max(int(len(content) * share), 30)])

    with pytest.raises(Refused) as refused:
        Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "output.mp3", Output())

    assert refused.value.reason in ({Reason.TRUNCATED} if share >= 0.02 else {Reason.TRUNCATED, Reason.NOT_MEDIA})


@pytest.mark.parametrize(("name", "index"), [("avi, mp3", b"idx1"), ("matroska, opus", b"\x1c\x53\xbb\x6b")])
def test_a_file_that_lacks_no_more_than_its_index_is_whole(
    ingredients: Path, tmp_path: Path, name: str, index: bytes
) -> None:
    content, source = of(name)(ingredients), tmp_path / "source"
    place = content.rindex(index)
    source.write_bytes(content[: place + 12])
    whole = Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "output.mp3", Output())
    source.write_bytes(content[: place - 12])

    with pytest.raises(Refused) as refused:
        Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "output.mp3", Output())

    assert whole.duration_seconds == pytest.approx(2.5, abs=0.1)
    assert refused.value.reason is Reason.TRUNCATED


def test_an_hour_of_noughts_is_refused_in_a_moment(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    with source.open("wb") as file:
        file.truncate(1024**3)
    started = time.monotonic()

    with pytest.raises(Refused) as refused:
        Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "out.mp3", Output())

    assert refused.value.reason is Reason.NOT_MEDIA
    assert time.monotonic() - started < 30
