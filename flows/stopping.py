"""Stopping a run: SIGTERM and Ctrl-C end the sources, so that the flow snapshots and can be resumed."""

import os
import signal
import sys
import threading
from types import FrameType


class Stop(threading.Event):
    """Set when the run is to stop; `why` says what stands in its way, where something does."""

    why: Exception | None = None

    def because(self, error: Exception) -> None:
        """Stop, as nothing can go on before a person has mended this."""
        self.why = error
        self.set()

    def report(self) -> None:
        """Having stopped because of something, end the process with one line about it, and exit code 2.

        To be called at exit: the runner itself ends every flow that ended with 0.
        """
        if self.why is not None:
            sys.stdout.flush()
            print(f"pairflow: {self.why}", file=sys.stderr, flush=True)
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
