import pytest

from video2mp3_localcluster.release.changelog import ChangelogError, Entry, cut, entries, section, versions

TEXT = """\
# Changelog

Words.

## [Unreleased]

### Added

- A thing, of
  [two lines](docs/a.md).
- Another.

### Fixed

- What was broken.

## [1.1.0] - 2026-01-02

### Security

- Old.
"""


def test_what_is_new_gets_a_version_and_a_date() -> None:
    done = cut(TEXT, "1.2.0", "2026-03-04")
    assert done == TEXT.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [1.2.0] - 2026-03-04\n")
    assert versions(done) == ["1.2.0", "1.1.0"]
    assert section(done, "Unreleased") == ""
    assert section(done, "1.2.0") == section(TEXT, "Unreleased")


def test_entries_are_one_line_each() -> None:
    assert entries(section(TEXT, "Unreleased")) == [
        Entry("added", "A thing, of two lines."),
        Entry("added", "Another."),
        Entry("fixed", "What was broken."),
    ]
    assert entries(section(TEXT, "1.1.0")) == [Entry("security", "Old.")]


@pytest.mark.parametrize(
    ("text", "version", "complaint"),
    [
        (TEXT, "1.1.0", "1.1.0 is in the changelog already"),
        (cut(TEXT, "1.2.0", "2026-03-04"), "1.3.0", "nothing to release"),
        (TEXT.replace("### Added", "### New"), "1.2.0", "'New' is no heading"),
        ("# Changelog\n", "1.2.0", r"no section \[Unreleased\]"),
    ],
)
def test_what_cannot_be_cut_is_refused(text: str, version: str, complaint: str) -> None:
    with pytest.raises(ChangelogError, match=complaint):
        cut(text, version, "2026-03-04")
