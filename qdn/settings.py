"""One settings file. Every knob is one environment variable whose default runs on a laptop: see docs/configuration.md."""

import os
import secrets
import sqlite3
import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from qdn import environment as env

SMS_PROVIDERS = {
    "console": "dispatch.messages.sms.ConsoleSms",
    "sns": "dispatch.messages.sms_aws.SnsSms",
    "end-user-messaging": "dispatch.messages.sms_aws.EndUserMessagingSms",
}

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var")


def kept_secret() -> str:
    """A secret of this machine's own, made on the first start. Several machines must share SECRET_KEY instead."""
    path = VAR_DIR / "secret_key"
    draft = path.with_name(f"secret_key.{os.getpid()}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)  # the first of several processes wins, and nobody reads half a key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


# --- where it runs
DEBUG = env.flag("DEBUG", default=False)
PORT = env.port("PORT", 8000)
SECRET_KEY = env.text("SECRET_KEY") or kept_secret()
PUBLIC_ORIGIN = env.origin("PUBLIC_ORIGIN", f"http://127.0.0.1:{PORT}")
API_ORIGIN = env.origin("API_ORIGIN", PUBLIC_ORIGIN)
STAGING_ORIGIN = env.origin("STAGING_ORIGIN", PUBLIC_ORIGIN)
SECURE = PUBLIC_ORIGIN.startswith("https://")
PUBLIC_HOST = urlsplit(PUBLIC_ORIGIN).hostname or ""
LOOPBACK = PUBLIC_HOST in {"127.0.0.1", "localhost", "::1"}
ORIGINS = sorted(
    {PUBLIC_ORIGIN, API_ORIGIN}
    | (
        {f"http://{host}:{urlsplit(PUBLIC_ORIGIN).port or 80}" for host in ("127.0.0.1", "localhost")}
        if LOOPBACK
        else set()
    )
)
# Staged pages ask the API and its socket as customers' pages do. The board and its forms are none of their business.
CUSTOMER_ORIGINS = sorted({*ORIGINS, STAGING_ORIGIN})
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS") or sorted({urlsplit(origin).hostname or "" for origin in ORIGINS})

# --- what it is made of
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "ninja",
    "qdn",
    "dispatch",
    "tracking",
    "crew",
]
if "runserver" in sys.argv:  # it imports Twisted, which costs every other command 0.7 s
    INSTALLED_APPS.insert(0, "daphne")
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "tracking.cross_origin.CrossOriginMiddleware",
    "qdn.static.StaticFilesMiddleware",
    "edge.middleware.RewriteMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "qdn.urls"
ASGI_APPLICATION = "qdn.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
USE_TZ = True
TIME_ZONE = "UTC"  # times are stored in UTC; every page shows them in its board's zone
LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", "English"), ("es", "Español")]  # of customers' pages and messages; staff pages are English
LOCALE_PATHS = [BASE_DIR / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- database
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Below these versions a WAL file with two connections can corrupt the database (sqlite.org/wal.html#walresetbug).
    version = sqlite3.sqlite_version_info
    wal = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": f"PRAGMA journal_mode={'WAL' if wal else 'TRUNCATE'}; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 0, "max_size": 12, "timeout": 5},
    }

# --- news between processes
REDIS_URL = env.redis_url("REDIS_URL")
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_connect_timeout": 2}], "prefix": "qdn"},
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- mail
EMAIL = env.email("EMAIL_URL", "console:")
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = EMAIL.backend, EMAIL.host, EMAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL.user, EMAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = EMAIL.starttls, EMAIL.tls, 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.address("DEFAULT_FROM_EMAIL", "QuickDumpNow <dispatch@localhost>")

SES_CONFIGURATION_SET = env.text("SES_CONFIGURATION_SET")  # sends bounces, complaints and deliveries to an SNS topic

# --- text messages: printed, or handed to a provider
SMS_BACKEND = env.provider("SMS_BACKEND", "console", SMS_PROVIDERS)
SMS_SENDER = env.text("SMS_SENDER")  # sender id (SNS) or origination number (AWS End User Messaging)
SNS_TOPICS = env.names("SNS_TOPICS")  # ARNs of the topics whose notifications /hooks/sns/ takes

# --- how much may be sent, whatever goes wrong
MESSAGES = env.flag("MESSAGES", default=True)  # false: nothing is sent, everything waits or grows too old
MESSAGES_A_DAY = env.number("MESSAGES_A_DAY", 2000, 1, 1_000_000)
MESSAGES_A_DAY_TO_ONE = env.number("MESSAGES_A_DAY_TO_ONE", 12, 1, 1000)
MESSAGES_A_JOB = env.number("MESSAGES_A_JOB", 40, 1, 1000)
MESSAGE_LEASE_SECONDS = env.number("MESSAGE_LEASE_SECONDS", 60, 2, 600)

# --- what strangers may do
PROXIES = env.number("PROXIES", 0, 0, 9)  # how many of ours add to X-Forwarded-For
BOOKINGS_AN_HOUR_FROM_ONE = env.number("BOOKINGS_AN_HOUR_FROM_ONE", 10, 1, 10_000)
BOOKINGS_A_DAY_BY_PHONE = env.number("BOOKINGS_A_DAY_BY_PHONE", 4, 1, 1000)
BOOKINGS_A_DAY = env.number("BOOKINGS_A_DAY", 300, 1, 100_000)
BOOKING_COUNTRIES = env.names("BOOKING_COUNTRIES") or ["US", "CA"]

# --- who may read /metrics
METRICS_TOKEN = env.text("METRICS_TOKEN")

# --- storage
STATE_BUCKET = env.bucket("STATE_BUCKET")
SITE_BUCKET = env.bucket("SITE_BUCKET")
MEDIA_BUCKET = env.bucket("MEDIA_BUCKET")
S3_ADDRESSING_STYLE = env.choice("S3_ADDRESSING_STYLE", "auto", ("auto", "path", "virtual"))
MEDIA_ORIGIN = env.origin("MEDIA_ORIGIN", env.bucket_origin(MEDIA_BUCKET, S3_ADDRESSING_STYLE)) if MEDIA_BUCKET else ""
if STATE_BUCKET:
    STATE = {
        "BACKEND": "dispatch.mirror.s3.CompareAndSwapS3Storage",
        "OPTIONS": {
            "bucket_name": STATE_BUCKET,
            "signature_version": "s3v4",
            "addressing_style": S3_ADDRESSING_STYLE,
        },
    }
else:
    STATE = {
        "BACKEND": "dispatch.mirror.storages.CompareAndSwapFileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "state"},
    }
# What the mirror writes for a job: functions (job) -> (object name, document), in this order.
MIRROR_DOCUMENTS = ["dispatch.mirror.document.job_object", "tracking.projection.public_object"]
MIRROR_UPLOADS = env.number("MIRROR_UPLOADS", 8, 1, 32)
MIRROR_LEASE_SECONDS = env.number("MIRROR_LEASE_SECONDS", 20, 2, 600)

# --- the edge: what stands in front of SITE_BUCKET
EDGE_FUNCTION = env.text("EDGE_FUNCTION")
SITE_DISTRIBUTIONS = env.names("SITE_DISTRIBUTIONS")  # all that serve the site; each forgets what a release changed
STAGING_FUNCTION = env.text("STAGING_FUNCTION")
STAGING_DISTRIBUTIONS = env.names("STAGING_DISTRIBUTIONS")

# --- static files: straight from the tree, or with hashed names once `collectstatic` has filled STATIC_ROOT
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT") or None
STATICFILES_DIRS = [("npm/sortablejs", BASE_DIR / "node_modules" / "sortablejs" / "modular")]
STATICFILES_DIRS = [entry for entry in STATICFILES_DIRS if entry[1].is_dir()]
WHITENOISE_USE_FINDERS = not STATIC_ROOT
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
SITE_OPTIONS = {"bucket_name": SITE_BUCKET, "signature_version": "s3v4", "addressing_style": S3_ADDRESSING_STYLE}
STORAGES = {
    "site": {"BACKEND": "dispatch.mirror.s3.CompareAndSwapS3Storage", "OPTIONS": SITE_OPTIONS}
    if SITE_BUCKET
    else {
        "BACKEND": "dispatch.mirror.storages.CompareAndSwapFileSystemStorage",
        "OPTIONS": {"location": VAR_DIR / "site"},
    },
    "default": {
        "BACKEND": "dispatch.photo_bucket.PhotoBucket",
        "OPTIONS": {
            "bucket_name": MEDIA_BUCKET,
            "signature_version": "s3v4",
            "addressing_style": S3_ADDRESSING_STYLE,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 900,
            "file_overwrite": True,  # photos have random names; to look first would need the right to list
            "object_parameters": {"CacheControl": "private, max-age=86400"},
        },
    }
    if MEDIA_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "media"}},
    "state": STATE,
    "staticfiles": {
        "BACKEND": "qdn.static.HashedStaticStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

FILE_UPLOAD_HANDLERS = [
    "dispatch.uploads.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- what browsers are told
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [
            SELF,
            "data:",
            *filter(None, [MEDIA_ORIGIN]),
            *([API_ORIGIN] if API_ORIGIN != PUBLIC_ORIGIN else []),
        ],
        "font-src": [SELF],
        "connect-src": [
            SELF,
            *(origin.replace("http", "ws", 1) for origin in ORIGINS),
            *([API_ORIGIN] if API_ORIGIN != PUBLIC_ORIGIN else []),
        ],
        "manifest-src": [SELF],
        "form-action": [SELF, *([API_ORIGIN] if API_ORIGIN != PUBLIC_ORIGIN else [])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = ORIGINS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]

# --- logs: to stderr, with tracking tokens masked
LOG_LEVEL = env.choice("LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "masked": {"class": "qdn.log.MaskTokens", "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "masked"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "dispatch": {"level": "INFO"},
        "tracking": {"level": "INFO"},
        "channels_redis": {"level": "CRITICAL"},  # without Redis a traceback a second; dispatch.hints says it in a line
    },
}
