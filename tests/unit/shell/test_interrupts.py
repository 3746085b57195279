"""Ctrl-C in a process without a terminal: presses that come faster than they are dealt with."""

from __future__ import annotations

import os
import signal
import threading
import time

import gevent
import pytest

from bliss_like.errors import UserAbort
from bliss_like.shell.interrupts import PATIENCE, Interrupts


@pytest.mark.parametrize("faster", [1, 2])
def test_presses_that_come_while_the_first_is_dealt_with(faster: int) -> None:
    said: list[str] = []
    interrupts = Interrupts(said.append)
    interrupts.on_first = lambda: [signal.raise_signal(signal.SIGINT) for _ in range(faster)]
    with interrupts.installed():
        gevent.spawn(signal.raise_signal, signal.SIGINT)
        with pytest.raises(UserAbort), gevent.Timeout(30, TimeoutError("the command was not ended")):
            interrupts.run(lambda: gevent.sleep(3600))
    assert len(said) == 1 and said[0].startswith("waiting until everything has stopped")


def test_a_forked_process_can_be_ended_at_its_very_beginning() -> None:
    is_told = [True]  # before the new process can do anything
    os.register_at_fork(after_in_child=lambda: is_told and os.kill(os.getpid(), signal.SIGTERM))
    with Interrupts().installed():
        pid = os.fork()
        if not pid:
            os._exit(0)
        is_told.clear()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM


def test_a_machine_that_stands_still_is_no_busy_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command is at goes on to where it gives way."""
    monkeypatch.setattr("bliss_like.shell.interrupts._LONGEST", 3600.0)  # this one may stand still for longer, too
    interrupts, went_on = Interrupts(), []

    def command() -> None:
        signal.raise_signal(signal.SIGINT)
        time.sleep(2 * PATIENCE)
        went_on.append(True)
        gevent.sleep(3600)

    with interrupts.installed(), pytest.raises(UserAbort), gevent.Timeout(30, TimeoutError("it was not ended")):
        interrupts.run(command)
    assert went_on


def test_two_threads_that_fork_at_once_leave_the_signals_as_they_were() -> None:
    children: list[int] = []
    main, is_over = threading.get_ident(), list[bool]()
    main_is_at_it, other_is_at_it = threading.Event(), threading.Event()

    def meet() -> None:  # when the shell's own is done, which was registered later
        if not is_over:
            mine, others = main_is_at_it, other_is_at_it
            (mine if threading.get_ident() == main else others).set()
            others.wait(30)

    def fork() -> None:
        if not (pid := os.fork()):
            os._exit(0)
        children.append(pid)

    def library() -> None:  # it leaves all signals to the main thread, as many do
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        main_is_at_it.wait(30)
        fork()

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    os.register_at_fork(before=meet)
    with Interrupts().installed():
        other = threading.Thread(target=library)
        other.start()
        fork()
        other.join()
    is_over.append(True)
    for pid in children:
        os.waitpid(pid, 0)
    assert signal.pthread_sigmask(signal.SIG_SETMASK, before) == before


def test_a_forked_process_does_not_wake_the_shell() -> None:
    before = signal.set_wakeup_fd(-1)
    with Interrupts().installed():
        if not (pid := os.fork()):
            os._exit(signal.set_wakeup_fd(-1) != -1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert signal.set_wakeup_fd(before) != -1
    assert signal.set_wakeup_fd(before) == -1
