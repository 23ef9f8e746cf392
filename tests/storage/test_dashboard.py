"""The note and the picture of a study, read as optuna-dashboard reads them."""

from __future__ import annotations

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.artifacts import FileSystemArtifactStore, get_all_artifact_meta

from optiproxy.storage.dashboard import PIECE, show_picture, write_note


def attributes(study):
    return study._storage.get_study_system_attrs(study._study_id)


def shown(study):
    """What the dashboard shows: the pieces, joined in the order of their numbers."""
    pieces = {key: text for key, text in attributes(study).items() if key.startswith("dashboard:note_str:")}
    assert all(len(text) <= PIECE for text in pieces.values())
    return "".join(pieces[f"dashboard:note_str:{i}"] for i in range(len(pieces)))


def edit(study, text):
    """Save as the dashboard does: a piece, and the next version."""
    storage, number = study._storage, study._study_id
    storage.set_study_system_attr(number, "dashboard:note_ver", attributes(study).get("dashboard:note_ver", 0) + 1)
    storage.set_study_system_attr(number, "dashboard:note_str:0", text)


@pytest.fixture
def study(tmp_path):
    return optuna.create_study(storage=f"sqlite:///{tmp_path / 'study.db'}", study_name="mine")


@given(texts=st.lists(st.text(max_size=3 * PIECE), min_size=1, max_size=4))
def test_the_latest_note_is_shown_however_long_the_others_were(texts):
    study = optuna.create_study()
    for text in texts:
        write_note(study, text)
        assert shown(study) == text


def test_a_note_that_a_person_has_edited_stays(study):
    write_note(study, "ours")
    edit(study, "theirs")
    write_note(study, "ours, later")
    assert shown(study) == "theirs"


def test_a_note_that_was_there_before_stays(study):
    edit(study, "theirs")
    write_note(study, "ours")
    assert shown(study) == "theirs"


def test_there_is_one_picture_the_latest(study, tmp_path):
    places = {
        show_picture(study, tmp_path / "files", "architecture.svg", drawing) for drawing in ("<svg>1</svg>", "<svg/>")
    }
    (artifact,) = get_all_artifact_meta(study_or_trial=study)
    assert (artifact.filename, artifact.mimetype) == ("architecture.svg", "image/svg+xml")
    assert places == {f"/artifacts/{study._study_id}/{artifact.artifact_id}"}
    with FileSystemArtifactStore(tmp_path / "files").open_reader(artifact.artifact_id) as file:
        assert file.read() == b"<svg/>"
