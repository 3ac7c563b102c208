"""A run as a cluster of processes of this machine: started from here, followed, stopped together."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque

from canonical.errors import Terminal, Transient
from dataflows.progress import Progress
from dataflows.session import USAGE, Stop

FAULT = "sellable run:"
"""So begins the line that says what was wrong."""
LAST_LINES = 40


class Processes:
    """`workers` times this program again, with the arguments it was given. `lock` is the state's, if there is one.

    The children hold the lock too: should this process be killed, no other run gets at what they still use.
    """

    def __init__(self, workers: int, lock: int | None, progress: Progress) -> None:
        self._progress = progress
        self._readings: dict[int, tuple[int, int]] = {}
        self._words: dict[int, deque[str]] = {}
        addresses = ";".join(f"127.0.0.1:{port}" for port in _free_ports(workers))
        base = [sys.executable, "-m", "dataflows", *sys.argv[1:], "--child", "--addresses", addresses]
        self._processes = [
            subprocess.Popen(  # noqa: S603  because it is this program again, with the arguments it was given
                [*base, "--process-id", str(member)],
                stdin=subprocess.PIPE,  # never written to: its end tells the child that this process is gone
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=() if lock is None else (lock,),
            )
            for member in range(workers)
        ]

    def run(self) -> bool:
        """Wait for them all, passing signals on; False when stopped early. When one fails its words are raised."""
        stop = Stop()

        def pass_on(number: int, _: object) -> None:
            stop.request()
            for process in self._processes:
                process.send_signal(number)

        before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
        threads = [
            threading.Thread(target=work, args=(number, process))
            for number, process in enumerate(self._processes)
            for work in (self._follow, self._listen)
        ]
        for thread in threads:
            thread.start()
        codes = self._codes()
        for thread in threads:
            thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)
        if any(codes) and not (stop.requested and -signal.SIGTERM in codes):  # stopped while it was starting
            raise self._fault(codes)
        return not stop.requested

    def _codes(self) -> list[int]:
        """How each ended. One that cannot start leaves the others waiting for it for ever: they are stopped."""
        while any(process.poll() is None for process in self._processes):
            if any(process.returncode for process in self._processes):
                for process in self._processes:
                    try:
                        process.wait(5)
                    except subprocess.TimeoutExpired:
                        process.kill()
            try:
                next(p for p in self._processes if p.returncode is None).wait(0.1)
            except (StopIteration, subprocess.TimeoutExpired):
                continue
        return [process.returncode for process in self._processes]

    def _fault(self, codes: list[int]) -> Terminal | Transient:
        """The words of the one that failed of itself: those that lost a peer say only so."""
        failed = [number for number, code in enumerate(codes) if code]
        told = {
            number: [line for line in words if line.startswith(FAULT)]
            for number, words in self._words.items()
        }
        first = next((number for number in failed if told[number]), failed[0])
        said = "".join(told[first] or self._words[first]).strip()
        words = f"process {first} of {len(codes)} ended with {codes[first]}:\n{said}"
        return Terminal(words) if codes[first] == USAGE else Transient(words)

    def _follow(self, number: int, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            if line.startswith("["):
                done, total = json.loads(line)
                self._readings[number] = (done, total)
                self._progress.show(self._readings)

    def _listen(self, number: int, process: subprocess.Popen[str]) -> None:
        """Hand on what a process complains of as it comes, and keep the end of it: that says why it failed."""
        last = self._words[number] = deque(maxlen=LAST_LINES)
        for line in process.stderr or ():
            last.append(line)
            if not line.startswith(FAULT):
                sys.stderr.write(line)


def die_with_parent() -> None:
    """End this process at once when the one that started it is gone, as a kill would: the state goes on from there."""

    def watch() -> None:
        while os.read(0, 1):  # not by sys.stdin, whose lock would be in the way when this process ends
            continue
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
