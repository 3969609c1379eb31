"""The contract suite catches every way to break the contract, and says what is broken."""

import re

import pytest

from flows.contract import check_operator
from tests.contract import broken

DECLARED = "is declared soundly"
ROWS = "emits the rows it declares"
INPUT = "leaves its input alone"
REPEATS = "makes the same rows every time"
CUT = "does not care how its input is cut"
RESUMES = "resumes from a snapshot"
AHEAD = "does not look ahead"
HOLD = "keeps no hold on its input"
PROCESS = "makes the same rows in another process"

BROKEN = [
    (broken.NoPorts, DECLARED, r"`outputs` must name at least one port with its Schema, found \{\}"),
    (broken.StrangeOptional, DECLARED, r"`optional` names trades, which is no input port"),
    (broken.DottedPort, DECLARED, r"a port's name holds a '\.'"),
    (
        broken.NoDefault,
        DECLARED,
        r"its parameters cannot be made: .*limit Field required.*; give them defaults, or the",
    ),
    (broken.ForeignParameters, DECLARED, r"its Parameters derive from BaseModel, not from Parameters"),
    (broken.LooseParameters, DECLARED, r"its Parameters must keep extra='forbid' in their model_config"),
    (broken.ReservedParameter, DECLARED, r"a parameter is called 'input', which every operator's stanza has already"),
    (broken.MutableDefault, DECLARED, r"the default of parameter 'limits' is a list, which can change; use a tuple or"),
    (broken.Undescribed, DECLARED, r"parameter 'limit' has no description"),
    (broken.Unbuildable, DECLARED, r"it cannot be built: OSError \(no such device\)"),
    (broken.BadExample, DECLARED, r"example\(1\) raised IndexError \(list index out of range\)"),
    (broken.StrangePort, ROWS, r"rows came out of port 'totals' on causes 3 to \d+; the declared ports are: counts"),
    (broken.StrangeColumns, ROWS, r"port 'counts' returned rows of .*, expected counts: .*"),
    (broken.NoFrame, ROWS, r"port 'counts' returned \[1, 2\] on causes 3 to \d+, expected an array of rows"),
    (broken.NoMapping, ROWS, r"process returned \[1, 2\] on causes 3 to \d+, expected a mapping from port to frame"),
    (broken.FallingCauses, ROWS, r"port 'counts': cause \d+ comes after cause \d+; order rows by cause"),
    (broken.StrangeCause, ROWS, r"port 'counts': a row of cause 1\d{6} came on causes 3 to \d+; a row's cause is an"),
    (
        broken.StrangeInstrument,
        ROWS,
        r"port 'counts', cause \d+: instrument is .*99.*, expected an index of the desk's 6",
    ),
    (broken.StrangeSide, ROWS, r"port 'counts', cause \d+: side is .*2.*, expected -1, 0 or 1"),
    (broken.StrangeText, ROWS, r"port 'counts', cause \d+: note is 7, expected a str"),
    (broken.Silent, ROWS, r"\d+ entries of input led to no row at all, so nothing can be checked; give the class an"),
    (broken.Raises, ROWS, r"process raised ValueError \(too many quotes\) on causes \d+ to \d+"),
    (
        broken.ChangesInput,
        INPUT,
        r"process changed its input on causes 3 to \d+: port 'quotes', row 0 \(cause \d+\): bid",
    ),
    (broken.SharedState, REPEATS, r"a second operator made other rows of the same input: port 'counts', row 0 \(cause"),
    (
        broken.CountsFrames,
        CUT,
        r"input cut into single entries makes other rows .*: port 'counts', row \d+ .*: count exp",
    ),
    (broken.NeedsRows, CUT, r"process raised KeyError \('quotes'\) on a call without rows"),
    (broken.Unpicklable, RESUMES, r"the snapshot after cause \d+ does not pickle: .*; use plain values and arrays"),
    (
        broken.LiveSnapshot,
        RESUMES,
        r"the snapshot taken after cause \d+ changed while the operator went on; snapshot\(\) ",
    ),
    (
        broken.Forgetful,
        RESUMES,
        r"resumed from the snapshot after cause \d+, a fresh operator made other rows: port 'cou",
    ),
    (broken.CannotRestore, RESUMES, r"restore raised KeyError \('counts'\) on the snapshot taken after cause \d+"),
    (
        broken.SnapshotResets,
        RESUMES,
        r"taking a snapshot after cause \d+ changed what came after: port 'counts', row 0",
    ),
    (
        broken.LooksAhead,
        AHEAD,
        r"without the input after cause \d+, rows up to it are other ones: port 'counts', row \d+",
    ),
    (
        broken.WaitsForMore,
        AHEAD,
        r"without the input after cause \d+, .*: port 'counts': expected \d+ rows, came \d+; the",
    ),
    (
        broken.HoldsInput,
        HOLD,
        r"rows changed because earlier input was overwritten after process had returned: port 'c",
    ),
]


def test_a_sound_operator_passes() -> None:
    verdicts = check_operator(broken.Sound)
    assert [verdict.name for verdict in verdicts] == [DECLARED, ROWS, INPUT, REPEATS, CUT, RESUMES, AHEAD, HOLD]
    assert not [verdict.message for verdict in verdicts if not verdict.passed]


@pytest.mark.parametrize(("cls", "name", "sentence"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_broken_is_caught_and_named(cls: type, name: str, sentence: str) -> None:
    found = {verdict.name: verdict.message for verdict in check_operator(cls) if not verdict.passed}
    assert name in found
    assert re.match(sentence, found[name]), found[name]
    assert "\n" not in found[name]


def test_every_broken_operator_is_in_the_table() -> None:
    assert {cls.__name__ for cls, *_ in BROKEN} | {"Sound", "HashOrder", "Operator"} == set(broken.__all__)


def test_only_what_is_broken_is_reported() -> None:
    names = {
        cls: {v.name for v in check_operator(cls) if not v.passed} for cls in (broken.ChangesInput, broken.Forgetful)
    }
    assert names == {broken.ChangesInput: {INPUT}, broken.Forgetful: {RESUMES}}
    assert {v.name for v in check_operator(broken.HoldsInput) if not v.passed} == {HOLD}


def test_another_process_tells_what_hangs_on_the_hash_seed() -> None:
    passing = {v.name: v.message for v in check_operator(broken.Sound, in_other_process=True)}
    assert passing[PROCESS] == ""
    failing = {v.name: v.message for v in check_operator(broken.HashOrder, in_other_process=True) if not v.passed}
    assert failing.keys() == {PROCESS}
    assert failing[PROCESS].startswith("another process made other rows of the same input; look for sets")


def test_a_class_another_process_cannot_find() -> None:
    class Local(broken.Sound):
        """Lives in a function."""

    found = {v.name: v.message for v in check_operator(Local, in_other_process=True) if not v.passed}
    assert re.match(r".*<locals>\.Local cannot be run in another process, which said: AttributeError", found[PROCESS])
