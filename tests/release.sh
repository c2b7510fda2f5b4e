#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the collection as it is released, has it checked by what Galaxy checks an upload with, and plays the demo from
# an installation of it, against the sandbox. The tarball stays in build/release/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD
release=$PWD/build/release

version=$(sed -n 's/^version: //p' galaxy.yml)
if ! grep -q "^  $version:" changelogs/changelog.yaml; then
    echo "changelogs/changelog.yaml does not tell of $version; write it with: build/venv/bin/antsibull-changelog release" >&2
    exit 1
fi

rm -rf "$release"
mkdir -p "$release/home" "$release/installed"
export HOME=$release/home

# Galaxy asks for the sources' address. The release workflow knows its own; elsewhere one that is plainly none will do.
export REPOSITORY=${REPOSITORY:-https://repository.invalid}
# shellcheck disable=SC2016  # expanded by the shell in the copy
tests/in_copy.sh sh -c 'grep -q ^repository: galaxy.yml || echo "repository: $REPOSITORY" >> galaxy.yml
    ansible-galaxy collection build --output-path "$0"' "$release"
tarball=$(echo "$release"/voucherify-oauth-*.tar.gz)

cd "$release"  # where the importer writes a file of its own

# It ends well whatever it finds, unless it cannot read the tarball at all.
python -m galaxy_importer.main "$tarball" 2>&1 | tee importer.log
if grep -E '^(WARNING|ERROR)' importer.log > complaints.log; then
    printf '\nGalaxy would complain:\n' >&2
    cat complaints.log >&2
    exit 1
fi

# From a folder where nothing of the checkout can be found by chance.
cd installed
export ANSIBLE_COLLECTIONS_PATH=$PWD
ansible-galaxy collection install --offline --collections-path . "$tarball"
export ANSIBLE_VAULT_PASSWORD_FILE=$release/vault-password
(umask 077 && python -c 'import secrets; print(secrets.token_urlsafe())' > "$ANSIBLE_VAULT_PASSWORD_FILE")
python "$checkout/tests/sandbox" -- ansible-playbook voucherify.oauth.demo

printf '\nFit to be released: %s\n' "${tarball#"$checkout/"}"
