from pathlib import Path

from video2mp3_localcluster.release.locks import Pin, normalised, pins

LOCK = f"""\
flask==3.1.3 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via -r requirements.in
PyJWT[crypto]==2.15.1 ; python_version > "3" \\
    --hash=sha256:{"c" * 64}
"""


def test_a_lock_names_versions_and_files(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(LOCK)
    assert pins(tmp_path / "requirements.txt") == {
        "flask": Pin("flask", "3.1.3", ("a" * 64, "b" * 64)),
        "pyjwt": Pin("pyjwt", "2.15.1", ("c" * 64,)),
    }


def test_names_are_compared_as_indexes_do() -> None:
    assert normalised("Ruamel.Yaml_clib") == "ruamel-yaml-clib"
