"""The product's settings in a folder of the test run's own. Set DATABASE_URL to run on another engine."""

import atexit
import os
import shutil
import tempfile

for variable in (
    "STATE_BUCKET",
    "SITE_BUCKET",
    "MEDIA_BUCKET",
    "REDIS_URL",
    "PUBLIC_ORIGIN",
    "API_ORIGIN",
    "AWS_ENDPOINT_URL",
    "S3_ADDRESSING_STYLE",
    "MIRROR_LEASE_SECONDS",
    "MIRROR_UPLOADS",
    "MESSAGE_LEASE_SECONDS",
    "METRICS_TOKEN",
    "MEDIA_ORIGIN",
    "EDGE_FUNCTION",
    "SITE_DISTRIBUTIONS",
    "STAGING_FUNCTION",
    "STAGING_DISTRIBUTIONS",
    "STAGING_ORIGIN",
):
    os.environ.pop(variable, None)
os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION="us-east-1")
os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="qdn-tests-")
atexit.register(shutil.rmtree, os.environ["VAR_DIR"], ignore_errors=True)

from qdn.settings import *  # noqa: E402, F403
from qdn.settings import DATABASES, VAR_DIR  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # a file, so that threads share it
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=OFF;"
