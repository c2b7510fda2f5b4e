#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a command in a copy of this checkout that holds the project's own files and nothing else, and removes the copy.
# ansible-test works in real folders of the right names only, and reuse would read build/ where there is no git to ask.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
copy=$temporary/ansible_collections/voucherify/oauth
mkdir -p "$copy"

# Left out is what git ignores, or without git, what the Makefile and Python make.
ignored=$(git ls-files --others --ignored --exclude-standard --directory 2>/dev/null || true)
printf '%s\n' .git build "$ignored" | sed -e '/^$/d' -e 's,^,./,' -e 's,/$,,' > "$temporary/left-out"
tar -cf - --exclude-from="$temporary/left-out" --exclude=__pycache__ . | tar -xf - -C "$copy"

cd "$copy"
"$@"
