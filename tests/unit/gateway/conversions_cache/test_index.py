"""Records of each owner, newest first."""

from tests.builders import NOW, a_conversion, at
from video2mp3_gateway.conversions_cache.index import ConversionIndex
from video2mp3_gateway.conversions_cache.records import Record, record_of
from video2mp3_gateway.ports.listing import Cursor

ALICE = "alice@example.com"
BOB = "bob@example.com"


def a_record(name: str, second: int = 0, owner: str = ALICE, version: int = 1) -> Record:
    created = at(NOW.replace(second=second))
    return record_of(
        a_conversion(name).owned_by(owner).with_metadata(creationTimestamp=created).versioned(version).document
    )


def an_index(*records: Record) -> ConversionIndex:
    index = ConversionIndex()
    for record in records:
        index.put(record)
    return index


def names(records: list[Record]) -> list[str]:
    return [record.name for record in records]


def test_newest_first_and_then_by_name() -> None:
    index = an_index(a_record("b", 1), a_record("d", 2), a_record("a", 1), a_record("c", 1), a_record("x", 3, BOB))
    assert names(index.older(ALICE, None, 10)) == ["d", "c", "b", "a"]
    assert names(index.older(BOB, None, 10)) == ["x"]
    assert index.older("nobody@example.com", None, 10) == []


def test_a_page_goes_on_after_what_may_be_gone() -> None:
    index = an_index(a_record("a", 1), a_record("b", 2), a_record("c", 3), a_record("d", 4))
    assert names(index.older(ALICE, None, 2)) == ["d", "c"]
    after = Cursor(NOW.replace(second=3), "c")
    index.remove("c")
    index.put(a_record("e", 5))
    assert names(index.older(ALICE, after, 2)) == ["b", "a"]
    assert index.older(ALICE, Cursor(NOW.replace(second=1), "a"), 2) == []


def test_another_state_takes_the_place_of_the_first() -> None:
    index = an_index(a_record("a", 1), a_record("b", 2), a_record("a", 3, BOB, version=2))
    assert (names(index.older(ALICE, None, 9)), names(index.older(BOB, None, 9))) == (["b"], ["a"])
    assert len(index) == 2


def test_what_is_forgotten_leaves_nothing() -> None:
    index = an_index(a_record("a"), a_record("b", 1, BOB))
    for name in ("a", "b", "missing"):
        index.remove(name)
    assert (len(index), index.__dict__) == (0, {"_by_name": {}, "_by_owner": {}})


def test_a_list_ends_what_it_does_not_name_unless_that_is_newer() -> None:
    index = an_index(a_record("kept", version=3), a_record("gone", version=4), a_record("new", version=6))
    index.remove_others({"kept"}, version=5)
    assert names(index.older(ALICE, None, 9)) == ["new", "kept"]
