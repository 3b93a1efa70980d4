"""How much memory a worker gets."""

import pytest

from video2mp3_operator.policy.memory import Memory, in_bytes

USUAL = Memory("128Mi", "512Mi", "2Gi")


@pytest.mark.parametrize(
    ("quantity", "size"),
    [
        ("0", 0),
        ("1000", 1000),
        ("512Mi", 512 * 1024**2),
        ("1.5Gi", 3 * 1024**3 // 2),
        ("2G", 2 * 10**9),
        ("3k", 3000),
        ("1Ti", 1024**4),
        ("128974848000m", 128974848),
    ],
)
def test_quantities(quantity: str, size: int) -> None:
    assert in_bytes(quantity) == size


@pytest.mark.parametrize("text", ["", "Mi", "1 Gi", "1e3", "-1Mi", "1Mib"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity such as"):
        in_bytes(text)


@pytest.mark.parametrize(
    ("memory", "times", "request_", "limit"),
    [
        (USUAL, 0, "128Mi", "512Mi"),
        (USUAL, 1, "256Mi", "1024Mi"),
        (USUAL, 2, "512Mi", "2048Mi"),
        (USUAL, 3, "1024Mi", "2048Mi"),
        (USUAL, 9, "2048Mi", "2048Mi"),
        (Memory("1G", "3G", "4G"), 1, "2000000000", "4000000000"),
        (Memory("1Gi", "4Gi", "2Gi"), 1, "2048Mi", "4096Mi"),
    ],
)
def test_it_doubles_up_to_the_ceiling(memory: Memory, times: int, request_: str, limit: str) -> None:
    after = memory.after(times)
    assert (after.request, after.limit) == (request_, limit)


@pytest.mark.parametrize(("times", "grows"), [(1, True), (2, True), (3, False)])
def test_there_is_no_point_in_another_try_at_the_ceiling(times: int, grows: bool) -> None:
    assert USUAL.grows(times) is grows
