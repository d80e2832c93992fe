"""Production settings: `check --deploy` is content with what docs/operations.md asks for, and names what is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client, RequestFactory, override_settings

from core import production

BASE_DIR = Path(__file__).parents[2]
NEEDED = {
    "HTTPS": "1",
    "ALLOWED_HOSTS": "crm.example.com",
    "SECRET_KEY": "k3y-" + "Zx9_" * 14 + "abcdefghij",
    "DATABASE_URL": "postgresql://perennial:word@db.invalid/perennial",
    "REDIS_URL": "redis://:word@redis.invalid:6379/0",
}
ADVISED = {
    "EMAIL_URL": "smtp+tls://user:word@mail.invalid:587",
    "PUBLIC_URL": "https://crm.example.com",
    "STAFF_SECOND_FACTOR_REQUIRED": "1",
    "TRUSTED_PROXIES": "1",
}
HTTPS_SETTINGS = {"SECURE_SSL_REDIRECT": True, "SECURE_HSTS_SECONDS": 31_536_000, "SESSION_COOKIE_SECURE": True}


def checked(tmp_path, environment, *words):
    """What `check --deploy` says under these variables and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    env = kept | environment | {"PERENNIAL_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "crm.settings"}
    command = [sys.executable, "manage.py", "check", "--deploy", *words]
    return subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)


# --- it works


def test_it_works_without_a_word(tmp_path):
    done = checked(tmp_path, NEEDED | ADVISED, "--fail-level", "INFO")
    assert done.returncode == 0, done.stderr
    assert "System check identified no issues (1 silenced)." in done.stdout + done.stderr


def test_there_is_no_warning_with_the_needed_ones_alone(tmp_path):
    done = checked(tmp_path, NEEDED, "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    for name in ADVISED:
        assert f"(perennial.{name})" in done.stdout + done.stderr


def test_pages_ask_browsers_for_caution(db):
    with override_settings(**HTTPS_SETTINGS, SECURE_HSTS_INCLUDE_SUBDOMAINS=True):
        answer = Client().get("/accounts/login/", secure=True)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in answer.headers["Permissions-Policy"]


def test_one_trusted_proxy_is_believed(db):
    with override_settings(**HTTPS_SETTINGS, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        answer = Client().get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == 200
    assert answer.cookies["csrftoken"]


# --- it refuses


def test_it_names_what_is_missing(tmp_path):
    done = checked(tmp_path, {}, "--fail-level", "WARNING")
    assert done.returncode == 1
    for name in [*production.NEEDED, *production.ADVISED, "STAFF_SECOND_FACTOR_REQUIRED"]:
        assert f"(perennial.{name}) {name} is " in done.stderr


def test_every_host_is_too_many(tmp_path):
    done = checked(tmp_path, NEEDED | {"ALLOWED_HOSTS": "*"}, "--fail-level", "WARNING")
    assert "(perennial.any_host)" in done.stderr


def test_a_forged_scheme_is_ignored_without_a_trusted_proxy(db):
    with override_settings(**HTTPS_SETTINGS, SECURE_PROXY_SSL_HEADER=None):
        answer = Client().get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/accounts/login/")


def test_a_forged_host_is_ignored(db):
    answer = Client().get("/", headers={"X-Forwarded-Host": "evil.example"})
    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]


@pytest.mark.parametrize(("proxies", "expected"), [(0, "10.0.0.9"), (1, "203.0.113.7")])
def test_a_forged_address_is_ignored_without_a_trusted_proxy(proxies, expected):
    """With one proxy the last address counts, which the proxy wrote; those before it are the caller's own words."""
    httpkit = pytest.importorskip("allauth.core.internal.httpkit")
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.7"}, REMOTE_ADDR="10.0.0.9")
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=proxies):
        assert httpkit.get_client_ip(request) == expected


def test_the_web_server_believes_nobody_by_itself():
    """Gunicorn's default takes a scheme from every caller on this machine."""
    assert 'forwarded_allow_ips = ""\n' in (BASE_DIR / "gunicorn.conf.py").read_text()
