"""Options that several commands of `isthmus-node` share."""

from pathlib import Path

import click

folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("isthmus-node"),
    show_default=True,
    help="The node's folder.",
)
