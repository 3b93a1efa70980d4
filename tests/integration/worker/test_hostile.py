"""Files made to mislead the worker: each is refused, and nothing but the source is ever read."""

import time
from pathlib import Path

import pytest

from tests.integration.worker.samples import Samples
from video2mp3_contracts.output import Output
from video2mp3_contracts.reasons import Reason
from video2mp3_worker.convert import Converter
from video2mp3_worker.errors import Refused
from video2mp3_worker.stop import Stop

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
        Converter(Stop()).convert(source, tmp_path / "out.mp3", Output())

    assert refused.value.reason is Reason.NOT_MEDIA


def test_an_hour_of_noughts_is_refused_in_a_moment(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    with source.open("wb") as file:
        file.truncate(1024**3)
    started = time.monotonic()

    with pytest.raises(Refused) as refused:
        Converter(Stop()).convert(source, tmp_path / "out.mp3", Output())

    assert refused.value.reason is Reason.NOT_MEDIA
    assert time.monotonic() - started < 30
