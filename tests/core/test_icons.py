import pytest
from django.core.exceptions import ImproperlyConfigured

from core import icons


def test_it_works():
    svg = icons.svg("users", css="big")
    assert svg.startswith('<svg class="icon big"')
    assert "<path" in svg
    assert "\n" not in svg
    assert 'aria-hidden="true"' in svg


def test_filled_icons_have_no_stroke():
    assert 'fill="currentColor"' in icons.svg("award", style="filled")


@pytest.mark.parametrize("name", ["no-such-icon", "../../package", "USERS", ""])
def test_another_name_is_refused(name):
    with pytest.raises(ImproperlyConfigured):
        icons.svg(name)


def test_the_class_is_escaped():
    assert "<script>" not in icons.svg("users", css='"><script>')
