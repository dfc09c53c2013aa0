"""``stream-attr demo``: broker, worker, sample traffic and verdicts, all on this machine."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import click
from rich.console import Console

from stream_attr.cli.demo_commands import next_commands
from stream_attr.cli.demo_console import DemoConsole, missing_for_console, running_console
from stream_attr.cli.demo_ledger import DemoLedger, missing_for_ledger, running_ledger
from stream_attr.cli.demo_reader import DemoReader
from stream_attr.cli.demo_sample import DEMO_SHOP, STORY_ORDER, TIMEZONE, DemoSample, Publishing
from stream_attr.cli.demo_screen import DemoScreen
from stream_attr.cli.demo_worker import DemoProcess, demo_worker
from stream_attr.cli.params import FOLDER, PORT
from stream_attr.cli.terminal import echo, unfiltered
from stream_attr.errors import StreamAttrError, UnusableError
from stream_attr.explain.decision import explain_decision
from stream_attr.generate.story import BUYERS
from stream_attr.kafka.address import DEFAULT_BOOTSTRAP
from stream_attr.kafka.admin import create_topics
from stream_attr.kafka.embedded import server
from stream_attr.kafka.embedded.broker import embedded_broker
from stream_attr.wall_clock import wall_clock_ms

__all__ = ["command"]

PARTITIONS = 4
KEPT_PORT = int(DEFAULT_BOOTSTRAP.rpartition(":")[2])
KEPT_WEB_PORT = 6066
QUIET_S = 1.0
"""The demo is over when all is judged, nothing is pending and nothing has come for so many seconds."""
PATIENCE_S = 60.0
"""How many seconds the last decisions may take."""


@click.command(name="demo")
@click.option(
    "--keep",
    is_flag=True,
    help="Take the usual ports, and print commands to go on with, if run in a terminal.",
)
@click.option(
    "--port",
    type=PORT,
    help=f"Loopback port of the broker.  [default: {KEPT_PORT} with --keep, else a free one]",
)
@click.option(
    "--web-port",
    type=PORT,
    help=f"Loopback port of the worker.  [default: {KEPT_WEB_PORT} with --keep, else a free one]",
)
@click.option(
    "--sheets",
    metavar="DIR",
    type=FOLDER,
    default="data/demo",
    show_default=True,
    help="Folder for the sheets, of which those of the last demo are replaced.",
)
def command(keep: bool, port: int | None, web_port: int | None, sheets: Path) -> None:
    """Show the whole system at work: chat and orders go in, verdicts come out, pending ones become final.

    Starts an embedded broker, a worker, what fills a ledger and the console, sends an evening written by
    hand and a day of generated traffic, explains one order, and shows reports and two sheets out of the
    ledger. In a terminal it then stays until Ctrl-C, so that the console can be looked at; elsewhere it
    ends. Nothing but the sheets is left behind. All of it is of November 2024, so that with --keep later
    events of your own come in time.
    """
    port = _usable_port("--port", port, KEPT_PORT if keep else None)
    web_port = _usable_port("--web-port", web_port, KEPT_WEB_PORT if keep else None)
    try:
        _demo(port, web_port, sheets, keep=keep)
    except KeyboardInterrupt:
        echo("ended", err=True)


def _usable_port(option: str, given: int | None, default: int | None) -> int:
    """Return the port of an option, or its default (None: a free one); raise UnusableError if taken."""
    wanted = given or default
    if wanted is None:
        return server.free_port()
    try:
        return server.require_free_port(wanted)
    except server.PortTaken as error:
        raise UnusableError(f"{error}; end what uses it, or choose another port with {option}") from error


def _demo(port: int, web_port: int, sheets: Path, *, keep: bool) -> None:
    console = Console(file=unfiltered(sys.stdout))
    if not _shows_chinese(console):
        echo(
            f"standard output is in {console.encoding} and cannot show the Chinese words; "
            "with PYTHONUTF8=1 it is in UTF-8",
            err=True,
        )
    screen = DemoScreen(console, TIMEZONE, BUYERS)
    screen.print("stream_attr: which customer-service agent earned each order? 业绩归属", "bold")
    screen.print("starting an embedded broker and a worker ...", "dim")
    missing = missing_for_ledger()
    if missing is None:
        _make(sheets)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stream-attr-demo-")))
        broker = stack.enter_context(embedded_broker(port))
        create_topics(broker.bootstrap, partitions=PARTITIONS)
        worker = stack.enter_context(demo_worker(broker.bootstrap, web_port, scratch))
        sample = DemoSample(scratch / "sample")
        screen.names = sample.names
        worker.await_ready()
        ledger = None if missing else stack.enter_context(running_ledger(broker.bootstrap, scratch))
        seen = None if ledger is None else _console(stack, ledger, broker.bootstrap, scratch)
        screen.print(f"broker on {broker.bootstrap}, worker on {worker.url}; times in {TIMEZONE}", "dim")
        if seen is not None:
            screen.print(f"watch it in a browser, in Chinese or English: {seen.link}", "bold")
        screen.print("")
        publishing = Publishing(sample, broker.bootstrap)
        with closing(DemoReader(broker.bootstrap)) as reader, screen:
            publishing.start()
            _play(screen, reader, publishing, worker)
        screen.print_counts()
        screen.print_summary()
        screen.print_first_day()
        _explain_one(screen)
        if ledger is None:
            screen.print(f"\nNo reports and sheets: {missing}")
        else:
            ledger.print_reports(screen, screen.decisions.values(), sheets)
        running = [worker, *(one.process for one in (ledger, seen) if one is not None)]
        if sys.stdout.isatty() or (keep and sys.stdin.isatty()):
            if seen is not None:
                seen.store_events()
            if keep:
                _print_commands(screen, broker.bootstrap, worker, ledger)
            _stay(screen, running, seen)
        elif keep:
            echo("--keep: not in a terminal, so broker and worker end now", err=True)


def _make(sheets: Path) -> None:
    try:
        sheets.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableError(
            f"{sheets} cannot be made: {error.strerror}; choose another folder with --sheets"
        ) from error


def _shows_chinese(console: Console) -> bool:
    try:
        "业绩归属".encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _play(screen: DemoScreen, reader: DemoReader, publishing: Publishing, worker: DemoProcess) -> None:
    """Show what goes in and comes out until all that was sent is judged and final."""
    last = time.monotonic()
    while True:
        now = time.monotonic()
        records = reader.read()
        screen.add(records)
        screen.refresh()
        worker.check()
        if records or publishing.is_alive():
            last = now
        elif publishing.error:
            raise StreamAttrError(f"the sample could not be published: {publishing.error}")
        elif now - last > (PATIENCE_S if screen.pending or worker.is_behind() else QUIET_S):
            break


def _explain_one(screen: DemoScreen) -> None:
    """Print the story's first order in words."""
    history = screen.history(DEMO_SHOP, STORY_ORDER)
    if not history:
        raise StreamAttrError(f"no decision on order {STORY_ORDER} has come from the worker")
    screen.print(
        f"\nOne of them in words (stream-attr explain {DEMO_SHOP} {STORY_ORDER}, and the agents' names):\n",
        "bold",
    )
    for line in explain_decision(history[-1], history=history, names=screen.names, zone=TIMEZONE):
        screen.print(f"  {line}".rstrip())


def _console(stack: ExitStack, ledger: DemoLedger, bootstrap: str, folder: Path) -> DemoConsole | None:
    """Run the console until the stack ends; None: what it needs is not installed."""
    if missing_for_console() is not None:
        return None
    ledger.process.await_ready()
    return stack.enter_context(running_console(bootstrap, folder))


def _print_commands(
    screen: DemoScreen, bootstrap: str, worker: DemoProcess, ledger: DemoLedger | None
) -> None:
    """Print commands that use what runs."""
    screen.print("\nPaste in another terminal:", "bold")
    data_dir = None if ledger is None else ledger.data_dir
    for line in next_commands(bootstrap, worker.url, data_dir, wall_clock_ms()):
        screen.print(line)


def _stay(screen: DemoScreen, running: Sequence[DemoProcess], console: DemoConsole | None) -> None:
    """Let it run until Ctrl-C."""
    what = "Broker and worker run" if console is None else f"All of it, {console.process.url} too, runs"
    screen.print(f"\n{what} until Ctrl-C.", "bold")
    if console is not None:
        screen.print(
            "Under Rules it shows what other rules would have done to this evening, and publishes them."
        )
    while True:
        for one in running:
            one.check()
        time.sleep(0.2)
