"""What a node keeps of its rows in a round that compares fields: which parts, and under which keys.

docs/protocol.md section 13.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from isthmus.contract.comparison import comparison_1
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.differences import Grades
from isthmus.contract.ids import PartyId
from isthmus.contract.project import Project
from isthmus.contract.secret import Secret
from isthmus.node.compare.records import Bytes, RecordLayout, seal_records
from isthmus.node.compare.row_fields import Column, read_values


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The terms, the provider, and the round keys `compare`, `pad` and, for what lies on disk, `fields`."""

    project: Project
    terms: ComparisonTerms
    party: PartyId
    compare: Secret
    pad: Secret
    disk: Secret

    @cached_property
    def layout(self) -> RecordLayout:
        """Where what any other provider may ask about lies in a row's record."""
        return RecordLayout(comparison=comparison_1(self.fields))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that this provider and any other bring, in standard order."""
        return self.project.comparable_fields(self.party)

    @property
    def grades(self) -> Grades:
        """From which similarity values are alike, by the project's terms."""
        alike, half_alike, somewhat_alike = self.terms.similarity_grades
        return Grades(alike=alike, half_alike=half_alike, somewhat_alike=somewhat_alike)

    def seal(self, columns: Mapping[str, Column], handles: Bytes) -> Bytes:
        """Give the encrypted records of rows, by their normalised columns and their random handles."""
        values = read_values(columns, self.layout.comparison, compare=self.compare, pad=self.pad)
        return seal_records(values, handles, self.layout, self.disk)
