"""The reference pages name everything that the programs have, and nothing that they do not."""

import re
import shlex

import click
import pytest
from docs.pages import DOCS, fenced, first_cells, read, reference, table_rows
from docs.walk import SERVICES, commands, errors, sent_fields, setting_keys
from google.protobuf.descriptor import ServiceDescriptor

from isthmus.contract.agreement import Agreement
from isthmus.contract.agreement_terms import LegalBasis, RedisclosureRule
from isthmus.contract.errors import ERRORS, IsthmusError
from isthmus.contract.parties import Role
from isthmus.contract.project import Project
from isthmus.contract.round_state import RoundState
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.coordinator.config import CoordinatorConfig
from isthmus.coordinator.domain.roles import PERMISSIONS, Relation
from isthmus.coordinator.domain.rounds import diagram
from isthmus.node.config import NodeConfig

COMMANDS = dict(commands())


def _options(command: click.Command) -> set[str]:
    return {option for one in command.params if isinstance(one, click.Option) for option in one.opts}


def _command_section(name: str) -> str:
    """The part of the page that is about one command, up to the next heading."""
    found = re.search(
        rf"^### `{re.escape(name)}(?: [A-Z_ ]+)?`$(.*?)(?=^##|\Z)", reference("commands.md"), re.MULTILINE | re.DOTALL
    )
    return found[0] if found else ""


def _service_section(name: str) -> str:
    found = re.search(rf"^## `{name}`(.*?)(?=^## |\Z)", reference("roles.md"), re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def test_error_page_lists_every_code_and_no_other() -> None:
    assert first_cells(reference("errors.md")) == {error.code for error in errors()}


def test_errors_walked_are_more_than_those_of_the_wire() -> None:
    assert {error.code for error in errors()} > set(ERRORS)


@pytest.mark.parametrize("error", errors(), ids=lambda error: str(error.code))
def test_error_page_gives_sentence_remedy_status_and_exit_code(error: type[IsthmusError]) -> None:
    rows = {row[0].strip("`"): row[1:] for row in table_rows(reference("errors.md"))}

    spec = error.spec
    assert rows[error.code] == [spec.sentence, spec.remedy, spec.status, str(spec.exit_code)]


def test_exit_code_page_lists_every_exit_code_of_an_error() -> None:
    listed = {row[0] for row in table_rows(reference("exit-codes.md"))}

    assert {str(error.spec.exit_code) for error in errors()} <= listed


def test_coordinator_settings_page_lists_every_key_and_no_other() -> None:
    listed = first_cells(reference("coordinator-settings.md").partition("## The folder")[0])

    assert listed == set(setting_keys(CoordinatorConfig))


def test_node_settings_page_lists_every_key_and_no_other() -> None:
    listed = first_cells(reference("node-settings.md").partition("## Standard fields")[0])

    assert listed - {"datasets.NAME"} == set(setting_keys(NodeConfig)) - {"datasets"}


def test_node_settings_page_lists_every_standard_field() -> None:
    section = reference("node-settings.md").partition("## Standard fields")[2].partition("##")[0]

    assert [name for name in re.findall(r"`(\w+)`", section) if name in STANDARD_FIELDS] == list(STANDARD_FIELDS)


def test_project_page_lists_every_key_and_no_other() -> None:
    assert first_cells(reference("project-file.md")) == set(setting_keys(Project))


def test_agreement_page_lists_every_key_every_basis_and_every_rule_and_no_other() -> None:
    keys = set(setting_keys(Agreement)) - {"redisclosure", "retention"}
    words = {f'"{one.value}"' for one in (*LegalBasis, *RedisclosureRule)}

    assert first_cells(reference("agreement-file.md")) == keys | words


@pytest.mark.parametrize("name", COMMANDS)
def test_command_page_lists_every_option_of_the_command_and_no_other(name: str) -> None:
    assert first_cells(_command_section(name)) == _options(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_command_page_shows_the_arguments_of_the_command(name: str) -> None:
    arguments = [one.human_readable_name for one in COMMANDS[name].params if isinstance(one, click.Argument)]

    assert _command_section(name).startswith(f"### `{' '.join([name, *arguments])}`")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_page_shows_an_example_that_the_command_takes(name: str) -> None:
    command = COMMANDS[name]
    example = re.search(rf"^    {re.escape(name)}( .*|)$", _command_section(name), re.MULTILINE)
    assert example is not None
    words = shlex.split(example[1].partition(" > ")[0])

    taken, left_over, _ = command.make_parser(click.Context(command)).parse_args(words)

    assert not left_over
    assert {one.name for one in command.params if one.required} <= {key for key, value in taken.items() if value}


def test_command_page_describes_no_command_that_is_not_there() -> None:
    described = re.findall(r"^### `([^`A-Z]+?)(?: [A-Z_ ]+)?`$", reference("commands.md"), re.MULTILINE)

    assert sorted(described) == sorted(COMMANDS)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.name))
def test_role_page_lists_every_call_of_the_service_and_no_other(service: ServiceDescriptor) -> None:
    assert first_cells(_service_section(service.name)) == {method.name for method in service.methods}


@pytest.mark.parametrize("service", PERMISSIONS)
def test_role_page_gives_the_roles_and_relations_that_the_code_checks(service: str) -> None:
    rows = [row for row in table_rows(_service_section(service.rpartition(".")[2])) if row[0].startswith("`")]

    said = {row[0].strip("`"): (row[1], row[2]) for row in rows}
    assert said == {
        call: (", ".join(f"`{role}`" for role in sorted(one.roles)) or "-", f"`{one.relation}`")
        for call, one in PERMISSIONS[service].items()
    }


def test_role_page_explains_every_role_and_relation_and_no_other() -> None:
    page = reference("roles.md")
    roles, relations = (page.partition(f"## {title}")[2].partition("\n## ")[0] for title in ("Roles", "Relations"))

    assert first_cells(roles) == set(Role)
    assert first_cells(relations) == set(Relation)


def test_state_diagram_is_the_one_that_the_code_prints() -> None:
    assert fenced(reference("round-states.md"), "mermaid") == [diagram()]


def test_state_page_describes_every_state_and_no_other() -> None:
    assert first_cells(reference("round-states.md")) == {state.value for state in RoundState}


def test_data_flow_lists_every_text_field_that_a_node_can_send_and_no_other() -> None:
    section = read(DOCS / "data-flow.md").partition("## Every field")[2].partition("\n## ")[0]
    listed = [(row[0].strip("`"), row[1].strip("`")) for row in table_rows(section) if row[0].startswith("`")]

    assert len(listed) == len(set(listed))
    assert set(listed) == sent_fields()
    assert all(row[2] and row[3] for row in table_rows(section))
