#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the documentation as HTML in build/docs/html, without network access: the reference from the plugins and the role,
# the guide from docs/docsite, a page about the playbooks from their comments, and the project's own pages from docs/*.md.
# Every warning is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pages=build/docs/pages
rm -rf build/docs
mkdir -p "$pages" build/home
chmod go-w "$pages"  # otherwise antsibull-docs refuses to write there

# antsibull-docs writes a log file to the home folder.
HOME=$PWD/build/home antsibull-docs --config-file docs/site/antsibull-docs.cfg \
    collection --use-current --fail-on-error --no-indexes --dest-dir "$pages" voucherify.oauth

# This page lists environment variables of plugins, and there are none. Those of the modules are in the guide.
rm "$pages/collections/environment_variables.rst"
# antsibull-docs capitalizes the name of the collection in titles.
find "$pages/collections" -name "*.rst" -exec sed -i "s/Voucherify\\.Oauth/voucherify.oauth/g" {} +
cp docs/site/index.rst "$pages"
python docs/site/pages.py "$pages"
mkdir "$pages/project"
cp docs/*.md docs/*.png "$pages/project"
sphinx-build --fail-on-warning --keep-going --quiet --conf-dir docs/site --doctree-dir build/docs/doctrees \
    "$pages" build/docs/html
echo 'Open build/docs/html/index.html.'
