"""The forms of what people write in a spec: each is told to the API server and checked here, in the same words.

A `pattern` in the schema would do for both, but who breaks it is shown the pattern. So a form becomes a CEL rule, whose
message says what is allowed. Patterns are RE2's and Python's alike, without a quote, and match from ^ to $.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from video2mp3_contracts.api.model import rule, with_rules

NO_CONTROL_CHARACTERS: Final = r"^[^\x00-\x1f\x7f]*$"

NO_CONTROL_CHARACTERS_IN_LINES: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""Of a text of several lines."""

FORM_LENGTH: Final = 128
"""Characters: the schema's bound where the form says how long a text may be, which is less. A text that is longer than
its form, but not by far, is then refused in the form's words. The API server wants some bound, for a rule's costs."""


def in_one_line(field: str) -> str:
    """What is said of a text that does not match NO_CONTROL_CHARACTERS."""
    return f"{field} must be one line of text, without line ends, tabs and other control characters"


def in_lines(field: str) -> str:
    """What is said of a text that does not match NO_CONTROL_CHARACTERS_IN_LINES."""
    return f"{field} must be lines of text, without control characters other than line ends and tabs"


@dataclass(frozen=True)
class Text:
    """Of a field of text: metadata for `Annotated`."""

    pattern: str
    complaint: str
    """Names the field and says what is allowed."""

    more: tuple[dict[str, str], ...] = ()
    """Rules of the same field for the API server alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Checks the form of what is a text."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What pydantic says of a text, and the rule."""
        form = rule(f"self.matches(r'{self.pattern}')", self.complaint)
        return handler(schema) | with_rules(form, *self.more)

    def _checked(self, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(self.pattern, text):
            raise ValueError(self.complaint)
        return text


@dataclass(frozen=True)
class IntOrString:
    """Of a field that holds an integer in a range or a text: metadata for `Annotated`."""

    minimum: int
    maximum: int
    pattern: str
    complaint: str
    """Names the field and says what is allowed."""

    more: tuple[dict[str, str], ...] = ()
    """Rules of the same field for the API server alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Checks the form before pydantic tries one type after the other, and complains of each."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One rule for both types, which CEL tells apart."""
        number = f"self >= {self.minimum} && self <= {self.maximum}"
        form = rule(f"type(self) == string ? self.matches(r'{self.pattern}') : {number}", self.complaint)
        return {"x-kubernetes-int-or-string": True, "maxLength": FORM_LENGTH} | with_rules(form, *self.more)

    def _checked(self, value: Any) -> Any:
        if not (value is None or self._fits(value)):
            raise ValueError(self.complaint)
        return value

    def _fits(self, value: Any) -> bool:
        if isinstance(value, str):
            return re.fullmatch(self.pattern, value) is not None
        return type(value) is int and self.minimum <= value <= self.maximum


@dataclass(frozen=True)
class TextsByName:
    """Of a field of texts under names that people choose: metadata for `Annotated`."""

    pattern: str
    """Of names and texts alike."""

    most: int
    """Texts."""

    longest_name: int
    """Characters."""

    longest_text: int
    """Characters."""

    complaint: str
    """Names the field and says what is allowed."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Checks all of it at once: no name that was chosen stands in what is said of it."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What pydantic says of them, their bounds, and the rule: CEL walks over the names."""
        name = f"size(name) >= 1 && size(name) <= {self.longest_name} && name.matches(r'{self.pattern}')"
        form = rule(f"self.all(name, {name} && self[name].matches(r'{self.pattern}'))", self.complaint)
        text = {"type": "string", "maxLength": self.longest_text}
        bounds = {"type": "object", "maxProperties": self.most, "additionalProperties": text}
        return handler(schema) | bounds | with_rules(form)

    def _checked(self, texts: Any) -> Any:
        if not (texts is None or self._fit(texts)):
            raise ValueError(self.complaint)
        return texts

    def _fit(self, texts: Any) -> bool:
        return (
            isinstance(texts, dict)
            and len(texts) <= self.most
            and all(self._is_text(name, self.longest_name) and name for name in texts)
            and all(self._is_text(text, self.longest_text) for text in texts.values())
        )

    def _is_text(self, text: Any, longest: int) -> bool:
        return isinstance(text, str) and len(text) <= longest and re.fullmatch(self.pattern, text) is not None
