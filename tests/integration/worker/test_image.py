"""What is promised of files, in the worker's image: its ffmpeg is another than this machine's."""

from collections.abc import Callable

from tests.integration.worker import in_image
from tests.integration.worker.corpus.rows import PROPERTY
from tests.integration.worker.formats_page import PAGE


def test_the_page_of_formats_is_what_the_image_makes_of_them() -> None:
    done = in_image.run("tests.integration.worker.formats_page")

    assert done.stdout == PAGE.read_text(), done.stderr


def test_each_file_of_the_corpus_becomes_what_its_row_says(record_property: Callable[[str, object], None]) -> None:
    # The one of hours takes minutes, and is judged outside.
    done = in_image.run("tests.integration.worker.corpus", "--without", "flv_long_short_metadata")

    for line in done.stdout.splitlines():
        record_property(PROPERTY, f"in the image: {line}")
    assert done.returncode == 0, done.stderr
