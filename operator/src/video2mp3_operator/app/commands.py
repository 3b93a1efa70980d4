"""④ The command `video2mp3-operator`: what an administrator does with what is stored. Run it in the operator's pod."""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import BinaryIO, Final

from pydantic import ValidationError

from video2mp3_contracts.api.validation_errors import of_variables
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_operator.adapters import mongodb_backup, mongodb_users
from video2mp3_operator.adapters.kubernetes import KubernetesApi, load_configuration
from video2mp3_operator.adapters.kubernetes_secrets import KubernetesSecrets, new_value
from video2mp3_operator.adapters.mongodb_backup import CutShortError
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.app.connections import connect, utc_now
from video2mp3_operator.app.release import release_deleted
from video2mp3_operator.app.retained import Wanted, retained, retained_line
from video2mp3_operator.gc.collector import Finding
from video2mp3_operator.gc.rules import Verdict
from video2mp3_operator.installation.release_secrets import PREFIX as SECRETS_PREFIX
from video2mp3_operator.installation.release_secrets import SecretsSettings, ensure
from video2mp3_operator.installation.users import PREFIX, RIGHTS, UsersSettings, users_of
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import OutsideError, RefusedError, UnavailableError
from video2mp3_operator.telemetry.metrics import Metrics

_PIECE_BYTES: Final = 1024**2

_API_SERVER_SECONDS: Final = 10
_API_SERVER_PATIENCE_SECONDS: Final = 60
"""For an API server that is being restarted, or a network policy that is just taking effect."""

_API_SERVER_PAUSE_SECONDS: Final = 1


def run(arguments: Sequence[str], settings: Settings) -> int:
    """Run a command; answers the exit code: 0 done, 1 not done (standard error says why), 2 wrong usage."""
    parsed = parser().parse_args(arguments)
    configure_logging("operator", "CRITICAL")
    try:
        if parsed.command == "sweep":
            asyncio.run(_confirm(settings) if parsed.confirm else _dry_run(settings))
        elif parsed.command == "claim":
            asyncio.run(_claim(settings, parsed.was))
        elif parsed.command == "retained":
            asyncio.run(_retained(settings, Wanted(parsed.owner, timedelta(days=parsed.older_than)), parsed.purge))
        elif parsed.command == "release":
            asyncio.run(_release(settings, parsed.namespace))
        else:
            _back_up_or_restore(parsed.command, settings)
    except (OutsideError, CutShortError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def make_users(arguments: Sequence[str]) -> int:
    """Make MongoDB's users; answers the exit code. It needs none of the operator's settings, only its own variables."""
    parser().parse_args(arguments)
    try:
        settings = UsersSettings()
        users = users_of(settings.uris)
        mongodb_users.grant(settings.admin_uri.get_secret_value(), users)
    except ValidationError as error:
        sys.stderr.write(f"error: {of_variables(error, PREFIX)}\n")
        return 1
    except (ValueError, OutsideError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for user in users:
        sys.stdout.write(f"{user.name} has the role {user.role}.\n")
    return 0


def make_secrets(arguments: Sequence[str]) -> int:
    """Make the release's Secrets; answers the exit code. It too needs its own variables only."""
    parser().parse_args(arguments)
    try:
        settings = SecretsSettings()
    except ValidationError as error:
        sys.stderr.write(f"error: {of_variables(error, SECRETS_PREFIX)}\n")
        return 1
    try:
        asyncio.run(_make_secrets(settings))
    except OutsideError as error:
        sys.stderr.write(f"error: the Secrets in {settings.namespace} could not all be made: {error}\n")
        return 1
    return 0


async def _make_secrets(settings: SecretsSettings) -> None:
    api = KubernetesApi(await load_configuration(), _API_SERVER_SECONDS, lambda _method, _code: None, parallel=1)
    until = time.monotonic() + _API_SERVER_PATIENCE_SECONDS
    try:
        while True:
            try:
                return await ensure(settings.plan, KubernetesSecrets(api, settings.namespace), new_value, print)
            except UnavailableError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_API_SERVER_PAUSE_SECONDS)
    finally:
        await api.close()


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    parser = argparse.ArgumentParser(
        prog="video2mp3-operator",
        description="What an administrator does with what is stored. Without a command it is the operator itself.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    summary = "What is nobody's any more: print what would go, or confirm that it may."
    sweep = commands.add_parser("sweep", help=summary, description=summary)
    either = sweep.add_mutually_exclusive_group(required=True)
    either.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    confirmed = "you have looked: what is marked may go, and no other cluster uses this name"
    either.add_argument("--confirm", action="store_true", help=confirmed)
    summary = "Make files and ledger entries this installation's: those of an older version, which have no name."
    claim = commands.add_parser("claim", help=summary, description=summary)
    claim.add_argument("--from", dest="was", default="", help="those of this installation instead, which is no more")
    summary = "Mp3s that outlived their Conversion (deletionPolicy: Retain): list them, or remove them."
    columns = (
        "Each line: the mp3's id, its age, its bytes, the owner, NAMESPACE/NAME of its Conversion, what it was made of."
    )
    kept = commands.add_parser("retained", help=summary, description=f"{summary} {columns}")
    kept.add_argument("--owner", help="of this account only")
    kept.add_argument("--older-than", type=float, default=0, metavar="DAYS", help="kept for so many days or longer")
    kept.add_argument("--purge", action="store_true", help="remove what is listed, but for what was adopted since")
    summary = "Let go of what is being deleted in a namespace that is not watched any more."
    release = commands.add_parser("release", help=summary, description=summary)
    release.add_argument("namespace", help="where; the operator's Role must still be there")
    for name, summary in (
        ("dump", "Write all that MongoDB holds to standard output."),
        ("load", "Put back what `dump` wrote, from standard input. Pause the operator first."),
    ):
        commands.add_parser(name, help=summary, description=summary)
    summary = "Make a user with the least rights in MongoDB for each service."
    addresses = ", ".join(f"{PREFIX}{service.upper()}_URI" for service in RIGHTS)
    description = f"{summary} The variable {PREFIX}ADMIN_URI says where; {addresses} say how each service logs in."
    commands.add_parser("users", help=summary, description=description)
    summary = "Make the release's Secrets, those that are not there."
    description = f"{summary} {SECRETS_PREFIX}NAMESPACE says where; {SECRETS_PREFIX}PLAN is the chart's list of them."
    commands.add_parser("secrets", help=summary, description=description)
    return parser


# --- sweep and claim ---


async def _dry_run(settings: Settings) -> None:
    metrics = Metrics()
    connections = connect(settings, await load_configuration(), metrics)
    try:
        operator = Operator(settings, connections.ports, metrics)
        await operator.prime()
        await operator.heartbeat.beat()
        counted: Counter[str] = Counter()
        async for finding in operator.collector.findings():
            line = finding_line(finding, timedelta(days=settings.orphan_days))
            if line:
                counted[finding.kind] += 1
                sys.stdout.write(f"{line}\n")
        for line in _summary(counted, operator.collector.halted):
            sys.stdout.write(f"{line}\n")
    finally:
        await connections.close()


def finding_line(finding: Finding, patience: timedelta) -> str:
    """A line about one thing that nothing wants; "" about all others."""
    thing, since = finding.thing, finding.thing.unwanted_since
    whose = f"{thing.namespace}/{thing.name} of {thing.owner}" if isinstance(thing, LedgerEntry) else thing.owner
    match finding.verdict:
        case Verdict.MARK:
            what = "is marked next"
        case Verdict.REMOVE if finding.held:
            what = "waits until somebody has looked"
        case Verdict.REMOVE:
            what = "goes next"
        case Verdict.KEEP:
            what = "is kept for its owner"
        case Verdict.LEAVE if since is not None:
            what = f"goes after {since + patience:%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return ""
    return f"{finding.kind} {finding.name} {what} {whose}".rstrip()


def _summary(counted: Counter[str], halted: dict[str, str]) -> Iterator[str]:
    if not counted:
        yield "Nothing is unwanted."
    for kind, reason in halted.items():
        yield f"Nothing of the kind {kind} is removed: {_REASONS[reason]}"


_REASONS: Final = {
    "abnormal": "more is unwanted than could be by accident. Is it right? Then `video2mp3-operator sweep --confirm`.",
    "shared": "another cluster uses the same `installation` name. Give one of them another.",
}


async def _confirm(settings: Settings) -> None:
    connections = connect(settings, await load_configuration(), Metrics())
    try:
        await connections.store.confirm(utc_now())
    finally:
        await connections.close()
    sys.stdout.write("Confirmed: what is marked by now goes when its time has come.\n")


async def _claim(settings: Settings, was: str) -> None:
    connections = connect(settings, await load_configuration(), Metrics())
    try:
        count = await connections.store.claim(was)
    finally:
        await connections.close()
    sys.stdout.write(f"{count} files and ledger entries belong to {settings.installation} now.\n")


# --- retained ---


async def _retained(settings: Settings, wanted: Wanted, purges: bool) -> None:
    connections = connect(settings, await load_configuration(), Metrics())
    count = size = 0
    try:
        collector = Operator(settings, connections.ports, Metrics()).collector
        now = utc_now()
        async for entry in retained(connections.store, wanted, now):
            done = ""
            if purges:
                done = " removed" if await collector.remove_entry(entry) else " adopted since: it stays"
            sys.stdout.write(f"{retained_line(entry, now)}{done}\n")
            count, size = count + 1, size + (entry.result.size if entry.result else 0)
    finally:
        await connections.close()
    sys.stderr.write(f"{count} mp3s, {size} bytes.\n")


# --- release ---


async def _release(settings: Settings, namespace: str) -> None:
    if not settings.watch_namespaces or namespace in settings.watch_namespaces:
        raise RefusedError(f"{namespace} is watched: the operator that runs lets go of what is deleted there")
    metrics = Metrics()
    there = settings.model_copy(update={"watch_namespaces": (namespace,)})
    connections = connect(there, await load_configuration(), metrics)
    try:
        released = await release_deleted(Operator(there, connections.ports, metrics))
    finally:
        await connections.close()
    sys.stdout.write(f"{released.gone} Conversions were let go.\n")
    if released.staying:
        still = f"kubectl delete conversions --all --namespace {namespace} --wait=false"
        sys.stdout.write(f"{released.staying} stay, which nobody has deleted: {still}, then this again.\n")


# --- backup ---


def _back_up_or_restore(command: str, settings: Settings) -> None:
    uri = settings.mongodb_uri.get_secret_value()
    if command == "dump":
        count = mongodb_backup.dump(uri, sys.stdout.buffer)
        sys.stderr.write(f"{count} documents were written.\n")
        return
    try:
        count = mongodb_backup.load(uri, sys.stdin.buffer)
    finally:
        _drain(sys.stdin.buffer)
    sys.stderr.write(f"{count} documents were put back.\n")


def _drain(stream: BinaryIO) -> None:
    """Take what is still sent: `kubectl exec --stdin` would wait for ever for somebody to."""
    while stream.read(_PIECE_BYTES):
        pass
