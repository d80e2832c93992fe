"""The desk in use: signing in, keyboard, filters, a night that is watched, and all of it without script."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core.models import Job, Run
from crm import night
from tests.browser.conftest import PASSWORD, go, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class TestSignIn:
    def test_it_works(self, open_page, shop):
        page = open_page("/customers/?risk=high", signed_in=False)
        expect(page).to_have_title("Sign in · Perennial")
        page.fill("[name=login]", "manager@example.com")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Customers")
        assert page.url.endswith("/customers/?risk=high")
        page.click("details.menu summary")
        page.click("text=Sign out")
        expect(page).to_have_title("Sign in · Perennial")

    def test_a_wrong_password_is_refused(self, open_page, manager):
        page = open_page("/accounts/login/", signed_in=False)
        sign_in(page, "wrong")
        expect(page.locator(".errorlist")).to_contain_text("not correct")

    def test_a_session_that_ended_leads_to_the_sign_in_page(self, open_page, shop):
        page = open_page("/customers/")
        page.context.clear_cookies()
        page.fill("#q", "person")
        expect(page).to_have_title("Sign in · Perennial")

    def test_a_passkey(self, open_page, manager):
        """Added and used with a virtual authenticator: allauth's script works under the policy."""
        page = open_page("/accounts/2fa/webauthn/add/")
        debugger = page.context.new_cdp_session(page)
        debugger.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
        debugger.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        page.fill("[name=password]", PASSWORD)
        page.click(".form-actions button")
        page.check("[name=passwordless]")
        page.click("#mfa_webauthn_add")
        expect(page.locator("h1")).to_have_text("Recovery codes")
        page.goto("/accounts/2fa/recovery-codes/generate/")
        page.click("details.menu summary")
        page.click("text=Sign out")
        page.click("#passkey_login")
        expect(page.locator("h1")).to_have_text("Today")
        assert page.problems == []


class TestKeyboard:
    def test_slash_searches(self, open_page, shop):
        page = open_page()
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("nº 7")
        expect(page.locator("#search-hits a.hit")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("Person Nº 7")

    def test_escape_leaves_the_search(self, open_page, shop):
        page = open_page()
        page.keyboard.press("/")
        page.keyboard.type("person")
        expect(page.locator("#search-hits a.hit").first).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#search-hits")).to_be_empty()
        expect(page.locator("#search")).not_to_be_focused()

    def test_the_palette(self, open_page, shop):
        page = open_page()
        page.keyboard.press("Control+k")
        page.keyboard.type("segments")
        expect(page.locator("#palette-hits a.hit").first).to_contain_text("Segments")
        page.keyboard.press("Escape")
        expect(page.locator("#palette")).not_to_be_visible()
        page.keyboard.press("Control+k")
        page.keyboard.press("Control+a")
        page.keyboard.type("jobs")
        expect(page.locator("#palette-hits a.hit")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Jobs")

    def test_j_and_k_walk_the_rows(self, open_page, shop):
        page = open_page("/customers/")
        names = page.locator("[data-rows] a.who-n")
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(names.nth(1)).to_be_focused()
        page.keyboard.press("k")
        expect(names.nth(0)).to_be_focused()

    def test_letters_in_a_field_are_letters(self, open_page, shop):
        page = open_page("/customers/")
        page.fill("#q", "")
        page.locator("#q").press_sequentially("j/k")
        expect(page.locator("#q")).to_have_value("j/k")

    def test_the_first_tab_skips_to_the_content(self, open_page, shop):
        page = open_page()
        page.keyboard.press("Tab")
        expect(page.locator(".skip-link")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


class TestCustomers:
    def test_a_filter_changes_the_rows_and_the_address(self, open_page, shop):
        page = open_page("/customers/")
        expect(page.locator(".totals")).to_contain_text("40 customers")
        page.evaluate("window.stays = true")
        page.check("[name=risk][value=high]")
        expect(page.locator(".totals")).to_contain_text("13 customers")
        assert re.search(r"risk=high", page.url)
        assert page.evaluate("window.stays")
        page.go_back()
        expect(page.locator(".totals")).to_contain_text("40 customers")

    def test_typing_searches(self, open_page, shop):
        page = open_page("/customers/")
        page.locator("#q").press_sequentially("Nº 31")
        expect(page.locator("[data-rows] tbody tr")).to_have_count(1)

    def test_a_chip_takes_its_filter_away(self, open_page, shop):
        page = open_page("/customers/?risk=high&segment=loyal")
        page.click(".chip >> text=Churn risk")
        expect(page.locator(".chip")).to_have_count(1)
        expect(page.locator("[name=risk][value=high]")).not_to_be_checked()

    def test_previous_and_next_customer_of_the_list(self, open_page, shop):
        page = open_page("/customers/")
        page.click("[data-rows] a.who-n >> nth=1")
        expect(page.locator("h1")).to_contain_text("Person Nº 38")
        page.click("a[rel=next]")
        expect(page.locator("h1")).to_contain_text("Person Nº 37")

    def test_show_earlier_keeps_the_page(self, open_page, shop):
        page = open_page(f"/customers/{shop[39].pk}/")
        before = page.locator(".tl-e").count()
        page.click("text=Show earlier")
        expect(page.locator(".tl-e")).to_have_count(22)
        assert before == 15


class TestAccountMenu:
    def test_arrows_walk_it_and_escape_leaves_it(self, open_page, shop):
        page = open_page()
        page.focus("details.menu summary")
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        expect(page.locator("details.menu a").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("details.menu summary")).to_be_focused()
        assert not page.locator("details.menu").evaluate("menu => menu.open")

    def test_another_language(self, open_page, shop):
        page = open_page("/customers/")
        page.click("details.menu summary")
        page.click("text=Deutsch")
        expect(page.locator("h1")).to_have_text("Kunden")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        assert page.url.endswith("/customers/")


class TestCharts:
    def test_they_are_drawn_and_have_tables(self, open_page, shop):
        page = open_page()
        page.locator("[data-chart=treemap]").scroll_into_view_if_needed()
        expect(page.locator("[data-chart] canvas")).to_have_count(2)
        page.click("text=Show as a table >> nth=0")
        expect(page.locator("text=Average CLV").last).to_be_visible()

    def test_the_theme_can_be_switched_and_is_kept(self, open_page, shop):
        page = open_page(color_scheme="light")
        page.click("[data-theme-toggle]")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        go(page, "/customers/")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        assert page.problems == []

    def test_a_cell_of_the_treemap_opens_its_segment(self, open_page, shop):
        page = open_page("/segments/")
        page.wait_for_selector("[data-chart=treemap] canvas")
        page.locator("[data-chart=treemap]").click(position={"x": 20, "y": 20})
        expect(page).to_have_url(re.compile(r"/segments/[a-z-]+/"))


class TestNight:
    def test_progress_and_end_are_seen(self, open_page, shop):
        run = Run.objects.create(
            as_of=timezone.localdate() - timedelta(days=900), started_at=timezone.now(), step="fit"
        )
        job = Job.objects.create(run=run, step="margins", state="claimed", ready_at=timezone.now())
        page = open_page()
        expect(page.locator("#night")).to_contain_text("0% done")
        Job.objects.filter(pk=job.pk).update(state="done", finished_at=timezone.now())
        expect(page.locator("#night")).to_contain_text(f"{100 // len(night.STEPS)}% done")
        Run.objects.filter(pk=run.pk).update(state="done", finished_at=timezone.now())
        expect(page.locator("#night")).to_have_count(0)

    def test_a_failed_request_is_told(self, open_page, shop):
        page = open_page("/customers/")
        page.route("**/customers/?*", lambda route: route.fulfill(status=500, body="no"))
        page.check("[name=risk][value=high]")
        expect(page.locator("#toasts")).to_contain_text("That did not work (500)")


class TestPhone:
    @pytest.fixture
    def phone(self, open_page, shop):
        return open_page("/customers/", viewport={"width": 390, "height": 844}, has_touch=True)

    def test_the_menu_opens_and_closes(self, phone):
        phone.click("[data-side-toggle]")
        expect(phone.locator("#side")).to_be_visible()
        phone.keyboard.press("Escape")
        expect(phone.locator("#side")).not_to_be_visible()

    def test_filters_open_in_place(self, phone):
        expect(phone.locator("#filters")).not_to_be_visible()
        phone.click("text=Filters")
        phone.check("[name=risk][value=high]")
        expect(phone.locator(".totals")).to_contain_text("13 customers")

    def test_the_search_button_opens_the_palette(self, phone):
        phone.click(".topbar-search")
        expect(phone.locator("#palette")).to_be_visible()


class TestWithoutScript:
    @pytest.fixture
    def plain(self, open_page, shop):
        return open_page("/customers/", java_script_enabled=False)

    def test_filter_sort_and_pages(self, plain):
        plain.check("[name=risk][value=high]")
        plain.click("text=Apply")
        expect(plain.locator(".chip")).to_have_text(re.compile("High"))
        expect(plain.locator("[data-rows] tbody tr")).to_have_count(13)
        plain.click("th >> text=Customer")
        assert "sort=name" in plain.url
        assert "risk=high" in plain.url
        go(plain, "/customers/")
        plain.click("text=Next")
        expect(plain.locator("[data-rows] tbody tr")).to_have_count(15)
        plain.click("text=Previous")
        expect(plain.locator("[data-rows] tbody tr")).to_have_count(25)

    def test_search_from_any_page(self, plain):
        go(plain, "/segments/")
        plain.fill("#search", "nº 12")
        plain.keyboard.press("Enter")
        expect(plain.locator("[data-rows] tbody tr")).to_have_count(1)

    def test_earlier_entries(self, plain, shop):
        go(plain, f"/customers/{shop[39].pk}/")
        plain.click("text=Show earlier")
        expect(plain.locator(".tl-e")).to_have_count(7)

    def test_the_account_menu_and_signing_out(self, plain):
        plain.click("details.menu summary")
        plain.click("text=Sign out")
        expect(plain.locator("h1")).to_have_text("Sign in")

    def test_starting_a_night(self, plain):
        go(plain, "/jobs/")
        plain.click("text=Run the night now")
        expect(plain.locator("h1")).to_contain_text("Night of")

    def test_the_menu_on_a_phone(self, open_page, shop):
        page = open_page("/", java_script_enabled=False, viewport={"width": 390, "height": 844})
        expect(page.locator("#side")).not_to_be_visible()
        page.click("[data-side-toggle]")
        expect(page.locator("#side")).to_be_visible()
