"""What an ITCH message or a notice says about the feed itself, as a feed event: (kind, first, last)."""

from operators.feeds.itch_message import decode
from operators.framing.mold_output import Lost, Recovered, Repeated
from schemas.market import FeedEventKind

Remark = tuple[FeedEventKind, int, int]

_INT64 = 1 << 63


def remark(message: bytes) -> Remark:
    """Of a broken trade (B) its match number, of a circuit breaker (W) its level."""
    found = decode(message)
    if found.code == "B":
        match = int(found.fields["match"])
        match -= 2 * _INT64 if match >= _INT64 else 0
        return FeedEventKind.BROKEN_TRADE, match, match
    level = int(found.fields["level"])
    return FeedEventKind.CIRCUIT_BREAKER, level, level


def remark_on(numbers: Lost | Recovered | Repeated) -> Remark:
    """Of messages that never came, or came late, their numbers; of those that came again, how many."""
    if isinstance(numbers, Repeated):
        return FeedEventKind.REPEATED, numbers.messages, 0
    kind = FeedEventKind.GAP if isinstance(numbers, Lost) else FeedEventKind.RECOVERED
    return kind, numbers.first, numbers.last
