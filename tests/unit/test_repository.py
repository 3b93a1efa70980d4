"""Rules about the repository itself that no linter knows."""

import operator
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_operator_is_still_the_standard_librarys() -> None:
    """A module, a conftest.py or a test in operator/ would make pytest or Python take the folder for the module."""
    assert operator.itemgetter(0)("ab") == "a"
    assert not Path(str(operator.__file__)).is_relative_to(ROOT)
    loose = [f for f in tracked() if f.startswith("operator/") and f.endswith(".py") and "/src/" not in f]
    assert loose == []


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {(ROOT / file).parent for file in tracked() if file.startswith("tests/") and file.endswith(".py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_locks_record_no_download_address() -> None:
    locks = [file for file in tracked() if Path(file).name.startswith("requirements") and file.endswith(".txt")]
    assert locks
    assert [file for file in locks if "://" in (ROOT / file).read_text()] == []


@pytest.mark.parametrize("service", ["contracts", "gateway", "auth", "operator", "worker-image", "notifier"])
def test_every_distribution_explains_itself(service: str) -> None:
    assert (ROOT / service / "pyproject.toml").exists()
    assert (ROOT / service / "README.md").exists()


def test_no_module_has_a_name_that_says_nothing() -> None:
    meaningless = {"utils.py", "util.py", "helpers.py", "helper.py", "manager.py", "common.py", "misc.py"}
    assert [file for file in tracked() if Path(file).name in meaningless] == []


def test_every_room_says_what_it_is_for() -> None:
    rooms = [file for file in tracked() if "/src/" in file and file.endswith("/__init__.py")]
    assert len(rooms) > 40
    assert [file for file in rooms if not (ROOT / file).read_text().startswith('"""')] == []


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    modules = [file for file in tracked() if "/src/" in file and file.endswith(".py")]
    assert {file: lines for file in modules if (lines := len((ROOT / file).read_text().splitlines())) > 300} == {}
