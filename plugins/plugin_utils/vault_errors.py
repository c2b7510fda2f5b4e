# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can keep a vars file from being edited."""

from __future__ import annotations


class VarsFileError(Exception):
    """Base of the errors below. The text is one sentence for a person and never holds a variable's value."""


class InvalidVariableError(VarsFileError):
    """A name or a value that was given cannot become a variable."""


class InvalidFileError(VarsFileError):
    """What stands in the file is no vars file, or not one that can be edited without touching its other variables."""


class VaultSecretError(VarsFileError):
    """The run's vault secrets lack the one that is needed."""


class FileAccessError(VarsFileError):
    """The operating system does not let the file be read, locked or written."""


class FileChangedError(VarsFileError):
    """Another program changed the file between reading and writing."""
