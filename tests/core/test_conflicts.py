"""Two people edit one record: the form carries what it was made from, and nothing of either is lost."""

import pytest
from django import forms
from django.http import QueryDict

from core import conflicts
from core.forms.guarded import Beside, Guarded

LOADED = {"name": "Ada", "city": "Bonn", "tier": "a", "news": True}


class PersonForm(Guarded):
    name = forms.CharField(label="Name")
    city = forms.CharField(label="City", required=False)
    tier = forms.ChoiceField(label="Tier", choices=[("a", "Gold"), ("b", "Silver"), ("c", "None")])
    news = forms.BooleanField(label="Newsletter", required=False)


def posted(form, **changes):
    """What a browser sends of a form that was shown, with some inputs changed."""
    fields = {name: form[name].value() for name in form.fields}
    texts = {name: "on" if value is True else value for name, value in (fields | changes).items() if value}
    data = QueryDict(mutable=True)
    data.update(texts)
    return data


def saved(*, loaded=LOADED, now=LOADED, edited=str, **changes):
    """The form as it comes back: shown when the record was `loaded`, sent when it is `now`."""
    return PersonForm(posted(PersonForm(initial=loaded), **changes), initial=now, edited=edited)


def test_alone_everything_is_saved():
    form = saved(city="Köln")
    assert form.is_valid()
    assert form.cleaned_data["city"] == "Köln"


def test_what_only_they_changed_stands():
    form = saved(now=LOADED | {"city": "Hamburg", "news": False}, name="Ada L.")
    assert form.is_valid()
    assert form.cleaned_data | {"made_from": ""} == {
        "name": "Ada L.", "city": "Hamburg", "tier": "a", "news": False, "made_from": "",
    }  # fmt: skip


def test_both_values_of_a_conflict_come_back():
    form = saved(now=LOADED | {"city": "Hamburg", "tier": "b"}, city="Köln", edited=lambda: "Mara, 14:05")
    assert not form.is_valid()
    (conflict,) = form.conflicts
    assert (conflict.label, conflict.theirs, conflict.yours) == ("City", "Hamburg", "Köln")
    assert form["city"].value() == "Köln"
    assert form["tier"].value() == "b"
    assert form.edited() == "Mara, 14:05"


def test_a_choice_is_told_in_words():
    form = saved(now=LOADED | {"tier": "b"}, tier="c")
    assert not form.is_valid()
    assert [(one.theirs, one.yours) for one in form.conflicts] == [("Silver", "None")]


@pytest.mark.parametrize(("keep", "city"), [("theirs", "Hamburg"), ("yours", "Köln")])
def test_the_second_save_does_what_was_chosen(keep, city):
    now = LOADED | {"city": "Hamburg"}
    first = saved(now=now, city="Köln")
    assert not first.is_valid()
    again = PersonForm(posted(first, **{"keep-city": keep}), initial=now)
    assert again.is_valid(), again.errors
    assert again.cleaned_data["city"] == city


def test_a_third_person_in_between_is_a_conflict_again():
    first = saved(now=LOADED | {"city": "Hamburg"}, city="Köln")
    assert not first.is_valid()
    again = PersonForm(posted(first), initial=LOADED | {"city": "Berlin"})
    assert not again.is_valid()
    assert again.conflicts[0].theirs == "Berlin"


def test_another_error_keeps_the_guard():
    now = LOADED | {"city": "Hamburg"}
    first = saved(name="", city="Köln")
    assert not first.is_valid()
    assert not first.conflicts
    again = PersonForm(posted(first, name="Ada"), initial=now)
    assert not again.is_valid()
    assert again.conflicts[0].name == "city"


def test_the_same_change_by_both_is_no_conflict():
    form = saved(now=LOADED | {"city": "Köln"}, city=" Köln ")
    assert form.is_valid()


def test_what_stands_beside_the_form_is_guarded_too():
    def form(data=None, *, current, yours=()):
        beside = {"lines": Beside(label="Lines", current=current, yours=yours)}
        return PersonForm(data, initial=LOADED, beside=beside)

    data = posted(form(current=["2 × mug"]))
    kept = form(data, current=["3 × mug"], yours=["2 × mug"])
    assert kept.is_valid()
    assert kept.kept == ["lines"]
    both = form(data, current=["3 × mug"], yours=["4 × mug"])
    assert not both.is_valid()
    assert both.conflicts[0].theirs == "3 × mug"


@pytest.mark.parametrize("token", ["", "{", "[]", '{"city": 7}'])
def test_a_token_that_cannot_be_read_breaks_nothing(token):
    found = conflicts.compare(made_from=token, current={"city": ["Bonn"]}, yours={"city": ["Bonn"]})
    assert found == conflicts.Compared()
