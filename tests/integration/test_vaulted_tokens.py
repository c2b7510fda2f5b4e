# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action vaulted_tokens in a single run, as a user sees it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from integration.token_file import MODULE, PASSWORD, TokenFile, numbered_tokens
from leaks import find_secrets
from sandbox import Sandbox

TOKENS: tuple[dict[str, Any], ...] = (
    {"name": "vouchers_token", "scope": ["vouchers"]},
    {"name": "campaigns_token", "scope": ["campaigns"], "min_expires_in": 60},
    {"name": "orders_token", "scope": ["orders"]},
)
NAMES = [token["name"] for token in TOKENS]


@pytest.fixture
def vault(tmp_path: Path, sandbox: Sandbox) -> TokenFile:
    return TokenFile(tmp_path, sandbox)


def test_tokens_in_a_file_are_made_kept_and_replaced(vault: TokenFile) -> None:
    # Check mode makes nothing.
    run = vault.run("--check", tokens=TOKENS)
    assert run.status == 0, run.output
    assert run.result["changed"] is True
    assert run.operations == dict.fromkeys(NAMES, "generated")
    assert not vault.path.exists()
    assert not vault.sandbox.tokens()

    run = vault.run(tokens=TOKENS)
    assert run.status == 0, run.output
    assert run.result["changed"] is True
    assert run.result["path"] == str(vault.path)
    assert run.result["format"] == "inline"
    assert run.operations == dict.fromkeys(NAMES, "generated")
    for token, made in zip(TOKENS, run.result["tokens"]):
        assert made["scope"] == token["scope"]
        assert 890 <= made["expires_in"] <= 900
        assert made["vault_id"] == "default"
        assert made["written"] is True
        assert made["reason"].endswith(".")
    assert set(vault.variables().values()) == vault.live_tokens()
    assert list(vault.variables()) == NAMES
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    content = vault.path.read_bytes()

    # The second run changes nothing.
    run = vault.run(tokens=TOKENS)
    assert run.result["changed"] is False
    assert run.operations == dict.fromkeys(NAMES, "kept")
    assert run.result["vault_id"] == "default"
    assert not any(token["written"] for token in run.result["tokens"])
    assert vault.path.read_bytes() == content
    assert len(vault.sandbox.tokens()) == 3

    # Only tokens that expire soon are replaced.
    vault.sandbox.advance(700)
    assert vault.run("--check", tokens=TOKENS).operations["vouchers_token"] == "replaced"
    assert len(vault.sandbox.tokens()) == 3
    run = vault.run(tokens=TOKENS)
    assert run.operations == {"vouchers_token": "replaced", "campaigns_token": "kept", "orders_token": "replaced"}
    assert "at least 300 s" in run.result["tokens"][0]["reason"]
    assert len(vault.live_tokens()) == 5


def test_tokens_that_are_removed_from_a_file_are_revoked(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS).status == 0

    # Replaced tokens are revoked on request.
    run = vault.run(tokens=TOKENS, force=True, revoke_replaced=True)
    assert run.operations == dict.fromkeys(NAMES, "replaced")
    assert set(vault.variables().values()) == vault.live_tokens()

    # One is no longer wanted.
    leaving = vault.variables()["orders_token"]
    tokens = [*TOKENS[:2], {"name": "orders_token", "state": "absent"}]
    run = vault.run("--check", tokens=tokens)
    assert run.result["changed"] is True
    assert run.operations["orders_token"] == "revoked"
    assert leaving in vault.live_tokens()
    assert vault.run(tokens=tokens).operations["orders_token"] == "revoked"
    assert leaving not in vault.live_tokens()
    assert "orders_token" not in vault.variables()
    run = vault.run(tokens=tokens)
    assert run.result["changed"] is False
    assert run.operations["orders_token"] == "none"
    no_token = dict.fromkeys(("scope", "expires_at", "expires_in", "vault_id"))
    assert run.result["tokens"][2].items() >= no_token.items()

    # All of them are revoked.
    assert vault.run("--check", tokens=TOKENS, state="absent").result["changed"] is True
    run = vault.run(tokens=TOKENS, state="absent")
    assert run.result["changed"] is True
    assert "vault_id" not in run.result
    assert all(entry.items() >= no_token.items() for entry in run.result["tokens"])
    assert vault.variables() == {}
    assert not vault.live_tokens()
    assert vault.run(tokens=TOKENS, state="absent").result["changed"] is False


def test_the_result_is_shown_with_names_and_reasons_and_without_secrets(vault: TokenFile) -> None:
    outputs = [
        vault.run("-vvvvv", "--diff", tokens=TOKENS).output,
        vault.run("-vvvvv", "--diff", tokens=TOKENS).output,
        vault.run("-vvvvv", "--diff", "--check", tokens=TOKENS, force=True).output,
        vault.run("-vvvvv", "--diff", tokens=TOKENS, force=True, revoke_replaced=True).output,
        vault.run("-vvvvv", "--diff", tokens=TOKENS, state="absent").output,
    ]
    for output, operation in zip(outputs, ("generated", "kept", "replaced", "replaced", "revoked")):
        assert f'"operation": "{operation}"' in output
        assert "vouchers_token" in output
        assert '"censored"' not in output.split("TASK [ansible.builtin.copy]")[0]
        assert not find_secrets(output, vault.sandbox, PASSWORD)
    assert f"{MODULE}: 3 generated" in outputs[0]
    assert "+vouchers_token: generated" in outputs[0]
    assert "+vouchers_token" not in outputs[1]


def test_only_the_listed_variables_are_decrypted(vault: TokenFile) -> None:
    vault.passwords["other"] = "another password"
    other = TokenFile(vault.home, vault.sandbox)
    other.passwords = vault.passwords
    assert other.run(tokens=TOKENS[:1], vault_ids=["other"]).status == 0
    # This run cannot decrypt the first variable.
    run = vault.run(tokens=TOKENS[1:], vault_ids=["default"])
    assert run.status == 0, run.output
    assert set(vault.variables()) == set(NAMES)
    # One that is listed must be decrypted.
    before = vault.path.read_bytes()
    calls = len(vault.sandbox.requests())
    run = vault.run(tokens=TOKENS, vault_ids=["default"])
    assert run.status != 0
    assert "vouchers_token" in run.message
    assert "cannot be decrypted" in run.message
    assert vault.path.read_bytes() == before
    assert len(vault.sandbox.requests()) == calls


def test_a_token_in_plain_text_is_kept_and_vaulted(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS[:1]).status == 0
    token = vault.variables()["vouchers_token"]
    vault.write({"vouchers_token": token, "other": 1})
    run = vault.run(tokens=TOKENS[:1])
    assert run.operations == {"vouchers_token": "kept"}
    assert run.result["changed"] is True
    assert run.result["tokens"][0]["written"] is True
    assert token not in vault.path.read_text()
    assert vault.variables() == {"vouchers_token": token, "other": 1}


def test_a_value_that_cannot_be_a_token_is_left_alone(vault: TokenFile) -> None:
    values = [12, 1.5, True, {"a": "b"}, ["a"], "{{ lookup('env', 'HOME') }}", "not a token"]
    files = [vault.folder / f"{number}.yml" for number in range(len(values))]
    for file, value in zip(files, values):
        file.write_text(yaml.safe_dump({"vouchers_token": value}))
    before = [file.read_bytes() for file in files]
    tasks = [{"path": str(file), "tokens": TOKENS, "state": state} for file in files for state in ("present", "absent")]
    for result in vault.run_each(tasks):
        assert result["failed"]
        assert "'vouchers_token'" in result["msg"]
        assert "choose another name" in result["msg"]
    assert [file.read_bytes() for file in files] == before
    assert not vault.sandbox.requests()


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_counts_as_no_token(vault: TokenFile, value: Any) -> None:
    vault.write({"vouchers_token": value, "campaigns_token": value})
    run = vault.run(tokens=[TOKENS[0], {"name": "campaigns_token", "state": "absent"}])
    assert run.status == 0, run.output
    assert run.operations == {"vouchers_token": "generated", "campaigns_token": "none"}
    assert list(vault.variables()) == ["vouchers_token"]
    assert not vault.sandbox.calls("revoke")


BAD_INPUT: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a name twice": ({"tokens": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}, ["tokens[2]", "name"]),
    "a name that cannot be a variable": ({"tokens": [{"name": "a"}, {"name": "a-b"}]}, ["tokens[1]", "name"]),
    "a reserved name": ({"tokens": [{"name": "hosts"}]}, ["tokens[0]", "name"]),
    "no name": ({"tokens": [{"scope": ["vouchers"]}]}, ["tokens[0]", "name"]),
    "scope null": ({"tokens": [{"name": "a"}, {"name": "b", "scope": None}]}, ["tokens[1]", "scope"]),
    "scope empty": ({"tokens": [{"name": "a", "scope": []}]}, ["tokens[0]", "scope"]),
    "scope with an empty value": ({"tokens": [{"name": "a", "scope": ["vouchers", ""]}]}, ["tokens[0]", "scope"]),
    "scope with a comma": ({"tokens": [{"name": "a", "scope": ["vouchers,orders"]}]}, ["tokens[0]", "scope"]),
    "an unknown key": ({"tokens": [{"name": "a", "scopes": ["vouchers"]}]}, ["tokens[0]", "scopes"]),
    "min_expires_in too large": ({"tokens": [{"name": "a", "min_expires_in": 900}]}, ["tokens[0]", "min_expires_in"]),
    "min_expires_in negative": ({"tokens": [{"name": "a", "min_expires_in": -1}]}, ["tokens[0]", "min_expires_in"]),
    "min_expires_in for all": ({"tokens": [{"name": "a"}], "min_expires_in": 900}, ["min_expires_in"]),
    "an unknown state": ({"tokens": [{"name": "a", "state": "gone"}]}, ["tokens[0]", "state"]),
    "no tokens": ({"tokens": []}, ["tokens"]),
    "tokens missing": ({}, ["tokens"]),
    "a string for tokens": ({"tokens": [["a"]]}, ["tokens"]),
    "an unknown option": ({"tokens": [{"name": "a"}], "tokenz": []}, ["tokenz"]),
    "a mode without quotes": ({"tokens": [{"name": "a"}], "mode": 416}, ["mode"]),
    "a folder": ({"tokens": [{"name": "a"}], "path": "/tmp"}, ["folder"]),
    "a vault id that is not loaded": ({"tokens": [{"name": "a"}], "vault_id": "three"}, ["in vault_id"]),
    "a base URL without https": ({"tokens": [{"name": "a"}], "api_base_url": "http://example.org"}, ["https"]),
}


def test_invalid_input_gets_a_short_message_and_makes_no_token(vault: TokenFile) -> None:
    vault.path.write_text("# a comment\nother: value\n")
    results = vault.run_each([options for options, _words in BAD_INPUT.values()])
    for case, (_options, words), result in zip(BAD_INPUT, BAD_INPUT.values(), results):
        assert result["failed"], case
        for word in words:
            assert word in result["msg"], (case, result["msg"])
        assert result["msg"].rstrip(".").count(". ") <= 1, (case, result["msg"])
    assert vault.path.read_text() == "# a comment\nother: value\n"
    assert not vault.other_files()
    assert not vault.sandbox.requests()


MISSING_SECRETS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no vault secret": ({"vault_ids": []}, ["vault secret"]),
    "several vault ids": ({"vault_ids": ["one", "two"]}, ["one", "two"]),
    "no keys": ({"environment": {"VOUCHERIFY_APP_TOKEN": ""}}, ["app_token", "on the controller"]),
}


@pytest.mark.parametrize(("how", "words"), MISSING_SECRETS.values(), ids=MISSING_SECRETS)
def test_no_token_is_made_without_a_vault_secret_or_an_api_key(
    vault: TokenFile, how: dict[str, Any], words: list[str]
) -> None:
    vault.passwords.update(one="the first password", two="the second password")
    run = vault.run(tokens=TOKENS, **how)
    assert run.status != 0
    for word in words:
        assert word in run.message, run.message
    assert not vault.path.exists()
    assert not vault.sandbox.requests()


@pytest.mark.parametrize("content", ["- a list\n", "a: {\n", "a: 1\na: 2\n---\nb: 3\n"])
def test_no_token_is_made_for_a_file_that_is_not_a_vars_file(vault: TokenFile, content: str) -> None:
    vault.path.write_text(content)
    assert vault.run(tokens=TOKENS).status != 0
    assert vault.path.read_text() == content
    assert not vault.sandbox.requests()


def test_a_refused_scope_names_its_token_and_keeps_the_others_in_the_file(vault: TokenFile) -> None:
    tokens = [{"name": "first", "scope": ["vouchers"]}, {"name": "second", "scope": ["no-such-scope"]}, *TOKENS[1:2]]
    run = vault.run(tokens=tokens)
    assert run.status != 0
    assert run.message.startswith("second: Cannot generate a token")
    assert run.result["error"]["key"] == "invalid_scope"
    assert not vault.lost_tokens()
    variables = vault.variables()
    assert "second" not in variables
    assert f"{vault.path} contains {len(variables)} of the 3 tokens" in run.message
    made = len(vault.sandbox.tokens())
    tokens[1]["scope"] = ["orders"]
    run = vault.run(tokens=tokens)
    assert run.status == 0, run.output
    assert len(vault.sandbox.tokens()) == 3
    assert sum(operation == "generated" for operation in run.operations.values()) == 3 - made
    assert not vault.lost_tokens()


def test_a_failed_introspection_changes_nothing(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS).status == 0
    before = vault.path.read_bytes()
    vault.sandbox.fail("introspect", skip=1, status=403)
    run = vault.run(tokens=[*TOKENS, {"name": "another"}])
    assert run.status != 0
    assert "Cannot introspect the token" in run.message
    assert vault.path.read_bytes() == before
    assert len(vault.sandbox.tokens()) == 3


SHARED = [{"name": "one", "scope": ["vouchers"]}, {"name": "two", "scope": ["vouchers"]}]


def share_a_token(vault: TokenFile) -> str:
    assert vault.run(tokens=SHARED[:1]).status == 0
    token = vault.variables()["one"]
    vault.write({"one": token, "two": token})
    assert vault.run(tokens=SHARED).status == 0
    assert vault.variables() == {"one": token, "two": token}
    assert len(vault.sandbox.tokens()) == 1
    return str(token)


def test_a_token_that_another_variable_keeps_is_not_revoked(vault: TokenFile) -> None:
    token = share_a_token(vault)
    run = vault.run(tokens=[SHARED[0], {"name": "two", "state": "absent"}])
    assert run.status == 0, run.output
    assert run.operations == {"one": "kept", "two": "none"}
    assert "Another listed variable" in run.result["tokens"][1]["reason"]
    assert vault.live_tokens() == {token}
    assert vault.variables() == {"one": token}


def test_a_shared_token_is_revoked_once_when_no_variable_keeps_it(vault: TokenFile) -> None:
    token = share_a_token(vault)
    run = vault.run(tokens=SHARED, force=True, revoke_replaced=True)
    assert run.operations == {"one": "replaced", "two": "replaced"}
    assert token not in vault.live_tokens()
    assert len(vault.sandbox.calls("revoke")) == 1
    assert not vault.lost_tokens()
    run = vault.run(tokens=SHARED, state="absent")
    assert run.operations == {"one": "revoked", "two": "revoked"}
    assert not vault.live_tokens()


def test_a_shared_token_is_kept_for_the_variable_whose_scope_it_has(vault: TokenFile) -> None:
    token = share_a_token(vault)
    tokens = [{"name": "one", "scope": ["orders"]}, SHARED[1]]
    run = vault.run(tokens=tokens, revoke_replaced=True)
    assert run.operations == {"one": "replaced", "two": "kept"}
    assert token in vault.live_tokens()


@pytest.mark.parametrize("revoke_replaced", [False, True])
def test_check_mode_predicts_what_happens_to_a_shared_token(vault: TokenFile, revoke_replaced: bool) -> None:
    share_a_token(vault)
    tokens = [SHARED[0], {"name": "two", "state": "absent"}]
    how: dict[str, Any] = {"tokens": tokens, "force": True, "revoke_replaced": revoke_replaced}
    predicted = vault.run("--check", **how)
    run = vault.run(**how)
    assert run.operations == predicted.operations == {"one": "replaced", "two": "revoked"}
    reasons = [[token["reason"] for token in one.result["tokens"]] for one in (predicted, run)]
    assert reasons[0] == reasons[1]
    assert not vault.lost_tokens()


def test_no_wrong_region_is_suspected_when_the_task_itself_revoked_the_tokens(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS[:2]).status == 0
    one, two = vault.variables().values()
    vault.write({"one": one, "two": two, "three": one, "four": two})
    absent = [{"name": name, "state": "absent"} for name in ("three", "four")]
    run = vault.run(tokens=[*SHARED, *absent], force=True, revoke_replaced=True)
    assert run.status == 0, run.output
    assert "app_id" not in run.unwrapped
    assert not vault.lost_tokens()


def test_a_wrong_region_is_suspected_when_all_tokens_are_unknown(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS).status == 0
    with Sandbox.start() as elsewhere:
        run = vault.run(tokens=TOKENS, state="absent", environment=elsewhere.environment)
    assert run.status == 0, run.output
    assert "check that app_id and api_base_url belong to the project" in run.unwrapped
    assert run.operations == dict.fromkeys(NAMES, "none")
    assert "for this API key at this base URL" in run.result["tokens"][0]["reason"]


def test_a_token_that_cannot_be_revoked_keeps_its_variable(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS).status == 0
    vault.sandbox.fail("revoke", skip=1, status=403)
    run = vault.run(tokens=TOKENS, state="absent")
    assert run.status != 0
    assert "Cannot revoke the token" in run.message
    assert len(vault.live_tokens()) >= 1
    assert not vault.lost_tokens()
    assert vault.run(tokens=TOKENS, state="absent").status == 0
    assert not vault.live_tokens()


def test_a_replaced_token_that_cannot_be_revoked_fails_the_task_and_keeps_the_new_one(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS[:1]).status == 0
    old = vault.variables()["vouchers_token"]
    vault.sandbox.fail("revoke", status=403)
    run = vault.run(tokens=TOKENS[:1], force=True, revoke_replaced=True)
    assert run.status != 0
    assert "could not be revoked and expire within 15 minutes (vouchers_token). Cannot revoke" in run.message
    assert "run the play again" not in run.message
    assert vault.lost_tokens() == {old}
    assert run.operations == {"vouchers_token": "replaced"}


def test_a_change_of_the_mode_alone_is_in_the_diff(vault: TokenFile) -> None:
    assert vault.run(tokens=TOKENS).status == 0
    for check in (("--check",), ()):
        run = vault.run("--diff", *check, tokens=TOKENS, mode="0640")
        assert run.result["changed"]
        assert "-mode: 0600\n+mode: 0640\n" in run.output


@pytest.mark.parametrize(
    "variables",
    [{"ansible_shell_type": "powershell"}, {"ansible_shell_type": "cmd"}, {"ansible_shell_executable": "/nowhere/ksh"}],
    ids=["powershell", "cmd", "ksh"],
)
def test_the_shell_of_the_host_is_not_used_on_the_controller(vault: TokenFile, variables: dict[str, str]) -> None:
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    run = vault.run(tokens=TOKENS, keywords={"environment": environment, "vars": variables})
    assert run.status == 0, run.output
    assert len(vault.variables()) == len(TOKENS)


def test_a_scope_that_was_not_asked_for_causes_a_warning(vault: TokenFile) -> None:
    vault.sandbox.configure(granted_scope="api")
    run = vault.run(tokens=TOKENS[:1])
    assert run.status == 0, run.output
    assert "vouchers_token: The scope 'vouchers'" in run.unwrapped


def test_a_file_with_several_hard_links_causes_a_warning(vault: TokenFile) -> None:
    vault.write({"other": "value"})
    (vault.folder / "link.yml").hardlink_to(vault.path)
    run = vault.run(tokens=TOKENS[:1])
    assert run.status == 0, run.output
    assert "hard link" in run.unwrapped


def test_naming_a_vault_id_encrypts_kept_tokens_again(vault: TokenFile) -> None:
    vault.passwords.update(staging="staging's password", production="production's password")
    assert vault.run(tokens=TOKENS, vault_ids=["staging"]).status == 0
    assert vault.path.read_text().count(";staging") == 3
    tokens = vault.variables()
    run = vault.run(tokens=TOKENS, vault_ids=["staging", "production"])
    assert run.result["changed"] is False
    run = vault.run(tokens=TOKENS, vault_ids=["staging", "production"], vault_id="production")
    assert run.status == 0, run.output
    assert run.operations == dict.fromkeys(NAMES, "kept")
    assert run.result["changed"] is True
    assert {token["vault_id"] for token in run.result["tokens"]} == {"production"}
    assert vault.path.read_text().count(";production") == 3
    assert vault.variables() == tokens


def test_a_file_that_is_encrypted_as_a_whole_keeps_its_tokens_and_its_format(vault: TokenFile) -> None:
    run = vault.run(tokens=TOKENS[:1], format="file", mode="0640", backup=True)
    assert run.status == 0, run.output
    assert run.result["format"] == "file"
    assert vault.path.read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o640
    assert vault.run(tokens=TOKENS).operations["vouchers_token"] == "kept"
    assert set(vault.variables().values()) == vault.live_tokens()
    assert vault.run(tokens=TOKENS, format="inline").status != 0


def test_several_batches_leave_one_backup_of_the_original_file(vault: TokenFile) -> None:
    vault.path.write_text("# as it was\n")
    run = vault.run(tokens=numbered_tokens(20), backup=True)
    assert run.status == 0, run.output
    (backup,) = vault.other_files()
    assert run.result["backup_file"] == str(vault.folder / backup)
    assert (vault.folder / backup).read_text() == "# as it was\n"


def test_a_loop_prints_none_of_its_items(vault: TokenFile) -> None:
    secret = "the-secret-of-an-item"
    item = {"name": "vouchers_token", "secret": secret}
    for tokens in ([{"name": "{{ item.name }}"}], [{"name": "{{ item.name }}", "typo": 1}]):
        run = vault.run("-vvvvv", tokens=tokens, keywords={"loop": [item]})
        assert secret not in run.output.split("TASK [ansible.builtin.copy]")[0]


CONNECTIONS: dict[str, dict[str, Any]] = {
    "ssh": {"connection": "ssh"},
    "become": {"become": True, "become_user": "nobody"},
    "environment": {"environment": {"VOUCHERIFY_APP_TOKEN": "{{ lookup('env', 'KEY') }}"}},
}


@pytest.mark.parametrize("keywords", CONNECTIONS.values(), ids=CONNECTIONS)
def test_it_runs_on_the_controller_whatever_the_keywords_say(vault: TokenFile, keywords: dict[str, Any]) -> None:
    environment = {"KEY": vault.sandbox.app_token, "VOUCHERIFY_APP_TOKEN": ""} if "environment" in keywords else {}
    run = vault.run(
        *("-i", "far.invalid,"),
        tokens=TOKENS,
        environment=environment,
        keywords=keywords,
        play={"hosts": "far.invalid"},
    )
    assert run.status == 0, run.output
    assert set(vault.variables().values()) == vault.live_tokens()


MODULES: dict[str, dict[str, Any]] = {
    **CONNECTIONS,
    "delegate_to": {"delegate_to": "away.invalid"},
}


@pytest.mark.parametrize("keywords", MODULES.values(), ids=MODULES)
def test_it_can_execute_modules_and_shows_no_secret(vault: TokenFile, keywords: dict[str, Any]) -> None:
    environment = {"KEY": vault.sandbox.app_token, "VOUCHERIFY_APP_TOKEN": ""} if "environment" in keywords else {}
    inventory = vault.home / "inventory"
    inventory.write_text("far.invalid\naway.invalid ansible_python_interpreter=/nonexistent/python\n")
    run = vault.run(
        *("-vvvvv", "-i", str(inventory)),
        tokens=TOKENS[:2],
        environment=environment,
        keywords={**keywords, "environment": {**keywords.get("environment", {}), "PYTHONDONTWRITEBYTECODE": "1"}},
        play={"hosts": "far.invalid"},
    )
    assert run.status == 0, run.output
    assert "executes a module for each token" in run.output
    assert set(vault.variables().values()) == vault.live_tokens()
    assert not find_secrets(run.output, vault.sandbox, PASSWORD)


def test_a_lost_token_is_reported_although_a_later_try_succeeds(vault: TokenFile) -> None:
    for way in ({}, {"environment": {"PYTHONDONTWRITEBYTECODE": "1"}}):
        vault.sandbox.reset()
        vault.path.unlink(missing_ok=True)
        vault.sandbox.fail("generate", cut=True, carried_out=True)
        until = {"until": "outcome is succeeded", "retries": 2, "delay": 0}
        run = vault.run(tokens=TOKENS[:1], keywords={**until, **way})
        assert run.status == 0, run.output
        assert len(vault.lost_tokens()) == 1
        assert "vouchers_token: The failed call may have made a token that was lost." in run.unwrapped


def test_no_message_shows_a_secret_that_was_given_as_a_scope(vault: TokenFile) -> None:
    secret = "Xy9" + "k3J8" * 6
    assert vault.run(tokens=[{"name": "a", "scope": ["vouchers"]}]).status == 0
    run = vault.run("-vvvvv", tokens=[{"name": "a", "scope": [secret]}])
    assert run.status != 0
    assert secret not in run.output.split("TASK [ansible.builtin.copy]")[0]


def test_nothing_is_made_or_left_behind_where_folders_cannot_be_locked(vault: TokenFile) -> None:
    as_on_nfs = """
import errno, fcntl, os, stat
flock = fcntl.flock
def refusing(descriptor, operation):
    # ansible-core locks a file of its own.
    if isinstance(descriptor, int) and stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EBADF, "Bad file descriptor")
    return flock(descriptor, operation)
fcntl.flock = refusing
"""
    path = str(vault.folder / "new" / "folder" / "tokens.yml")
    run = vault.run(tokens=TOKENS, path=path, environment=vault.with_startup_code(as_on_nfs))
    assert run.status != 0
    assert "NFS" in run.message
    assert not vault.sandbox.requests()
    assert not vault.other_files()


@pytest.mark.parametrize("loop", [{}, {"loop": [1]}], ids=["alone", "in a loop"])
def test_async_is_refused_with_the_reason(vault: TokenFile, loop: dict[str, Any]) -> None:
    run = vault.run(tokens=TOKENS, keywords={"async": 10, "poll": 0, **loop})
    assert run.status != 0
    assert "does not run with async, because Ansible would store its secrets in a file" in run.unwrapped
    assert not vault.sandbox.requests()
