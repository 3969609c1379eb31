"""An independent reading of ITCH 5.0: plain Python, by the specification, that refuses anything impossible."""

import struct
from collections.abc import Iterator

LAYOUTS = {  # after type (1), stock locate (2), tracking number (2) and time (6)
    "S": ">c",
    "R": ">8sccIcc2scccccIc",
    "H": ">8scc4s",
    "A": ">QcI8sI",
    "F": ">QcI8sI4s",
    "E": ">QIQ",
    "C": ">QIQcI",
    "X": ">QI",
    "D": ">Q",
    "U": ">QQII",
    "P": ">QcI8sIQ",
}
SIZES = {"S": 12, "R": 39, "H": 25, "A": 36, "F": 40, "E": 31, "C": 36, "X": 23, "D": 19, "U": 35, "P": 44}


def messages(data: bytes) -> Iterator[bytes]:
    """The messages of a BinaryFILE."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        assert at + 2 + size <= len(data), "the capture ends inside a message"
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


def fields(message: bytes) -> tuple:
    """What follows the header."""
    return struct.unpack(LAYOUTS[chr(message[0])], message[11:])


class Replay:
    """Books by stock locate code. Every assertion is a rule of the protocol or of an exchange."""

    def __init__(self, check_priority: bool = False) -> None:
        self.check_priority = check_priority  # slow
        self.orders: dict[int, list] = {}  # ref -> [locate, side, price, qty], in order of arrival
        self.sides: dict[tuple[int, bytes], dict[int, int]] = {}  # (locate, side) -> price -> qty
        self.symbols: dict[int, bytes] = {}
        self.trading: set[int] = set()
        self.system = ""
        self.counts: dict[str, int] = {}
        self.ts = 0
        self.refs: set[int] = set()
        self.last_match = 0

    def apply(self, message: bytes) -> int:
        """Take one message; its stock locate code."""
        kind = chr(message[0])
        assert len(message) == SIZES[kind]
        locate, tracking = struct.unpack(">HH", message[1:5])
        ts = int.from_bytes(message[5:11], "big")
        assert tracking == 0
        assert self.ts <= ts < 86400 * 10**9
        self.ts = ts
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind not in "SR":
            assert locate in self.symbols
        if kind not in "SRH":
            assert locate in self.trading
            assert self.system in ("OS", "OSQ")
        getattr(self, f"_{kind.lower()}")(locate, *fields(message))
        return locate

    def best(self, locate: int) -> tuple[int | None, int | None]:
        """Best bid and ask, in units of 0.0001."""
        bids, asks = self.sides.get((locate, b"B")), self.sides.get((locate, b"S"))
        return (max(bids) if bids else None, min(asks) if asks else None)

    def live(self, locate: int, side: bytes) -> list[tuple[int, int, int]]:
        """(ref, price, qty) of a side, the next to trade first."""
        orders = [(ref, o[2], o[3]) for ref, o in self.orders.items() if o[0] == locate and o[1] == side]
        return sorted(orders, key=lambda o: -o[1] if side == b"B" else o[1])

    def _s(self, locate: int, code: bytes) -> None:
        assert locate == 0
        self.system += code.decode()
        assert "OSQMEC".startswith(self.system)

    def _r(self, locate: int, stock: bytes, *listing) -> None:
        assert self.system == "OS"
        assert locate not in self.symbols
        assert stock.decode().rstrip().isalpha()
        self.symbols[locate] = stock

    def _h(self, locate: int, stock: bytes, state: bytes, reserved: bytes, reason: bytes) -> None:
        assert (stock, state, reserved, reason) == (self.symbols[locate], b"T", b" ", b"    ")
        self.trading.add(locate)

    def _a(self, locate: int, ref: int, side: bytes, qty: int, stock: bytes, price: int) -> None:
        assert stock == self.symbols[locate]
        assert side in (b"B", b"S")
        self._join(ref, locate, side, price, qty)

    def _f(self, locate: int, ref: int, side: bytes, qty: int, stock: bytes, price: int, mpid: bytes) -> None:
        assert mpid.decode().isalpha()
        self._a(locate, ref, side, qty, stock, price)

    def _e(self, locate: int, ref: int, qty: int, match: int) -> None:
        _, side, price, _ = self.orders[ref]
        best = self.best(locate)[0 if side == b"B" else 1]
        assert price == best, "an order traded ahead of a better one"
        first = self.live(locate, side)[0][0] if self.check_priority else ref
        assert ref == first, "an order traded ahead of an older one"
        self._match(match)
        self._lose(ref, locate, qty)

    def _c(self, locate: int, ref: int, qty: int, match: int, printable: bytes, price: int) -> None:
        assert printable in (b"Y", b"N")
        assert price % 100 == 0
        assert 0 < price != self.orders[ref][2]
        self._match(match)
        self._lose(ref, locate, qty)

    def _x(self, locate: int, ref: int, qty: int) -> None:
        assert qty < self.orders[ref][3], "a cancel leaves something of the order"
        self._lose(ref, locate, qty)

    def _d(self, locate: int, ref: int) -> None:
        self._lose(ref, locate, self.orders[ref][3])

    def _u(self, locate: int, ref: int, ref_new: int, qty: int, price: int) -> None:
        side = self.orders[ref][1]
        self._lose(ref, locate, self.orders[ref][3])
        self._join(ref_new, locate, side, price, qty)

    def _p(self, locate: int, ref: int, side: bytes, qty: int, stock: bytes, price: int, match: int) -> None:
        assert (ref, side, stock) == (0, b"B", self.symbols[locate])
        bid, ask = self.best(locate)
        assert bid <= price <= ask
        assert qty > 0
        self._match(match)

    def _join(self, ref: int, locate: int, side: bytes, price: int, qty: int) -> None:
        assert ref > 0
        assert ref not in self.refs, "a reference is used once"
        assert price > 0
        assert price % 100 == 0, "prices are whole ticks"
        assert 0 < qty < 1_000_000
        self.refs.add(ref)
        self.orders[ref] = [locate, side, price, qty]
        level = self.sides.setdefault((locate, side), {})
        level[price] = level.get(price, 0) + qty

    def _lose(self, ref: int, locate: int, qty: int) -> None:
        order = self.orders[ref]
        assert order[0] == locate
        assert 0 < qty <= order[3]
        order[3] -= qty
        level = self.sides[locate, order[1]]
        level[order[2]] -= qty
        if level[order[2]] == 0:
            del level[order[2]]
        if order[3] == 0:
            del self.orders[ref]

    def _match(self, match: int) -> None:
        assert match > self.last_match
        self.last_match = match
