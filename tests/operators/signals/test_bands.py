import pickle

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from operators.operator import Desk
from operators.signals.bands import Bands
from schemas.errors import ConfigError, InvariantError
from schemas.learn import PREDICTIONS, PredictionState
from schemas.parameter_types import duration_ns
from schemas.signal import GATES, SIGNALS, SPREADS, Action, Gate
from tests.operators.pairs.tape import DESK
from tests.operators.signals.oracle import Rules, expected_signals

SECOND = 10**9
ENTER, EXIT, STOP = Action.ENTER, Action.EXIT, Action.STOP


def bands(desk=DESK, **parameters):
    return Bands(Bands.Parameters(**{"notional": 1000, "entry": 2.0} | parameters), desk)


def rows(*of_pair_0, hedge=1.0, deviation=1.0):
    """Spreads of pair 0 from (seconds, z) or (seconds, z, state)."""
    return SPREADS.rows(
        [
            (k, int(s * SECOND), z, hedge, 0.0, 0.0, deviation, z, 0, *(state or [0]))
            for k, (s, z, *state) in enumerate(of_pair_0, 1)
        ]
    )


def decide(operator, spreads):
    return operator.process({"spreads": spreads}).get("signals", SIGNALS.empty).copy()


def decided(spreads, **parameters):
    """(seconds, action, side) of every signal."""
    signals = decide(bands(**parameters), spreads)
    return [(ts / SECOND, action, side) for ts, action, side in signals[["ts", "action", "side"]].tolist()]


@pytest.mark.parametrize(
    ("parameters", "spreads", "expected"),
    [
        pytest.param({}, [(1, 1.99), (2, -1.99)], [], id="inside the bands nothing happens"),
        pytest.param({}, [(1, 2.0), (2, 2.5), (3, 0.1), (4, 0.0)], [(1, ENTER, -1), (4, EXIT, -1)], id="short"),
        pytest.param({}, [(1, -2.0), (2, -2.5), (3, -0.1), (4, 0.0)], [(1, ENTER, 1), (4, EXIT, 1)], id="long"),
        pytest.param({"exit": 0.5}, [(1, 3.0), (2, 0.5)], [(1, ENTER, -1), (2, EXIT, -1)], id="exit before the mean"),
        pytest.param(
            {},
            [(1, 2.0), (2, -3.0), (3, -3.0)],
            [(1, ENTER, -1), (2, EXIT, -1), (3, ENTER, 1)],
            id="a flip takes two rows",
        ),
        pytest.param({"stop": 4.0}, [(1, 4.0), (2, -4.0), (3, 3.9)], [(3, ENTER, -1)], id="no entry beyond the stop"),
        pytest.param(
            {"stop": 4.0},
            [(1, 2.0), (2, 4.0), (3, 3.0), (4, 2.0), (5, 1.9), (6, 2.0)],
            [(1, ENTER, -1), (2, STOP, -1), (6, ENTER, -1)],
            id="after a stop z must calm down",
        ),
        pytest.param(
            {"stop": 4.0, "cooldown": "10s"},
            [(1, -2.0), (2, -4.0), (3, 0.0), (11, -3.0), (11.9, 3.0), (12, 3.0)],
            [(1, ENTER, 1), (2, STOP, 1), (12, ENTER, -1)],
            id="calm, but the cooldown is not over",
        ),
        pytest.param(
            {"stop": 4.0, "cooldown": "1s"},
            [(1, 2.0), (2, 4.0), (9, 3.0), (10, 1.0), (11, 3.0)],
            [(1, ENTER, -1), (2, STOP, -1), (11, ENTER, -1)],
            id="the cooldown is over, but not calm",
        ),
        pytest.param(
            {"stop": 4.0}, [(1, 2.0), (2, -9.0)], [(1, ENTER, -1), (2, EXIT, -1)], id="far on the good side is an exit"
        ),
        pytest.param(
            {"min_hold": "5s", "stop": 4.0},
            [(1, 2.0), (2, 0.0), (5.9, 0.0), (6, 0.0), (7, 2.0), (8, 4.0)],
            [(1, ENTER, -1), (6, EXIT, -1), (7, ENTER, -1), (8, STOP, -1)],
            id="min_hold holds back exits, not stops",
        ),
        pytest.param(
            {"max_hold": "5s"},
            [(1, 2.0), (5.9, 3.0), (6, 3.0), (7, 3.0), (8, 1.0), (9, 3.0)],
            [(1, ENTER, -1), (6, EXIT, -1), (9, ENTER, -1)],
            id="max_hold leaves, and returns only once z calmed down",
        ),
        pytest.param(
            {"max_hold": "5s", "stop": 4.0},
            [(1, 2.0), (6, 4.0)],
            [(1, ENTER, -1), (6, STOP, -1)],
            id="a stop is a stop even when max_hold is over",
        ),
        pytest.param(
            {"stop": 4.0},
            [(1, 2.0, 1), (2, 2.0, 2), (3, 2.0, 4), (4, 2.0), (5, 0.0, 2), (6, 4.0, 4), (7, 0.0)],
            [(4, ENTER, -1), (7, EXIT, -1)],
            id="unusable rows decide nothing",
        ),
        pytest.param(
            {"stop": 4.0},
            [(1, 2.0), (2, 4.0), (3, 0.0, 1), (4, 3.0)],
            [(1, ENTER, -1), (2, STOP, -1)],
            id="the zero z of an unusable row is not calm",
        ),
    ],
)
def test_scenarios(parameters, spreads, expected):
    assert decided(rows(*spreads), **parameters) == expected


@pytest.mark.parametrize(
    ("hedge", "deviation", "entered"),
    [
        (0.5, 0.1, True),
        (-0.5, 0.1, True),
        (0.1, 0.1, True),
        (3.0, 0.1, True),
        (0.099, 0.1, False),
        (3.001, 0.1, False),
        (-3.001, 0.1, False),
        (0.0, 0.1, False),
        (0.5, 0.099, False),
    ],
)
def test_an_entry_needs_a_sane_hedge_and_a_deviation_worth_it(hedge, deviation, entered):
    spreads = rows((1, 2.0), hedge=hedge, deviation=deviation)
    assert bool(decided(spreads, min_hedge=0.1, max_hedge=3.0, min_deviation=0.1)) == entered


def test_leaving_asks_for_neither():
    spreads = np.concatenate([rows((1, 2.0)), rows((2, 0.0), hedge=50.0, deviation=1e-9)])
    assert decided(spreads, min_deviation=0.1) == [(1, ENTER, -1), (2, EXIT, -1)]


def test_a_signal_carries_its_row():
    spreads = SPREADS.rows(
        [(7, 11, 0.25, 1.5, 9.0, 0.05, 0.1, 2.0, 2, 0), (8, 12, 0.0, 1.6, 9.0, 0.05, 0.1, -0.5, 2, 0)]
    )
    assert decide(bands(notional="250.5"), spreads).tolist() == [
        (7, 11, 0.25, 2.0, 1.5, 25_050_000_000, 2, ENTER, -1),
        (8, 12, 0.0, -0.5, 1.6, 0, 2, EXIT, -1),
    ]


def gates(*rows, pair=0):
    """Gates from (cause, state)."""
    return GATES.rows([(cause, cause * SECOND, -1.0, 0.5, -3.3, 1.0, 0, pair, state) for cause, state in rows])


def decide_gated(operator, spreads, gate_rows):
    frames = {"spreads": spreads, "gates": gate_rows}
    return operator.process(frames).get("signals", SIGNALS.empty).copy()


@pytest.mark.parametrize(
    ("gate_rows", "expected"),
    [
        pytest.param([], [(1, ENTER), (3, EXIT), (4, ENTER), (6, EXIT)], id="without gates"),
        pytest.param([(1, Gate.CLOSED)], [], id="closed from the start"),
        pytest.param([(2, Gate.CLOSED)], [(1, ENTER), (3, EXIT)], id="an exit never asks"),
        pytest.param(
            [(1, Gate.CLOSED), (5, Gate.OPEN)], [(5, ENTER), (6, EXIT)], id="a gate holds from its own cause on"
        ),
        pytest.param(
            [(1, Gate.CLOSED), (1, Gate.OPEN), (4, Gate.CLOSED), (9, Gate.OPEN)],
            [(1, ENTER), (3, EXIT)],
            id="the last of a cause counts, and none before its time",
        ),
    ],
)
def test_gates_veto_entries_only(gate_rows, expected):
    spreads = rows((1, 2.0), (2, 2.5), (3, 0.0), (4, -2.0), (5, -2.5), (6, 0.0))
    assert decide_gated(bands(), spreads, gates(*gate_rows))[["cause", "action"]].tolist() == expected
    assert len(decide_gated(bands(), spreads, gates((1, Gate.CLOSED), pair=1))) == 4


def test_calm_is_seen_behind_a_closed_gate():
    """After a stop |z| falls below the entry while the gate is closed."""
    spreads = rows((1, 2.0), (2, 4.0), (3, 1.0), (4, 3.0), (5, 3.0))
    signals = decide_gated(bands(stop=4.0), spreads, gates((3, Gate.CLOSED), (5, Gate.OPEN)))
    assert signals[["cause", "action"]].tolist() == [(1, ENTER), (2, STOP), (5, ENTER)]


def test_gates_without_spreads_are_kept_and_pickle():
    operator = bands()
    assert operator.process({"gates": gates((1, Gate.CLOSED))}) == {}
    reborn = bands()
    reborn.restore(pickle.loads(pickle.dumps(operator.snapshot())))
    assert decided_by(reborn, rows((2, 2.0))) == []
    assert reborn.process({"gates": gates((3, Gate.OPEN))}) == {}
    assert decided_by(reborn, rows((4, 2.0))) == [(4, ENTER)]


def decided_by(operator, spreads):
    return [(ts // SECOND, action) for ts, action in decide(operator, spreads)[["ts", "action"]].tolist()]


def test_a_gate_of_no_pair_is_a_broken_invariant():
    with pytest.raises(InvariantError, match=r"'desk', bands, input 7: expected a gate of .* 0 to 2, got one of num"):
        bands().process({"gates": gates((7, Gate.OPEN), pair=3)})


def predictions(*rows, pair=0):
    """Predictions from (cause, probability), and where it is not 0 state."""
    return PREDICTIONS.rows(
        [
            (cause, cause * SECOND, told, *(0.0, 0.0, 1.0), *(1, 1, 9, 0), pair, *(state or [0]))
            for cause, told, *state in rows
        ]
    )


UNTAUGHT = PredictionState.UNTAUGHT


@pytest.mark.parametrize(
    ("unpredicted", "told", "expected"),
    [
        pytest.param("open", [], [(1, ENTER), (3, EXIT), (4, ENTER), (6, EXIT)], id="none, open"),
        pytest.param("closed", [], [], id="none, closed"),
        pytest.param("open", [(1, 0.59)], [], id="too little from the start"),
        pytest.param("open", [(1, 0.6)], [(1, ENTER), (3, EXIT), (4, ENTER), (6, EXIT)], id="just enough"),
        pytest.param("open", [(2, 0.1)], [(1, ENTER), (3, EXIT)], id="an exit never asks"),
        pytest.param("closed", [(2, 0.9), (3, 0.1)], [(2, ENTER), (3, EXIT)], id="enough for a while"),
        pytest.param("open", [(1, 0.1), (5, 0.0, UNTAUGHT)], [(5, ENTER), (6, EXIT)], id="no opinion any more, open"),
        pytest.param("closed", [(1, 0.9), (4, 0.0, UNTAUGHT)], [(1, ENTER), (3, EXIT)], id="and closed"),
        pytest.param("open", [(1, 0.9), (1, 0.1), (4, 0.1)], [], id="the last of a cause counts"),
    ],
)
def test_predictions_veto_entries_only(unpredicted, told, expected):
    spreads = rows((1, 2.0), (2, 2.5), (3, 0.0), (4, -2.0), (5, -2.5), (6, 0.0))
    operator = bands(min_probability=0.6, unpredicted=unpredicted)
    signals = operator.process({"spreads": spreads, "predictions": predictions(*told)}).get("signals", SIGNALS.empty)
    assert signals[["cause", "action"]].tolist() == expected


@pytest.mark.parametrize("size", [1, 2, 6])
def test_an_entry_takes_the_gate_and_the_prediction(size):
    spreads = rows(*[(k, 2.5) for k in range(1, 6)], (6, 0.0), (7, 2.5))
    frames = {
        "spreads": spreads,
        "gates": gates((1, Gate.CLOSED), (3, Gate.OPEN), (4, Gate.CLOSED), (5, Gate.OPEN), (7, Gate.CLOSED)),
        "predictions": predictions((1, 0.9), (2, 0.9), (3, 0.1), (4, 0.9), (5, 0.8), (7, 0.9)),
    }
    operator, entered = bands(), []
    for first in range(1, 8, size):
        piece = {port: f[(f["cause"] >= first) & (f["cause"] < first + size)] for port, f in frames.items()}
        entered += operator.process(piece).get("signals", SIGNALS.empty)[["cause", "action"]].tolist()
        reborn = bands()
        reborn.restore(pickle.loads(pickle.dumps(operator.snapshot())))
        operator = reborn
    assert entered == [(5, ENTER), (6, EXIT)]


def test_a_prediction_of_no_pair_is_a_broken_invariant():
    with pytest.raises(
        InvariantError, match=r"bands, input 7: expected a prediction of .* 0 to 2, got one of number 3"
    ):
        bands().process({"predictions": predictions((7, 0.5), pair=3)})


def optional(values):
    return st.none() | st.sampled_from(values)


PARAMETERS = st.builds(
    lambda entry, exit_, stop, cooldown, holds, min_deviation, max_hedge: {
        "entry": entry,
        "exit": exit_,
        "stop": stop,
        "cooldown": cooldown if stop else "0s",
        "min_hold": holds[0],
        "max_hold": holds[1],
        "min_deviation": min_deviation,
        "max_hedge": max_hedge,
    },
    st.sampled_from([1.0, 1.5]),
    st.sampled_from([0.0, 0.5]),
    optional([2.0, 2.5]),
    st.sampled_from(["0s", "2s", "5s"]),
    st.sampled_from([(None, None), ("2s", None), (None, "4s"), ("2s", "4s"), ("3s", "3s")]),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([1.0, 20.0]),
)


@st.composite
def spread_frames(draw):
    step = st.tuples(
        st.integers(0, 2),
        st.sampled_from([None, 0, 1, 3]),
        st.sampled_from([-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]),
        st.sampled_from([-1.0, 0.01, 1.0, 1.0, 2.0]),
        st.sampled_from([0.4, 0.6, 0.6, 0.6]),
        st.sampled_from([0] * 8 + [1, 2, 4, 5]),
    )
    cause, ts, frame = 1, 0, []
    for pair, pause_s, z, hedge, deviation, state in draw(st.lists(step, max_size=80)):
        if pause_s is not None:
            cause, ts = cause + 1, ts + pause_s * SECOND
        frame.append((cause, ts, z * deviation, hedge, 0.0, 0.0, deviation, z, pair, state))
    return SPREADS.rows(frame)


@settings(max_examples=400)
@given(PARAMETERS, spread_frames())
def test_signals_are_the_oracles(parameters, spreads):
    def ns(name):
        return None if parameters[name] is None else duration_ns(parameters[name])

    plain = {name: parameters[name] for name in ("entry", "exit", "stop", "min_deviation", "max_hedge")}
    rules = Rules(cooldown=ns("cooldown"), min_hold=ns("min_hold"), max_hold=ns("max_hold"), min_hedge=0.05, **plain)
    got = decide(bands(**parameters), spreads)
    for action in np.unique(got["action"]):
        event(Action(action).name)
    assert got.tolist() == expected_signals(rules, 1000 * 10**8, 3, spreads)


@given(PARAMETERS, spread_frames())
def test_entries_and_leaves_alternate_on_usable_rows(parameters, spreads):
    signals = decide(bands(**parameters), spreads)
    usable = {(r["cause"], r["pair"], r["z"]) for r in spreads if r["state"] == 0}
    assert all((s["cause"], s["pair"], s["z"]) in usable for s in signals)
    for pair in range(3):
        own = signals[signals["pair"] == pair]
        assert (own["action"][::2] == ENTER).all()
        assert (own["action"][1::2] != ENTER).all()
        assert (own["side"][1::2] == own["side"][::2][: len(own) // 2]).all()
        assert (np.sign(own["z"][::2]) == -own["side"][::2]).all()
        stops = own[own["action"] == STOP]
        assert (stops["z"] * stops["side"] <= -(parameters["stop"] or 0.0)).all()


@given(PARAMETERS, spread_frames())
def test_no_entry_until_a_stop_is_forgotten(parameters, spreads):
    signals = decide(bands(**parameters), spreads)
    for stop in signals[signals["action"] == STOP]:
        later = signals[(signals["cause"] > stop["cause"]) & (signals["pair"] == stop["pair"])]
        if len(later):
            assert later["ts"][0] - stop["ts"] >= duration_ns(parameters["cooldown"])
            between = (spreads["cause"] >= stop["cause"]) & (spreads["cause"] <= later["cause"][0])
            own = spreads[between & (spreads["pair"] == stop["pair"]) & (spreads["state"] == 0)]
            assert (np.abs(own["z"]) < parameters["entry"]).any()


@given(PARAMETERS, spread_frames(), st.lists(st.integers(0, 80), max_size=6), st.booleans())
def test_neither_the_cut_nor_a_restart_matters(parameters, spreads, causes, reborn):
    operator, parts = bands(**parameters), [SIGNALS.empty]
    for piece in np.split(spreads, np.unique(np.searchsorted(spreads["cause"], causes, side="right"))):
        parts.append(decide(operator, piece))
        if reborn:
            state = pickle.dumps(operator.snapshot())
            decide(operator, piece)  # what happens to the old one later must not matter
            operator = bands(**parameters)
            operator.restore(pickle.loads(state))
    assert np.concatenate(parts).tolist() == decide(bands(**parameters), spreads).tolist()


@given(PARAMETERS, spread_frames(), spread_frames(), st.integers(0, 60))
def test_the_future_does_not_change_the_past(parameters, spreads, others, cause):
    changed = np.concatenate([spreads[spreads["cause"] <= cause], others[others["cause"] > cause]])
    past, whole = decide(bands(**parameters), changed), decide(bands(**parameters), spreads)
    assert past[past["cause"] <= cause].tolist() == whole[whole["cause"] <= cause].tolist()


def test_the_example_shows_every_action_in_frames_of_any_length():
    for seed in range(3):
        example = Bands.example(seed)
        spreads = np.concatenate([example.frames["spreads"]] * 12)
        whole, single = (Bands(Bands.Parameters(**example.parameters), example.desk) for _ in range(2))
        signals = decide(whole, spreads)
        assert set(signals["action"]) == {ENTER, EXIT, STOP}
        assert len(signals) > 1024
        one_by_one = [decide(single, spreads[i : i + 100]) for i in range(0, len(spreads), 100)]
        assert np.concatenate(one_by_one).tolist() == signals.tolist()


def test_silence_in_silence_out():
    operator = bands()
    assert operator.process({}) == {}
    assert operator.process({"spreads": SPREADS.empty}) == {}
    assert operator.process({"spreads": rows((1, 0.0))}) == {}


@pytest.mark.parametrize("pair", [-1, 3])
def test_a_spread_of_no_pair_is_a_broken_invariant(pair):
    spreads = rows((1, 0.0), (2, 0.0))
    spreads["pair"][1] = pair
    with pytest.raises(InvariantError, match=rf"'desk', bands, input 2: expected .* 0 to 2, got one of number {pair}"):
        decide(bands(), spreads)


def test_a_desk_needs_pairs():
    with pytest.raises(ConfigError, match="desk 'bare' has no pairs, so no signals; declare some under `pairs`"):
        bands(Desk(id="bare", instruments=DESK.instruments))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"entry": 0}, "greater than 0"),
        ({"exit": -0.1}, "greater than or equal to 0"),
        ({"exit": 2.0}, "exit 2 must be below entry 2"),
        ({"stop": 2.0}, "stop 2 must be above entry 2, or null"),
        ({"min_hedge": 2, "max_hedge": 2}, "min_hedge 2 must be below max_hedge 2"),
        ({"min_hold": "2s", "max_hold": "1s"}, "min_hold 2000000000 ns must not be longer than max_hold 1000000000 ns"),
        ({"cooldown": "1s"}, "cooldown follows a stop, and there is none; set stop, or drop cooldown"),
        ({"notional": 0}, "greater than 0"),
        ({"notional": "a lot"}, "'a lot' is not an amount of money"),
        ({"max_hold": "soon"}, "'soon' is not a duration"),
        ({"entry": float("inf")}, "finite number"),
        ({"min_probability": 1.1}, "less than or equal to 1"),
        ({"unpredicted": "ajar"}, "'open' or 'closed'"),
        ({"scale": 2}, "Extra inputs are not permitted"),
    ],
)
def test_parameters_that_cannot_be(parameters, message):
    with pytest.raises(ValueError, match=message):
        bands(**parameters)


def test_every_parameter_is_described():
    assert all("description" in field for field in Bands.Parameters.model_json_schema()["properties"].values())
