"""⑥⑦ The entry point of the Job: environment in, exit code and termination message out."""

import gc
import logging
import os
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import structlog
from pydantic import ValidationError
from pymongo.collection import Collection

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.validation_errors import of_variables
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_contracts.jobs.worker import TERMINATION_MESSAGE_PATH
from video2mp3_contracts.ledger.documents import LedgerAttempt, LedgerError
from video2mp3_contracts.runtime import mongo
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_worker.app.reporter import Reporter
from video2mp3_worker.app.run import Worker
from video2mp3_worker.app.run_part import PartWorker
from video2mp3_worker.app.settings import WorkerSettings
from video2mp3_worker.app.termination_message import crashed, last_words, leave
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused, TryAgain, WorkerError
from video2mp3_worker.ports.systems import Web
from video2mp3_worker.sandbox import launcher
from video2mp3_worker.stores.gridfs import GridFSMp3s, GridFSSources
from video2mp3_worker.stores.ledger import MongoLedger, MongoPartLedger
from video2mp3_worker.stores.queue import AmqpQueue
from video2mp3_worker.transcode.convert import Converter

_log = structlog.get_logger("video2mp3_worker")


def start() -> NoReturn:
    """Run the attempt that the environment asks for, or the command line of people, to the end of the process."""
    gc.freeze()
    gc.enable()
    if len(sys.argv) > 1:
        from video2mp3_worker.app.cli import command_line  # noqa: PLC0415 - a Job does not pay for argparse

        sys.exit(command_line(sys.argv[1:]))
    code = main()
    sys.stderr.flush()
    # To take the interpreter apart would take a tenth of a second, and all is stored, closed and said.
    os._exit(code)


def main() -> int:
    """Run the attempt that the environment asks for. Answers the exit code."""
    launcher.conceal()
    stop = Stop()
    stop.listen()
    _leave_last_words_in_a_crash()
    try:
        settings = read_settings()
    except Refused as error:
        configure_logging("worker")
        return _end(error, _termination_message_path())
    configure_logging("worker", settings.log_level)
    # pika logs every step and every failure several times over; it also raises each, and we log that once.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    return attempt(settings, stop)


def read_settings() -> WorkerSettings:
    """The settings from the environment. Raises Refused, naming what is wrong but never what it holds."""
    try:
        return WorkerSettings.of(os.environ)
    except ValidationError as error:
        # The fields' names are the variables' already.
        wrong = of_variables(error, "")
        raise Refused(Reason.BAD_REQUEST, f"The worker's environment is not as it should be: {wrong}") from error


def attempt(settings: WorkerSettings, stop: Stop) -> int:
    """Run one attempt; answer the exit code. Everything that implements a port is chosen here."""
    request = settings.request
    structlog.contextvars.bind_contextvars(**request.conversion.log_fields)
    if not _has_landlock():
        _log.warning("landlock_missing", required=settings.require_landlock)
        if settings.require_landlock:
            return _end(_unsuitable(), settings.termination_message_path)
    name = settings.pod_name or "video2mp3-worker"
    with mongo.connect(settings.mongodb_uri.get_secret_value(), name) as client:
        ledger = _ledger(settings, mongo.ledger(client))
        reporter = Reporter(ledger, time.monotonic, _now)
        worker = Worker(
            request=request,
            ledger=ledger,
            sources=GridFSSources(client),
            web=_web() if request.source.url else None,
            mp3s=GridFSMp3s(client),
            queue=AmqpQueue(settings.rabbitmq_uri.get_secret_value(), name, stop),
            reporter=reporter,
            converter=Converter(stop, request.limits, reporter.report, allow_truncated=request.source.allow_truncated),
            stop=stop,
            scratch=settings.scratch,
            now=_now,
        )
        try:
            words = _run(worker, ledger, settings.part)
        except WorkerError as error:
            _store_error(ledger, error, settings.pod_name)
            return _end(error, settings.termination_message_path)
    leave(words, settings.termination_message_path)
    return ExitCode.DONE


def _has_landlock() -> bool:
    return launcher.landlock_version() > 0


def _unsuitable() -> TryAgain:
    # The node's fault, and the next attempt may be on another.
    sentence = "The node's kernel has no Landlock, and worker.requireLandlock says that nothing is converted without."
    return TryAgain(Reason.NODE_UNSUITABLE, sentence)


def _web() -> Web:
    from video2mp3_worker.source.http_client import HttpWeb  # noqa: PLC0415 - most attempts do without urllib3

    return HttpWeb()


def _ledger(settings: WorkerSettings, collection: Collection[dict[str, Any]]) -> MongoLedger:
    """The ledger for this attempt: at the whole audio, or at a part of it."""
    request, parts = settings.request, settings.request.parts
    part = None if parts is None else settings.part
    attempt = LedgerAttempt(
        token=secrets.token_hex(16),
        pod=settings.pod_name,
        started_at=_now(),
        part=part,
        landlock=_has_landlock(),
    )
    known, ours = (request.conversion, request.owner, attempt, _now), request.installation
    return MongoLedger(collection, *known, ours) if parts is None else MongoPartLedger(collection, *known, parts, ours)


def _run(worker: Worker, ledger: MongoLedger, part: int) -> bytes:
    """Run the attempt; answer the last words of one that ended well."""
    if isinstance(ledger, MongoPartLedger):
        made = PartWorker(part, ledger, worker).run()
        said = f"Part {part + 1} of {worker.request.parts} is stored."
        reason = Reason.SUCCEEDED
    else:
        made = worker.run()
        reason = Reason.SUCCEEDED if made else Reason.DIVIDED
        said = Reason.DIVIDED.meaning
    return last_words(ExitCode.DONE, reason, "The mp3 is stored." if made else said, landlock=_has_landlock())


def _store_error(ledger: MongoLedger, error: WorkerError, pod: str) -> None:
    words = LedgerError(exit_code=error.exit_code, reason=error.reason, message=error.message, pod=pod, at=_now())
    try:
        ledger.store_error(words)
    except TryAgain as away:
        _log.warning("last_words_not_stored", detail=away.detail)


def _end(error: WorkerError, path: Path) -> int:
    words = last_words(error.exit_code, error.reason, error.message, error.detail, landlock=_has_landlock())
    leave(words, path)
    _log.error(
        "attempt ended", reason=error.reason, exit_code=error.exit_code, message=error.message, detail=error.detail
    )
    return error.exit_code


def _leave_last_words_in_a_crash() -> None:
    def translate(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        leave(crashed(kind), _termination_message_path())
        _log.critical("worker_crashed", exc_info=(kind, error, trace))

    sys.excepthook = translate


def _termination_message_path() -> Path:
    # Asked for where there may be no settings.
    return Path(os.environ.get("WORKER_TERMINATION_MESSAGE_PATH", TERMINATION_MESSAGE_PATH))


def _now() -> datetime:
    return datetime.now(UTC)
