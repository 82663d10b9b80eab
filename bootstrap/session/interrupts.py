"""What ends a command that waits for a server: a signal, a reader that has gone, too much time."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)


class TimedOut(BaseException):
    """The time is over. No subclass of Exception: a client must not take it for a fault of the network and go on."""


@contextmanager
def ending(out: IO[str], seconds: float | None = None) -> Iterator[None]:
    """Turn what ends the command into an exception of the main thread, so that the code inside can clean up.

    SIGTERM and SIGHUP become SystemExit with the usual code (128 and the signal's number), as does the loss of the
    reader of ``out``, even while nothing is written; SIGINT is Python's KeyboardInterrupt. After ``seconds``, TimedOut.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Mapping[int, Any] = {each: signal.signal(each, _exit) for each in _ENDING}
    alarm = signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, seconds or 0)
    stop = _watch(out)
    try:
        yield
    except SystemExit as end:
        if end.code == 128 + signal.SIGPIPE:  # else the interpreter complains when it flushes
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        raise
    finally:
        stop()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back SIGINT and the others while something is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGALRM, *_ENDING)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def briefly(do: Callable[[], object], seconds: float = 5.0) -> bool:
    """Try to tell a server something; give up if it does not answer, and ignore its errors. Whether it answered."""

    def attempt() -> None:
        with suppress(Exception):
            do()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _exit(number: int, frame: Any) -> None:
    raise SystemExit(128 + number)


def _late(number: int, frame: Any) -> None:
    raise TimedOut


def _watch(out: IO[str]) -> Callable[[], None]:
    """Watch a pipe for the loss of its reader, which sends this process SIGPIPE. Returns what ends the watch."""
    try:
        pipe = out.fileno()
        is_pipe = not os.isatty(pipe)
    except (OSError, AttributeError, ValueError):  # it is no file
        is_pipe = False
    if not is_pipe:
        return lambda: None
    here, there = os.pipe()
    main = threading.main_thread().ident
    assert main is not None

    def watch() -> None:
        poll = select.poll()
        poll.register(pipe, 0)  # only errors, which need not be asked for
        poll.register(here, select.POLLIN)
        if any(found == pipe and state & (select.POLLERR | select.POLLHUP) for found, state in poll.poll()):
            signal.pthread_kill(main, signal.SIGPIPE)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()

    def stop() -> None:
        with suppress(OSError):
            os.write(there, b".")
        thread.join()
        os.close(here)
        os.close(there)

    return stop
