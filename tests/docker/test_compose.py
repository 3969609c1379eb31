"""What the containers are told to run is there, and the demo takes its target from the environment as they say it."""

import re

import yaml

from flows.yaml_lines import read
from operators.sinks.address import Address
from tests.conftest import ROOT

DEMO = ROOT / "config" / "demo.yaml"
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())


def test_the_demo_writes_to_the_server_of_the_other_container(monkeypatch) -> None:
    declared = COMPOSE["services"]["pairflow"]["environment"]["PAIRFLOW_TARGET"]
    monkeypatch.setenv("PAIRFLOW_TARGET", declared.replace("${CLICKHOUSE_PASSWORD}", "secret"))
    address = Address.parse(read(DEMO).value["target"])
    assert address.label == "clickhouse:8123"
    assert address.secret == "secret"
    assert "clickhouse" in COMPOSE["services"]


def test_without_the_variable_the_demo_is_embedded(monkeypatch) -> None:
    monkeypatch.delenv("PAIRFLOW_TARGET", raising=False)
    assert read(DEMO).value["target"] == "chdb://../.pairflow/demo/clickhouse"


def test_the_image_runs_what_make_runs() -> None:
    image, makefile = ((ROOT / name).read_text() for name in ("docker/Dockerfile", "Makefile"))
    flow = re.search(r"flows\.trade:build\('(config/\w+\.yaml)'\)", image)
    assert flow
    assert flow[0] in makefile
    assert (ROOT / flow[1]).is_file()


def test_state_outlives_the_container() -> None:
    volumes = {volume.split(":")[0] for s in COMPOSE["services"].values() for volume in s["volumes"]}
    assert volumes == COMPOSE["volumes"].keys()
