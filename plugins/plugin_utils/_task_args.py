# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: it may change in any release, so do not import it from elsewhere.
"""What a task was given, in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.voucherify.oauth.plugins.plugin_utils._vars_file.vault_errors import VaultSecretError

try:
    from ansible.parsing.vault import EncryptedString  # type: ignore[attr-defined,unused-ignore]
except ImportError:  # ansible-core up to 2.18
    from ansible.parsing.yaml.objects import (  # type: ignore[no-redef,unused-ignore]
        AnsibleVaultEncryptedUnicode as EncryptedString,
    )


def decrypted(value: Any) -> Any:
    """The value with each vaulted string in it as plain text, and each other string without ansible-core's marks.

    Up to 2.18, ansible-core hands on a vaulted string as it is where no template is around it. Raises VaultSecretError
    for one that the run cannot decrypt.
    """
    if isinstance(value, EncryptedString):
        try:
            return str.__str__(str(value))
        except AnsibleError:
            raise VaultSecretError(
                "A value that was given is vaulted and cannot be decrypted with the vault secrets of this run; start "
                "it with the one that was used to encrypt it"
            ) from None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {decrypted(name): decrypted(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [decrypted(inner) for inner in value]
    return value
