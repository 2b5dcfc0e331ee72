import pytest

PUBLIC, API = "https://quickdumpnow.example", "https://api.quickdumpnow.example"
STAGING = "https://staging.quickdumpnow.example"
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def apart(settings):
    """The API has an origin of its own."""
    settings.PUBLIC_ORIGIN, settings.API_ORIGIN = PUBLIC, API


@pytest.fixture
def staged(settings, apart):
    settings.STAGING_ORIGIN = STAGING


@pytest.fixture
def path(job):
    return f"/api/v1/track/{job.token}"


def test_our_pages_may_read(client, path, apart):
    answer = client.get(path, headers={"origin": PUBLIC})

    assert (answer.status_code, answer[ALLOW], answer["Vary"]) == (200, PUBLIC, "Origin")
    assert answer["Access-Control-Expose-Headers"] == "ETag"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("origin", [PUBLIC, STAGING])
def test_staged_pages_are_told_that_they_may_and_each_origin_only_of_itself(client, path, staged, origin):
    read = client.get(path, headers={"origin": origin})
    asked = client.options("/api/v1/bookings", headers={"origin": origin, "access-control-request-method": "POST"})

    assert (read.status_code, read[ALLOW], read["Vary"]) == (200, origin, "Origin")
    assert (asked.status_code, asked[ALLOW], asked["Vary"]) == (204, origin, "Origin")


def test_without_a_staging_site_there_is_one_origin(client, path, apart, settings):
    settings.STAGING_ORIGIN = PUBLIC

    assert ALLOW not in client.get(path, headers={"origin": STAGING})
    assert ALLOW not in client.get(path)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", f"{PUBLIC}.evil.example", "null", "", API, "http://quickdumpnow.example",
        f"{STAGING}.evil.example", f"{PUBLIC}, {STAGING}",
    ],
)  # fmt: skip
def test_nobody_elses_may(client, path, staged, origin):
    answer = client.get(path, headers={"origin": origin})
    asked = client.options(path, headers={"origin": origin, "access-control-request-method": "POST"})

    assert (ALLOW in answer, answer["Vary"]) == (False, "Origin")
    assert (ALLOW in asked, asked.status_code) == (False, 405)


@pytest.mark.parametrize("end", ["", "/asks", "/calendar.ics"])
def test_our_pages_are_told_beforehand_what_they_may_send(client, path, apart, end):
    answer = client.options(f"{path}{end}", headers={"origin": PUBLIC, "access-control-request-method": "POST"})

    assert (answer.status_code, answer.content, answer[ALLOW]) == (204, b"", PUBLIC)
    assert answer["Access-Control-Allow-Methods"] == "GET, POST"
    assert answer["Access-Control-Allow-Headers"] == "Content-Type, Idempotency-Key, If-None-Match"


def test_errors_can_be_read_as_well(client, apart, db):
    answer = client.get("/api/v1/track/unknown-token", headers={"origin": PUBLIC})

    assert (answer.status_code, answer[ALLOW]) == (404, PUBLIC)


@pytest.mark.parametrize(
    "other", ["/api/v1/boards/main", "/api/v1/jobs", "/api/v1/tracking", "/track/some-token", "/login/"]
)
def test_the_rest_of_the_site_stays_closed(client, apart, board, other):
    answer = client.get(other, headers={"origin": PUBLIC})
    asked = client.options(other, headers={"origin": PUBLIC, "access-control-request-method": "GET"})

    assert (ALLOW in answer, ALLOW in asked) == (False, False)


def test_the_bookings_are_open_to_our_page(client, apart, board):
    asked = client.options("/api/v1/bookings", headers={"origin": PUBLIC, "access-control-request-method": "POST"})

    assert (asked.status_code, asked[ALLOW]) == (204, PUBLIC)


def test_with_one_origin_nothing_is_added(client, path, settings):
    answer = client.get(path, headers={"origin": settings.PUBLIC_ORIGIN})

    assert [name for name in (ALLOW, "Vary") if name in answer] == []
