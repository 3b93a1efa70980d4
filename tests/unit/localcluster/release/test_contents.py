"""What an image has, read from an archive with layers that were made by hand."""

import io
import json
import tarfile
from pathlib import Path

from video2mp3_localcluster.release.contents import Contents, DebianPackage, PythonPackage, contents

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.41-12)
Version: 2.41-12
Description: a library
 Version: of words

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
FLASK = "Metadata-Version: 2.4\nName: Flask\nVersion: 3.1.3\nLicense-Expression: BSD-3-Clause\n\nName: of the text\n"
PIP = "Metadata-Version: 2.1\nName: pip\nVersion: 25.1\n"
VENV = "opt/venv/lib/python3.13/site-packages"


def layer(files: dict[str, str]) -> bytes:
    return tar({name: text.encode() for name, text in files.items()})


def tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()


def image(path: Path, *layers: dict[str, str]) -> Path:
    names = [f"{number}.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Layers": names}]).encode()
    path.write_bytes(tar({"manifest.json": manifest, **dict(zip(names, map(layer, layers), strict=True))}))
    return path


def test_the_topmost_layer_counts(tmp_path: Path) -> None:
    archive = image(
        tmp_path / "image.tar",
        {
            "var/lib/dpkg/status": "Package: old\nStatus: install ok installed\nVersion: 1\n",
            f"./{VENV}/pip-25.1.dist-info/METADATA": PIP,
            "usr/lib/os-release": 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13"\n',
            "usr/share/doc/libc6/copyright": "words",
        },
        {"var/lib/dpkg/status": STATUS, f"{VENV}/.wh.pip-25.1.dist-info": ""},
        {
            f"{VENV}/flask-3.1.3.dist-info/METADATA": FLASK,
            "usr/share/doc/libmp3lame0/copyright": "words",
            "usr/share/doc/ffmpeg/copyright": "words",
        },
    )
    assert contents(archive) == Contents(
        (
            DebianPackage("ffmpeg"),
            DebianPackage("libc6", "2.41-12", "amd64", "glibc"),
            DebianPackage("libmp3lame0"),
        ),
        (PythonPackage("flask", "3.1.3", "BSD-3-Clause"),),
        {"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian GNU/Linux 13"},
    )


def test_an_image_that_lists_what_was_copied_is_believed(tmp_path: Path) -> None:
    listed = "Package: ffmpeg\nVersion: 7:7.1\nArchitecture: amd64\n"
    archive = image(
        tmp_path / "image.tar",
        {"var/lib/dpkg/status": STATUS},
        {"var/lib/dpkg/status.d/ffmpeg": listed, "usr/share/doc/mesa/copyright": "words"},
    )
    assert contents(archive).debian == (
        DebianPackage("ffmpeg", "7:7.1", "amd64"),
        DebianPackage("libc6", "2.41-12", "amd64", "glibc"),
    )


def test_a_folder_can_be_emptied(tmp_path: Path) -> None:
    archive = image(
        tmp_path / "image.tar",
        {f"{VENV}/pip-25.1.dist-info/METADATA": PIP},
        {f"{VENV}/.wh..wh..opq": "", f"{VENV}/flask-3.1.3.dist-info/METADATA": FLASK},
    )
    assert [package.name for package in contents(archive).python] == ["flask"]
