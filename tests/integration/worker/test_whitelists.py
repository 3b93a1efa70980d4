"""Every decoder on the list can be reached: what ffprobe calls its codec leads to it. Judged by ffmpeg's own table."""

import re
import subprocess

import pytest

from video2mp3_worker.probe.whitelists import AUDIO_CODECS, DECODER_OF_CODEC, is_decodable

_LINE = re.compile(r" D.A... (\S+) +(?:.*\(decoders: ([^)]*)\))?")


@pytest.fixture(scope="module")
def codec_of_decoder() -> dict[str, str]:
    """What ffmpeg can decode, as far as it is sound."""
    table = subprocess.run(["ffmpeg", "-hide_banner", "-codecs"], check=True, capture_output=True, text=True).stdout
    found = [match.groups() for match in map(_LINE.match, table.splitlines()) if match]
    return {decoder: codec for codec, decoders in found for decoder in (decoders or codec).split()}


@pytest.mark.parametrize("decoder", AUDIO_CODECS)
def test_a_decoder_is_reached_by_its_codecs_name(codec_of_decoder: dict[str, str], decoder: str) -> None:
    assert decoder in codec_of_decoder, "this ffmpeg has no such decoder"
    assert is_decodable(codec_of_decoder[decoder])


def test_each_exception_is_one(codec_of_decoder: dict[str, str]) -> None:
    for codec, decoder in DECODER_OF_CODEC.items():
        assert codec_of_decoder[decoder] == codec
        assert codec not in codec_of_decoder
