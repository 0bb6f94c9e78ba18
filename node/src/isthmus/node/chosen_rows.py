"""Years and cohorts that a project names: which rows of a data set are asked for, and whether this node can tell.

They are left out where people who opted out are, before anything is encoded, and counted with them.
docs/protocol.md section 16.
"""

from collections.abc import Iterator

import msgspec

from isthmus.contract.project import ProviderTerms
from isthmus.node.config import DatasetConfig
from isthmus.node.consent_settings import ConsentRule


def selection_problems(dataset: DatasetConfig, terms: ProviderTerms) -> Iterator[str]:
    """Say why the data set cannot tell the rows that are asked for; nothing where it can."""
    if terms.years and not dataset.year_column:
        yield f"it asks for some years alone, and {terms.dataset} has no year_column in node.toml"
    if terms.cohort is not None and terms.cohort not in dataset.cohorts:
        yield f"it asks for a cohort that node.toml does not explain for {terms.dataset}: {terms.cohort}"


def chosen_rows(dataset: DatasetConfig, terms: ProviderTerms) -> DatasetConfig:
    """Give the data set with a rule that leaves out the rows of other years and cohorts than the terms name.

    Only for a data set of which `selection_problems` says nothing.
    """
    rules = []
    if terms.years:
        rules.append(ConsentRule(column=dataset.year_column, include_if=terms.years, selects=True))
    if terms.cohort is not None:
        cohort = dataset.cohorts[terms.cohort]
        rules.append(ConsentRule(column=cohort.column, include_if=cohort.values, selects=True))
    return msgspec.structs.replace(dataset, consent=(*dataset.consent, *rules)) if rules else dataset
