"""How Bybit writes its usual messages: those of futures in one way, those of spot in another."""

from collections.abc import Sequence

from operators.feeds.shape import Shape

_TOLD = (
    '"data":{"s":"<symbol>","b":[<each>["<price>","<total>"]<level bid><next>,'
    '"a":[<each>["<price>","<total>"]<level ask><next>,"u":<int order>,"seq":<int>},"cts":<millis time>}'
)
_KIND, _TRADED = '"type":"<delta|snapshot kind>"', '"BT":<true|false>,"RPI":<true|false>'
_FUTURES = (
    f'{{"topic":"orderbook.DEPTH.<symbol>",{_KIND},"ts":<int>,{_TOLD}',
    f'{{"topic":"tickers.<symbol>",{_KIND},"data":{{"symbol":"<text>"<best>}},"cs":<int order>,"ts":<millis time>}}',
    '{"topic":"publicTrade.<symbol>","type":"<text>","ts":<int>,"data":[<each>{"T":<millis time>,"s":"<text>",'
    '"S":"<Sell|Buy side>","v":"<total>","p":"<price>","L":"<text>","i":"<text>",'
    + _TRADED
    + ',"seq":<int order>}<trade><next>}',
)
_SPOT = (
    f'{{"topic":"orderbook.DEPTH.<symbol>","ts":<int>,{_KIND},{_TOLD}',
    f'{{"topic":"tickers.<symbol>","ts":<millis time>,{_KIND},"cs":<int order>,"data":{{"symbol":"<text>"<best>}}}}',
    '{"topic":"publicTrade.<symbol>","ts":<int>,"type":"<text>","data":[<each>{"i":"<text>","T":<millis time>,'
    '"p":"<price>","v":"<total>","S":"<Sell|Buy side>","seq":<int order>,"s":"<text>",' + _TRADED + "}<trade><next>}",
)
TICKERS = (1, 4)
"""Places of the tickers among the shapes."""


def bybit_shapes(depth: int) -> Sequence[Shape]:
    """Of books of a depth, tickers and trades."""
    return [Shape(text.replace("DEPTH", str(depth)), "publicTrade" in text) for text in (*_FUTURES, *_SPOT)]
