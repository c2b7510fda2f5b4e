# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action vaulted_tokens in a single run, as a user sees it."""

from __future__ import annotations

import stat
from typing import Any

import pytest
import yaml
from integration.plays import PASSWORDS, encrypted, inline
from integration.token_file import MODULE, NAMES, TOKENS, TokenFile
from leaks import find_secrets


def test_tokens_in_a_file_are_made_kept_and_replaced(vault: TokenFile) -> None:
    # Check mode makes nothing.
    run = vault.check(tokens=TOKENS)
    assert run.result["changed"] is True
    assert run.operations == dict.fromkeys(NAMES, "generated")
    assert not vault.path.exists()
    assert not vault.sandbox.tokens()

    run = vault.run(tokens=TOKENS)
    expected = {"changed": True, "path": str(vault.path), "format": "inline", "vault_id": "default"}
    assert run.result.items() >= expected.items()
    assert run.operations == dict.fromkeys(NAMES, "generated")
    for token, made in zip(TOKENS, run.result["tokens"]):
        assert made.items() >= {"scope": token["scope"], "vault_id": "default", "written": True}.items()
        assert 800 <= made["expires_in"] <= 900
        assert made["reason"].endswith(".")
    assert set(vault.variables().values()) == vault.live_tokens()
    assert list(vault.variables()) == NAMES
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    content = vault.path.read_bytes()

    # The second run changes nothing.
    run = vault.run(tokens=TOKENS)
    assert run.result["changed"] is False
    assert run.operations == dict.fromkeys(NAMES, "kept")
    assert not any(token["written"] for token in run.result["tokens"])
    assert vault.path.read_bytes() == content
    assert len(vault.sandbox.tokens()) == 3

    # Only tokens that expire soon are replaced.
    vault.sandbox.advance(700)
    assert vault.check(tokens=TOKENS).operations["vouchers_token"] == "replaced"
    assert len(vault.sandbox.tokens()) == 3
    run = vault.run(tokens=TOKENS)
    assert run.operations == {"vouchers_token": "replaced", "campaigns_token": "kept", "orders_token": "replaced"}
    assert "at least 300 s" in run.result["tokens"][0]["reason"]
    assert len(vault.live_tokens()) == 5


def test_tokens_that_are_removed_from_a_file_are_revoked(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS)
    # Replaced tokens are revoked on request.
    run = vault.run(tokens=TOKENS, force=True, revoke_replaced=True)
    assert run.operations == dict.fromkeys(NAMES, "replaced")
    assert set(vault.variables().values()) == vault.live_tokens()

    # One is no longer wanted.
    leaving = vault.variables()["orders_token"]
    tokens = [*TOKENS[:2], {"name": "orders_token", "state": "absent"}]
    run = vault.check(tokens=tokens)
    assert run.result["changed"] is True
    assert run.operations["orders_token"] == "revoked"
    assert leaving in vault.live_tokens()
    assert vault.run(tokens=tokens).operations["orders_token"] == "revoked"
    assert leaving not in vault.live_tokens()
    assert "orders_token" not in vault.variables()
    run = vault.run(tokens=tokens)
    assert run.result["changed"] is False
    assert run.operations["orders_token"] == "none"

    # All of them are revoked.
    assert vault.check(tokens=TOKENS, state="absent").result["changed"] is True
    run = vault.run(tokens=TOKENS, state="absent")
    assert run.result["changed"] is True
    no_token = dict.fromkeys(("scope", "expires_at", "expires_in", "vault_id"))
    assert all(entry.items() >= no_token.items() for entry in run.result["tokens"])
    assert vault.variables() == {}
    assert not vault.live_tokens()
    assert vault.run(tokens=TOKENS, state="absent").result["changed"] is False


def test_the_result_is_shown_with_names_and_reasons_and_without_secrets(vault: TokenFile) -> None:
    tasks = [
        vault.task(tokens=TOKENS),
        vault.task(tokens=TOKENS),
        vault.task({"check_mode": True}, tokens=TOKENS, force=True),
        vault.task(tokens=TOKENS, force=True, revoke_replaced=True),
        vault.task(tokens=TOKENS, state="absent"),
    ]
    run = vault.start("-vvvvv", "--diff", tasks=tasks).end()
    outputs = run.output.split("TASK [Save variables for the test]")[0].split(f"TASK [{MODULE}]")[1:]
    assert len(outputs) == len(tasks)
    for output, operation in zip(outputs, ("generated", "kept", "replaced", "replaced", "revoked")):
        assert f'"operation": "{operation}"' in output
        assert "vouchers_token" in output
        assert '"censored"' not in output
    assert f"{MODULE}: 3 generated" in outputs[0]
    assert "+vouchers_token: generated" in outputs[0]
    assert "+vouchers_token" not in outputs[1]
    assert not find_secrets(run.output, vault.sandbox, PASSWORDS["default"])


def test_a_token_in_plain_text_is_kept_and_vaulted(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS[:1])
    token = vault.variables()["vouchers_token"]
    vault.path.write_text(f"vouchers_token: {token}\nother: 1\n")
    run = vault.run(tokens=TOKENS[:1])
    assert run.operations == {"vouchers_token": "kept"}
    assert run.result["changed"] is True
    assert run.result["tokens"][0]["written"] is True
    assert run.result["tokens"][0]["reason"].endswith(" s. It was not encrypted; this task encrypts it.")
    assert "encrypts it" not in vault.run(tokens=TOKENS[:1]).result["tokens"][0]["reason"]
    assert token not in vault.path.read_text()
    assert vault.variables() == {"vouchers_token": token, "other": 1}


NO_TOKEN = ["choose another name"]
REFUSED_FILES: list[tuple[str, list[str]]] = [
    *((yaml.safe_dump({"vouchers_token": value}), NO_TOKEN) for value in (12, True, {"a": "b"}, ["a"], "not a token")),
    ("vouchers_token: '{{ another }}'\n", ["is a template", "if it only stands for another variable, list that one"]),
    ("vouchers_token: Bearer a-token\n", ["is the word Bearer and a token", "remove the word Bearer"]),
    ("vouchers_token: |\n  a-token\n", ["is a token with white space or a line break", "remove the white space"]),
    (f"vouchers_token: |\n  {inline('a', 'b', 'default')[11:].strip()}\n", ['has no tag "!vault"']),
    ("a: {\n", ["not valid YAML"]),
    (inline("vouchers_token", "a-token", "other"), ["vouchers_token", "cannot be decrypted"]),
    (encrypted("vouchers_token: a-token\n", "other"), ["cannot be decrypted"]),
]


def test_no_call_is_made_for_a_file_that_cannot_be_edited(vault: TokenFile) -> None:
    files = [vault.folder / f"{number}.yml" for number in range(len(REFUSED_FILES))]
    for file, (content, _words) in zip(files, REFUSED_FILES):
        file.write_text(content)
    results = vault.run_each([{"path": str(file), "tokens": TOKENS} for file in files])
    for file, (content, words), result in zip(files, REFUSED_FILES, results):
        assert result["failed"]
        assert all(word in result["msg"] for word in words), result["msg"]
        assert file.read_text() == content
    assert not vault.sandbox.requests()


@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_keys_of_the_task_are_not_taken_for_tokens(vault: TokenFile, state: str) -> None:
    keys = {"app_id": vault.sandbox.app_id, "app_token": vault.sandbox.app_token}
    vault.path.write_text(yaml.safe_dump(keys))
    before = vault.path.read_bytes()
    for result in vault.run_each([{"tokens": [{"name": name}], "state": state} for name in keys]):
        assert result["failed"]
        assert "is this task's own app_id or app_token, so it was left alone; choose another name" in result["msg"]
    assert vault.path.read_bytes() == before
    assert not vault.sandbox.requests()


@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_key_of_the_task_is_not_hidden_by_a_token_in_another_file(vault: TokenFile, state: str) -> None:
    keys = {
        "key_id": "{{ lookup('ansible.builtin.env', 'VOUCHERIFY_APP_ID') }}",
        "key_secret": "a-secret-of-the-project",
    }
    for name, check_mode in zip(keys, (True, False)):
        run = vault.run(
            tokens=[{"name": "new_token"}, {"name": name}],
            state=state,
            app_token="{{ key_secret }}",
            keywords={"vars": keys, "check_mode": check_mode},
        )
        assert run.failed
        assert f"The play's variable '{name}' is this task's own app_id or app_token" in run.message
    assert not vault.path.exists()
    assert not vault.sandbox.requests()


def test_an_empty_variable_counts_as_no_token(vault: TokenFile) -> None:
    vault.path.write_text("vouchers_token: ''\ncampaigns_token: ''\norders_token:\nanother:\n")
    leaving = [{"name": name, "state": "absent"} for name in ("campaigns_token", "another")]
    run = vault.run(tokens=[TOKENS[0], TOKENS[2], *leaving])
    assert list(run.operations.values()) == ["generated", "generated", "none", "none"]
    assert list(vault.variables()) == ["vouchers_token", "orders_token"]
    assert not vault.sandbox.calls("revoke")


BAD_INPUT: list[tuple[dict[str, Any], list[str]]] = [
    ({"tokens": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}, ["tokens[2]", "name"]),
    ({"tokens": [{"name": "a"}, {"name": "a-b"}]}, ["tokens[1]", "name"]),
    ({"tokens": [{"name": "ansible_password"}]}, ["tokens[0].name begins with ansible_"]),
    ({"tokens": [{"name": "a", "scope": ["vouchers,orders"]}]}, ["tokens[0]", "scope"]),
    ({"tokens": [{"name": "a", "min_expires_in": 900}]}, ["tokens[0]", "min_expires_in"]),
    ({"tokens": []}, ["tokens"]),
    ({"tokens": [{"name": "a"}], "vault_id": "three"}, ["in vault_id"]),
    ({"tokens": [{"name": "a"}], "api_base_url": "http://example.org"}, ["https"]),
]


def test_invalid_input_gets_a_short_message_and_makes_no_token(vault: TokenFile) -> None:
    vault.path.write_text("# a comment\nother: value\n")
    results = vault.run_each([options for options, _words in BAD_INPUT])
    for (options, words), result in zip(BAD_INPUT, results):
        assert result["failed"], options
        assert all(word in result["msg"] for word in words), (options, result["msg"])
        assert result["msg"].rstrip(".").count(". ") <= 1, (options, result["msg"])
    run = vault.run(tokens=TOKENS, keywords={"environment": {"VOUCHERIFY_APP_TOKEN": ""}})
    assert "app_token" in run.message
    assert "on the controller" in run.message
    assert vault.path.read_text() == "# a comment\nother: value\n"
    assert not vault.other_files()
    assert not vault.sandbox.requests()


def test_a_refused_scope_names_its_token_and_keeps_the_others_in_the_file(vault: TokenFile) -> None:
    tokens = [{"name": "first", "scope": ["vouchers"]}, {"name": "second", "scope": ["no-such-scope"]}, *TOKENS[1:2]]
    run = vault.run(tokens=tokens)
    assert run.message.startswith("second: Cannot generate a token")
    assert run.result["error"]["key"] == "invalid_scope"
    assert not vault.lost_tokens()
    variables = vault.variables()
    assert "second" not in variables
    assert f"{vault.path} contains {len(variables)} of the 3 tokens" in run.message
    made = len(vault.sandbox.tokens())
    tokens[1]["scope"] = ["orders"]
    run = vault.run(tokens=tokens)
    assert len(vault.sandbox.tokens()) == 3
    assert list(run.operations.values()).count("generated") == 3 - made
    assert not vault.lost_tokens()


def test_a_failed_introspection_changes_nothing(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS)
    before = vault.path.read_bytes()
    vault.sandbox.fail("introspect", skip=1, status=403)
    run = vault.run(tokens=[*TOKENS, {"name": "another"}])
    assert "Cannot introspect the token" in run.message
    assert vault.path.read_bytes() == before
    assert len(vault.sandbox.tokens()) == 3


def test_a_token_that_two_variables_share_is_revoked_once_and_only_when_neither_keeps_it(vault: TokenFile) -> None:
    one, two = ({"name": name, "scope": ["vouchers"]} for name in ("one", "two"))
    vault.run(tokens=[one])
    token = vault.variables()["one"]
    shared = f"one: {token}\ntwo: {token}\n"

    vault.path.write_text(shared)
    run = vault.run(tokens=[one, {"name": "two", "state": "absent"}])
    assert run.operations == {"one": "kept", "two": "none"}
    assert "Another listed variable" in run.result["tokens"][1]["reason"]
    assert vault.live_tokens() == {token}

    vault.path.write_text(shared)
    run = vault.run(tokens=[{"name": "one", "scope": ["orders"]}, two], revoke_replaced=True)
    assert run.operations == {"one": "replaced", "two": "kept"}
    assert token in vault.live_tokens()

    vault.path.write_text(shared)
    leaving = [one, {"name": "two", "state": "absent"}]
    runs = [way(tokens=leaving, force=True, revoke_replaced=True) for way in (vault.check, vault.run)]
    assert [run.operations for run in runs] == [{"one": "replaced", "two": "revoked"}] * 2
    predicted, done = ([entry["reason"] for entry in run.result["tokens"]] for run in runs)
    assert predicted == done
    assert len(vault.sandbox.calls("revoke")) == 1
    assert token not in vault.live_tokens()


def test_a_wrong_project_is_suspected_when_a_token_to_revoke_is_not_known(vault: TokenFile) -> None:
    suspicion = "check that app_id and api_base_url belong to the project"
    tokens = TOKENS[:2]
    vault.run(tokens=tokens)
    one, two = vault.variables().values()
    # This task itself revokes the tokens that are to be absent.
    vault.path.write_text(yaml.safe_dump(dict(zip(["vouchers_token", "campaigns_token", "a", "b"], [one, two] * 2))))
    absent = [{"name": name, "state": "absent"} for name in ("a", "b")]
    run = vault.run(tokens=[*tokens, *absent], force=True, revoke_replaced=True)
    assert not run.failed
    assert suspicion not in str(run.result.get("warnings"))
    assert not vault.lost_tokens()

    # Another project does not know the tokens either.
    vault.sandbox.reset()
    before = vault.path.read_bytes()
    for listed in (TOKENS, TOKENS[:1], [{"name": "new"}, {**TOKENS[0], "state": "absent"}]):
        vault.path.write_bytes(before)
        run = vault.run(tokens=listed, state="present" if len(listed) == 2 else "absent")
        assert suspicion in str(run.result["warnings"])
    vault.path.write_bytes(before)
    run = vault.run(tokens=TOKENS, state="absent")
    assert suspicion in str(run.result["warnings"])
    assert run.operations == dict.fromkeys(NAMES, "none")
    assert "for this API key at this base URL" in run.result["tokens"][0]["reason"]
    assert "2 removed without revoking a token, 1 already absent in" in run.message
    assert "at this base URL: 2 of the tokens to revoke" in run.message
    assert "they belong to another project or region" in run.message


def test_a_token_that_cannot_be_revoked_keeps_its_variable(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS)
    vault.sandbox.fail("revoke", skip=1, status=403)
    run = vault.run(tokens=TOKENS, state="absent")
    assert "Cannot revoke the token" in run.message
    assert "contains every token" not in run.message
    assert len(vault.live_tokens()) >= 1
    assert not vault.lost_tokens()
    assert not vault.run(tokens=TOKENS, state="absent").failed
    assert not vault.live_tokens()


def test_a_replaced_token_that_cannot_be_revoked_fails_the_task_and_keeps_the_new_one(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS[:1])
    old = vault.variables()["vouchers_token"]
    vault.sandbox.fail("revoke", status=403)
    run = vault.run(tokens=TOKENS[:1], force=True, revoke_replaced=True)
    assert run.failed
    assert "could not be revoked and expire within 15 minutes (vouchers_token). Cannot revoke" in run.message
    assert "run the play again" not in run.message
    assert vault.lost_tokens() == {old}
    assert run.operations == {"vouchers_token": "replaced"}


def test_a_file_that_is_encrypted_as_a_whole_keeps_its_format_and_a_change_of_mode_is_in_the_diff(
    vault: TokenFile,
) -> None:
    run = vault.run(tokens=TOKENS[:1], format="file", mode="0640")
    assert run.result["format"] == "file"
    assert vault.path.read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o640
    assert vault.run(tokens=TOKENS).operations["vouchers_token"] == "kept"
    assert set(vault.variables().values()) == vault.live_tokens()
    assert vault.run(tokens=TOKENS, format="inline").failed
    for check_mode in (True, False):
        run = vault.run(keywords={"check_mode": check_mode, "diff": True}, tokens=TOKENS, mode="0600")
        assert run.result["changed"]
        assert "-mode: 0640\n+mode: 0600\n" in run.output


def test_naming_a_vault_id_encrypts_kept_tokens_again(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS)
    tokens = vault.variables()
    run = vault.run(tokens=TOKENS, vault_id="staging")
    assert run.operations == dict.fromkeys(NAMES, "kept")
    assert run.result["changed"] is True
    assert {token["vault_id"] for token in run.result["tokens"]} == {"staging"}
    assert vault.path.read_text().count(";staging") == 3
    assert vault.variables() == tokens
    assert vault.run(tokens=TOKENS).result["changed"] is False


def test_a_scope_that_was_not_asked_for_causes_a_warning(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", replace={"scope": "api"})
    run = vault.run(tokens=TOKENS[:1])
    assert not run.failed
    assert "vouchers_token: The scope 'vouchers'" in run.unwrapped


def test_a_failure_after_the_last_token_was_made_says_that_the_file_is_complete(vault: TokenFile) -> None:
    vault.run(tokens=TOKENS)
    vault.sandbox.fail("revoke", status=403)
    run = vault.run(tokens=[*TOKENS[:2], {"name": "orders_token", "state": "absent"}])
    assert run.message.startswith("orders_token: Cannot revoke")
    assert run.message.endswith(f"{vault.path} contains every token that this task lists as present.")


def test_a_variable_of_the_same_name_elsewhere_is_told_when_its_token_is_made(vault: TokenFile) -> None:
    # Names of their own, because other tests load theirs into the same play.
    tokens = [{"name": "told_token"}, {"name": "untold_token"}]
    elsewhere = {"vars": {"told_token": "{{ 1 / 0 }}"}}
    warning = "told_token: The play already has a variable of this name from somewhere else"
    runs = [vault.run(tokens=tokens, keywords={**elsewhere, "check_mode": check}) for check in (True, False)]
    for run in runs:
        assert [text[: len(warning)] for text in run.result["warnings"]] == [warning]
    # The play may have loaded the file itself.
    assert "warnings" not in vault.run(tokens=tokens, keywords=elsewhere, force=True).result


def test_a_failure_in_a_loop_names_the_file(vault: TokenFile) -> None:
    vault.sandbox.fail("generate", status=403, times=2)
    paths = [vault.folder / name for name in ("one.yml", "two.yml")]
    loop = {"loop": [*map(str, paths)]}
    run = vault.run(path="{{ item }}", tokens=TOKENS[:1], keywords=loop)
    refused = vault.run(path="{{ item }}", tokens=[], keywords=loop)
    for path, failed, wrong in zip(paths, run.result["results"], refused.result["results"], strict=True):
        assert failed["msg"].startswith(f"{path}: vouchers_token: Cannot generate a token")
        assert wrong["msg"].startswith(f"{path}: tokens is an empty list")
    assert not vault.run(tokens=[]).message.startswith("/")


@pytest.mark.parametrize("way", ["worker", pytest.param("module", marks=pytest.mark.thorough)])
def test_it_runs_on_the_controller_whatever_the_keywords_say_and_shows_no_secret(vault: TokenFile, way: str) -> None:
    inventory = vault.home / "inventory"
    inventory.write_text("far.invalid\naway.invalid ansible_python_interpreter=/nonexistent/python\n")
    shell = {"ansible_shell_type": "powershell", "ansible_shell_executable": "/nowhere/ksh"}
    environment = {"VOUCHERIFY_APP_TOKEN": "{{ lookup('env', 'KEY') }}"}
    if way == "module":
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    run = vault.start(
        *("-vvvvv", "-i", str(inventory)),
        tokens=TOKENS,
        environment={"KEY": vault.sandbox.app_token, "VOUCHERIFY_APP_TOKEN": ""},
        keywords={"become": True, "become_user": "nobody", "delegate_to": "away.invalid", "environment": environment},
        play={"hosts": "far.invalid", "connection": "ssh", "vars": shell},
    ).end()
    assert run.operations == dict.fromkeys(NAMES, "generated")
    assert ("executes a module for each token" in run.output) is (way == "module")
    assert set(vault.variables().values()) == vault.live_tokens()
    assert not find_secrets(run.output, vault.sandbox, PASSWORDS["default"])


@pytest.mark.parametrize("way", ["worker", pytest.param("module", marks=pytest.mark.thorough)])
def test_a_lost_token_is_reported_although_a_later_try_succeeds(vault: TokenFile, way: str) -> None:
    environment = {"PYTHONDONTWRITEBYTECODE": "1"} if way == "module" else {}
    vault.sandbox.fail("generate", cut=True, carried_out=True)
    until = {"until": "outcome is succeeded", "retries": 2, "delay": 0}
    # A name of its own, because a play shows a warning only once.
    name = f"token_of_the_{way}"
    run = vault.run(tokens=[{"name": name}], keywords={**until, "environment": environment})
    assert not run.failed
    assert len(vault.lost_tokens()) == 1
    assert f"{name}: The failed call may have made a token that was lost." in run.unwrapped
    assert "The next run continues with the tokens that are in the file." in run.unwrapped
