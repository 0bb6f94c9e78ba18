"""Which queries are run: one plain SELECT, read alike by every database."""

import pytest

from isthmus.node.sources.errors import QueryRefused
from isthmus.node.sources.query_text import plain_select


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id, first_name FROM students",
        "select 1",
        "\n  SELECT id\n  FROM students\n  WHERE year = 2024 ;\n",
        "WITH kept AS (SELECT * FROM students WHERE NOT left_school) SELECT id FROM kept",
        "SELECT 'it''s; DELETE' AS note, \"update\" FROM t",
        "SELECT [delete], [First Name] FROM dbo.[Students]",
        "SELECT `drop` FROM t",
        'SELECT a - -1, b / 2 * 3, updated_at, "a""b" FROM t WHERE n <> \'x\'',
        "SELECT names[1] FROM t",
        "SELECT prénom FROM élèves",
    ],
)
def test_plain_select_is_taken_as_it_is(query: str) -> None:
    assert plain_select(query) == query.strip().removesuffix(";").strip()


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "it is not a SELECT"),
        ("TABLE students", "it is not a SELECT"),
        ("DELETE FROM students", "it is not a SELECT"),
        ("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone", "it has the word delete"),
        ("SELECT * INTO copied FROM students", "it has the word into"),
        ("SELECT id FROM students FOR UPDATE", "it has the word update"),
        ("SELECT 1 DROP TABLE students", "it has the word drop"),
        ("SELECT 1 EXEC sp_who", "it has the word exec"),
        ("SELECT 1; SELECT 2", "it has more than one statement"),
        ("SELECT 1;;", "it has more than one statement"),
        ("SELECT 1; DELETE FROM t;", "it has more than one statement"),
    ],
)
def test_anything_but_one_select_is_refused(query: str, problem: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        plain_select(query)

    assert refused.value.problem == problem


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 -- all of them",
        "SELECT 5--1\n; DELETE FROM t",
        "SELECT /* all */ 1",
        "SELECT 1 # all",
        r"SELECT 'a\'; DELETE FROM t; SELECT '",
        "SELECT $$a$$",
        "SELECT $1",
        "SELECT 'open",
        'SELECT "open',
        "SELECT [a'b], c AS [d'e]",
        "SELECT ARRAY['a']",
        "SELECT 1\0",
    ],
)
def test_text_that_databases_read_differently_is_refused(query: str) -> None:
    with pytest.raises(QueryRefused, match="not every database reads"):
        plain_select(query)


def test_refusal_shows_nothing_of_the_query_but_the_word() -> None:
    with pytest.raises(QueryRefused) as refused:
        plain_select("SELECT 1 FROM t WHERE name = 'Quorimble' UPDATE t")

    assert "Quorimble" not in str(refused.value)
