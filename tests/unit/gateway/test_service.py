"""What the gateway is beside its calls: health, limits, draining, the page."""

import base64
import hashlib
import re

import pytest
from prometheus_client import generate_latest

from tests.unit.gateway.builders import ALICE, BOB, Gateway, a_file, problem
from tests.unit.gateway.fakes import FakeClock
from video2mp3_gateway.http.concurrency_limit import ConcurrencyLimit, LimitReached
from video2mp3_gateway.server.capacity import DRAIN_SECONDS, GRACEFUL_SECONDS, MAX_DOWNLOADS, MAX_UPLOADS, THREADS
from video2mp3_gateway.server.drain import Drain


@pytest.mark.parametrize("port", ["tokens", "sources", "conversions"])
def test_it_is_ready_once_everything_was_reached(port: str) -> None:
    gateway = Gateway()
    getattr(gateway, port).switch.off("ping")
    answer = gateway.client.get("/readyz")
    assert (answer.status_code, problem(answer)["code"]) == (503, "service-unavailable")
    getattr(gateway, port).switch.off("ping", times=0)
    assert gateway.client.get("/readyz").status_code == 200


def test_it_stays_ready_to_say_what_is_away() -> None:
    gateway = Gateway()
    assert gateway.client.get("/readyz").status_code == 200
    for system in (gateway.tokens, gateway.sources, gateway.conversions):
        system.switch.off("ping")
    assert gateway.client.get("/readyz").status_code == 200


def test_it_lives_whatever_is_away() -> None:
    gateway = Gateway()
    gateway.sources.switch.off("ping")
    assert gateway.client.get("/healthz").status_code == 200


def test_an_unknown_path_is_a_problem_too() -> None:
    answer = Gateway().client.get("/nothing")
    assert (answer.status_code, problem(answer)["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/conversions//talk", "/mp3s//x"])
def test_two_slashes_lead_nowhere(path: str) -> None:
    answer = Gateway().client.get(path, base_url="http://evil.example")
    assert (answer.status_code, problem(answer)["code"]) == (404, "not-found")


def test_a_host_that_no_host_can_be_called_is_a_problem_too() -> None:
    answer = Gateway().client.get("/conversions", headers={"Host": "x" * 64 + ".example"})
    assert (answer.status_code, problem(answer)["code"]) == (400, "malformed-request")


@pytest.mark.parametrize(
    ("method", "address", "said"),
    [
        ("GET", "/conversions?phase=Failed", "The parameter 'phase' is not known here. Known are: limit, continue."),
        ("GET", "/conversions/talk?watch=1", "The parameter 'watch' is not known here. This address takes none."),
        ("GET", "/download?fid=1&name=x", "The parameter 'name' is not known here. Known are: fid."),
        ("POST", "/upload?output={}", "The parameter 'output' is not known here. Known are: class."),
        ("POST", "/login?user=ada", "The parameter 'user' is not known here. This address takes none."),
    ],
)
def test_a_parameter_that_nothing_reads_is_an_error(method: str, address: str, said: str) -> None:
    answer = Gateway().client.open(address, method=method)

    assert (answer.status_code, problem(answer)["code"]) == (400, "unknown-parameter")
    assert problem(answer)["detail"] == said


def test_a_parameter_that_comes_twice_is_an_error() -> None:
    answer = Gateway().client.get("/conversions?limit=1&limit=2")

    assert (answer.status_code, problem(answer)["code"]) == (400, "bad-parameter")


def test_the_page_takes_what_mail_programs_add() -> None:
    assert Gateway().client.get("/?fid=1&utm_source=mail").status_code == 200


def test_methods_that_somebody_makes_up_are_counted_as_one() -> None:
    gateway = Gateway()
    for method in ("BREW", "WHEN", "PROPFIND"):
        assert gateway.client.open("/login", method=method).status_code == 405
    metrics = generate_latest(gateway.metrics).decode()
    assert 'method="other"' in metrics
    assert "BREW" not in metrics


def test_how_much_lists_are_made_from_is_measured() -> None:
    gateway = Gateway()
    gateway.uploaded(a_file())
    assert gateway.metric("video2mp3_gateway_conversions_cached") == 1
    assert gateway.metric("video2mp3_gateway_conversions_event_age_seconds") == gateway.conversions.state.silent_seconds


def test_metrics_are_not_for_people() -> None:
    answer = Gateway().client.get("/metrics")

    assert (answer.status_code, problem(answer)["code"]) == (404, "not-found")


def test_one_account_does_not_take_every_place() -> None:
    slots = ConcurrencyLimit(total=3, per_account=2)
    with slots.hold(ALICE), slots.hold(ALICE):
        with pytest.raises(LimitReached) as own, slots.hold(ALICE):
            pass
        with slots.hold(BOB), pytest.raises(LimitReached) as all_taken, slots.hold("carol@example.com"):
            pass
        assert (own.value.own, all_taken.value.own) == (True, False)
    assert slots.taken == 0


def test_a_place_is_given_back_after_an_error() -> None:
    slots = ConcurrencyLimit(total=1, per_account=1)
    with pytest.raises(ZeroDivisionError), slots.hold(ALICE):
        raise ZeroDivisionError
    with slots.hold(ALICE):
        assert slots.taken == 1


def test_threads_are_left_for_everything_else() -> None:
    assert THREADS - MAX_UPLOADS - MAX_DOWNLOADS >= 4
    assert DRAIN_SECONDS < GRACEFUL_SECONDS


def test_the_last_moment_comes_after_a_while() -> None:
    clock = FakeClock()
    drain = Drain(clock)
    clock.now = 1000
    assert not drain.over
    drain.begin()
    clock.now += DRAIN_SECONDS - 1
    drain.begin()
    assert not drain.over
    clock.now += 1
    assert drain.over


def test_the_page_runs_only_what_is_in_it() -> None:
    answer = Gateway().client.get("/")
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    policy = dict(directive.split(" ", 1) for directive in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [content] = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_every_field_of_the_page_has_a_label() -> None:
    page = Gateway().client.get("/").text
    fields = set(re.findall(r"<(?:input|select|progress) id=\"(\w+)\"", page))
    assert fields == set(re.findall(r"<label for=\"(\w+)\"", page)) != set()


def test_the_pages_script_names_only_what_is_there() -> None:
    page = Gateway().client.get("/").text
    assert set(re.findall(r'byId\("([\w-]+)"\)', page)) <= set(re.findall(r' id="([\w-]+)"', page))


def test_a_link_in_an_email_leads_to_the_page() -> None:
    """A browser has no token when it follows one; curl gets the plain answer."""
    client = Gateway().client
    click = client.get("/download?fid=abc", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (click.status_code, click.headers["Location"]) == (303, "./?fid=abc")
    assert client.get("/download?fid=abc", headers={"Accept": "*/*"}).status_code == 401
