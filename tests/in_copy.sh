#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a command in a copy of this checkout that contains only the project's own files, and removes the copy.
# ansible-test only works in real folders with the right names, and without git, reuse would read build/ too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
copy=$temporary/ansible_collections/voucherify/oauth
mkdir -p "$copy"

# Leaves out what git ignores, or without git, what the Makefile and Python create.
ignored=$(git ls-files --others --ignored --exclude-standard --directory 2>/dev/null || true)
printf '%s\n' .git build "$ignored" | sed -e '/^$/d' -e 's,^,./,' -e 's,/$,,' > "$temporary/left-out"
tar -cf - --exclude-from="$temporary/left-out" --exclude=__pycache__ . | tar -xf - -C "$copy"

cd "$copy"
"$@"
