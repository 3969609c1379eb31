"""Lines on scripted venues that replay real sessions and drop, stall, half-close, send garbage and duplicates.

A venue plays each session once, in a process of its own, while connections to it break in all the ways
that `websocket_server` knows; whatever the operator then calls a whole book, must be the book of the recording.
"""

import random
from contextlib import ExitStack

import numpy as np
import pytest

from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from schemas.market import RawKind
from tests.operators.sources.book_states import key, moments
from tests.operators.sources.scripted_venue import Reference, ScriptedVenue, run
from tests.operators.sources.venue_recordings import SESSIONS
from tests.operators.sources.websocket_server import HARMLESS, LOSING, REST_LOSING

PLAYED_S = 3.0


def losing(name):
    """Faults after which the connection is another."""
    return [*LOSING, *(REST_LOSING if name.startswith("binance") else ())]


@pytest.fixture(scope="module")
def played(data_path, tmp_path_factory):
    """All venues at once, each to the end."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    folder = tmp_path_factory.mktemp("recordings")
    venues: dict[str, ScriptedVenue] = {}
    with ExitStack() as started:
        for name in SESSIONS:
            faults = [*HARMLESS, *losing(name)]
            venues[name] = ScriptedVenue(data_path, name, PLAYED_S, seed, faults, folder)
            started.callback(venues[name].stop)
        run(list(venues.values()))
    return venues


@pytest.fixture(params=SESSIONS)
def venue(request, played):
    return played[request.param]


def test_a_book_that_is_called_whole_is_that_of_the_recording(venue, data_path):
    reference, levels = Reference(data_path, venue), SESSIONS[venue.name].compared
    compared, ends, causes = 0, {}, len(venue.entries)
    for told in moments(venue.rows["events"], levels):
        if told.cause == causes:
            continue  # the line was closed
        ends[told.instrument] = told
        known = reference.states.get((key(venue.entries[told.cause - 1].data), told.instrument))
        if told.is_whole and known is not None:
            compared += 1
            assert told.state in known, (told.cause, venue.entries[told.cause - 1].data[:200])
    assert compared >= 20
    assert {i: told.state for i, told in ends.items() if told.is_whole} == reference.end


def test_every_loss_is_told_and_connected_again(venue):
    kinds = [entry.kind for entry in venue.entries if entry.kind is not RawKind.MESSAGE]
    assert kinds[::2] == [RawKind.CONNECT] * len(kinds[::2])
    assert kinds[1::2] == [RawKind.DISCONNECT] * len(kinds[1::2])
    assert len(kinds) // 2 > len(losing(venue.name))
    clocks = [entry.clock for entry in venue.entries]
    assert clocks == sorted(clocks)


def test_the_recording_replays_to_the_events_that_were_seen(venue):
    config = feed_config(id="f", format="session", path=venue.recording.name, connection=venue.name)
    source, frames = DeskInput([(config, venue.recording)], 1000, None), []
    while (frame := source.next()) is not None:
        frames.append(frame)
    source.close()
    replayed = [
        (ts, kind, frame.message(i))
        for frame in frames
        for i, (ts, kind) in enumerate(frame.rows[["ts", "kind"]].tolist())
    ]
    assert replayed[:-1] == [(entry.clock, int(entry.kind), entry.data) for entry in venue.entries]
    again = venue.decoded(frames)
    assert again.keys() == venue.rows.keys()
    for port, rows in venue.rows.items():
        np.testing.assert_array_equal(rows, again[port])
