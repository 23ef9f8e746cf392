from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from optiproxy.training.tasks.recipes import ImageRecipe, accuracy, fit_classifier, shifted


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))


def two_classes(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Bright images are of class 1, dark ones of class 0."""
    labels = torch.arange(n) % 2
    return torch.rand(n, 1, 4, 4, generator=stream()) / 2 + labels[:, None, None, None] / 2, labels


RECIPE = ImageRecipe(batch=8, rate=0.1, decay=0.0, shift=1)


@given(by=st.integers(0, 3), seed=st.integers(0, 1000))
def test_a_shifted_image_is_the_image_moved_with_zeros_coming_in(by, seed):
    # Distinct pixels; the first image's place of its middle pixel says how it was moved.
    images = torch.arange(1.0, 99).reshape(2, 1, 7, 7)
    moved = shifted(images, by=by, stream=stream(seed))
    assert moved.shape == images.shape
    for before, after in zip(images[:, 0], moved[:, 0], strict=True):
        row, column = (after == before[3, 3]).nonzero()[0].tolist()
        assert abs(row - 3) <= by
        assert abs(column - 3) <= by
        expected = torch.zeros_like(before)
        for i in range(7):
            for j in range(7):
                if 0 <= i + row - 3 < 7 and 0 <= j + column - 3 < 7:
                    expected[i + row - 3, j + column - 3] = before[i, j]
        assert torch.equal(after, expected)


def test_every_shift_occurs_and_images_of_a_batch_move_apart():
    images = torch.zeros(500, 1, 5, 5)
    images[:, :, 2, 2] = 1.0
    places = {tuple(place) for place in shifted(images, by=1, stream=stream())[:, 0].nonzero()[:, 1:].tolist()}
    assert places == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3)}


def test_fitting_learns_what_can_be_learned():
    images, labels = two_classes(64)
    network = linear()
    fit_classifier(network, images, labels, recipe=RECIPE, epochs=5, seed=0)
    assert accuracy(network, *two_classes(200)) > 95
    assert not network.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    def weights(seed: int) -> torch.Tensor:
        network = linear()
        fit_classifier(network, *two_classes(64), recipe=RECIPE, epochs=1, seed=seed)
        return network[1].weight.detach()

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_order_and_shifts_do_not_depend_on_the_network():
    def seen(network: torch.nn.Module) -> list[torch.Tensor]:
        inputs: list[torch.Tensor] = []
        network.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0].clone()))
        fit_classifier(network, *two_classes(32), recipe=RECIPE, epochs=2, seed=3)
        return inputs

    wide = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 8), torch.nn.Dropout(), torch.nn.Linear(8, 2))
    for one, other in zip(seen(linear()), seen(wide), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("right", "expected"), [(0, 0.0), (3, 75.0), (4, 100.0)])
def test_accuracy_is_the_share_of_right_answers_in_percent(right, expected):
    class Seen(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(images[:, 0, 0, 0].long(), 4).float()

    images = torch.arange(4.0)[:, None, None, None]
    labels = torch.tensor([i if i < right else (i + 1) % 4 for i in range(4)])
    assert accuracy(Seen(), images, labels) == expected
