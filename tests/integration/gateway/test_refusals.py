"""A refusal before the body arrives whole, while its client still sends: directly, and through a real Traefik."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pycurl
import pytest

from tests.integration.gateway.conftest import Installation, settings_for
from tests.integration.gateway.gateway_server import GatewayServer
from tests.servers import TraefikServer

TIMES = 1000
AT_ONCE = 4
BODY_BYTES = 3_000_000
ALLOWED_BYTES = 2_000_000


@pytest.fixture(scope="module")
def gateway(gateway_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    """One that takes small videos only."""
    auth, kubernetes, uri = gateway_installation.auth, gateway_installation.kubernetes, gateway_installation.mongodb.uri
    settings = settings_for(auth, kubernetes, uri, tmp_path_factory.mktemp("gateway"))
    with GatewayServer(settings | {"GATEWAY_MAX_UPLOAD_BYTES": str(ALLOWED_BYTES)}) as server:
        yield server


@pytest.fixture(scope="module")
def traefik(gateway: GatewayServer) -> Iterator[TraefikServer]:
    with TraefikServer(gateway.url) as server:
        yield server


def refused(url: str, version: int, headers: list[str]) -> tuple[int, str, str]:
    """Send an upload without asking first; answers the status, the problem's code, and what curl complains of."""
    curl, answer, piece = pycurl.Curl(), io.BytesIO(), b"x" * 65536
    options = {
        pycurl.URL: f"{url}/upload",
        pycurl.POST: 1,
        pycurl.POSTFIELDSIZE_LARGE: BODY_BYTES,
        pycurl.READFUNCTION: lambda wanted: piece[:wanted],
        pycurl.WRITEDATA: answer,
        pycurl.HTTP_VERSION: version,
        pycurl.HTTPHEADER: ["Expect:", "Content-Type: multipart/form-data; boundary=x", *headers],
        pycurl.SSL_VERIFYPEER: 0,
        pycurl.SSL_VERIFYHOST: 0,
        pycurl.NOSIGNAL: 1,
        pycurl.TIMEOUT: 60,
    }
    for option, value in options.items():
        curl.setopt(option, value)
    complaint = ""
    try:
        curl.perform()
    except pycurl.error as error:
        complaint = str(error)
    status = int(curl.getinfo(pycurl.RESPONSE_CODE))
    curl.close()
    try:
        return status, str(json.loads(answer.getvalue())["code"]), complaint
    except (ValueError, KeyError):
        return status, answer.getvalue().decode(errors="replace")[:100], complaint


def outcomes(installation: Installation, url: str, version: int) -> Counter[tuple[int, str, str]]:
    """What came of a thousand, every second of them refused for its size."""
    authorization = f"Authorization: {installation.authorized()['Authorization']}"

    def one(number: int) -> tuple[int, str, str]:
        return refused(url, version, [authorization] if number % 2 else [])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(TIMES)))


WHOLE = {(401, "unauthorized", ""): TIMES // 2, (413, "too-large", ""): TIMES // 2}


def test_directly(installation: Installation, gateway: GatewayServer) -> None:
    assert outcomes(installation, gateway.url, pycurl.CURL_HTTP_VERSION_1_1) == WHOLE


def test_through_a_proxy(installation: Installation, traefik: TraefikServer) -> None:
    assert outcomes(installation, traefik.url, pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE) == WHOLE


def test_through_a_proxy_by_http_1(installation: Installation, traefik: TraefikServer) -> None:
    """Traefik closes half a second after the answer, whatever still comes: so long has its client to read."""
    told = outcomes(installation, traefik.url, pycurl.CURL_HTTP_VERSION_1_1)

    assert sum(told[each] for each in WHOLE) >= 0.99 * TIMES, told


def test_through_a_proxy_with_tls(installation: Installation, traefik: TraefikServer) -> None:
    assert outcomes(installation, traefik.tls_url, pycurl.CURL_HTTP_VERSION_2_0) == WHOLE
