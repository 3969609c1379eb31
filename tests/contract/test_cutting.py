"""Input is cut between entries, and the pieces are the input."""

import numpy as np
import pytest

from flows.contract.cutting import (
    causes_of,
    cuts,
    edges_every,
    overwrite,
    part,
    random_edges,
    rows_of,
    with_other_future,
)
from flows.contract.examples import example_of
from operators.operator import Example, Operator
from schemas.market import EVENTS, QUOTES, RAW, RawFrame


class TwoPorts(Operator):
    inputs = {"quotes": QUOTES, "raw": RAW, "events": EVENTS}
    outputs = {"quotes": QUOTES}


@pytest.fixture(params=range(3))
def example(request: pytest.FixtureRequest) -> Example:
    return example_of(TwoPorts, request.param)


def messages(frame: object) -> list[bytes]:
    assert isinstance(frame, RawFrame)
    return [frame.message(i) for i in range(len(frame.rows))]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pieces_join_to_the_input(example: Example, size: int) -> None:
    frames = example.frames
    pieces = list(cuts(frames, edges_every(causes_of(frames), size)))
    assert len(pieces) == -(-len(causes_of(frames)) // size)
    for port in ("quotes", "events"):
        joined = np.concatenate([rows_of(piece[port]) for piece in pieces if port in piece])
        assert joined.tolist() == rows_of(frames[port]).tolist()
    assert [m for piece in pieces if "raw" in piece for m in messages(piece["raw"])] == messages(frames["raw"])


def test_no_entry_is_split(example: Example) -> None:
    causes = causes_of(example.frames)
    edges = random_edges(causes, np.random.default_rng(5))
    pieces = list(cuts(example.frames, edges))
    seen = [set(causes_of(piece).tolist()) for piece in pieces]
    assert sum(map(len, seen)) == len(causes)
    assert [max(s) for s in seen] == edges


def test_the_other_future_leaves_the_past_as_it_was(example: Example) -> None:
    cause = int(causes_of(example.frames)[150])
    changed = with_other_future(example.frames, TwoPorts.inputs, cause)
    for port, frame in example.frames.items():
        old, new = rows_of(frame), rows_of(changed[port])
        past = old["cause"] <= cause
        assert new[past].tolist() == old[past].tolist()
        assert new["cause"].tolist() == old["cause"].tolist()
        assert new[~past].tolist() != old[~past].tolist()


def test_overwriting_a_piece_leaves_the_input_as_it_was(example: Example) -> None:
    before = {port: rows_of(frame).tolist() for port, frame in example.frames.items()}, messages(example.frames["raw"])
    piece = part(example.frames, 0, 10**6)
    overwrite(piece)
    assert all(not rows_of(frame)["cause"].any() for frame in piece.values())
    assert not piece["raw"].data.any()
    assert ({p: rows_of(f).tolist() for p, f in example.frames.items()}, messages(example.frames["raw"])) == before
