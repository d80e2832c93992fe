"""A contract recorded by mistake: removed while nothing rests on it, put back as it was, by hand and by the pages."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.models import Business, Change, Edit
from customers.models import Company, Contract
from customers.services import contract_removal, contracts
from tests.contracts import make_contract, terms

pytestmark = pytest.mark.django_db
LIST, PUT_BACK = "/contracts/", "/contracts/put-back/"


def remove(contract):
    return contract_removal.remove(contract_id=contract.pk)


def everything():
    """To the millisecond, which is what its keeping keeps."""
    row = Contract.objects.values().get()
    return row | {"created_at": f"{row['created_at']:%F %T}"}, terms(Contract.objects.get())


def remove_url(contract):
    return reverse("customers:contract_remove", args=[contract.pk])


def test_it_goes_and_comes_back_as_it_was():
    contract = make_contract(renewals=0, external_id="K-7", source="erp", margin_rate="0.2")
    before, told = everything(), Change.objects.filter(kind="contract").count()
    kept = remove(contract)

    assert not Contract.objects.exists()
    assert not Business.objects.get().has_contracts
    assert contract_removal.put_back(kept=kept).pk == contract.pk
    assert everything() == before
    assert Business.objects.get().has_contracts
    assert Change.objects.filter(kind="contract").count() == told + 2


def test_renewals_told_at_once_go_with_it():
    today = timezone.localdate()
    contract = make_contract(starts_on=today - timedelta(days=800), renewals=2, on=today)
    kept = remove(contract)

    assert [number for number, *_ in terms(contract_removal.put_back(kept=kept))] == [1, 2, 3]


def test_a_later_decision_keeps_it():
    contract = make_contract()
    Contract.objects.update(created_at=timezone.now() - timedelta(days=3))
    contracts.cancel(contract_id=contract.pk, number=1, on=timezone.localdate())

    with pytest.raises(contract_removal.InUse) as refused:
        remove(contract)
    assert refused.value.term.number == 1
    contracts.take_back(contract_id=contract.pk, number=1)
    remove(contract)
    assert not Contract.objects.exists()


def test_other_contracts_keep_the_pages():
    contract = make_contract()
    make_contract()
    remove(contract)

    assert Business.objects.get().has_contracts


@pytest.mark.parametrize("lost", ["number", "company"])
def test_it_cannot_be_put_back_where_its_place_is_gone(lost):
    company = Company.objects.create(name="Acme", external_id="1")
    kept = remove(make_contract(external_id="K-7", company=company))
    if lost == "number":
        make_contract(external_id="K-7")
    else:
        company.delete()
    before = Contract.objects.count()

    with pytest.raises(contract_removal.CannotPutBack):
        contract_removal.put_back(kept=kept)
    assert Contract.objects.count() == before


class TestPages:
    def test_a_click_removes_and_another_puts_back(self, agent):
        contract = make_contract(plan="Care")
        before = everything()
        assert remove_url(contract) in agent.get(contract.get_absolute_url()).content.decode()
        page = agent.post(remove_url(contract), follow=True).content.decode()

        assert f"Care {contract.pk} is removed." in page
        assert PUT_BACK in page
        back = agent.post(PUT_BACK, follow=True)
        assert back.redirect_chain[-1][0] == contract.get_absolute_url()
        assert everything() == before
        assert "is removed" not in agent.get(LIST).content.decode()
        assert list(Edit.objects.filter(table="customers_contract").values_list("action", flat=True)) == [
            "delete",
            "insert",
        ]

    def test_a_decision_since_is_a_refusal_in_words(self, agent):
        contract = make_contract()
        Contract.objects.update(created_at=timezone.now() - timedelta(days=3))
        contracts.cancel(contract_id=contract.pk, number=1, on=timezone.localdate())
        page = agent.post(remove_url(contract), follow=True).content.decode()

        assert "Term 1 was decided upon since" in page
        assert Contract.objects.exists()

    def test_nothing_to_put_back(self, agent):
        page = agent.post(PUT_BACK, follow=True).content.decode()

        assert "There is nothing to put back." in page

    def test_what_was_removed_long_ago_is_not_offered(self, agent):
        agent.post(remove_url(make_contract()))
        session = agent.session
        session["removed_contract"] |= {"at": session["removed_contract"]["at"] - 3601}
        session.save()

        assert "is removed" not in agent.get(LIST).content.decode()

    def test_others_get_403(self, viewer):
        contract = make_contract()

        assert viewer.post(remove_url(contract)).status_code == 403
        assert viewer.post(PUT_BACK).status_code == 403
        assert remove_url(contract) not in viewer.get(contract.get_absolute_url()).content.decode()
