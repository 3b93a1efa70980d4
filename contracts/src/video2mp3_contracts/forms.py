"""The forms of what people write in a spec: each is told to the API server and checked here, in the same words.

A `pattern` in the schema would do for both, but who breaks it is shown the pattern. So a form becomes a CEL rule, whose
message says what is allowed. Patterns are RE2's and Python's alike, without a quote, and match from ^ to $.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from video2mp3_contracts.model import rule, with_rules

NO_CONTROL_CHARACTERS: Final = r"^[^\x00-\x1f\x7f]*$"

FORM_LENGTH: Final = 128
"""Characters: the schema's bound where the form says how long a text may be, which is less. A text that is longer than
its form, but not by far, is then refused in the form's words. The API server wants some bound, for a rule's costs."""


def in_one_line(field: str) -> str:
    """What is said of a text that does not match NO_CONTROL_CHARACTERS."""
    return f"{field} must be one line of text, without line ends, tabs and other control characters"


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
