"""The best architecture of a stored search as a picture in optuna-dashboard."""

from __future__ import annotations

from optiproxy.reporting.page import standalone
from optiproxy.reporting.search.structure import flows, structure
from optiproxy.reporting.svg import graph
from optiproxy.results.note import note
from optiproxy.results.result import SearchResult
from optiproxy.storage.artifacts import artifacts_root
from optiproxy.storage.dashboard import show_picture, write_note
from optiproxy.storage.study import storage_errors, written_study

PICTURE = "architecture.svg"


def draw_in_dashboard(result: SearchResult) -> None:
    """Put the picture among the artifacts of the study and into its note, where data flows through the space.

    Raises:
        UsageError: If the folder of the artifacts cannot be written.
        StudyError: If the study cannot.
    """
    root = artifacts_root(result.storage, result.study) if result.storage else None
    if root is None or not result.has_best or not flows(result.space):
        return
    drawing = graph.draw(structure(result.space, result.best.architecture), label="The best architecture as a graph")
    with storage_errors(result.storage), written_study(result.storage, result.study) as study:
        write_note(study, note(result, picture=show_picture(study, root, PICTURE, standalone(drawing, []))))
