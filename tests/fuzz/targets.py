"""What is fuzzed: for each decoder, a function of bytes that must return, whatever they are, and bytes to start from.

An input is cut into messages where the decoder takes messages. What a decoder says it raises is caught here; all
else is a finding.
"""

import io
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from flows.config import load
from flows.graph import build_graph
from operators.book.book import Book, BookParameters
from operators.feeds import itch_encode as itch
from operators.feeds.binance import Binance
from operators.feeds.itch import Itch50
from operators.feeds.raw_log import raw_frame
from operators.framing.mold_packet import Packet, decode_packet, decode_request, encode_packet
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.notice import decode_notice
from operators.framing.pcap import captured
from operators.framing.refused import Refused
from operators.framing.soup_client import SoupClient
from operators.framing.soup_packet import FromServer, encode, encode_accepted, encode_login
from operators.framing.soup_server import SoupServer
from operators.framing.udp import udp_payload
from operators.operator import Desk, Feed, Operator
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from operators.sources.framing import frame_itch50, frame_recording, frame_session, frame_stamped
from operators.sources.journal import Journal, Logged
from operators.sources.journal_input import JournalInput
from operators.sources.journal_segment import segment_path
from schemas.errors import CaptureError, PairflowError
from schemas.instrument import Instrument
from schemas.market import RAW, RawFrame, RawKind
from tests.operators.feeds import binance_session
from tests.operators.feeds.test_venue_mutations import SAMPLES
from tests.operators.framing.frames import classic, ethernet, nanosecond_sections

_SEPARATOR = b"\n\0\n"
"""Between the messages of an input that is a sequence of them."""

_SESSION = b"SESSION001"
_FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))


@dataclass(frozen=True)
class Target:
    """`share` is its part of the inputs of a whole run."""

    run: Callable[[bytes], None]
    seeds: list[bytes]
    share: int


def desk(*symbols: str) -> Desk:
    terms: dict[str, Any] = {"venue": "V", "tick": Decimal("0.01"), "lot": Decimal("0.001"), "currency": "USD"}
    instruments = tuple(Instrument(id=symbol, symbol=symbol, **terms) for symbol in symbols)
    return Desk("d", instruments, feeds=(Feed("f", symbols),))


class _Decoder:
    """An operator and the books behind it, which know no more at each input than what `before` told them."""

    def __init__(self, operator: Operator, of: Desk, before: list[bytes]) -> None:
        self.operator, self.book = operator, Book(BookParameters(orders=8, levels=8), of)
        self._run(before, 1)
        self._known, self._books = operator.snapshot(), self.book.snapshot()
        self._first = len(before) + 1

    def __call__(self, data: bytes) -> None:
        self.operator.restore(self._known)
        self.book.restore(self._books)
        self._run(data.split(_SEPARATOR), self._first)

    def _run(self, messages: list[bytes], first: int) -> None:
        frame = raw_frame([(0, message) for message in messages], first)
        out: Any = self.operator.process({"raw": frame})
        letters = out.get("dead_letters", [])
        assert len({int(row["cause"]) for row in letters}) == len(letters) <= len(messages)
        assert all(row["bytes"] == messages[row["cause"] - first] for row in letters)
        if "events" in out:
            assert (np.diff(out["events"]["cause"]) >= 0).all()
            self.book.process({"events": out["events"]})


def _venue(cls: Any, samples: list[bytes], before: list[bytes], symbols: tuple[str, ...] = ("X", "Y")) -> Target:
    of = desk(*symbols)
    decoder = _Decoder(cls(cls.Parameters(feeds=("f",)), of), of, before)
    return Target(decoder, [*samples, _SEPARATOR.join(samples)], 5)


def _binance() -> Target:
    of = desk("BTCUSDT")
    decoder = _Decoder(Binance(Binance.Parameters(market="spot", feeds=("f",)), of), of, [binance_session.snapshot(5)])
    samples = [
        binance_session.depth(6, 7, bids=[("1.00", "3")], asks=[("1.02", "0")]),
        binance_session.ticker(8),
        binance_session.trade(),
        binance_session.snapshot(9),
    ]
    return Target(decoder, [*samples, _SEPARATOR.join(samples)], 5)


def _itch() -> Target:
    of = desk("AAPL", "MSFT")
    operator = Itch50(Itch50.Parameters.model_validate({"feed": "f", "date": "2026-01-05"}), of)
    before = [itch.stock_directory(1, 1, "AAPL"), itch.add_order(1, 2, 7, b"B", 100, "AAPL", 1_000_000)]
    samples = [
        itch.stock_directory(2, 3, "MSFT"),
        itch.trading_action(1, 4, "AAPL", b"T"),
        itch.add_order(1, 5, 8, b"S", 100, "AAPL", 1_010_000),
        itch.order_executed(1, 6, 7, 10, 1),
        itch.order_cancel(1, 7, 7, 10),
        itch.order_replace(1, 8, 7, 9, 50, 990_000),
        itch.order_delete(1, 9, 9),
        itch.trade(1, 10, 100, "AAPL", 1_000_000, match=1),
        itch.broken_trade(1, 11, 5),
        itch.circuit_breaker(12, b"1"),
    ]
    return Target(_Decoder(operator, of, before), [*samples, _SEPARATOR.join(samples)], 15)


def _mold(data: bytes) -> None:
    receiver = MoldReceiver(patience_ns=3, waiting_max=50)
    for now, packet in enumerate(data.split(_SEPARATOR)):
        decode_packet(packet)
        decode_request(packet)
        decode_notice(packet)
        receiver.receive(packet, now)
        assert sum(1 for _ in receiver.requests(now)) <= 1_000
        assert len(receiver._waiting) <= 50 + 65_535
    receiver.expire(10**6)
    receiver.finish()


def _mold_target() -> Target:
    packets = [encode_packet(Packet(_SESSION, n, (b"one", b"", b"three"))) for n in (1, 4, 10, 7)]
    end = encode_packet(Packet(_SESSION, 13, (), is_end=True))
    return Target(_mold, [*packets, _SEPARATOR.join([*packets, end])], 20)


def _soup(data: bytes) -> None:
    client, server = SoupClient("user", "word"), SoupServer("SESSION", {"user": "word"}, [b"one", b"two"])
    client.connect(0)
    connection = server.connection(0)
    middle = len(data) // 2
    for now, part in enumerate((data[:middle], data[middle:])):
        client.receive(part, now)
        connection.receive(part, now)
        assert len(connection.pull(now)) < 1_000


def _soup_target() -> Target:
    told = [encode_accepted("SESSION", 1), encode(FromServer.SEQUENCED, b"one"), encode(FromServer.END)]
    login = encode_login("user", "word", "SESSION", 1)
    return Target(_soup, [*told, b"".join(told), login, login + login], 20)


def _pcap(data: bytes) -> None:
    try:
        frames = list(captured(io.BytesIO(data).read))
    except ValueError:  # the beginning of no capture, or a link that is not understood
        return
    assert len(frames) <= len(data)
    for frame in frames:
        if not isinstance(frame, Refused):
            udp_payload(frame.link, frame.frame)


def _pcap_target() -> Target:
    records = [(n * 10**9, ethernet(bytes(n), tags=[0x8100] * (n % 2))) for n in range(1, 4)]
    seeds = [classic(records), classic(records, ">", nanoseconds=False), nanosecond_sections(records)]
    return Target(_pcap, [*seeds, nanosecond_sections(records, ">")], 15)


_FRAMINGS = (frame_itch50, frame_recording, frame_session, frame_stamped)


def _framings(data: bytes) -> None:
    block = np.frombuffer(data, np.uint8)
    for number, frame in enumerate(_FRAMINGS):
        cursor, rows, ends = np.zeros(2, np.int64), np.zeros(16, RAW.dtype), np.zeros(16, np.int64)
        before = 0
        while count := frame(block, True, cursor, 0, 0, 1, rows, ends):
            starts, sizes = before + rows["start"][:count], rows["size"][:count]
            assert (starts >= 0).all(), number
            assert (sizes >= 0).all(), number
            assert (starts + sizes <= len(data)).all(), number
            assert before < cursor[0] <= len(data), number
            before = int(cursor[0])
        RawFrame(rows, block)


_STAMPED = b"".join((10**9 * n).to_bytes(8, "big") + (3).to_bytes(4, "big") + b"abc" for n in range(3))
_FRAMED = b"".join(len(m).to_bytes(2, "big") + m for m in [itch.stock_directory(1, 1, "AAPL"), b"", b"?"])
_LINES = b"1723161254000000000 {}\n12 \nx\n"
_RECORDS = (
    b'{"t":"connect","conn":"c","ts":1.5,"data":"wss://"}\n{"t":"recv","conn":"c","ts":1.6,"data":"{}"}\nnothing\n'
)


def _journal(data: bytes) -> None:
    """The last segment of a journal: read, and taken up to be written on."""
    folder = _FOLDER / "journal"
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    path = segment_path(folder, 1)
    path.write_bytes(data)
    with suppress(CaptureError):
        with closing(JournalInput(folder, ["f"], 64, None)) as source:
            while source.next() is not None:
                pass
        with closing(Journal(folder, ["f"])) as journal:
            journal.append([Logged(1, RawKind.MESSAGE, 0, b"more")])


def _segment() -> bytes:
    """A segment of three entries."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    with closing(Journal(folder, ["f"])) as journal:
        journal.append([Logged(n, RawKind.MESSAGE, 0, b"abc" * n) for n in range(3)])
    return segment_path(folder, 1).read_bytes()


_FORMATS = ("itch50", "recording", "session", "mold_pcap", "fix_log")
_SUFFIXES = ("", ".gz", ".zst")


def _captures(data: bytes) -> None:
    """The first byte says which format, and how the rest is said to be compressed."""
    first, rest = data[:1], data[1:]
    format_ = _FORMATS[first[0] % 5] if first else "itch50"
    path = _FOLDER / f"capture{_SUFFIXES[first[0] // 5 % 3] if first else ''}"
    path.write_bytes(rest)
    terms = {"itch50": {"date": "2026-01-05", "timezone": "UTC"}, "session": {"connection": "c"}}.get(format_, {})
    feed = feed_config(id="f", format=format_, path=path.name, **terms)
    try:
        source = DeskInput([(feed, path)], 64, None)
    except CaptureError:
        return
    try:
        entries = 0
        while (raw := source.next()) is not None:
            entries += len(raw.rows)
        assert entries <= 100_000
    except CaptureError:
        pass
    finally:
        source.close()


def _configuration(data: bytes) -> None:
    path = _FOLDER / "config.yaml"
    path.write_bytes(data)
    with suppress(PairflowError):
        build_graph(load(path))


def _configurations() -> list[bytes]:
    shipped = sorted((Path(__file__).parents[2] / "config").glob("*.yaml"))
    return [path.read_bytes() for path in shipped] + [b"run: x\ndesks: [{id: a}]\noperators: []\n"]


def targets() -> dict[str, Target]:
    """Every decoder by name."""
    found = {cls.__name__.lower(): _venue(cls, samples, samples[:1]) for cls, samples in SAMPLES.items()}
    return found | {
        "binance": _binance(),
        "itch50": _itch(),
        "moldudp64": _mold_target(),
        "soupbintcp": _soup_target(),
        "pcap": _pcap_target(),
        "framings": Target(_framings, [_FRAMED, _LINES, _STAMPED], 10),
        "journal": Target(_journal, [_segment()], 5),
        "captures": Target(_captures, [bytes([n]) + s for n, s in enumerate((_FRAMED, _LINES, _RECORDS))], 5),
        "configuration": Target(_configuration, _configurations(), 5),
    }
