"""Tiles cover a plane once, each with its context, all of one shape, for as little work as fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.tiles import Span, Tiling, plan_tiles, run_tiles

multiples = st.sampled_from([1, 2, 4, 8, 32])
halos = st.integers(0, 200)


@st.composite
def tilings(draw: st.DrawFn) -> tuple[Tiling, int, int, int]:
    """A tiling with the multiple, the halo and the pixels that it was made for."""
    multiple, halo = draw(multiples), draw(halos)
    size = tuple(multiple * draw(st.integers(1, 2000 // multiple)) for _ in range(2))
    least = (2 * (halo + multiple) + multiple) ** 2
    pixels = draw(st.integers(least, max(4 * size[0] * size[1] // 3, least)))
    tiles = plan_tiles((size[0], size[1]), multiple, halo, pixels)
    assert tiles is not None
    return tiles, multiple, halo, pixels


@given(tilings())
def test_every_pixel_is_kept_once(made: tuple[Tiling, int, int, int]) -> None:
    tiles, *_ = made
    for side, spans in zip(tiles.size, (tiles.rows, tiles.columns), strict=True):
        kept = [pixel for span in spans for pixel in span.kept]
        assert kept == list(range(side))


@given(tilings())
def test_what_is_kept_is_a_halo_from_where_the_window_was_cut_off(
    made: tuple[Tiling, int, int, int],
) -> None:
    tiles, _, halo, _ = made
    for side, spans in zip(tiles.size, (tiles.rows, tiles.columns), strict=True):
        for span in spans:
            window, kept = span.window, span.kept
            assert 0 <= window.start <= kept.start < kept.stop <= window.stop <= side
            assert window.start == 0 or kept.start - window.start >= halo
            assert window.stop == side or window.stop - kept.stop >= halo


@given(tilings())
def test_windows_have_one_shape_that_fits_and_begin_at_multiples(
    made: tuple[Tiling, int, int, int],
) -> None:
    tiles, multiple, _, pixels = made
    assert tiles.tile[0] * tiles.tile[1] <= pixels
    for spans in (tiles.rows, tiles.columns):
        assert len({len(span.window) for span in spans}) == 1
        for span in spans:
            assert span.window.start % multiple == 0
            assert len(span.window) % multiple == 0
            assert span.kept.start % multiple == 0


@given(tilings())
def test_a_plane_that_fits_is_one_window(made: tuple[Tiling, int, int, int]) -> None:
    tiles, _, _, pixels = made
    if tiles.size[0] * tiles.size[1] <= pixels:
        assert tiles == Tiling.whole(tiles.size)
        assert tiles.work == 1


@given(tilings())
def test_no_grid_of_equal_windows_computes_fewer_pixels(
    made: tuple[Tiling, int, int, int],
) -> None:
    tiles, multiple, halo, pixels = made
    context = -(-halo // multiple) * multiple

    def windows(side: int) -> dict[int, int]:
        """The length that so many windows need."""
        return {1: side} | {
            count: -(-(side - 2 * context) // (count * multiple)) * multiple + 2 * context
            for count in range(2, 12)
            if side > 2 * context
        }

    rows, columns = (windows(side) for side in tiles.size)
    areas = [
        m * n * height * width
        for m, height in rows.items()
        for n, width in columns.items()
        if height * width <= pixels
    ]
    assert len(tiles) * tiles.tile[0] * tiles.tile[1] <= min(areas, default=2**60)


def test_no_window_is_smaller_than_its_context() -> None:
    assert plan_tiles((512, 512), 8, 64, 136 * 136 - 1) is None
    tiles = plan_tiles((512, 512), 8, 64, 136 * 136)
    assert tiles is not None
    assert tiles.tile == (136, 136)
    assert len(tiles) == 48**2


@pytest.mark.parametrize("size", [(0, 8), (8, 12)])
def test_a_plane_that_is_no_multiple_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"multiples of 8 were needed; pad it"):
        plan_tiles(size, 8, 0, 64)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_planes_run_in_tiles_are_those_of_the_whole(scale: int) -> None:
    """A network that sums 3 x 3 samples reaches one sample far."""
    lightness = np.random.default_rng(0).normal(size=(1, 1, 96, 72)).astype(np.float32)

    def network(seen: np.ndarray) -> dict[str, np.ndarray]:
        sampled = seen[..., ::scale, ::scale]
        padded = np.pad(sampled, ((0, 0), (0, 0), (1, 1), (1, 1)))
        height, width = sampled.shape[2:]
        sums = sum(padded[..., i : i + height, j : j + width] for i in range(3) for j in range(3))
        return {"sums": np.concatenate((sums, -sums), axis=1), "same": sampled}

    tiles = plan_tiles((96, 72), 4, 4, 400)
    assert tiles is not None
    assert len(tiles) > 20
    whole, tiled = network(lightness), run_tiles(network, lightness, tiles, scale)
    assert whole.keys() == tiled.keys()
    for name, planes in whole.items():
        np.testing.assert_allclose(tiled[name], planes, atol=1e-6)


def test_one_window_is_the_run_itself() -> None:
    lightness = np.zeros((1, 1, 8, 8), np.float32)
    found = run_tiles(lambda seen: {"it": seen}, lightness, Tiling.whole((8, 8)), 2)
    assert found["it"] is lightness


def test_a_whole_plane_is_kept_whole() -> None:
    assert Tiling.whole((3, 5)).rows == (Span(range(3), range(3)),)
    assert list(Tiling.whole((3, 5))) == [
        (Span(range(3), range(3)), Span(range(5), range(5))),
    ]
