# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action vaulted_vars in real runs. ansible-core reads what it wrote."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from integration.long_play import LongPlay
from integration.plays import PASSWORDS, Play, Task, assert_that, vault_of

MODULE = "voucherify.oauth.vaulted_vars"
TOKEN, OTHER = "s3cr3t.token/one", "s3cr3t.token/two"
# From a lookup, so that the playbook contains no value that Ansible could quote.
FROM_LOOKUP = {"token": "{{ lookup('env', 'TOKEN') }}", "other": "{{ lookup('env', 'OTHER') }}"}
ENVIRONMENT = {"TOKEN": TOKEN, "OTHER": OTHER}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder. The vault passwords are outside, so that a test can search all that a run leaves in it."""
    folder = tmp_path / "group_vars"
    folder.mkdir()
    return folder


def vaulted_vars(register: str = "edited", **options: Any) -> dict[str, Any]:
    """Return a task that runs vaulted_vars with these options."""
    return {"name": "Edit", MODULE: options, "register": register}


def file_texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_variables_are_added_updated_and_removed_without_showing_a_value(play: Play, folder: Path) -> None:
    path = "group_vars/all/tokens.yml"
    tasks: list[Task] = [
        {**vaulted_vars("predicted", path=path, variables=FROM_LOOKUP), "check_mode": True},
        assert_that(
            "predicted is changed",
            "predicted.added == ['other', 'token']",
            "(playbook_dir ~ '/group_vars/all') is not exists",
        ),
        vaulted_vars("first", path=path, variables=FROM_LOOKUP),
        assert_that(
            "first is changed",
            "first.path == playbook_dir ~ '/' ~ 'group_vars/all/tokens.yml'",
            "first.added == ['other', 'token']",
            "first.updated == [] and first.removed == [] and first.unchanged == []",
            "first.vault_id == 'default' and first.format == 'inline'",
            "first.backup_file is not defined",
        ),
        # The keyword environment has an effect.
        {
            **vaulted_vars("second", path="$OF_TASK/all/tokens.yml", variables=FROM_LOOKUP),
            "environment": {"OF_TASK": "group_vars"},
        },
        assert_that("second is not changed", "second.unchanged == ['other', 'token']", "second.added == []"),
        vaulted_vars("third", path=path, variables={"token": FROM_LOOKUP["other"]}, backup=True, mode="0640"),
        assert_that(
            "third is changed", "third.updated == ['token']", "third.backup_file is search('/[.]tokens.yml[^/]*~$')"
        ),
        vaulted_vars("fourth", path=path, names=["token", "nothing"], state="absent"),
        assert_that("fourth.removed == ['token']", "fourth.unchanged == ['nothing']", "fourth.vault_id is not defined"),
    ]
    log = folder.parent / "log"

    environment = {**ENVIRONMENT, "ANSIBLE_LOG_PATH": str(log)}
    output = play(tasks, "-vvv", "--diff", vault_ids=["default"], environment=environment).output
    for text in (output, log.read_text(), *file_texts(folder).values()):
        assert "s3cr3t" not in text
        assert PASSWORDS["default"] not in text
    assert "+other: (new value, vaulted)\n+token: (new value, vaulted)\n" in output
    assert "-mode: 0600\n-token: (old value)\n+mode: 0640\n+token: (new value, vaulted)\n" in output
    assert "-token: (old value)\n" in output.split("mode: 0640")[-1]
    assert "$ANSIBLE_VAULT" not in output
    assert not re.search("WARNING|DEPRECATION", output)


def test_a_loop_over_values_shows_none_and_its_failures_stay_readable(play: Play) -> None:
    # An item may contain the value in parts.
    items = [{"name": "token", "halves": ["{{ lookup('env', 'TOKEN')[:12] }}", "{{ lookup('env', 'TOKEN')[12:] }}"]}]
    items += [{"name": "bad-name", "halves": [FROM_LOOKUP["other"], ""]}]
    loop = {"loop": items, "loop_control": {"extended": True}, "ignore_errors": True}
    tasks = [
        {**vaulted_vars(path="tokens.yml", variables="{{ {item.name: item.halves | join} }}"), **loop},
        assert_that("edited is failed", "edited.results[0].added == ['token']"),
        {**vaulted_vars(path="tokens.yml", state="absent", names=["{{ item.name }}"]), **loop},
        assert_that("edited is failed", "edited.results[0].removed == ['token']"),
    ]

    output = play(tasks, "-vvv", "--diff", vault_ids=["default"], environment=ENVIRONMENT).output
    assert "s3cr3t" not in output
    assert re.search(r"ERROR.* Name 1 in variables contains the character '-'", output)
    assert "names[0] contains the character '-'" in " ".join(output.split())


@pytest.mark.parametrize("vault_format", ["inline", pytest.param("file", marks=pytest.mark.thorough)])
def test_ansible_reads_what_was_written(play: Play, folder: Path, long_play: LongPlay, vault_format: str) -> None:
    home = folder.parent
    (folder / "all").mkdir()
    (folder / "all" / "others.yml").write_text("plain: kept\n")
    values = {"group_vars/all/a.yml": "of_group", "vars.yml": "of_play", "vars/included.yml": "of_include"}
    vault_ids = ["default", "staging", "staging"]
    tasks = [
        vaulted_vars(
            path=str(home / path), format=vault_format, vault_id=vault_id, backup=True, variables={name: value}
        )
        for (path, name), vault_id in zip(values.items(), vault_ids)
        # A second write makes a backup, which Ansible must not load.
        for value in ("first", f"{name[3]} {{{{ '{{{{ x }}}}' }}}}")
    ]
    long_play.run([*tasks, vaulted_vars(path=str(home / "vars/included.yml"), variables={"more": "m"})])

    read = [
        assert_that("of_group == 'g {' ~ '{ x }}'", "of_play == 'p {' ~ '{ x }}'", "plain == 'kept'"),
        {"ansible.builtin.include_vars": {"file": "included.yml", "name": "included"}},
        assert_that("included == {'of_include': 'i {' ~ '{ x }}', 'more': 'm'}"),
    ]
    run = play(read, "-vvv", vault_ids=["default", "staging"], vars_files=["vars.yml"])
    assert ".vaulted_vars" not in run.output
    headers = [path.read_text().split("$")[1].split("\n")[0] for path in map(home.joinpath, values)]
    assert headers == ["ANSIBLE_VAULT;1.1;AES256", *["ANSIBLE_VAULT;1.2;AES256;staging"] * 2]
    if vault_format == "file":
        shown = vault_of("staging").decrypt((home / "vars" / "included.yml").read_bytes()).decode()
        assert shown == '---\nof_include: !unsafe "i {{ x }}"\nmore: "m"\n'


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"variables": None, "state": "present"}, "state is present but all of the following are missing: variables"),
    ({"names": ["a"]}, "parameters are mutually exclusive: variables|names"),
    ({"path": ""}, "path does not name a file; give the path of a vars file"),
    ({"variables": "not a mapping=="}, "variables must be a mapping, but it is a string"),
    ({"mode": 0o600}, "mode must be an octal number in quotes, such as '0600'"),
    # What a filter makes of 0640 without quotes, up to ansible-core 2.18.
    ({"mode": "416"}, "mode must be an octal number in quotes, such as '0600'"),
    (
        {"path": "{folder}/all/new.yml"},
        "A new folder {folder}/all would make Ansible ignore {folder}/all.yml; first move that file into the folder:"
        ' "mkdir {folder}/all" and "mv {folder}/all.yml {folder}/all/"',
    ),
    ({"path": "{folder}/broken.yml"}, "{folder}/broken.yml is not valid YAML (line 2, column 1); correct it first"),
]
"""What replaces the default options, and the message."""


def test_invalid_input_gets_its_message_and_changes_nothing(folder: Path, long_play: LongPlay) -> None:
    (folder / "vars.yml").write_text("token: x\n")
    (folder / "broken.yml").write_text("token: 's3cr3t\n")
    (folder / "all.yml").touch()
    before = file_texts(folder)
    good = {"path": str(folder / "vars.yml"), "variables": {"token": "a new value"}}
    results = [f"result{number}" for number in range(len(BAD_OPTIONS))]
    tasks = []
    for result, (bad, _message) in zip(results, BAD_OPTIONS):
        options = {name: value for name, value in {**good, **bad}.items() if value is not None}
        if "path" in options:
            options["path"] = options["path"].replace("{folder}", str(folder))
        tasks.append({**vaulted_vars(result, **options), "ignore_errors": True})

    done = long_play.run(tasks, results)

    messages = [message.replace("{folder}", str(folder)) + "." for _bad, message in BAD_OPTIONS]
    assert [done.variables[result]["msg"] for result in results] == messages
    assert "s3cr3t" not in done.output
    assert file_texts(folder) == before


def test_without_a_vault_secret_nothing_is_written_and_only_plain_variables_can_be_removed(
    play: Play, folder: Path
) -> None:
    (folder / "plain.yml").write_text("a: 1\nb:\n  user: x\n  # s3cr3t\nc: 2\n")
    new = str(folder / "new.yml")
    loop = {"loop": list(FROM_LOOKUP.values()), "async": 9, "ignore_errors": True}
    tasks = [
        {**vaulted_vars("variables", path=new, variables=FROM_LOOKUP), "ignore_errors": True},
        {
            "voucherify.oauth.vaulted_tokens": {
                "path": new,
                "tokens": [{"name": "a"}],
                "app_id": "a",
                "app_token": "a-key-that-no-call-uses",
            },
            "register": "tokens",
            "ignore_errors": True,
        },
        assert_that("'This run has no vault secret to encrypt with; start it with' in variables.msg"),
        assert_that("'This run has no vault secret to encrypt with; start it with' in tokens.msg"),
        {**vaulted_vars(path=new, variables={"a": "{{ item }}"}), **loop},
        vaulted_vars(path=str(folder / "plain.yml"), state="absent", names=["b"]),
        assert_that("edited.removed == ['b'] and edited.vault_id is not defined"),
    ]

    output = play(tasks, "-v", environment=ENVIRONMENT).output
    assert re.search("ERROR.*does not run with async, because", output)
    assert "s3cr3t" not in output
    assert file_texts(folder) == {"plain.yml": "a: 1\n  # s3cr3t\nc: 2\n"}


def test_no_connection_is_made_and_the_hosts_of_a_play_take_turns(play: Play) -> None:
    hosts = [f"host{number}.invalid" for number in range(4)]
    variables = "{{ {'of_' ~ inventory_hostname.split('.')[0]: inventory_hostname} }}"
    tasks = [
        vaulted_vars(path="vars.yml", variables=variables),
        {"ansible.builtin.include_vars": {"file": "vars.yml"}},
        assert_that(*(f"of_host{number} == 'host{number}.invalid'" for number in range(4))),
    ]
    inventory = ("-i", ",".join(hosts), "-c", "ssh")
    play(tasks, *inventory, vault_ids=["default"], hosts="all:!localhost", become=True)
