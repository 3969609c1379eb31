"""The tables are a function of configuration and input: not of frames, workers, fusing, processes or hash seeds."""

import socket
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.operators.sinks.conftest import ClickHouseServer
from tests.recovery import processes, tables
from tests.recovery.session import write_config


@pytest.mark.parametrize(
    ("desks", "frame", "workers", "fuse", "hash_seed"),
    [
        (3, 1000, 3, True, 1),
        (3, 1000, 2, False, 2),
        (3, 7, 2, True, 3),
        (1, 50, 1, False, 1),
        (1, 1, 1, True, 2),
    ],
)
def test_tables(desks, frame, workers, fuse, hash_seed, session, uninterrupted, tmp_path):
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=desks, frame=frame, fuse=fuse)
    options = ["-r", tmp_path / "recovery", "--epoch-ms", 4000, "--workers", workers]
    processes.run(config, *options, PYTHONHASHSEED=str(hash_seed))
    found = tables.dump(tables.target_of(config), tmp_path / "tables")
    tables.assert_equal_but_configuration(found, uninterrupted(desks))


@pytest.fixture
def server(tmp_path):
    server = ClickHouseServer(tmp_path / "server")
    server.start()
    yield server
    server.kill()


def test_two_processes_share_the_desks(server, session, uninterrupted, tmp_path):
    """A cluster over loopback, one recovery directory, one server; started a second time it has nothing to do."""
    config = write_config(tmp_path / "config.yaml", session, run="run", desks=3, target=server.dsn())
    for said in ("run finished", "had finished before, nothing was left to do"):
        addresses = ";".join(f"127.0.0.1:{port}" for port in free_ports(2))
        cluster = ["-a", addresses, "-r", str(tmp_path / "recovery"), "-s", "1", "-b", "0"]
        command = [sys.executable, "-m", "bytewax.run", f"flows.trade:build('{config}')", *cluster, "-i"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        flows = [subprocess.Popen([*command, str(i)], cwd=ROOT, **pipes) for i in range(2)]
        logs = [processes.end(flow)[1] for flow in flows]
        assert [flow.returncode for flow in flows] == [0, 0], logs
        assert said in "".join(logs)
    found = tables.dump(server.dsn(), tmp_path / "tables")
    tables.assert_equal_but_configuration(found, uninterrupted(3))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
