#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs Ansible's own checks of a collection, `ansible-test sanity`, for the Python that is first on the PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# ansible-test keeps virtual environments in the home folder. One of our own makes the second run quick.
export HOME=$PWD/build/home

# Into each of them it puts pip with a script that it downloads from a host of Ansible's, unless its cache has one. The
# pip that Python brings along does as well. Only ansible-test knows under which name it will look for the script.
cache=$HOME/.ansible/test/cache
mkdir -p "$cache"
read -r python pip < <(python -c '
import sys, types
from ansible_test._internal.python_requirements import get_venv_packages
version = "%d.%d" % sys.version_info[:2]
print(version, get_venv_packages(types.SimpleNamespace(version=version))["pip"].replace(".", "_"))')
echo 'import ensurepip; ensurepip.bootstrap()' > "$cache/get_pip_$pip.py"

log=build/sanity.log
tests/in_copy.sh ansible-test sanity --venv --python "$python" 2>&1 | tee "$log"

# It ends well when it found nothing to check.
if grep -q 'All targets skipped' "$log"; then
    echo 'ansible-test has checked nothing.' >&2
    exit 1
fi
