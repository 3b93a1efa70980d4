"""The keys of artefacts and the place of the cache."""

from pathlib import Path

import pytest

from video2mp3_localcluster.steps.layout import cache_dir, content_key


def test_a_key_changes_with_content_name_and_boundaries(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    original = content_key(tmp_path)
    (tmp_path / "a").write_text("two")
    changed = content_key(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = content_key(tmp_path)
    assert len({original, changed, renamed, content_key("ab", "c"), content_key("a", "bc")}) == 5


def test_a_key_is_the_same_wherever_the_folder_is(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "file").write_text("same")
    assert content_key(tmp_path / "here") == content_key(tmp_path / "there")


@pytest.mark.parametrize(
    ("variable", "expected"), [("{tmp}/cache", "{tmp}/cache/video2mp3"), ("relative", "{tmp}/home/.cache/video2mp3")]
)
def test_the_cache_is_where_the_user_wants_it(
    variable: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", variable.format(tmp=tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_dir() == Path(expected.format(tmp=tmp_path))
    assert cache_dir().is_dir()
