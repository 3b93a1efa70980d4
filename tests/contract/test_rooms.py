"""The pictures and tables of the code's rooms are those of the imports and docstrings."""

import pytest

from tests.contract.rooms import PACKAGES, ROOT, arrows, pages, without_shortcuts
from tests.generated_parts import renewed


def test_they_are_up_to_date() -> None:
    assert {page.relative_to(ROOT): text for page, text in pages().items()} == {
        page.relative_to(ROOT): page.read_text() for page in pages()
    }, "make generate"


@pytest.mark.parametrize("package", PACKAGES.values())
def test_no_arrow_leads_back(package: str) -> None:
    def reach(room: str, way: tuple[str, ...]) -> None:
        assert room not in way, way
        for below in arrows(package)[room]:
            reach(below, (*way, room))

    assert arrows(package)
    for room in arrows(package):
        reach(room, ())


def test_a_shortcut_is_left_out() -> None:
    found = {"app": frozenset({"cache", "objects"}), "cache": frozenset({"objects"}), "objects": frozenset[str]()}
    assert without_shortcuts(found) == {**found, "app": frozenset({"cache"})}


def test_a_page_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="no markers of rooms"):
        renewed("# A page\n", {"rooms": "a table"})
