"""Points are drawn on the right pixels, and none disappears."""

import torch

from genlab.pictures.scatter import MARGIN, SIDE, dot_coverage, first_two_coordinates, frame_of, scatter

UNIT = (torch.zeros(2), 1.0)  # the picture shows the unit square


def dots(points: list[list[float]]) -> torch.Tensor:
    return dot_coverage(torch.tensor(points), UNIT)


def test_a_point_is_a_dot_about_its_place():
    """x increases to the right, y upwards; rows count from above."""
    covered = dots([[0.1, 0.9]]).nonzero()
    row, column = covered.double().mean(0).tolist()
    assert len(covered) == 9
    assert (column, SIDE - 1 - row) == (0.1 * SIDE, 0.9 * SIDE)


def test_many_points_are_darker_and_never_more_than_all():
    once, often = dots([[0.5, 0.5]]).max(), dots([[0.5, 0.5]] * 20).max()
    assert 0 < once < often <= 1


def test_points_outside_lie_on_the_edge_and_nan_nowhere():
    assert dots([[7.0, 0.5]])[:, -1].any()
    assert dots([[0.5, -7.0]])[-1].any()
    assert not dots([[float("nan"), 0.5]]).any()


def test_the_frame_is_a_square_with_a_margin():
    corner, side = frame_of(torch.tensor([[0.0, 0.0], [4.0, 2.0]]))
    assert side == 4 / (1 - 2 * MARGIN)
    torch.testing.assert_close(corner, torch.tensor([2.0, 1.0]) - side / 2)


def test_later_sets_lie_above():
    point = torch.tensor([[0.5, 0.5]])
    picture = scatter([(point.repeat(50, 1), (0, 0, 255)), (point.repeat(50, 1), (255, 0, 0))], UNIT)
    middle = SIDE // 2
    assert picture.shape == (3, SIDE, SIDE) and picture.dtype == torch.uint8
    assert picture[:, SIDE - 1 - middle, middle].tolist() == [255, 0, 0]
    assert (picture[:, 0, 0] == 255).all()


def test_other_numbers_of_coordinates_are_shown_too():
    assert first_two_coordinates(torch.ones(3, 1)).tolist() == [[1, 0]] * 3
    assert first_two_coordinates(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[1, 2]]
