"""`hostagent shipped CHECKOUT`: man pages and shell completions, written from the parser and the models they are about.

Made when the project is, with argparse-manpage and shtab; at run time there is nothing to load at every TAB.
"""

from __future__ import annotations

import os

from hostagent.cli.completions import SHELLS, completion
from hostagent.cli.docs import brought_up_to_date
from hostagent.cli.entry import UsageError
from hostagent.cli.man import man_page
from hostagent.cli.man_keys import config_page, profile_page

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

PAGES = {
    "docs/man/hostagent.8": man_page,
    "docs/man/hostagent-config.5": config_page,
    "docs/man/hostagent-profile.5": profile_page,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `shipped` takes."""
    parser.add_argument("checkout", metavar="CHECKOUT", help="the top of the source tree")
    parser.add_argument("--check", action="store_true", help="write nothing; say which files are out of date")


def run(options: argparse.Namespace) -> int:
    """Write the files that differ, or name them."""
    for path in files():
        directory = os.path.join(options.checkout, os.path.dirname(path))
        if not os.path.isdir(directory):
            raise UsageError(f"{directory}: expected a directory")
    return brought_up_to_date(options.checkout, files(), check=options.check)


def files() -> dict[str, str]:
    """Path below the checkout to content."""
    made = {path: page() for path, page in PAGES.items()}
    for shell, name in SHELLS.items():
        made[f"deploy/completions/{name}"] = completion(shell)
    return made
