"""④ From a status document as it is stored to the one that is wanted. Pure."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def merge_patch(stored: Mapping[str, Any], wanted: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The merge patch (RFC 7386) from one to the other; empty when they say the same.

    An empty list is nothing to say. What is stored in fields that `model` does not know stays.
    """
    document = {key: value for key, value in wanted.items() if value != []}
    known = {field.alias or name for name, field in model.model_fields.items()}
    changed = {key: _replacing(stored.get(key), value) for key, value in document.items() if stored.get(key) != value}
    return changed | {key: None for key in stored if key not in document and key in known}


def _replacing(stored: Any, value: Any) -> Any:
    """A merge patch merges objects; null what must go."""
    if isinstance(stored, dict) and isinstance(value, dict):
        return {key: None for key in stored if key not in value} | value
    return value
