"""What ends a command that waits for a server: a signal, a reader that has gone, too much time."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any

Handler = Callable[[int, FrameType | None], Any] | signal.Handlers

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_ALL = (signal.SIGINT, signal.SIGALRM, signal.SIGPIPE, *_ENDING)
_REPEATED = 0.2  # seconds


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
    pipe = _pipe(out)

    def lost(number: int, frame: Any) -> None:
        # A server that closes its connection sends this signal too; the client then gets an error of its own.
        if pipe is not None and _abandoned(pipe):
            raise SystemExit(128 + number)

    always = {signal.SIGPIPE: lost, signal.SIGALRM: _late}  # Python itself ignores SIGPIPE
    with handled(always, even_ignored=True), handled(dict.fromkeys(_ENDING, _exit)):
        stop = _watch(pipe)
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds or 0)
            yield
        except SystemExit as end:
            if end.code == 128 + signal.SIGPIPE:  # else the interpreter complains when it flushes
                os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            stop()


@contextmanager
def handled(handlers: Mapping[signal.Signals, Handler], *, even_ignored: bool = False) -> Iterator[None]:
    """Handle signals, except those that this process was started to ignore, as by nohup."""
    before = {
        each: signal.signal(each, handler)
        for each, handler in handlers.items()
        if even_ignored or signal.getsignal(each) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for each, former in before.items():
            signal.signal(each, former)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back SIGINT and the others while something is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with handled(dict.fromkeys(_ALL, signal.SIG_IGN)):
        yield


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the code inside, once: a second one does not end what comes after it."""
    with _once({signal.SIGINT: signal.default_int_handler}, threading.Event()):
        yield


@contextmanager
def noticed() -> Iterator[None]:
    """Make every signal end an ``input()`` inside, as it should, and only once.

    One that comes after the prompt, and before ``input`` waits for a key, or that another thread gets, only leaves a
    mark, which is looked at after the next key (CPython's Modules/readline.c). So it is sent again until it acts.
    """
    main = threading.main_thread().ident
    assert main is not None
    here, there = socket.socketpair()
    there.setblocking(False)
    acted = threading.Event()

    def repeat() -> None:
        while number := here.recv(1):
            if not select.select([here], [], [], _REPEATED)[0] and not acted.is_set():  # nor has another been sent
                signal.pthread_kill(main, number[0])

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    present = {each: handler for each in _ALL if callable(handler := signal.getsignal(each))}
    handlers = {**present, signal.SIGINT: signal.default_int_handler}
    before = signal.set_wakeup_fd(there.fileno(), warn_on_full_buffer=False)
    try:
        with _once(handlers, acted):
            yield
    finally:
        signal.set_wakeup_fd(before)
        there.close()
        thread.join()
        here.close()


@contextmanager
def _once(
    handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], Any]], acted: threading.Event
) -> Iterator[None]:
    """Handle signals until one of the handlers raises, or the context begins to end. Then all are ignored."""

    def once(handler: Callable[[int, FrameType | None], Any]) -> Handler:
        def act(number: int, frame: FrameType | None) -> None:
            if acted.is_set():
                return
            try:
                handler(number, frame)
            except BaseException:
                acted.set()
                raise

        return act

    with handled({each: once(handler) for each, handler in handlers.items()}):
        try:
            yield
        finally:
            acted.set()


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


def _pipe(out: IO[str]) -> int | None:
    """The number of the file, if it is one that may lose its reader."""
    try:
        return None if os.isatty(out.fileno()) else out.fileno()
    except (OSError, AttributeError, ValueError):  # it is no file
        return None


def _abandoned(pipe: int) -> bool:
    """Whether nobody reads the pipe any more."""
    poll = select.poll()
    poll.register(pipe, 0)  # only errors, which need not be asked for
    return any(state & (select.POLLERR | select.POLLHUP) for _, state in poll.poll(0))


def _watch(pipe: int | None) -> Callable[[], None]:
    """Watch a pipe for the loss of its reader, which sends this process SIGPIPE. Returns what ends the watch."""
    if pipe is None:
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
