import pytest

from video2mp3_localcluster.release.versions import VersionError, check_follows, current, order, with_version
from video2mp3_localcluster.steps.layout import repository_root


def test_versions_are_ordered_as_helm_and_pip_order_them() -> None:
    ordered = [
        "0.9.9",
        "1.0.0-alpha.2",
        "1.0.0-beta.1",
        "1.0.0-rc.1",
        "1.0.0-rc.10",
        "1.0.0",
        "1.0.1",
        "1.10.0",
        "2.0.0",
    ]
    assert sorted(sorted(ordered), key=order) == ordered


@pytest.mark.parametrize(
    "version", ["", "1", "1.2", "v1.2.3", "1.2.3+5", "01.2.3", "1.2.3-rc1", "1.2.3-dev.1", "1.2.3 "]
)
def test_another_form_is_refused(version: str) -> None:
    with pytest.raises(VersionError, match="is no version"):
        order(version)


@pytest.mark.parametrize("version", ["1.0.0", "0.9.0", "1.1.0-rc.1"])
def test_a_version_follows_every_released_one(version: str) -> None:
    with pytest.raises(VersionError, match=r"does not follow 1\.1\.0, which is released"):
        check_follows(version, ["0.9.0", "1.1.0", "1.0.0"])
    check_follows("1.1.1", ["0.9.0", "1.1.0", "1.0.0"])
    check_follows("0.1.0", [])


def test_every_file_that_names_the_version_names_the_charts() -> None:
    root = repository_root()
    assert {path: text for path, text in with_version(root, current(root)).items() if text != path.read_text()} == {}


def test_another_version_is_set_everywhere_and_nothing_else() -> None:
    root, version = repository_root(), "98.76.54"
    changed = with_version(root, version)
    assert len(changed) == 10
    for path, text in changed.items():
        assert version in text, path
        assert text.replace(version, current(root)) == path.read_text(), path
