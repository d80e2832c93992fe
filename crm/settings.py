"""Django settings. What differs between machines comes from the environment (docs/operations.md)."""

import ipaddress
import logging
from pathlib import Path

import environ
from csp.constants import NONE, SELF

from core import embedded, logs, secret, sentry
from core.api import config as api_config
from crm import schedule

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
VERSION = "0.1.0"

PERENNIAL_HOME = Path(env.str("PERENNIAL_HOME", str(BASE_DIR / "var"))).resolve()
MEDIA_ROOT = PERENNIAL_HOME / "media"
# What a backup takes along beside the database, and the tables it leaves out: those of a night still at work.
BACKUP_DIRECTORIES = {"media": MEDIA_ROOT, "uploads": PERENNIAL_HOME / "uploads"}
BACKUP_SCRATCH_TABLES = r"^analytics_[a-z]+_of_run_[0-9]+$"
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or secret.key_of(PERENNIAL_HOME)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # the keys before it, while it is being changed
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_standardized_errors",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "core",
    "customers",
    "loyalty",
    "analytics",
    "crm",
]

MIDDLEWARE = [
    "core.views.health.ProbeMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "core.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.headers.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.language.LanguageMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "core.accounts.SeenMiddleware",
    "core.accounts.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.access.AccessMiddleware",
    "core.business.BusinessTimeMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "pghistory.middleware.HistoryMiddleware",
]
# Reading changes nothing, so it carries no context.
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")

ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
ACCESS_TABLE = "crm.access.TABLE"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.business.context",
                "loyalty.selectors.programme.context",
            ],
            "builtins": ["django.templatetags.i18n", "core.templatetags.ui", "loyalty.templatetags.points"],
        },
    }
]

# Facts and jobs live in PostgreSQL, doorbells in Redis. Without URLs both are the embedded servers of this home.
DATABASES = {
    "default": {
        **env.db_url_config(env.str("DATABASE_URL", "") or embedded.database_url(PERENNIAL_HOME)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
REDIS_URL = env.str("REDIS_URL", "") or embedded.redis_url(PERENNIAL_HOME)

# Counters of rate limits: every process has to see the same ones.
CACHES = {
    "default": {
        "BACKEND": "core.cache.OpenRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

# The API counts the calls of a key, and the keys that are not valid of an address (docs/adr/0006-api.md).
API_CALLS_PER_MINUTE = env.int("API_CALLS_PER_MINUTE", 30_000)
API_FAILURES_PER_MINUTE = env.int("API_FAILURES_PER_MINUTE", 6_000)
REST_FRAMEWORK = {**api_config.REST_FRAMEWORK, "NUM_PROXIES": env.int("TRUSTED_PROXIES", 0)}
DRF_STANDARDIZED_ERRORS = api_config.DRF_STANDARDIZED_ERRORS
SPECTACULAR_SETTINGS = api_config.SPECTACULAR_SETTINGS

CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 330
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A bell that cannot be rung at once is given up: the sweeper looks into the rows anyway.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0.1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_IMPORTS = ["crm.worker"]
CELERY_BEAT_SCHEDULE = schedule.BEAT
CELERY_BEAT_SCHEDULE_FILENAME = str(PERENNIAL_HOME / "beat-schedule")
DOORBELLS = schedule.DOORBELLS

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
CUSTOMER_HOME = "me:home"
ACCOUNT_FORMS = {"reset_password": "core.forms.account.ResetPasswordForm"}
ACCOUNT_ADAPTER = "core.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True  # the key came by the person's own mail; a second factor is still asked for
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "core.links.KeyGenerator"  # noqa: S105 - a class, not a secret
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60
# Customers sign in by a code from their mail (docs/adr/0014-portal.md). An address gets three codes in ten minutes; a
# browser in which it has signed in before has three more of its own, so that nobody can shut somebody else out.
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "20/m/ip,3/10m/key",
    "request_login_code_at_home": "20/m/ip,3/10m/key",
    "confirm_login_code": "30/m/ip",
    "open_friends_link": "10/m/ip",
    "change_address": "5/h/user,3/10m/key",
}
CUSTOMER_SESSION_SECONDS = 90 * 24 * 60 * 60
# How many proxies of ours stand before the web server: an X-Forwarded-For that nobody of them wrote is not believed.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", 0)
MFA_ADAPTER = "core.accounts.MFAAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an admin makes the accounts, so nobody can claim another person's address
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Perennial"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not env.bool("HTTPS", False)  # browsers offer passkeys on localhost, too
# Off in a try-out; a production install turns it on, and staff must then set up TOTP or a passkey.
STAFF_SECOND_FACTOR_REQUIRED = env.bool("STAFF_SECOND_FACTOR_REQUIRED", False)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "core.formats"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(PERENNIAL_HOME / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "core.npm.NpmFinder",
]
NODE_MODULES = BASE_DIR / "node_modules"
NPM_FILES = {
    "vendor/tabler": ("@tabler/core/dist", ["css/tabler.min.css", "css/tabler.rtl.min.css", "js/tabler.min.js"]),
    "vendor/echarts": ("echarts/dist", ["echarts.min.js"]),
    "vendor/htmx": ("htmx.org/dist", ["htmx.min.js"]),
    "vendor/inter": ("@fontsource-variable/inter", ["files/inter-*-wght-normal.woff2"]),
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "core.npm.ManifestStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "manifest-src": [SELF],
        "frame-src": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}
HTTPS = env.bool("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Being in the browsers' preload lists is a decision for a whole domain, which is not ours to take.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
# A header that everybody can send counts only where a proxy in front is known to overwrite it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("TRUSTED_PROXIES", 0) else None
X_FRAME_OPTIONS = "DENY"

# Webhooks may call the public internet, and of the networks inside only these.
WEBHOOK_NETWORKS = [ipaddress.ip_network(network) for network in env.list("WEBHOOK_NETWORKS", default=[])]
WEBHOOK_KINDS = "crm.webhook_kinds.KINDS"

# What other apps say when an import is taken back (customers.services.undo).
UNDO_OBSTACLES = "loyalty.undone.OBSTACLES"
UNDO_STAY = "loyalty.undone.STAY"

# Where people find the pages: the links in mails.
PUBLIC_URL = env.str("PUBLIC_URL", f"http://localhost:{env.int('PORT', 8000)}")
# In a try-out without a mail server `up` starts one that keeps all mails for the page /outbox/ (core.mail_sink).
MAIL_SINK_PORT = env.int("MAIL_SINK_PORT", 0) if not env.str("EMAIL_URL", "") else 0
OUTBOX = PERENNIAL_HOME / "outbox" if MAIL_SINK_PORT else None
WITHOUT_EMAIL_URL = f"smtp://127.0.0.1:{MAIL_SINK_PORT}" if MAIL_SINK_PORT else "consolemail://"
EMAIL_CONFIG = env.email_url("EMAIL_URL", default=WITHOUT_EMAIL_URL)
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Perennial <perennial@localhost>")

# People read a terminal, where only what is wrong is of interest; programs read JSON.
LOG_FORMAT = env.str("LOG_FORMAT", "console")
LOG_LEVEL = env.str("LOG_LEVEL", "") or logs.LEVELS[LOG_FORMAT]
LOGGING = logs.config(form=LOG_FORMAT, level=LOG_LEVEL)
logs.set_up()
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO

# Without a token only a signed-in admin may read /metrics.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
PROMETHEUS_EXPORT_MIGRATIONS = False
sentry.start(dsn=env.str("SENTRY_DSN", ""), release=VERSION)
