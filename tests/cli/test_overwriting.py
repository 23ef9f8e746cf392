"""No report and no result replaces another one silently."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

TABLE = "digits-table"


@pytest.fixture
def searched(optiproxy):
    """A search a."""
    done = optiproxy(*search("a"))
    assert done.exit_code == 0, done.stderr
    return optiproxy


@pytest.fixture
def filled(searched):
    """A search a, two with the databases X.db and Y.db, and two comparisons, c and d."""
    for arguments in (
        (*search("x"), "--storage", "X.db"),
        (*search("y"), "--storage", "Y.db", "--seed", 1),
        compare("c"),
        compare("d"),
    ):
        done = searched(*arguments)
        assert done.exit_code == 0, done.stderr
    return searched


def search(out):
    return ("search", TABLE, "--algorithm", "random", "--budget", 2, "--out", out)


def compare(out):
    return ("compare", TABLE, "--algorithm", "random", "--seeds", 1, "--budget", 2, "--out", out)


def test_another_report_is_never_replaced(filled, tmp_path):
    def refused(page, *arguments):
        before = (tmp_path / page).read_bytes()
        done = filled(*arguments)
        assert done.exit_code == 2
        assert "Choose another --out" in done.stderr
        assert (tmp_path / page).read_bytes() == before

    def written(*arguments):
        done = filled(*arguments)
        assert done.exit_code == 0, done.stderr

    written("report", "X.db")
    written("report", "X.db")
    refused("report.html", "report", "Y.db")
    written("report", "Y.db", "--out", "y.html")
    refused("y.html", "report", "X.db", "--out", "y.html")
    # A folder may be reported again, by any of its names, but not with the study of another one.
    written("report", "a")
    written("report", "a/study.db")
    refused("a/report.html", "report", "X.db", "--out", "a/report.html")
    refused("c/report.html", "report", "a", "--out", "c/report.html")
    # Searches and comparisons keep out of each other's folders, and of where a report lies.
    refused("a/report.html", *compare("a"))
    refused("c/report.html", "search", TABLE, "--budget", 2, "--out", "c")
    refused("report.html", "search", TABLE, "--budget", 2, "--out", ".")
    refused("report.html", *compare("."))
    written(*compare("c"))
    written("report", "c")
    written("report", "c", "--out", "copy/page.html")
    refused("copy/page.html", "report", "d", "--out", "copy/page.html")
    (tmp_path / "mine.html").write_text("a page of my own")
    refused("mine.html", "report", "X.db", "--out", "mine.html")


def test_a_page_of_an_earlier_version_lies_beside_its_result(searched, tmp_path):
    page = tmp_path / "a/report.html"
    page.write_text(page.read_text().rpartition("<!-- optiproxy report")[0])
    assert searched("report", "a").exit_code == 0
    assert "<!-- optiproxy report" in page.read_text()


def test_the_folder_of_a_search_without_a_result_is_its_own(searched, tmp_path):
    # As a search leaves it that was killed.
    (tmp_path / "a/result.json").unlink()
    (tmp_path / "a/report.html").unlink()
    done = searched(*search("a"), "--seed", 7)
    assert done.exit_code == 2
    assert "a holds the search 'digits-table-random-seed0', not 'digits-table-random-seed7'" in done.stderr
    assert not (tmp_path / "a/result.json").exists()
