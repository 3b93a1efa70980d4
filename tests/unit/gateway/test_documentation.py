"""docs/api.md and the README say what the code does."""

import inspect
import re
from pathlib import Path

from tests.unit.gateway.builders import Gateway
from video2mp3_contracts.server import refusals
from video2mp3_gateway import creation, problems, reception
from video2mp3_gateway.settings import GatewaySettings
from video2mp3_gateway.views import conversions, download, mp3s, paging, parameters, upload

ROOT = Path(__file__).parents[3]
API = (ROOT / "docs" / "api.md").read_text()
README = (ROOT / "gateway" / "README.md").read_text()


def test_every_error_is_documented() -> None:
    sources = "".join(
        map(
            inspect.getsource,
            (problems, reception, creation, conversions, download, mp3s, paging, parameters, refusals, upload),
        )
    )
    codes = set(re.findall(r'code="([a-z-]+)"', sources)) | set(re.findall(r'bad_request\(\s*"([a-z-]+)"', sources))
    assert len(codes) > 15
    assert {code for code in codes if f"`{code}`" not in API} == set()


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
