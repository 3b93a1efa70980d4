"""What is wrong is said by field, in words, and without what was written there."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.validation_errors import FieldError, field_errors, of_variables

EMAIL = "notify.email must be one email address, such as you@example.com, without spaces"
TITLE = "output.tags.title must be one line of text, without line ends, tabs and other control characters"


def found_in(document: dict[str, Any]) -> list[FieldError]:
    with pytest.raises(ValidationError) as refused:
        ConversionSpec.model_validate({"source": {"gridfs": {"fileId": "0" * 24}}} | document)
    return field_errors(refused.value, "spec")


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        ({"notify": {"email": "secret"}}, "spec.notify.email", EMAIL),
        ({"output": {"tags": {"title": "secret\n"}}}, "spec.output.tags.title", TITLE),
        ({"priority": 1001}, "spec.priority", "Input should be less than or equal to 1000"),
        ({"secret": 1}, "spec.secret", "unknown field"),
        ({"parallelism": "secret"}, "spec.parallelism", 'parallelism must be an integer from 1 to 16, or "auto"'),
        ({"parallelism": True}, "spec.parallelism", 'parallelism must be an integer from 1 to 16, or "auto"'),
    ],
)
def test_one_mistake_is_one_complaint(document: dict[str, Any], field: str, message: str) -> None:
    [complaint] = found_in(document)
    assert complaint == FieldError(field, message)
    assert "secret" not in complaint.message
    assert str(complaint) == f"{field}: {message}"


def test_every_mistake_is_told() -> None:
    found = found_in({"owner": "a\tb", "retryLimit": 11, "suspend": "yes"})
    assert [each.field for each in found] == ["spec.owner", "spec.suspend", "spec.retryLimit"]


def test_a_sentence_names_its_field_once() -> None:
    with pytest.raises(ValidationError) as refused:
        Output.model_validate({"tags": {"title": "\n"}})
    [complaint] = field_errors(refused.value, "output")
    assert str(complaint) == TITLE


def test_what_is_wrong_inside_a_variable_is_told_by_its_path() -> None:
    class Settings(BaseModel):
        port: int
        output: Output

    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"port": "secret", "output": {"tags": {"title": "secret\n"}}})

    number = "Input should be a valid integer, unable to parse string as an integer"
    assert of_variables(refused.value, "OUR_") == f"OUR_PORT: {number}; OUR_OUTPUT.tags.title: {TITLE}"
