#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs Ansible's own checks of a collection, `ansible-test sanity`, with the ansible-core and the Python that are first on
# the PATH. Also checks that the code compiles and can be imported with each interpreter that is named:
#
#     tests/sanity.sh [--skip-test TEST] [VERSION@INTERPRETER …]     such as 3.9@/usr/bin/python3.9
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

skip=()
if [ "${1-}" = --skip-test ]; then
    skip=("${@:1:2}")
    shift 2
fi

# ansible-test keeps virtual environments in the home folder. A separate home folder makes the second run fast.
export HOME=$PWD/build/home
log=$PWD/build/sanity.log

# ansible-test installs pip into each of these virtual environments with a script that it downloads unless it is in the
# cache. The pip that comes with Python is good enough, so put a script into the cache. Only ansible-test knows the name
# that it looks for.
cache=$HOME/.ansible/test/cache
mkdir -p "$cache"
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in "$python" "${@%%@*}"; do
    name=$(python -c '
import sys, types
from ansible_test._internal.python_requirements import get_venv_packages
print(get_venv_packages(types.SimpleNamespace(version=sys.argv[1]))["pip"].replace(".", "_"))' "$version")
    echo 'import ensurepip; ensurepip.bootstrap()' > "$cache/get_pip_$name.py"
done

# ansible-test finds other interpreters by their names on the PATH.
interpreters=$PWD/build/interpreters
rm -rf "$interpreters"
mkdir -p "$interpreters"
targets=(--target-python "$python")
for named in "$@"; do
    script=$interpreters/python${named%%@*}
    printf '#!/bin/sh\nexec "%s" "$@"\n' "${named#*@}" > "$script"
    chmod +x "$script"
    targets+=(--target-python "${named%%@*}")
done
export PATH=$interpreters:$PATH

tests/in_copy.sh ansible-test sanity --controller "origin:python=venv/$python" "${targets[@]}" "${skip[@]}" 2>&1 | tee "$log"

# ansible-test also succeeds if it found nothing to check.
if grep -q 'All targets skipped' "$log"; then
    echo 'ansible-test has checked nothing.' >&2
    exit 1
fi
