# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action vaulted_vars in real runs. ansible-core reads what it wrote."""

from __future__ import annotations

import fcntl
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from integration.vault_project import Project, assert_that, vaulted_vars

TOKEN, OTHER = "s3cr3t.token/one", "s3cr3t.token/two"
# From a lookup, so that the playbook contains no value that Ansible could quote.
FROM_LOOKUP = {"token": "{{ lookup('env', 'TOKEN') }}", "other": "{{ lookup('env', 'OTHER') }}"}
ENVIRONMENT = {"TOKEN": TOKEN, "OTHER": OTHER}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def file_texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_keyword_environment_has_an_effect(project: Project) -> None:
    task = vaulted_vars(path="$OF_TASK/tokens.yml", variables=FROM_LOOKUP)
    project.play([{**task, "environment": {"OF_TASK": "group_vars"}}], environment=ENVIRONMENT)
    assert list(file_texts(project.folder / "group_vars")) == ["tokens.yml"]


def test_variables_are_added_updated_and_removed_without_showing_a_value(project: Project) -> None:
    path = "group_vars/all/tokens.yml"
    tasks: list[dict[str, Any]] = [
        {**vaulted_vars(path=path, variables=FROM_LOOKUP), "check_mode": True, "register": "predicted"},
        {"ansible.builtin.stat": {"path": "{{ playbook_dir }}/group_vars"}, "register": "folder"},
        assert_that("predicted is changed", "predicted.added == ['other', 'token']", "not folder.stat.exists"),
        {**vaulted_vars(path=path, variables=FROM_LOOKUP), "register": "first"},
        assert_that(
            "first is changed",
            "first.path == playbook_dir ~ '/' ~ 'group_vars/all/tokens.yml'",
            "first.added == ['other', 'token']",
            "first.updated == [] and first.removed == [] and first.unchanged == []",
            "first.vault_id == 'default' and first.format == 'inline'",
            "first.backup_file is not defined",
        ),
        {**vaulted_vars(path=path, variables=FROM_LOOKUP), "register": "second"},
        assert_that("second is not changed", "second.unchanged == ['other', 'token']", "second.added == []"),
        {
            **vaulted_vars(path=path, variables={"token": "{{ lookup('env', 'OTHER') }}"}, backup=True, mode="0640"),
            "register": "third",
        },
        assert_that(
            "third is changed", "third.updated == ['token']", "third.backup_file is search('/[.]tokens.yml[^/]*~$')"
        ),
        {**vaulted_vars(path=path, names=["token", "nothing"], state="absent"), "register": "fourth"},
        assert_that("fourth.removed == ['token']", "fourth.unchanged == ['nothing']", "fourth.vault_id is not defined"),
    ]

    log = project.folder.parent / "log"
    output = project.play(tasks, "-vvv", "--diff", environment={**ENVIRONMENT, "ANSIBLE_LOG_PATH": str(log)})

    for text in (output, log.read_text(), *file_texts(project.folder).values()):
        assert "s3cr3t" not in text
        assert "password of" not in text
    assert "+other: (new value, vaulted)\n+token: (new value, vaulted)\n" in output
    assert "-mode: 0600\n-token: (old value)\n+mode: 0640\n+token: (new value, vaulted)\n" in output
    assert "-token: (old value)\n" in output.split("mode: 0640")[-1]
    assert "$ANSIBLE_VAULT" not in output
    assert not re.search("WARNING|DEPRECATION|Traceback", output)


@pytest.mark.parametrize("callback", ["default", "minimal"])
def test_a_loop_over_values_shows_none_and_its_failures_stay_readable(project: Project, callback: str) -> None:
    # An item may contain the value in parts.
    items = [{"name": "token", "halves": ["{{ lookup('env', 'TOKEN')[:12] }}", "{{ lookup('env', 'TOKEN')[12:] }}"]}]
    items += [{"name": "bad-name", "halves": [FROM_LOOKUP["other"], ""]}]
    tasks = [
        {
            **vaulted_vars(path="tokens.yml", variables="{{ {item.name: item.halves | join} }}"),
            "loop": items,
            "loop_control": {"extended": True},
            "ignore_errors": True,
            "register": "edited",
        },
        assert_that(
            "edited is failed", "edited.results[0].added == ['token']", "'ASCII letters' in edited.results[1].msg"
        ),
    ]

    output = project.play(tasks, "-vvv", "--diff", environment={**ENVIRONMENT, "ANSIBLE_STDOUT_CALLBACK": callback})

    assert "s3cr3t" not in output
    if callback == "default":
        assert re.search(r"ERROR.* Name 1 in variables contains the character '-'", output)


def test_a_loop_over_names_prints_no_item_and_failures_keep_their_message(project: Project) -> None:
    tasks = [
        vaulted_vars(path="tokens.yml", variables=FROM_LOOKUP),
        {
            **vaulted_vars(path="tokens.yml", state="absent", names=["{{ item.name }}"]),
            "loop": [{"name": "token", "value": "s3cr3t"}, {"name": "bad-name", "value": "s3cr3t"}],
            "ignore_errors": True,
        },
    ]

    output = project.play(tasks, "--diff", environment=ENVIRONMENT)

    assert "s3cr3t" not in output
    assert "names[0] contains the character '-'" in " ".join(output.split())


# --- reading what was written

READ_TASKS = [
    assert_that("of_group == 'g {' ~ '{ x }}'", "of_play == 'p {' ~ '{ x }}'", "plain == 'kept'"),
    {"ansible.builtin.include_vars": {"file": "included.yml", "name": "included"}},
    assert_that("included == {'of_include': 'i {' ~ '{ x }}', 'more': 'm'}"),
]


@pytest.mark.parametrize("vault_format", ["inline", "file"])
def test_ansible_reads_what_was_written(project: Project, vault_format: str) -> None:
    folder = project.folder
    (folder / "group_vars" / "all").mkdir(parents=True)
    (folder / "group_vars" / "all" / "others.yml").write_text("plain: kept\n")
    values = {"group_vars/all/a.yml": "of_group", "vars.yml": "of_play", "vars/included.yml": "of_include"}
    secrets = ["default", "prod"]
    write_tasks = [
        vaulted_vars(path=path, format=vault_format, vault_id=vault_id, backup=True, variables={name: value})
        for (path, name), vault_id in zip(values.items(), ["default", "prod", "prod"])
        # A second write makes a backup, which Ansible must not load.
        for value in ("first", f"{name[3]} {{{{ '{{{{ x }}}}' }}}}")
    ]
    write_tasks.append(vaulted_vars(path="vars/included.yml", variables={"more": "m"}))

    project.play(write_tasks, vault_ids=secrets)
    output = project.play(READ_TASKS, "-vvv", vault_ids=secrets, vars_files=["vars.yml"])

    assert ".vaulted_vars" not in output
    headers = [path.read_text().split("$")[1].split("\n")[0] for path in map(folder.joinpath, values)]
    assert headers == ["ANSIBLE_VAULT;1.1;AES256", *["ANSIBLE_VAULT;1.2;AES256;prod"] * 2]
    if vault_format == "file":
        shown = project.command(
            "ansible-vault", "view", *project.vault_id_options("prod"), str(folder / "vars" / "included.yml")
        )
        assert shown == 'of_include: !unsafe "i {{ x }}"\nmore: "m"\n'


@pytest.mark.parametrize("vault_format", ["inline", "file"])
def test_ansible_does_not_template_a_stored_value(project: Project, vault_format: str) -> None:
    tasks = [
        vaulted_vars(path="vars.yml", format=vault_format, variables=FROM_LOOKUP),
        {"ansible.builtin.include_vars": {"file": "vars.yml"}},
        assert_that("token == lookup('env', 'TOKEN')", "other == lookup('env', 'OTHER')"),
    ]

    project.play(
        tasks, environment={"TOKEN": "#jinja2:variable_start_string:'[['\n[[ 1 ]]", "OTHER": "{{ 1 }}{# #}{% if 1 %}"}
    )


def test_files_written_by_ansible_vault_are_understood(project: Project) -> None:
    secrets = project.vault_id_options("prod")
    inline = project.command(
        "ansible-vault", "encrypt_string", *secrets, "--name", "token", "--stdin-name", "token", stdin=TOKEN
    )
    (project.folder / "inline.yml").write_text("# top\n" + inline[inline.index("token: ") :].split("\nEncryption")[0])
    (project.folder / "whole.yml").write_text(f"# top\ntoken: {TOKEN}\n")
    project.command("ansible-vault", "encrypt", *secrets, str(project.folder / "whole.yml"))
    before = file_texts(project.folder)
    tasks = [
        {**vaulted_vars(path=f"{name}.yml", variables={"token": FROM_LOOKUP["token"]}), "register": name}
        for name in ("inline", "whole")
    ]

    tasks.append(assert_that("inline is not changed and inline.format == 'inline'", "whole is not changed"))
    project.play(tasks, vault_ids=["default", "prod"], environment=ENVIRONMENT)

    after = file_texts(project.folder)
    assert {name: after[name] for name in before} == before


# --- bad input

DEFAULT_OPTIONS: dict[str, Any] = {"path": "vars.yml", "variables": {"token": FROM_LOOKUP["token"]}}
BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"variables": None, "state": "present"}, "state is present but all of the following are missing: variables"),
    ({"state": "absent", "variables": None}, "state is absent but all of the following are missing: names"),
    ({"names": ["a"]}, "parameters are mutually exclusive: variables|names"),
    ({"path": None}, "missing required arguments: path"),
    ({"path": ""}, "path does not name a file; give the path of a vars file"),
    ({"path": "folder/"}, "path does not name a file; give the path of a vars file"),
    ({"path": "a\0b"}, "path does not name a file; give the path of a vars file"),
    (
        {"variables": "{{ lookup('env', 'TOKEN') }}=="},
        "variables must be a mapping, but it is a string",
    ),
    ({"format": "whole"}, "format must be one of inline, file, but it has another value"),
    (
        {"file": "x"},
        "There is no option file; the options are backup, format, mode, names, path, state, variables, vault_id",
    ),
    ({"mode": 0o600}, "mode must be an octal number in quotes, such as '0600'"),
    # What a filter makes of 0640 without quotes, up to ansible-core 2.18.
    ({"mode": "416"}, "mode must be an octal number in quotes, such as '0600'"),
    ({"mode": "u=rw"}, "mode must be an octal number in quotes, such as '0600'"),
    (
        {"vault_id": "prod"},
        "No vault secret is loaded under the id in vault_id; correct the id, or load its secret with"
        " --vault-id (this run has 'default', 'dev')",
    ),
    (
        {"variables": {"token": 47}},
        "The value of 'token' is an integer, not a string; give a string, or use the filter 'string'",
    ),
    (
        {"variables": {"hosts": "x"}},
        "Name 1 in variables is 'hosts', which Ansible reserves; choose another name for the variable",
    ),
    ({"path": "folder"}, "{folder}/folder is a folder; give the path of a vars file"),
    (
        {"path": "dangling.yml"},
        "{folder}/dangling.yml is a broken symbolic link; correct or remove it",
    ),
    (
        {"path": "another.yml"},
        "{folder}/another.yml cannot be decrypted with the vault secrets of this run; also load the secret that "
        "encrypted it, or, if that secret is lost and the file contains only tokens, delete the file",
    ),
    (
        {"path": "new.yml"},
        "This run has several vault secrets, 'default', 'dev', and nothing says which one to encrypt with; set "
        "vault_id to one of them",
    ),
    ({"path": "unquoted.yml"}, "{folder}/unquoted.yml has a template without quotes on line 1; put it in quotes first"),
    ({"path": "broken.yml"}, "{folder}/broken.yml is not valid YAML (line 2, column 1); correct it first"),
]
"""What replaces the default options, and the message."""


def test_invalid_input_gets_its_message_and_changes_nothing(project: Project) -> None:
    folder = project.folder
    (folder / "vars.yml").write_text("token: x\n")
    (folder / "broken.yml").write_text("token: 's3cr3t\n")
    (folder / "unquoted.yml").write_text("a: {{ s3cr3t }}\n")
    (folder / "folder").mkdir()
    (folder / "dangling.yml").symlink_to("nowhere")
    (folder / "another.yml").write_text("a: 1\n")
    project.command("ansible-vault", "encrypt", *project.vault_id_options("another"), str(folder / "another.yml"))
    before = file_texts(folder)
    tasks: list[dict[str, Any]] = []
    for number, (bad, _message) in enumerate(BAD_OPTIONS):
        options = {name: value for name, value in {**DEFAULT_OPTIONS, **bad}.items() if value is not None}
        tasks.append({**vaulted_vars(**options), "register": f"result{number}", "ignore_errors": True})
    results = "{{ [" + ", ".join(f"result{number}.msg" for number in range(len(tasks))) + "] | to_json }}"
    tasks.append({"ansible.builtin.copy": {"content": results, "dest": "{{ playbook_dir }}/results"}})

    output = project.play(tasks, "-vvv", vault_ids=["default", "dev"], environment=ENVIRONMENT)

    messages = [message.replace("{folder}", str(folder)) + "." for _bad, message in BAD_OPTIONS]
    assert json.loads((folder / "results").read_text()) == messages
    assert "s3cr3t" not in output
    assert "Traceback (most recent" not in output
    after = file_texts(folder)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"play.yml", "results"}


def test_a_run_without_vault_secrets_and_a_task_with_async_say_why_they_fail(project: Project) -> None:
    task = vaulted_vars(path="new.yml", variables=FROM_LOOKUP)
    loop = {
        **vaulted_vars(path="new.yml", variables={"a": "{{ item }}"}),
        "loop": list(FROM_LOOKUP.values()),
        "async": 9,
    }
    tasks = [{**task, "ignore_errors": True}, {**loop, "ignore_errors": True}]

    output = project.play(tasks, "-v", vault_ids=[], environment=ENVIRONMENT)

    assert "This run has no vault secret to encrypt with; start it with --vault-password-file, --vault-id or" in output
    assert re.search("ERROR.*does not run with async, because", output)
    assert "s3cr3t" not in output
    assert "Traceback" not in output
    assert file_texts(project.folder).keys() == {"play.yml"}


def test_a_vaulted_value_in_the_task_is_decrypted_first(project: Project) -> None:
    mine, theirs = (
        project.command(
            "ansible-vault", "encrypt_string", *project.vault_id_options(vault_id), "--name", "token", TOKEN
        )
        .replace("Encryption successful\n", "")
        .strip()
        for vault_id in ("default", "another")
    )
    for name, token in {"mine": mine, "theirs": theirs}.items():
        (project.folder / f"{name}.yml").write_text(token)
        task = f"- voucherify.oauth.vaulted_vars:\n    path: new.yml\n    variables:\n      {token}\n  register: edited"
        (project.folder / f"written_out_{name}.yml").write_text(task.replace("\n          ", "\n" + " " * 10))
    compare = {**vaulted_vars(path="new.yml", variables={"token": FROM_LOOKUP["token"]}), "register": "compared"}
    tasks = [
        {"ansible.builtin.include_tasks": "written_out_mine.yml"},
        compare,
        assert_that("edited is changed", "compared is not changed"),
        {**vaulted_vars(path="new.yml", variables={"token": "{{ token }}"}), "register": "edited"},
        assert_that("edited is not changed"),
        {"block": [{"ansible.builtin.include_tasks": "written_out_theirs.yml"}], "ignore_errors": True},
        assert_that("edited is failed", "'decrypt' in edited.msg"),
    ]

    output = project.play(tasks, vars_files=["mine.yml"], environment=ENVIRONMENT)

    assert "s3cr3t" not in output
    assert "Traceback" not in output


def test_digits_stay_a_string_with_native_types(project: Project) -> None:
    variables = {"token": "{{ lookup('env', 'DIGITS') | string }}"}
    tasks = [vaulted_vars(path="vars.yml", variables=variables), {"ansible.builtin.include_vars": {"file": "vars.yml"}}]

    project.play(
        [*tasks, assert_that("token == '4711'")],
        environment={"DIGITS": "4711", "ANSIBLE_JINJA2_NATIVE": "true"},
    )


def test_no_connection_is_made_and_the_hosts_of_a_play_take_turns(project: Project) -> None:
    hosts = [f"host{number}.invalid" for number in range(4)]
    variables = "{{ {'of_' ~ inventory_hostname.split('.')[0]: inventory_hostname} }}"

    project.play(
        [vaulted_vars(path="vars.yml", variables=variables)],
        *("-i", ",".join(hosts), "-c", "ssh"),
        hosts="all:!localhost",
        become=True,
    )

    project.play(
        [assert_that(*(f"of_host{number} == 'host{number}.invalid'" for number in range(4)))], vars_files=["vars.yml"]
    )


def test_eight_runs_at_once_lose_nothing(project: Project) -> None:
    runs = [
        project.start(
            [vaulted_vars(path="vars.yml", variables={f"token{number}": f"value {number}"})], name=f"play{number}"
        )
        for number in range(8)
    ]
    for run in runs:
        output, _nothing = run.communicate()
        assert run.returncode == 0, output

    project.play([assert_that(*(f"token{number} == 'value {number}'" for number in range(8)))], vars_files=["vars.yml"])


def test_check_mode_does_not_wait_for_another_run(project: Project) -> None:
    (project.folder / "vars.yml").write_text("a: 1\n")
    descriptor = os.open(project.folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    tasks = [
        {**vaulted_vars(path="vars.yml", variables={"b": "x"}), "register": "predicted"},
        assert_that("predicted is changed", "predicted.added == ['b']"),
    ]

    project.play(tasks, "--check")

    os.close(descriptor)
    assert (project.folder / "vars.yml").read_text() == "a: 1\n"


def test_values_move_to_another_vault_id_and_stay_there(project: Project) -> None:
    values = {"token": "{{ lookup('env', 'TOKEN') }}"}
    tasks = [
        vaulted_vars(path="vars.yml", vault_id="dev", variables={**FROM_LOOKUP}),
        {**vaulted_vars(path="vars.yml", vault_id="prod", variables=values), "register": "moved"},
        {**vaulted_vars(path="vars.yml", variables=values), "register": "kept"},
        assert_that(
            "moved.updated == ['token'] and moved.vault_id == 'prod'",
            "kept is not changed and kept.vault_id == 'prod'",
        ),
    ]

    project.play(tasks, vault_ids=["dev", "prod"], environment=ENVIRONMENT)

    # With the secret of only one id, only the values under that id can be read.
    for vault_id, name in (("prod", "token"), ("dev", "other")):
        compare = assert_that(f"{name} == lookup('env', '{name.upper()}')")
        project.play([compare], vault_ids=[vault_id], vars_files=["vars.yml"], environment=ENVIRONMENT)


def test_removing_plain_variables_needs_no_vault_secret(project: Project) -> None:
    (project.folder / "vars.yml").write_text("a: 1\nb:\n  user: x\n  # s3cr3t\nc: 2\n")
    tasks = [
        {**vaulted_vars(path="vars.yml", state="absent", names=["b"]), "register": "edited"},
        assert_that("edited.removed == ['b'] and edited.vault_id is not defined"),
    ]

    project.play(tasks, vault_ids=[])

    assert (project.folder / "vars.yml").read_text() == "a: 1\nc: 2\n"
