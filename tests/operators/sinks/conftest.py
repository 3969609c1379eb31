"""A ClickHouse server in its own process, and functions run in processes of their own."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from operators.sinks.address import Address
from operators.sinks.connection import client
from tests.conftest import ROOT

PASSWORD = "s3cret/@word"
_QUOTED = "s3cret%2F%40word"


class ClickHouseServer:
    """The test server: started, killed and started again on the same port and directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.operators.sinks.http_server", self.directory, str(self.port), PASSWORD]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def dsn(self, database: str = "default", **options: object) -> str:
        query = "&".join(f"{k}={v}" for k, v in options.items())
        return f"clickhouse://default:{_QUOTED}@127.0.0.1:{self.port}/{database}?{query}"

    def new_database(self, name: str, **options: object) -> str:
        client(Address.parse(self.dsn())).command(f"CREATE DATABASE {name}")
        return self.dsn(name, **options)

    def faults(self, *faults: dict[str, object]) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/faults", json.dumps(faults).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def inserts(self) -> int:
        """Inserts received since it was started, whatever became of them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/inserts", timeout=10) as reply:
            return json.load(reply)


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory):
    server = ClickHouseServer(tmp_path_factory.mktemp("clickhouse"))
    server.start()
    yield server
    server.kill()


def in_own_process(function: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `module:function` of this folder, with JSON arguments, in a new interpreter."""
    module, _, name = function.partition(":")
    code = f"import json, sys; from tests.operators.sinks.{module} import {name} as f; f(*json.loads(sys.argv[1]))"
    command = [sys.executable, "-c", code, json.dumps([str(a) if isinstance(a, Path) else a for a in arguments])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False, env=os.environ)
    if check:
        assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def database(clickhouse, request):
    """The DSN of a new, empty database of the server."""
    return clickhouse.new_database("t_" + re.sub(r"\W", "_", request.node.name))
