"""One target under atheris, which looks for inputs that reach new branches.

    python -m tests.fuzz.guided TARGET INPUTS

What is instrumented are the functions of modules without kernels: numba compiles the byte code it finds. And
`operators.feeds.itch` is left out, since atheris 3.0 never gives back what a comparison of arrays returned to it.
"""

import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

import atheris

from tests.fuzz.targets import targets

INSTRUMENTED = (
    *(f"operators.feeds.{name}" for name in ("binance_chain", "binance_feed", "bybit", "coinbase", "kraken", "okx")),
    *(f"operators.feeds.{name}" for name in ("fields", "message_feed", "multiples", "told_book", "venue_feed")),
    *(f"operators.feeds.{name}" for name in ("itch_message", "itch_reject", "itch_remark")),
    *(f"operators.framing.{name}" for name in ("mold_packet", "mold_receiver", "notice", "pcap", "udp")),
    *(f"operators.framing.{name}" for name in ("soup_client", "soup_packet", "soup_server")),
    *(f"operators.sources.{name}" for name in ("capture_file", "captures", "journal", "mold_capture", "session")),
    *(f"flows.{name}" for name in ("config", "graph", "settings", "wiring", "wording", "yaml_lines")),
)

LONGEST = 8_192
MEMORY_MB, INPUT_S = 2_048, 10


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """The functions and methods that the module itself defines."""
    found = list(vars(module).values())
    for cls in found:
        if isinstance(cls, type) and cls.__module__ == module.__name__:
            found += [getattr(member, "__func__", member) for member in vars(cls).values()]
    yield from (f for f in found if isinstance(f, FunctionType) and f.__module__ == module.__name__)


def main(name: str, inputs: int, folder: Path) -> None:
    """Fuzz one target; does not return."""
    for module in INSTRUMENTED:
        for function in _functions(import_module(module)):
            atheris.instrument_func(function)
    target = targets()[name]
    for number, seed in enumerate(target.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY_MB}", f"-timeout={INPUT_S}"]
    arguments = [sys.argv[0], f"-runs={inputs}", "-seed=1", "-print_final_stats=1", f"-artifact_prefix={folder}/"]
    atheris.Setup([*arguments, *limits, str(folder)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(tempfile.mkdtemp(prefix=f"fuzz-{sys.argv[1]}-")))
