"""How Binance writes its usual messages: alone, as a raw stream brings them, or wrapped in their stream's name."""

from collections.abc import Sequence

from operators.feeds.shape import Shape

_TOP = '"s":"<symbol>","b":"<bid>","B":"<bid_qty>","a":"<ask>","A":"<ask_qty>"'
_LEVELS = '"b":[<each>["<price>","<total>"]<level bid><next>,"a":[<each>["<price>","<total>"]<level ask><next>'
_TRADE = '"s":"<symbol>","t":<int order>,"p":"<price>","q":"<exact>"'
_SPOT = (
    '{"u":<int order>,' + _TOP + "}<quote>",
    '{"e":"trade","E":<int>,' + _TRADE + ',"T":<millis time>,"m":<true|false side>,"M":<true|false>}<trade>',
    '{"e":"depthUpdate","E":<millis time>,"s":"<symbol>","U":<int sequence>,"u":<int order>,' + _LEVELS + "}",
)
_FUTURES = (
    '{"e":"bookTicker","u":<int order>,' + _TOP + ',"T":<millis time>,"E":<int>}<quote>',
    '{"e":"trade","E":<int>,"T":<millis time>,' + _TRADE + ',"X":"<text>","m":<true|false side>}<trade>',
    '{"e":"depthUpdate","E":<int>,"T":<millis time>,"s":"<symbol>","U":<int sequence>,"u":<int order>,'
    '"pu":<int previous>,' + _LEVELS + "}",
)


def binance_shapes(market: str) -> Sequence[Shape]:
    """Of book tickers, trades and depth updates of a market, the wrapped ones first."""
    texts = _SPOT if market == "spot" else _FUTURES
    wrapped = [f'{{"stream":"<text>","data":{text}}}' for text in texts]
    return [Shape(text, "depthUpdate" not in text) for text in (*wrapped, *texts)]
