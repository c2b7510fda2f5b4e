# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each layout is edited, and compared byte for byte with what it must be: only the wanted part differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.edit import edit
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.errors import InvalidFileError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vars_file import Settings, open_vars_file
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.yaml_text import VAULT, StringValue, parse
from unit.plugins.plugin_utils.vars_file.layouts import LAYOUTS, REFUSED, Layout
from unit.plugins.plugin_utils.vars_file.vaults import encrypt, loaded_by_ansible, run_vault

LINES = ["$ANSIBLE_VAULT;1.2;AES256;my id", "61" * 40, "6262"]
CIPHERTEXT = StringValue("\n".join(LINES), VAULT)


def edited(text: str, name: str, value: StringValue | None = CIPHERTEXT) -> str:
    return edit(parse(text, "vars.yml"), {name: value}).text


@pytest.mark.parametrize("marked", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("vaulted", [False, True])
def test_only_the_wanted_part_differs(marked: str, vaulted: bool) -> None:
    layout = Layout(marked).vaulted(["$ANSIBLE_VAULT;1.1;AES256", "6464"]) if vaulted else Layout(marked)
    assert layout.names()

    for name in layout.names():
        assert edited(layout.text, name) == layout.replaced(name, LINES)
        assert edited(layout.text, name, None) == layout.removed(name)
    assert edited(layout.text, "added") == layout.added("added", LINES)


@pytest.mark.parametrize(("marked", "refused"), REFUSED.values(), ids=REFUSED)
def test_an_unusual_layout_is_refused_where_more_would_change(marked: str, refused: str) -> None:
    layout = Layout(marked)
    expected = [one for one in refused.split(", ") if one]

    for one in expected:
        action, _blank, name = one.partition(" ")
        with pytest.raises(InvalidFileError, match=r"^vars.yml .*(by hand|first|one of them first)"):
            edited(layout.text, name or "added", None if action == "remove" else CIPHERTEXT)
    for name in layout.names():
        if f"replace {name}" not in expected:
            assert edited(layout.text, name) == layout.replaced(name, LINES)
        if f"remove {name}" not in expected:
            assert edited(layout.text, name, None) == layout.removed(name)
    if "add" not in expected:
        assert edited(layout.text, "added") == layout.added("added", LINES)


@pytest.mark.parametrize("marked", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(
    ("mark", "file_format"),
    [("", "inline"), *(pytest.param(*one, marks=pytest.mark.thorough) for one in (("\ufeff", "inline"), ("", "file")))],
)
def test_ansible_reads_what_was_written(
    marked: str, mark: str, file_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout, path = Layout(marked), tmp_path / "vars.yml"
    if "$ANSIBLE_VAULT" in marked:
        layout = layout.vaulted(encrypt("old").splitlines())
    values = {name: f"value of {name}" for name in [*layout.names(), "added"]}
    path.write_bytes((encrypt(layout.text) if file_format == "file" else mark + layout.text).encode())

    with open_vars_file(Settings(str(path)), run_vault("default"), make_folders=False) as file:
        file.apply(values)
        assert file.stored(values) == values.keys()

    found = loaded_by_ansible(path, monkeypatch)
    assert {name: str(found[name]) for name in values} == values
