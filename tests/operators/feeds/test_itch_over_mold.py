"""ITCH over two lossy lines of MoldUDP64, from captured packets to market events."""

import random
from dataclasses import replace
from pathlib import Path

from operators.feeds.itch_example import raw_frame
from operators.framing.mold_packet import Packet, encode_packet
from operators.framing.mold_sender import MoldSender
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.market import EventKind, FeedEventKind
from tests.operators.feeds.itch_session import AAPL, DESK, DIRECTORY, MSFT, ZVZZT, bodies, operator, run
from tests.operators.feeds.test_itch_kernel import one_of_each
from tests.operators.framing.frames import classic, ethernet
from tests.operators.sources import log

FIRST_FEED = replace(DESK, feeds=DESK.feeds[1:])
TS = 1_577_700_000_000_000_000
MESSAGES = DIRECTORY + [m for _ in range(20) for i, s in ((1, "AAPL"), (2, "MSFT")) for m in one_of_each(i, s)]


def produced(folder: Path, *lines: list[bytes]) -> dict[str, list[tuple]]:
    """What the desk's operator makes of captures of these packets, all of them one millisecond apart."""
    for name, packets in zip("ab", lines, strict=False):
        frames = [(TS + i * 1_000_000, ethernet(packet)) for i, packet in enumerate(packets)]
        log.write(folder / f"{name}.pcap", classic(frames))
    second = {"path_b": "b.pcap"} if len(lines) > 1 else {}
    feed = feed_config(id="nasdaq", format="mold_pcap", path="a.pcap", **second)
    source, decoder = DeskInput([(feed, folder / "a.pcap")], 100, None), operator(FIRST_FEED)
    rows: dict[str, list[tuple]] = {port: [] for port in decoder.outputs}
    while (frame := source.next()) is not None:
        for port, found in run(decoder, frame).items():
            rows[port] += found
    source.close()
    return rows


def test_lines_that_lose_different_packets_give_what_was_sent(tmp_path: Path) -> None:
    rng, sender = random.Random(1), MoldSender(b"S", payload_max=300)
    packets = sender.send(MESSAGES)
    lost = [rng.randrange(3) for _ in packets]  # by line 0, by line 1, by neither
    lost[0] = 2
    lines = [[p for p, by in zip(packets, lost, strict=True) if by != line] for line in (0, 1)]
    expected = run(operator(), raw_frame(MESSAGES, feed=1))
    found = produced(tmp_path, *lines)
    assert bodies(found["events"]) == bodies(expected["events"])
    assert found["dead_letters"] == expected["dead_letters"] == []
    kinds = {row[4] for row in found["feed_events"]} - {row[4] for row in expected["feed_events"]}
    assert kinds <= {FeedEventKind.RECOVERED, FeedEventKind.REPEATED}


def test_what_both_lines_lose_costs_every_stock_its_sync(tmp_path: Path) -> None:
    packets = [encode_packet(Packet(b"S", n, [message])) for n, message in enumerate(MESSAGES[:8], 1)]
    del packets[5:7]
    found = produced(tmp_path, packets)
    lost = [(0, 0, 0, 0, i, EventKind.SYNC, 0) for i in (MSFT, AAPL, ZVZZT)]
    direct = bodies(run(operator(), raw_frame(MESSAGES[:8], feed=1))["events"])
    assert bodies(found["events"]) == [*direct[:4], *lost, *direct[-1:]]
    assert [row[4:] for row in found["feed_events"]] == [(FeedEventKind.GAP, 6, 7)]
