"""What a server's answer says about a source."""

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.ports.systems import BrokenOffError
from video2mp3_worker.source.http_responses import Part, judge, part_of

DATE = {"Date": "Sun, 01 Mar 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (200, {}, Part(0, None, "")),
        (200, {"Content-Length": "12"}, Part(0, 12, "")),
        (200, {"Content-Length": "-12"}, Part(0, None, "")),
        (200, {"Content-Length": "9" * 30}, Part(0, None, "")),
        (206, {"Content-Range": "bytes 5-11/12"}, Part(5, 12, "")),
        (206, {"Content-Range": "bytes 5-11/*"}, Part(5, None, "")),
        (206, {"Content-Range": "bytes */12"}, None),
        (206, {"Content-Range": "lines 5-11/12"}, None),
        (206, {}, None),
    ],
)
def test_which_bytes_it_holds(status: int, headers: dict[str, str], part: Part | None) -> None:
    assert part_of(status, headers) == part


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"one"'}, '"one"'),
        ({"ETag": 'W/"one"'}, ""),
        ({"ETag": "one"}, ""),
        ({"ETag": '"one", "two"'}, ""),
        ({"Last-Modified": "Sun, 01 Mar 2026 11:59:00 GMT"} | DATE, "Sun, 01 Mar 2026 11:59:00 GMT"),
        ({"Last-Modified": "Sun, 01 Mar 2026 11:59:01 GMT"} | DATE, ""),
        ({"Last-Modified": "Sun, 01 Mar 2026 11:59:00 GMT"}, ""),
        ({"Last-Modified": "yesterday"} | DATE, ""),
        ({"ETag": 'W/"one"', "Last-Modified": "Sun, 01 Mar 2026 11:00:00 GMT"} | DATE, ""),
    ],
)
def test_only_a_strong_validator_proves_that_bytes_belong_together(headers: dict[str, str], validator: str) -> None:
    assert part_of(200, headers) == Part(0, None, validator)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, Reason.SOURCE_NOT_FOUND),
        (410, Reason.SOURCE_NOT_FOUND),
        (401, Reason.SOURCE_REFUSED),
        (403, Reason.SOURCE_REFUSED),
        (400, Reason.SOURCE_REFUSED),
        (451, Reason.SOURCE_REFUSED),
        (204, Reason.SOURCE_REFUSED),
        (304, Reason.SOURCE_REFUSED),
        (501, Reason.SOURCE_REFUSED),
    ],
)
def test_what_another_try_would_get_again_is_for_good(status: int, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        judge(status, {}, "example.com")
    assert refused.value.reason is reason
    assert str(status) in refused.value.message
    assert "example.com" in refused.value.message


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with pytest.raises(BrokenOffError, match=str(status)):
        judge(status, {}, "example.com")


def test_a_compressed_file_is_refused() -> None:
    with pytest.raises(Refused, match="gzip"):
        judge(200, {"Content-Encoding": "gzip"}, "example.com")
    judge(200, {"Content-Encoding": "identity"}, "example.com")
