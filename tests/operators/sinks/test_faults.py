"""Which of the target's errors pass with time, and how they read."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, ProgrammingError

from operators.sinks.address import Address
from operators.sinks.faults import TargetUnavailableError, reported
from schemas.errors import TargetError

ADDRESS = Address.parse("clickhouse://user:hunter2@db:8123/d")


def raised(error):
    with pytest.raises(TargetError) as e, reported(ADDRESS):
        raise error
    assert "\n" not in str(e.value)
    assert "hunter2" not in str(e.value)
    assert e.value.__suppress_context__
    return e.value


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("Error HTTPConnectionPool(...) executing HTTP request attempt 1 (http://db:8123)"),
        OperationalError("HTTP driver received HTTP status 503, server response: upstream"),
        DatabaseError("HTTP driver received HTTP status 502"),
        DatabaseError("HTTP driver received HTTP status 429"),
        DatabaseError("Code: 252. DB::Exception: Too many parts", code=252),
        DatabaseError("Code: 243. DB::Exception: Not enough space", code=243),
        DatabaseError("Code: 241. DB::Exception: Memory limit exceeded", code=241),
    ],
)
def test_passing_errors_can_be_waited_for(error):
    assert isinstance(raised(error), TargetUnavailableError)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DatabaseError("Code: 516. DB::Exception: user: hunter2 is wrong", code=516), "user or password is wrong"),
        (DatabaseError("Code: 81. DB::Exception: Database d does not exist", code=81), "CREATE DATABASE"),
        (DatabaseError("Code: 53. DB::Exception: Type mismatch\nin column a", code=53), "Type mismatch in column a"),
        (DatabaseError("HTTP driver received HTTP status 404, server response: nginx"), "nginx"),
        (ProgrammingError("Unrecognized setting x"), "Unrecognized setting x"),
    ],
)
def test_other_errors_are_final(error, said):
    final = raised(error)
    assert not isinstance(final, TargetUnavailableError)
    assert said in str(final)


def test_the_servers_words_are_left_and_its_noise_is_not():
    text = (
        "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception: Unknown table 'x'. "
        "Maybe you meant y? In scope SELECT * FROM x. (UNKNOWN_TABLE) (version 26.9.2.1 (official build)) (for url http://db:8123)"
    )
    said = "Unknown table 'x'. Maybe you meant y? (UNKNOWN_TABLE); starting the flow creates its tables"
    assert str(raised(DatabaseError(text, code=60))) == f"ClickHouse at db:8123: {said}"
