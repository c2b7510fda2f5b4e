# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of Sphinx, which turns the pages into HTML."""

from __future__ import annotations

project = "voucherify.oauth"
copyright = "2026 The voucherify.oauth contributors"  # noqa: A001 - Sphinx requires this name
html_title = "voucherify.oauth"
html_short_title = "voucherify.oauth"

extensions = [
    "sphinx_antsibull_ext",  # roles and styles of Ansible's documentation
    "myst_parser",  # pages in Markdown
]

exclude_patterns = ["included.rst"]  # part of the first page

html_theme = "sphinx_ansible_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"

# A broken reference is an error, except for references to Ansible's own documentation: to resolve those, Sphinx would
# have to download its index.
nitpicky = True
nitpick_ignore_regex = [("std:ref", r"(?!ansible_collections\.voucherify\.).*")]
# The project's pages link to files of the repository that are not pages of this site.
suppress_warnings = ["myst.xref_missing"]
