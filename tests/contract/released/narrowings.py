"""Compares two CustomResourceDefinitions: what the newer one would refuse or drop that the older one let in.

It reads structural schemas as the API server does. What only widens (a new optional field, a looser bound, another
description) is no narrowing. A rule in CEL cannot be compared, so each new one counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = Mapping[str, Any]

_UPPER: Final = ("maximum", "maxLength", "maxItems", "maxProperties")
_LEAST: Final = {"minimum": float("-inf"), "minLength": 0, "minItems": 0, "minProperties": 0}
"""The lower bounds, and what each is where it is not said."""
_AS_IT_WAS: Final = (
    *("pattern", "format", "multipleOf", "not", "allOf", "anyOf", "oneOf"),
    *("x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"),
)
"""Where these are new or other than they were, something may be refused."""
_SWITCHES: Final = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "nullable")
"""What lets more in; gone, it lets less in."""
_WIDER: Final = {("integer", "number")}


@dataclass(frozen=True, order=True)
class Narrowing:
    """One thing that an older definition let in and a newer one would not."""

    field: str
    """The version and the field: `v1 spec.output.filename`."""
    change: str


def narrowings(old: Schema, new: Schema) -> list[Narrowing]:
    """All of them, by field."""
    return sorted([*_of_the_kind(old["spec"], new["spec"]), *_of_the_versions(old["spec"], new["spec"])])


def _of_the_kind(old: Schema, new: Schema) -> Iterator[Narrowing]:
    for field in ("group", "scope"):
        if old[field] != new[field]:
            yield Narrowing(field, f"was {old[field]}")
    for field in ("kind", "listKind", "plural", "singular"):
        if old["names"][field] != new["names"][field]:
            yield Narrowing(f"names.{field}", f"was {old['names'][field]}")
    for name in sorted(set(old["names"].get("shortNames", ())) - set(new["names"].get("shortNames", ()))):
        yield Narrowing("names.shortNames", f"{name} is gone")


def _of_the_versions(old: Schema, new: Schema) -> Iterator[Narrowing]:
    versions = {version["name"]: version for version in new["versions"]}
    for version in old["versions"]:
        name = version["name"]
        if version["served"] and not versions.get(name, {}).get("served"):
            yield Narrowing(name, "is not served any more")
        elif version["served"]:
            yield from _of_a_version(name, version, versions[name])


def _of_a_version(name: str, old: Schema, new: Schema) -> Iterator[Narrowing]:
    if "status" in old.get("subresources", {}) and "status" not in new.get("subresources", {}):
        yield Narrowing(name, "the subresource status is gone")
    selectable = {field["jsonPath"] for field in new.get("selectableFields", ())}
    for field in old.get("selectableFields", ()):
        if field["jsonPath"] not in selectable:
            yield Narrowing(name, f"{field['jsonPath']} cannot be selected by any more")
    before, after = old["schema"]["openAPIV3Schema"], new["schema"]["openAPIV3Schema"]
    for found in _of_a_schema("", before, after):
        yield Narrowing(f"{name} {found.field}".rstrip(), found.change)


def _of_a_schema(path: str, old: Schema, new: Schema) -> Iterator[Narrowing]:
    changes = (*_of_the_type(old, new), *_of_the_bounds(old, new), *_of_the_words(old, new), *_of_the_rules(old, new))
    yield from (Narrowing(path, change) for change in changes)
    yield from _of_the_fields(path, old, new)
    for inner, name in (("items", f"{path}[]"), ("additionalProperties", f"{path}{{}}")):
        if isinstance(old.get(inner), dict):
            if isinstance(new.get(inner), dict):
                yield from _of_a_schema(name, old[inner], new[inner])
            elif not new.get(inner):
                yield Narrowing(name, "is gone")


def _of_the_fields(path: str, old: Schema, new: Schema) -> Iterator[Narrowing]:
    open_now = new.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in new
    for name, schema in old.get("properties", {}).items():
        field = f"{path}.{name}".lstrip(".")
        if name in new.get("properties", {}):
            yield from _of_a_schema(field, schema, new["properties"][name])
        elif not open_now:
            yield Narrowing(field, "is gone")
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        if "default" not in new["properties"][name]:
            yield Narrowing(f"{path}.{name}".lstrip("."), "is required now")


def _of_the_type(old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("type"), new.get("type")
    if before != after and after is not None and (before, after) not in _WIDER:
        yield f"type is {after} now, was {before}"
    for switch in _SWITCHES:
        if old.get(switch) and not new.get(switch):
            yield f"{switch} is gone"
    if "default" in old and old["default"] != new.get("default"):
        yield f"default is {new.get('default')!r} now, was {old['default']!r}"


def _of_the_bounds(old: Schema, new: Schema) -> Iterator[str]:
    for keyword in _UPPER:
        if keyword in new and (keyword not in old or new[keyword] < old[keyword]):
            yield f"{keyword} is {new[keyword]} now, was {old.get(keyword)}"
    for keyword in _LEAST:
        if keyword in new and new[keyword] > old.get(keyword, _LEAST[keyword]):
            yield f"{keyword} is {new[keyword]} now, was {old.get(keyword)}"
    for bound, keyword in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if new.get(keyword) and not old.get(keyword) and new.get(bound) == old.get(bound):
            yield f"{keyword} is new"
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield "uniqueItems is new"


def _of_the_words(old: Schema, new: Schema) -> Iterator[str]:
    if "enum" in new:
        if "enum" not in old:
            yield f"enum is new: {new['enum']}"
        for value in old.get("enum", ()):
            if value not in new["enum"]:
                yield f"enum has {value!r} no more"
    for keyword in _AS_IT_WAS:
        if keyword in new and new[keyword] != old.get(keyword):
            yield f"{keyword} is {new[keyword]!r} now, was {old.get(keyword)!r}"


def _of_the_rules(old: Schema, new: Schema) -> Iterator[str]:
    known = {rule["rule"] for rule in old.get("x-kubernetes-validations", ())}
    for rule in new.get("x-kubernetes-validations", ()):
        if rule["rule"] not in known:
            yield f"rule is new: {rule['rule']}"
