"""An analyst's side of Isthmus: released tables from the terminal (`isthmus`) and from Python (`connect`)."""

from isthmus.analyst.client import Analyst, connect
from isthmus.analyst.table import Cell, Table

__all__ = ["Analyst", "Cell", "Table", "connect"]
