"""The properties of the operator contract. Each raises ContractError with a sentence that says how it is broken."""

import pickle
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from flows.contract.cutting import Cut, cuts, edges_every, overwrite, part, random_edges, rows_of, with_other_future
from flows.contract.rows import check_rows
from flows.contract.trial import Trial, beyond, difference, span, step, through
from schemas.errors import ContractError

_FEW = 7
_RANDOM_CUTS = 3


def emits_declared_rows(trial: Trial) -> None:
    """Ports and columns as declared, causes in order and from the input at hand."""
    operator = trial.fresh()
    emitted = 0
    for piece in cuts(trial.frames, edges_every(trial.causes, _FEW)):
        for port, frame in step(operator, piece).items():
            check_rows(trial.cls, port, frame, piece, trial.example.desk)
            emitted += len(frame)
    if not emitted:
        raise ContractError(
            f"{len(trial.causes)} entries of input led to no row at all, so nothing can be checked; "
            "give the class an `example(seed)` whose input does"
        )


def leaves_its_input_alone(trial: Trial) -> None:
    """Frames handed to `process` are as they were."""
    operator = trial.fresh()
    edges = edges_every(trial.causes, _FEW)
    for piece, untouched in zip(cuts(trial.frames, edges), cuts(trial.frames, edges), strict=True):
        step(operator, piece)
        expected = {port: rows_of(frame) for port, frame in untouched.items()}
        found = difference(expected, {port: rows_of(frame) for port, frame in piece.items()})
        if found or piece.keys() != untouched.keys():
            raise ContractError(f"process changed its input {span(untouched)}: {found or 'ports came or went'}")


def repeats_itself(trial: Trial) -> None:
    """Two operators make the same rows of the same input."""
    found = difference(trial.whole, trial.run([trial.everything()]))
    if found:
        raise ContractError(f"a second operator made other rows of the same input: {found}")


def does_not_care_how_input_is_cut(trial: Trial) -> None:
    """Pieces of 1, of 7 and of random length, and calls without rows, make the rows that one frame makes."""
    rng = np.random.default_rng(len(trial.causes))
    ways = {
        "single entries": edges_every(trial.causes, 1),
        f"frames of {_FEW} entries": edges_every(trial.causes, _FEW),
    }
    ways |= {f"random frames, try {i + 1}": random_edges(trial.causes, rng) for i in range(_RANDOM_CUTS)}
    for way, edges in ways.items():
        _compare_cut(trial, way, cuts(trial.frames, edges))
    pieces = _with_empty_calls(trial, cuts(trial.frames, edges_every(trial.causes, _FEW)))
    _compare_cut(trial, "frames with calls without rows between them", pieces)


def _compare_cut(trial: Trial, way: str, pieces: Iterator[Cut]) -> None:
    found = difference(trial.whole, trial.run(pieces))
    if found:
        raise ContractError(f"input cut into {way} makes other rows than input in one frame: {found}")


def _with_empty_calls(trial: Trial, pieces: Iterator[Cut]) -> Iterator[Cut]:
    """Ports without rows once absent, once present and empty."""
    for i, piece in enumerate(pieces):
        if i % 2:
            empty: Cut = {port: np.empty(0, schema.dtype) for port, schema in trial.cls.inputs.items() if port != "raw"}
            yield empty | piece
        else:
            yield piece
        yield {}


def resumes_from_a_snapshot(trial: Trial) -> None:
    """A fresh operator goes on from a pickled snapshot as the first one would have, and the snapshot stays as it is."""
    for quarter in (1, 2, 3):
        cause = int(trial.causes[len(trial.causes) * quarter // 4])
        _check_resume(trial, cause)


def _check_resume(trial: Trial, cause: int) -> None:
    first, last = int(trial.causes[0]) - 1, int(trial.causes[-1])
    operator = trial.fresh()
    trial.run([part(trial.frames, first, cause)], operator)
    snapshot, saved = _pickled(operator, cause)
    went_on = trial.run([part(trial.frames, cause, last)], operator)
    found = difference(beyond(trial.whole, cause), went_on)
    if found:
        raise ContractError(f"taking a snapshot after cause {cause} changed what came after: {found}")
    if pickle.dumps(snapshot, protocol=5) != saved:
        raise ContractError(
            f"the snapshot taken after cause {cause} changed while the operator went on; snapshot() must return a copy"
        )
    resumed = trial.fresh()
    try:
        resumed.restore(pickle.loads(saved))
    except Exception as e:
        raise ContractError(f"restore raised {type(e).__name__} ({e}) on the snapshot taken after cause {cause}") from e
    middle = int(trial.causes[np.searchsorted(trial.causes, cause) + 1 :][0])
    rest = [part(trial.frames, after, until) for after, until in pairwise((cause, middle, last))]
    found = difference(beyond(trial.whole, cause), trial.run([piece for piece in rest if piece], resumed))
    if found:
        raise ContractError(f"resumed from the snapshot after cause {cause}, a fresh operator made other rows: {found}")


def _pickled(operator: Any, cause: int) -> tuple[Any, bytes]:
    try:
        snapshot = operator.snapshot()
        return snapshot, pickle.dumps(snapshot, protocol=5)
    except Exception as e:
        raise ContractError(
            f"the snapshot after cause {cause} does not pickle: {type(e).__name__} ({e}); use plain values and arrays"
        ) from e


def does_not_look_ahead(trial: Trial) -> None:
    """Rows caused by an entry are the same whatever comes after it, and come without waiting for it."""
    first = int(trial.causes[0]) - 1
    for quarter in (1, 2, 3):
        cause = int(trial.causes[len(trial.causes) * quarter // 4])
        expected = through(trial.whole, cause)
        found = difference(expected, trial.run([part(trial.frames, first, cause)]))
        if found:
            raise ContractError(f"without the input after cause {cause}, rows up to it are other ones: {found}")
        found = difference(
            expected, through(trial.run([with_other_future(trial.frames, trial.cls.inputs, cause)]), cause)
        )
        if found:
            raise ContractError(f"with other input after cause {cause}, rows up to it are other ones: {found}")


def keeps_no_hold_on_its_input(trial: Trial) -> None:
    """Input frames may be overwritten once `process` has returned and its rows were taken."""
    edges = edges_every(trial.causes, _FEW)
    operator = trial.fresh()
    for piece in cuts(trial.frames, edges):
        through_cause = int(max(rows_of(frame)["cause"][-1] for frame in piece.values()))
        first = int(min(rows_of(frame)["cause"][0] for frame in piece.values()))
        came = step(operator, piece)
        overwrite(piece)
        found = difference(through(beyond(trial.whole, first - 1), through_cause), came)
        if found:
            raise ContractError(
                f"rows changed because earlier input was overwritten after process had returned: {found}; "
                "copy what is kept of a frame"
            )


PROPERTIES: dict[str, Callable[[Trial], None]] = {
    "emits the rows it declares": emits_declared_rows,
    "leaves its input alone": leaves_its_input_alone,
    "makes the same rows every time": repeats_itself,
    "does not care how its input is cut": does_not_care_how_input_is_cut,
    "resumes from a snapshot": resumes_from_a_snapshot,
    "does not look ahead": does_not_look_ahead,
    "keeps no hold on its input": keeps_no_hold_on_its_input,
}
