"""Puts `scripts/` on the import path: its packages are tools of the repository and are not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))
