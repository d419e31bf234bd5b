"""Our ThumbHash against the package of that name, where that one works."""

import pytest
import thumbhash as reference
from hypothesis import given
from hypothesis import strategies as st

from media.placeholders import thumbhash


@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.data())
def test_an_opaque_picture_has_the_hash_that_others_give_it(size: tuple[int, int], data: st.DataObject) -> None:
    colors = data.draw(st.binary(min_size=3 * size[0] * size[1], max_size=3 * size[0] * size[1]))
    rgba = b"".join(colors[at : at + 3] + b"\xff" for at in range(0, len(colors), 3))
    ours, theirs = thumbhash(*size, rgba), bytes(reference.rgba_to_thumb_hash(*size, list(rgba)))
    assert len(ours) == len(theirs)
    # Sums taken in another order may round to the neighbouring step.
    assert all(abs((one & 15) - (other & 15)) <= 1 for one, other in zip(ours[5:], theirs[5:], strict=True))


@pytest.mark.parametrize("alpha", [0, 100])
def test_a_picture_that_shows_through_says_so(alpha: int) -> None:
    made = thumbhash(4, 2, bytes([200, 10, 10, alpha]) * 8)
    assert made[2] & 0x80
    red, _, blue, seen = reference.thumb_hash_to_average_rgba(list(made))
    assert seen == pytest.approx(alpha / 255, abs=0.05)
    assert alpha == 0 or red > blue
