"""Lightness as on old film: each effect alone against what it should do, and all at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trtcolor import color
from trtcolor_train.augment import (
    EMULSIONS,
    Film,
    aged_lightness,
    blurred,
    draw_film,
    grain,
    lightness_on_film,
)


def noise(seed: int = 0, shape: tuple[int, int] = (40, 56)) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def flat(red: int, green: int, blue: int) -> NDArray[np.uint8]:
    return np.full((8, 8, 3), (red, green, blue), np.uint8)


def test_a_film_that_changes_nothing_gives_the_lightness_of_the_picture() -> None:
    picture = noise()
    np.testing.assert_allclose(
        lightness_on_film(picture, Film(), np.random.default_rng(0)),
        color.lightness_from_rgb(picture),
        atol=1e-3,
    )


@pytest.mark.parametrize("emulsion", EMULSIONS.tolist())
def test_every_emulsion_keeps_greys_white_among_them(emulsion: list[float]) -> None:
    codes = np.arange(256, dtype=np.uint8)
    greys = np.repeat(codes[None, :, None], 3, axis=2)
    np.testing.assert_allclose(
        lightness_on_film(greys, Film(emulsion=tuple(emulsion))),
        color.lightness_from_grey(codes[None]),
        atol=1e-3,
    )


def test_orthochromatic_film_sees_no_red_and_the_oldest_film_blue_alone() -> None:
    _, _, orthochromatic, blue_sensitive = (Film(emulsion=tuple(row)) for row in EMULSIONS.tolist())
    assert lightness_on_film(flat(255, 0, 0), orthochromatic).max() == 0
    assert lightness_on_film(flat(0, 255, 0), orthochromatic).min() > 50
    assert lightness_on_film(flat(255, 255, 0), blue_sensitive).max() == 0
    # Half of white's light: 116 * 0.5^(1/3) - 16.
    half = lightness_on_film(flat(0, 0, 255), orthochromatic)
    np.testing.assert_allclose(half, 76.069, atol=1e-3)


def test_gamma_bends_the_middle_and_holds_the_ends() -> None:
    middle = float(lightness_on_film(flat(119, 119, 119), Film())[0, 0])
    bent = float(lightness_on_film(flat(119, 119, 119), Film(gamma=1.5))[0, 0])
    assert bent == pytest.approx(100 * (middle / 100) ** 1.5, abs=1e-3)
    for code, end in ((0, 0.0), (255, 100.0)):
        held = lightness_on_film(flat(code, code, code), Film(gamma=1.5))
        np.testing.assert_allclose(held, end, atol=1e-3)


def test_fading_lifts_black_and_lowers_white() -> None:
    film = Film(black=12, white=85)
    np.testing.assert_allclose(lightness_on_film(flat(0, 0, 0), film), 12, atol=1e-4)
    np.testing.assert_allclose(lightness_on_film(flat(255, 255, 255), film), 85, atol=1e-3)


@pytest.mark.parametrize("deviation", [0.5, 1.0, 1.5])
def test_blur_spreads_a_point_to_a_gaussian_of_that_deviation(deviation: float) -> None:
    point = np.zeros((31, 41), np.float32)
    point[15, 20] = 1
    spread = blurred(point, deviation)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    for axis, centre in ((0, 15), (1, 20)):
        profile = spread.sum(axis=1 - axis)
        variance = float((profile * (np.arange(point.shape[axis]) - centre) ** 2).sum())
        # Sampled at pixels and cut off at three deviations, which makes narrow ones narrower.
        assert math.sqrt(variance) == pytest.approx(deviation, rel=0.08)


def test_blur_keeps_an_even_plane_to_its_edges_and_none_changes_nothing() -> None:
    even = np.full((9, 5), 0.25, np.float32)
    np.testing.assert_allclose(blurred(even, 1.5), even, atol=1e-6)
    uneven = np.random.default_rng(0).random((9, 5), np.float32)
    np.testing.assert_array_equal(blurred(uneven, 0), uneven)


@pytest.mark.parametrize("size", [0.0, 0.7])
def test_grain_has_its_deviation_in_mid_tones_and_none_in_black_and_white(size: float) -> None:
    film, random = Film(grain=5, grain_size=size), np.random.default_rng(0)
    added = {
        tone: 100 * grain(np.full((200, 200), tone, np.float32), film, random)
        for tone in (0.0, 0.2, 0.5, 1.0)
    }
    assert added[0.5].std() == pytest.approx(5, rel=0.03)
    assert added[0.2].std() == pytest.approx(5 * 0.64, rel=0.03)
    assert added[0.0].max() == added[1.0].max() == 0
    neighbours = np.corrcoef(added[0.5][:, 1:].ravel(), added[0.5][:, :-1].ravel())[0, 1]
    assert (neighbours > 0.3) == (size > 0)


def test_the_drawn_effects_fill_their_ranges_independently() -> None:
    random = np.random.default_rng(0)
    films = [draw_film(random) for _ in range(2000)]
    drawn = {
        name: np.array([getattr(film, name) for film in films])
        for name in ("blur", "gamma", "grain", "grain_size", "black", "white")
    }
    limits = {
        "blur": (0, 1.5),
        "gamma": (1 / 1.5, 1.5),
        "grain": (0, 6),
        "grain_size": (0, 1),
        "black": (0, 20),
        "white": (80, 100),
    }
    for name, (low, high) in limits.items():
        width = high - low
        assert low <= drawn[name].min() < low + 0.02 * width, name
        assert high - 0.02 * width < drawn[name].max() <= high, name
    red = np.array([film.emulsion[0] for film in films])
    together = np.corrcoef([red, *drawn.values()])
    assert np.abs(together - np.eye(len(together))).max() < 0.1
    sums = [sum(film.emulsion) for film in films]
    np.testing.assert_allclose(sums, 1, atol=1e-12)
    assert red.min() < 0.01  # nearly blind to red
    assert red.max() > 0.3


@given(
    seed=st.integers(0, 2**32 - 1), height=st.integers(1, 40), width=st.integers(1, 40), extreme=...
)
def test_any_picture_stays_a_lightness_and_depends_on_the_generator_alone(
    seed: int, height: int, width: int, extreme: bool
) -> None:
    picture = noise(seed, (height, width))
    if extreme:
        picture = np.where(picture > 127, 255, 0).astype(np.uint8)
    before = picture.copy()
    aged = aged_lightness(picture, np.random.default_rng(seed))
    assert aged.shape == (height, width)
    assert aged.dtype == np.float32
    assert aged.min() >= 0
    assert aged.max() <= 100
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(aged, aged_lightness(picture, np.random.default_rng(seed)))
    if height * width > 100:
        assert not np.array_equal(aged, aged_lightness(picture, np.random.default_rng(seed + 1)))


def test_geometry_is_left_alone(photos: list[NDArray[np.uint8]]) -> None:
    picture = np.ascontiguousarray(photos[0][:128, :128])
    film = Film(emulsion=(0.3, 0.4, 0.3), blur=1.2, gamma=1.2, black=5, white=90)
    aged = lightness_on_film(picture, film)
    mirrored = lightness_on_film(picture[:, ::-1], film)
    np.testing.assert_allclose(mirrored[:, ::-1], aged, atol=1e-3)
    truth = color.lightness_from_rgb(picture)
    shifted = {
        shift: float(
            np.corrcoef(
                aged[8:-8, 8:-8].ravel(), np.roll(truth, shift, (0, 1))[8:-8, 8:-8].ravel()
            )[0, 1]
        )
        for shift in ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1))
    }
    assert max(shifted, key=lambda shift: shifted[shift]) == (0, 0)
    assert shifted[0, 0] > 0.9
