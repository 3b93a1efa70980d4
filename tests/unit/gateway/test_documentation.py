"""docs/api.md and the README say what the code does."""

import ast
import re
from pathlib import Path

from tests.unit.gateway.builders import Gateway
from video2mp3_contracts.runtime import problem
from video2mp3_contracts.server import refusals
from video2mp3_gateway.app.settings import GatewaySettings

ROOT = Path(__file__).parents[3]
API = (ROOT / "docs" / "api.md").read_text()
README = (ROOT / "gateway" / "README.md").read_text()
SOURCES = [*(ROOT / "gateway" / "src").rglob("*.py"), Path(refusals.__file__), Path(problem.__file__)]


def answerable() -> set[tuple[int, str]]:
    """Status and code of every problem that the gateway's code makes, and of those that Flask makes for it."""
    made = {(404, "not-found"), (405, "method-not-allowed")}
    for file in SOURCES:
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            constants = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
            codes = [each.value for each in call.keywords if each.arg == "code"]
            if ast.unparse(call.func) == "Problem":
                made |= {(constants[0], each.value) for each in codes if isinstance(each, ast.Constant)}
            elif ast.unparse(call.func).endswith("bad_request"):
                made.add((400, constants[0]))
    return made


def documented() -> set[tuple[int, str]]:
    """Status and code in the tables of api.md and in its sentences, but for those of the login, which auth answers."""
    page = re.sub(r"^## POST /login.*?(?=^## )", "", API, flags=re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| ([\d, ]+) \| (`.*?`) \|", page, re.MULTILINE)
    told = {(int(status), code) for status, code in re.findall(r"\b(4\d\d|5\d\d) `([a-z-]+)`", page)}
    for statuses, codes in rows:
        names = re.findall(r"`([a-z-]+)`", codes)
        numbers = [int(status) for status in statuses.split(",")]
        told |= set(zip(numbers, names, strict=True)) if len(numbers) > 1 else {(numbers[0], name) for name in names}
    return told


def test_every_refusal_is_documented_and_none_besides() -> None:
    assert len(answerable()) > 25
    assert documented() == answerable()


def test_every_path_is_documented() -> None:
    paths = {rule.rule for rule in Gateway().app.url_map.iter_rules()} - {"/healthz", "/readyz"}
    assert {
        path for path in paths if path.replace("<name>", "NAME").replace("<file_id>", "FILE_ID") not in API
    } == set()


def test_every_setting_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `GATEWAY_(\w+)` \|(.*?)\|", README, re.MULTILINE))
    defaults = {
        name.upper(): "" if field.is_required() or not field.default else str(field.default)
        for name, field in GatewaySettings.model_fields.items()
    }
    defaults["TRUSTED_PROXY_COUNT"] = "0"
    assert {name: value.strip("` ") for name, value in rows.items()} == defaults
