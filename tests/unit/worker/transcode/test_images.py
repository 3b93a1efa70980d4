"""What is a picture, and what only pretends."""

import pytest

from tests.unit.worker.pictures import a_chunk, a_jpeg, a_png, a_segment
from video2mp3_worker.transcode.images import MAX_SIDE, NotAPictureError, picture

TWO_SCANS = a_jpeg()[:-2] + a_segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x56\xff\xff\xd9"


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (a_jpeg(600, 400), "image/jpeg"),
        (a_jpeg(600, 400, more=b"\xff\xff" + a_segment(0xFE, b"\xff\xd9 no end")), "image/jpeg"),
        (a_png(600, 400), "image/png"),
        (a_png(600, 400, colour=3, depth=1, more=a_chunk(b"PLTE", bytes(6))), "image/png"),
    ],
)  # fmt: skip
def test_a_whole_picture(data: bytes, mime: str) -> None:
    found = picture(data)

    assert (found.mime, found.width, found.height, found.data) == (mime, 600, 400, data)


def test_a_picture_in_several_scans_ends_after_the_last() -> None:
    assert picture(TWO_SCANS).data == TWO_SCANS


@pytest.mark.parametrize("data", [a_jpeg(), a_png()])
@pytest.mark.parametrize("behind", [b"\0" * 100, b"PK\x03\x04 an archive", b"<script>"])
def test_what_stands_behind_its_end_is_cut_off(data: bytes, behind: bytes) -> None:
    assert picture(data + behind).data == data


@pytest.mark.parametrize("data", [a_jpeg(), a_png()])
def test_no_beginning_of_a_picture_is_one(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(NotAPictureError):
            picture(data[:length])


@pytest.mark.parametrize("make", [a_jpeg, a_png])
@pytest.mark.parametrize(("width", "height"), [(0, 1), (1, 0), (MAX_SIDE + 1, 1), (1, 65_535)])
def test_a_picture_of_no_size_or_too_large_a_one_is_none(make, width: int, height: int) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotAPictureError):
        picture(make(width, height))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither"),
        (b"hello", "neither"),
        (b"GIF89a" + bytes(100), "neither"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither"),
        (a_png(2**31, 1), "at most 6000"),
        (a_png(colour=5), "damaged"),
        (a_png(depth=3), "damaged"),
        (a_png().replace(b"IDAT", b"IDAX"), "damaged"),
        (a_png()[:8] + a_png()[33:], "damaged"),
        (a_png()[:8] + a_chunk(b"IHDR", a_png()[16:29]) + a_chunk(b"IEND", b""), "without pixels"),
        (a_png(more=b"\xff\xff\xff\xffIDAT"), "cut short"),
        (a_jpeg(more=b"\xff\xe1\xff\xff"), "cut short"),
        (a_jpeg(more=b"hello"), "damaged"),
        (a_jpeg().replace(b"\xff\xc0", b"\xff\xc4"), "0 x 0"),
        (b"\xff\xd8\xff\xd9", "0 x 0"),
        (b"\xff\xd8" + b"\xff\xd0" * 50_000, "cut short"),
        (b"\xff\xd8" + b"\xff" * 50_000, "cut short"),
        (b"\xff\xd8" + b"\xff\xe0\0\0" * 50_000, "cut short"),
    ],
)  # fmt: skip
def test_what_is_none_says_why(data: bytes, why: str) -> None:
    with pytest.raises(NotAPictureError, match=why):
        picture(data)
