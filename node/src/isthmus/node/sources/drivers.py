"""The programs that read sources beyond CSV: loaded when a source needs one, named with their extra where missing."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from isthmus.node.sources.errors import DriverMissing

EXTRAS: Final[dict[str, tuple[str, str, str]]] = {
    "excel": ("python_calamine", "python-calamine", "excel"),
    "parquet": ("polars", "polars", "parquet"),
    "postgres": ("psycopg", "psycopg", "postgres"),
    "sqlserver": ("mssql_python", "mssql-python", "sqlserver"),
    "odbc": ("pyodbc", "pyodbc", "odbc"),
}
"""Kind of source to the module that reads it, its package, and the extra of isthmus-node that installs it."""


def check_driver(kind: str) -> None:
    """Return only if the module that reads a kind of source is there, without loading it; raise as `load_driver`."""
    module, package, extra = EXTRAS[kind]
    if find_spec(module) is None:
        raise DriverMissing(kind=kind, package=package, extra=extra)


def load_driver(kind: str) -> ModuleType:
    """Import the module that reads a kind of source.

    Raises:
        DriverMissing: it is not installed, or a library of the system that it needs is not (libpq, unixODBC).
    """
    module, package, extra = EXTRAS[kind]
    try:
        return import_module(module)
    except (ImportError, OSError) as exc:
        raise DriverMissing(kind=kind, package=package, extra=extra) from exc
