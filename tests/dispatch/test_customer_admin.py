import pytest
from django.contrib.auth.models import Permission

from dispatch import asks
from dispatch.models import Job, Message
from tests.factories import make_job

JOBS = "/admin/dispatch/job/"


@pytest.fixture
def office(client, admin):
    client.force_login(admin)
    return client


def act(office, action: str, *jobs: Job) -> str:
    answer = office.post(JOBS, {"action": action, "_selected_action": [job.pk for job in jobs]}, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def test_the_page_of_a_job_shows_what_its_customer_asked_for(office, board):
    job = asks.ask(make_job(board), "cancel", text="<b>Sorry</b>")
    job = asks.ask(asks.settle(job, by="Ana"), "note", text="Gate 4471")

    page = office.get(f"{JOBS}{job.pk}/change/").content.decode()

    assert "Wants to cancel · &lt;b&gt;Sorry&lt;/b&gt; (done by Ana)" in page
    assert "Left a note · Gate 4471 (waits)" in page


def test_asks_are_settled(office, board):
    job, other = asks.ask(make_job(board), "cancel"), make_job(board)

    assert act(office, "settle_asks", job, other) == "1 settled."
    assert asks.waiting(Job.objects.get(pk=job.pk)) == []
    assert Job.objects.get(pk=other.pk).seq == other.seq


def test_links_are_sent_to_whom_they_can_be_sent(office, board):
    job, other = make_job(board, customer_phone="+13035550123"), make_job(board, location="9 Quiet St")

    said = act(office, "send_link", job, other)

    assert said == (
        "9 Quiet St: There is neither a phone number nor an e-mail address to write to. The link goes to 1 customer."
    )
    assert list(Message.objects.values_list("job", "kind", "channel")) == [(job.pk, "link", "sms")]


def test_a_link_is_replaced(office, job):
    assert act(office, "replace_link", job) == "1 old link does not work any more. Send the new."
    assert Job.objects.get(pk=job.pk).token != job.token


@pytest.mark.parametrize("action", ["settle_asks", "send_link", "replace_link"])
def test_who_may_only_look_may_not(client, board, stranger, action):
    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(stranger)
    job = asks.ask(make_job(board, customer_phone="+13035550123"), "cancel")

    act(client, action, job)

    now = Job.objects.get(pk=job.pk)
    assert (now.seq, now.token, Message.objects.count()) == (job.seq, job.token, 0)
