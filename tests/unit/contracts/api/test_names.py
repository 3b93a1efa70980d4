"""Names derived from a Conversion are readable, short enough and the same each time."""

import re

import pytest

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import MAX_PARALLELISM


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "upload-0123456789abcdef01234567",
        "x" * 63,
        "ends-at-the-cut" + "-" * 40 + "z",
        "talk.2026.03",
        "1.2",
        "a." * 31 + "a",
        "x" * 50 + ".y",
    ],
)
def test_a_job_name_is_a_dns_label_also_with_the_last_index(name: str) -> None:
    """The host names of an Indexed Job's pods are the strictest that is made of it."""
    for job in (names.job_name(name, "uid-1"), names.job_name(name, "uid-1", generation=7)):
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", f"{job}-{MAX_PARALLELISM - 1}")


def test_a_job_name_is_the_same_for_the_same_conversion() -> None:
    assert names.job_name("talk", "uid-1") == names.job_name("talk", "uid-1")


def test_a_recreated_conversion_has_another_job() -> None:
    assert names.job_name("talk", "uid-1") != names.job_name("talk", "uid-2")


def test_each_generation_of_the_job_has_its_own_name() -> None:
    assert names.job_name("talk", "uid-1") != names.job_name("talk", "uid-1", generation=1)


def test_long_names_that_share_a_beginning_stay_apart() -> None:
    assert names.job_name("x" * 62 + "a", "uid-1") != names.job_name("x" * 62 + "b", "uid-2")
