"""Stopping a run: SIGTERM and Ctrl-C end the sources, so that the flow snapshots and can be resumed."""

import os
import signal
import sys
import threading
from types import FrameType


class Stop(threading.Event):
    """Set when the run is to stop, by a signal or because something stands in its way."""

    is_failure = False

    def because(self, error: Exception) -> None:
        """Stop, as nothing can go on before a person has mended this, which one line says."""
        print(f"pairflow: {error}", file=sys.stderr, flush=True)
        self.is_failure = True
        self.set()

    def exit(self) -> None:
        """Where something stood in the way, end the process with exit code 2.

        To be called at exit: the runner ends with 0 whatever made the sources end.
        """
        if self.is_failure:
            sys.stdout.flush()
            os._exit(2)


def stop_on_signals() -> Stop:
    """A stop that SIGTERM and SIGINT set. A second signal ends the process at once, as a crash would."""
    stop = Stop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
    return stop
