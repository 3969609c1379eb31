"""Lives of a live run, each ended before its time: `python -m tests.recovery.live_lives CONFIG FOLDER KILLS SEED`.

Every life is a process of its own, forked from this one, which has loaded all there is to load: so it takes little
longer than its recovery does. One in ten is stopped by SIGTERM, one in five killed at any moment after it began, the
others at any moment after they began to listen. Tables go to `FOLDER/tables` as text. Once all lives have ended so,
prints `killed` and waits for a line; the last life then goes on to the end of its input. Exit code 1 where a life ended
that was not to.
"""

import os
import random
import signal
import sys
import tempfile
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bytewax._bytewax import cli_main
from bytewax.recovery import RecoveryConfig

from flows.chain import Chain
from flows.config import Config, load
from flows.graph import Graph, build_graph
from flows.progress import Progress
from flows.recovery import prepare
from flows.stopping import stop_on_signals
from flows.trade import dataflow
from operators.feeds.itch_example import itch_example
from operators.sources.journal import Journal, Logged
from operators.sources.journal_reader import JournalReader
from operators.sources.live_input import LiveInput
from schemas.market import RawFrame, RawKind
from tests.recovery.text_sink import TextSink

LONGEST_S = 0.12


def live(config: Config, graph: Graph, folder: Path) -> None:
    """One life, to the end of its input."""
    desks = [desk.id for desk in config.desks]
    if not (folder / "recovery").exists():
        prepare(folder / "recovery", 1, config.run, config.digest)
    progress = Progress(config.run, "", {desk: config.desk(desk).capital for desk in desks})
    cli_main(
        dataflow(config, graph, TextSink(folder / "tables", desks), progress, stop_on_signals()),
        epoch_interval=timedelta(milliseconds=20),
        recovery_config=RecoveryConfig(str(folder / "recovery"), timedelta(0)),
    )


def forked(config: Config, graph: Graph, folder: Path, listening: int = -1) -> int:
    """The process of a life, which writes to `listening` when it listens."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if listening >= 0:
                tell(listening)
            live(config, graph, folder)
            code = 0
        finally:
            os._exit(code)
    return pid


def tell(listening: int) -> None:
    """Have it told of each desk when it has replayed what was journaled, and listens."""
    listen = LiveInput._listen
    told = set()

    def telling(source: LiveInput) -> None:
        if id(source) not in told:
            told.add(id(source))
            os.write(listening, b"!")
        listen(source)

    LiveInput._listen = telling  # type: ignore[method-assign]


def warm_up(config: Config, graph: Graph) -> None:
    """Load the machine code of all that a life runs through."""
    example = itch_example(1).frames["raw"]
    assert isinstance(example, RawFrame)
    for desk in config.desks:
        chain = Chain(graph, config.desk(desk.id))
        with tempfile.TemporaryDirectory() as folder, closing(Journal(Path(folder), ["itch"])) as journal:
            messages = (example.message(i) for i in range(len(example.rows)))
            journal.append(Logged(i * 10**7, RawKind.MESSAGE, 0, message) for i, message in enumerate(messages))
            with closing(JournalReader(Path(folder))) as reader:
                while (frame := reader.frame(64, desk.id)) is not None:
                    chain.process(frame)
        chain.restore(chain.snapshot())


def main(path: str, folder: Path, kills: int, seed: int) -> int:
    config, rng = load(path), random.Random(seed)
    graph = build_graph(config)
    warm_up(config, graph)
    for life in range(kills):
        is_stopped = life % 10 == 9
        heard, listening = os.pipe()
        pid = forked(config, graph, folder, listening)
        os.close(listening)
        for _ in config.desks if is_stopped or rng.random() > 0.2 else ():
            os.read(heard, 1)
        time.sleep(rng.uniform(0, LONGEST_S))
        os.kill(pid, signal.SIGTERM if is_stopped else signal.SIGKILL)
        os.close(heard)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != (0 if is_stopped else -signal.SIGKILL):
            return 1
    print("killed", flush=True)
    sys.stdin.readline()
    return os.waitstatus_to_exitcode(os.waitpid(forked(config, graph, folder), 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
