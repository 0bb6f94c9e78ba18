"""What a coordinator loads and says when it starts: by what it compares, and the compiler only where it is needed."""

import sys
from pathlib import Path

import pytest
from isthmus_local.processes import free_ports, run, running, wait_until_said

from isthmus.coordinator.match import engine_facts
from isthmus.coordinator.serve import comparing_text


def test_text_names_the_engine_and_where_there_is_one_the_kernel() -> None:
    facts = {"engine": "kernels", "kernel": "avx2", "unit": "uint8", "features": "avx2"}

    said = comparing_text(facts)

    assert said.startswith("comparing by the engine kernels, kernel avx2 (counts bits by uint8; ")
    assert said.endswith("this processor's features: avx2)")
    assert said.endswith(")")
    assert comparing_text(facts | {"kernel": "plain"}).endswith(
        "large rounds take long with it: docs/guides/operator.md, Log"
    )
    assert comparing_text({"engine": "anonlink"}) == "comparing by the engine anonlink"


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="libraries of a process are read from /proc")
@pytest.mark.parametrize(("engine", "compiler"), [("anonlink", False), ("kernels", True)])
def test_coordinator_says_its_engine_and_loads_the_compiler_for_kernels_alone(
    engine: str, compiler: bool, tmp_path: Path
) -> None:
    hub, (service, enrolment) = tmp_path / "hub", free_ports(2)
    ports = ("--service-port", str(service), "--enrolment-port", str(enrolment))
    run("isthmus-coordinator", "init", "--dir", str(hub), *ports)
    settings = hub / "coordinator.toml"
    settings.write_text(settings.read_text("utf-8").replace('engine = "kernels"', f'engine = "{engine}"'), "utf-8")

    with running("isthmus-coordinator", "serve", "--dir", str(hub), log=tmp_path / "log") as one:
        wait_until_said(one, comparing_text(engine_facts(engine)), name="the coordinator")
        libraries = Path(f"/proc/{one.process.pid}/maps").read_text("utf-8")

    assert ("libllvmlite" in libraries) == compiler
