"""One client per process, and one process per directory of the embedded engine."""

import os
import signal
import subprocess
import sys
import threading

from operators.sinks.address import Address
from operators.sinks.connection import client
from operators.sinks.target import Target
from schemas.errors import TargetError
from tests.conftest import ROOT
from tests.operators.sinks.conftest import in_own_process

HOLD = """
import sys, time
from operators.sinks.target import Target
Target("chdb://" + sys.argv[1]).prepare([])
print("held", flush=True)
time.sleep(60)
"""


def refused(dsn):
    try:
        Target(dsn).prepare([])
    except TargetError as e:
        print(e)


def one_client(directory):
    refused(f"chdb://{__file__}/db")
    address = Address.parse(f"chdb://{directory}")
    found = []

    def ask(n):
        found.extend(client(address).query(f"SELECT {n} * 100 + {i}").result_rows[0][0] for i in range(20))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [n * 100 + i for n in range(4) for i in range(20)]
    refused(f"chdb://{directory}/other")


def test_a_directory_belongs_to_one_process_until_it_ends(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with holder:
        try:
            assert holder.stdout.readline() == "held\n"
            said = in_own_process("test_connection:refused", f"chdb://{tmp_path}").stdout
            assert said == (
                f"chdb://{tmp_path} is held by process {holder.pid}; wait for it to end, "
                "or use a clickhouse:// server, which several processes can share\n"
            )
        finally:
            os.kill(holder.pid, signal.SIGKILL)
    assert in_own_process("test_connection:refused", f"chdb://{tmp_path}").stdout == ""


def test_a_process_has_one_client_for_all_its_threads_and_one_directory(tmp_path):
    said = in_own_process("test_connection:one_client", tmp_path).stdout.splitlines()
    assert said[0] == f"chdb://{__file__}/db cannot be opened: Not a directory; choose another directory"
    assert said[1].startswith(f"this process already opened chdb://{tmp_path}; the embedded ClickHouse opens one")
