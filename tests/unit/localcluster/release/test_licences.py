from email.message import Message

import pytest

from video2mp3_localcluster.release.licences import licence


def metadata(*fields: tuple[str, str]) -> Message:
    message = Message()
    for name, value in fields:
        message[name] = value
    return message


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ([("License-Expression", "MIT OR Apache-2.0"), ("License", "no")], "MIT OR Apache-2.0"),
        ([("License", "Apache 2.0")], "Apache-2.0"),
        ([("License", "UNKNOWN"), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        ([("License", "Copyright somebody\nPermission is granted"), ("Classifier", "License :: OSI Approved")], ""),
        ([("Classifier", "Topic :: Software Development")], ""),
    ],
)
def test_a_package_says_its_licence_in_several_ways(fields: list[tuple[str, str]], expression: str) -> None:
    assert licence(metadata(*fields)) == expression
