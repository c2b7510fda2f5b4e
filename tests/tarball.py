# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection's tarball for a release.

    tests/in_copy.sh python tests/tarball.py REPOSITORY FOLDER

Automation Hub and Galaxy show the Markdown pages outside the repository, where relative links do not work. So each
relative link becomes a full URL in REPOSITORY, at the tag of this version. galaxy.yml gets the URLs of the project.
This changes the files in the current folder, so run it in a copy.
"""

from __future__ import annotations

import posixpath
import re
import subprocess
import sys
from pathlib import Path

# The text before the target of a link: [text](target), [name]: target, <a href="target"> or <img src="target">.
BEFORE_TARGET = r"(\]\(|^\[[^\]]+\]: +|\b(?:src|href)=[\"'])"
# A relative target: neither a URL, nor a place on the same page, nor an absolute path.
RELATIVE_LINK = re.compile(BEFORE_TARGET + r"(?![a-z][a-z0-9+.-]*:|[#/])([^\s)#\"'>]+)", re.MULTILINE)
CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
IMAGES = {".png", ".svg", ".jpg", ".gif"}


def main(repository: str, folder: str) -> None:
    if Path(".git").exists():
        sys.exit("This changes files. Run it in a copy: tests/in_copy.sh python tests/tarball.py …")
    repository = repository.rstrip("/")
    settings = Path("galaxy.yml").read_text()
    version = re.findall(r"^version: *(\S+)", settings, re.MULTILINE)[0]
    Path("galaxy.yml").write_text(with_addresses(settings, repository, version))
    for page in Path().rglob("*.md"):
        page.write_text(with_full_links(page, repository, version))
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", folder], check=True)


def with_addresses(settings: str, repository: str, version: str) -> str:
    """Return the content of galaxy.yml with the URLs of the project. URLs that are already there stay."""
    addresses = {
        "repository": repository,
        "documentation": f"{repository}/blob/v{version}/docs/docsite/rst/getting_started.rst",
        "homepage": repository,
        "issues": f"{repository}/issues",
    }
    missing = {name: url for name, url in addresses.items() if not re.search(rf"^{name}:", settings, re.MULTILINE)}
    return settings + "".join(f"{name}: {url}\n" for name, url in missing.items())


def with_full_links(page: Path, repository: str, version: str) -> str:
    """Return the text of a Markdown page with a full URL in each link. Code is left alone."""

    def in_full(link: re.Match[str]) -> str:
        before, target = link.groups()
        path = posixpath.normpath(posixpath.join(page.parent.as_posix(), target))
        if not Path(path).exists():
            sys.exit(f"{page}: a link leads to {target}, which does not exist.")
        kind = "tree" if Path(path).is_dir() else "raw" if Path(path).suffix in IMAGES else "blob"
        return f"{before}{repository}/{kind}/v{version}/{path}"

    pieces = CODE.split(page.read_text())  # text and code alternate
    pieces[::2] = [RELATIVE_LINK.sub(in_full, text) for text in pieces[::2]]
    return "".join(pieces)


if __name__ == "__main__":
    main(*sys.argv[1:])
