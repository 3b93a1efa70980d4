"""What a Python package says of its licence, as one SPDX expression."""

from collections.abc import Mapping
from email.message import Message
from typing import Final

_BY_CLASSIFIER: Final[Mapping[str, str]] = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_BY_WORD: Final[Mapping[str, str]] = {"Apache 2.0": "Apache-2.0", "BSD": "BSD-3-Clause"}
_LONGEST: Final = 40
"""Some packages put a licence's whole text where its name belongs."""


def licence(metadata: Message) -> str:
    """The expression of a package's core metadata; empty where it says nothing that is understood.

    The classifier `BSD License` does not say which: all that have it here and no expression are of three clauses.
    """
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    by_classifier = [
        _BY_CLASSIFIER[name]
        for classifier in metadata.get_all("Classifier") or []
        if str(classifier).startswith("License :: ")
        and (name := str(classifier).rpartition(" :: ")[2]) in _BY_CLASSIFIER
    ]
    word = str(metadata.get("License") or "").strip()
    if word and word != "UNKNOWN" and len(word) <= _LONGEST and "\n" not in word:
        return _BY_WORD.get(word, word)
    return " OR ".join(by_classifier)
