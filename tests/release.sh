#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the collection for a release, checks it with the importer that Galaxy uses, installs it, and runs the demo from
# the installation, against the sandbox. The tarball stays in build/release/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD
release=$PWD/build/release

version=$(sed -n 's/^version: //p' galaxy.yml)
if ! grep -q "^  $version:" changelogs/changelog.yaml; then
    echo "changelogs/changelog.yaml has no entry for $version; create it with: make changelog" >&2
    exit 1
fi

rm -rf "$release"
mkdir -p "$release/home" "$release/installed"
export HOME=$release/home

# Links and galaxy.yml contain the URL of the repository. The release workflow sets it; this one is invalid on purpose.
REPOSITORY=${REPOSITORY:-https://repository.invalid}
tests/in_copy.sh python tests/tarball.py "$REPOSITORY" "$release"
tarball=$(echo "$release"/voucherify-oauth-*.tar.gz)

cd "$release"  # the importer writes a file into the current folder

# The settings of Red Hat's certification.
export GALAXY_IMPORTER_CHECK_REQUIRED_TAGS=true GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER=true

# Its exit status is 0 whatever it finds, unless it cannot read the tarball at all.
python -m galaxy_importer.main "$tarball" 2>&1 | tee importer.log
if grep -E '^(WARNING|ERROR)' importer.log > complaints.log; then
    printf '\nGalaxy reports:\n' >&2
    cat complaints.log >&2
    exit 1
fi

# In a folder from which nothing of the checkout can be found by accident.
cd installed
export ANSIBLE_COLLECTIONS_PATH=$PWD
ansible-galaxy collection install --offline --collections-path . "$tarball"
# Only these folders may be used by an installed collection.
find ansible_collections/voucherify/oauth -mindepth 1 -maxdepth 1 \
    ! -name meta ! -name plugins ! -name roles ! -name playbooks -exec rm -r {} +
export ANSIBLE_VAULT_PASSWORD_FILE=$release/vault-password
(umask 077 && python -c 'import secrets; print(secrets.token_urlsafe())' > "$ANSIBLE_VAULT_PASSWORD_FILE")
python "$checkout/tests/sandbox" -- ansible-playbook voucherify.oauth.demo

printf '\nReady for release: %s\n' "${tarball#"$checkout/"}"
