from __future__ import annotations

import io
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

import pytest

from bootstrap.session import interrupts
from bootstrap.session.interrupts import TimedOut, briefly, ending, noticed, undisturbed


def ended(out: IO[str], by: Callable[[], None]) -> object:
    """The exit code of code that waits, once ``by`` has happened."""
    try:
        with ending(out):
            by()
            time.sleep(60)
    except SystemExit as end:
        return end.code
    return None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_code_with_its_exit_code(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    caught = ended(io.StringIO(), lambda: os.kill(os.getpid(), number))
    assert caught == 128 + number
    assert signal.getsignal(number) is before


def test_the_end_of_the_time_is_no_error_that_a_client_would_catch() -> None:
    with pytest.raises(TimedOut), ending(io.StringIO(), 0.01), suppress(Exception):
        time.sleep(60)


def test_a_reader_that_goes_ends_the_code_while_nothing_is_written() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as out:
        caught = ended(out, lambda: os.close(reader))
        out.write("nobody reads this, and nobody complains")
    assert caught == 128 + signal.SIGPIPE


def test_a_reader_that_stays_is_left_alone() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as out, os.fdopen(reader) as back:
        with ending(out):
            out.write("x\n")
            out.flush()
        assert back.readline() == "x\n"


def test_a_connection_that_a_server_closes_is_no_lost_reader() -> None:
    here, there = socket.socketpair()
    reader, writer = os.pipe()
    with here, os.fdopen(writer, "w") as out, os.fdopen(reader), ending(out):
        there.close()
        with pytest.raises(BrokenPipeError):
            here.send(b"x")


def test_a_signal_that_nohup_lets_the_command_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending(io.StringIO()):
            os.kill(os.getpid(), signal.SIGHUP)
        with undisturbed():
            pass
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_is_cleaned_up_is_not_disturbed() -> None:
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    never = threading.Event()
    assert not briefly(never.wait, 0.01)
    assert briefly(lambda: 1 / 0)
    never.set()


def test_a_signal_acts_once_however_slow_the_code_is_that_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_REPEATED", 0.0)  # sent again at once, as on a machine that is busy for longer
    before = signal.getsignal(signal.SIGINT)
    for _ in range(100):
        caught = 0
        try:
            with noticed():
                try:
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(60)
                finally:
                    time.sleep(0.005)
        except KeyboardInterrupt:
            caught += 1
        time.sleep(0.001)
        assert caught == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_whose_handler_goes_on_does_not_hide_the_next_one() -> None:
    before = signal.signal(signal.SIGPIPE, lambda *_: None)

    def both() -> None:
        with noticed():
            os.kill(os.getpid(), signal.SIGPIPE)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)

    try:
        with pytest.raises(KeyboardInterrupt):
            both()
    finally:
        signal.signal(signal.SIGPIPE, before)
