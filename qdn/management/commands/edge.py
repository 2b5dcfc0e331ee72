"""`manage.py edge stage|verify|promote|rollback|status|list|prune|deploy`: releases of the site that customers see."""

import getpass
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from edge import cdn_aws, deploy, looking, pointer, pruning, releases
from edge.manifest import BadRelease
from edge.pointer import PRODUCTION, STAGING, Pointer
from qdn import edge_places, site
from qdn.edge_progress import Lasting, Told
from qdn.site import SiteStore

NOT_LOOKED_AT = "Not looked at: the server behind the API, and its copies of jobs."


def person() -> str:
    """Who runs this. In a container a number may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"uid {os.getuid()}"


def given(release: str) -> str:
    """A script whose variable is empty must not get another release than it meant. Raises CommandError."""
    if not release.strip():
        raise CommandError("the release's id is empty: name one, or leave it out")
    return release


def parameters(given: Sequence[str]) -> dict[str, str]:
    """Of `NAME=VALUE` each. Raises CommandError."""
    if bad := next((one for one in given if "=" not in one), None):
        raise CommandError(f"--set {bad}: expected NAME=VALUE")
    return dict(one.split("=", 1) for one in given)


class Command(BaseCommand):
    help = (
        "Stages, verifies, promotes and takes back releases of the customers' pages. A step that was interrupted goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
        steps.add_parser("stage", help="render the site, store it as a release and bring it to staging")
        verify = steps.add_parser("verify", help="look at a place as a customer does")
        verify.add_argument("--env", choices=[STAGING, PRODUCTION], default=PRODUCTION)
        promote = steps.add_parser("promote", help="bring a release to production; take it back if it does not work")
        promote.add_argument("release", nargs="?", help="its id; without one, that of staging")
        rollback = steps.add_parser("rollback", help="bring an earlier release to production")
        rollback.add_argument("release", nargs="?", help="its id; without one, the one that was live before")
        steps.add_parser("status", help="what is where").add_argument("--json", action="store_true")
        steps.add_parser("list", help="all releases")
        prune = steps.add_parser("prune", help="delete old releases that are nowhere")
        prune.add_argument("--keep", type=int, default=10, help="how many of the latest stay (10)")
        stack = steps.add_parser("deploy", help="deploy the stack on Amazon; shows first what would change")
        stack.add_argument("--stack", default="qdn-edge", help="its name (qdn-edge)")
        stack.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter; may be repeated")
        stack.add_argument("--yes", action="store_true", help="do it without asking")
        for name in ("stage", "verify", "promote", "rollback"):
            steps.choices[name].add_argument(
                "--no-api", action="store_true", help="do not look at the server behind the API, nor at its copies of jobs"
            )

    def handle(self, *args: Any, step: str, **options: Any) -> None:
        steps: dict[str, Callable[..., None]] = {
            "stage": self.stage, "verify": self.verify, "promote": self.promote, "rollback": self.rollback,
            "status": self.status, "list": self.list_releases, "prune": self.prune, "deploy": self.deploy,
        }  # fmt: skip
        self.stdout, self.stderr = Lasting(self.stdout), Lasting(self.stderr)
        self.told = Told(self.stdout)
        try:
            steps[step](**options)
        except edge_places.FAILURES as error:
            raise CommandError(edge_places.reason(error)) from None
        finally:
            self.told.finish()

    def stage(self, **options: Any) -> None:
        release = releases.stage(SiteStore(), site.build(), self.told.progress)
        self.stdout.write(f"Release {release.id}: {len(release.pages)} pages, {len(release.assets)} assets.")
        now = self.bring(STAGING, release.id, **options)
        self.stdout.write(f"It is on staging. Next: manage.py edge promote {now.release}")

    def verify(self, env: str, no_api: bool, **options: Any) -> None:
        store = SiteStore()
        now = pointer.read(store, env)
        if now.release is None:
            raise CommandError(f"nothing was ever brought to {env}")
        release = releases.read(store, now.release)
        if no_api:
            self.stderr.write(NOT_LOOKED_AT)
        say = edge_places.once(self.stderr.write)
        look = self.told.looking(partial(edge_places.problems, store, env, server_too=not no_api, say=say))
        found = looking.lasting(lambda: look(release, lambda: None), edge_places.sleep)
        for problem in found:
            self.stdout.write(f"  ✗ {problem}")
        if found:
            raise CommandError(f"{env} is not as release {now.release} should be: {len(found)} problems")
        self.stdout.write(f"{env.capitalize()} is release {now.release}, as it should be.")

    def promote(self, release: str | None, **options: Any) -> None:
        store = SiteStore()
        id = pointer.read(store, STAGING).release if release is None else given(release)
        if id is None:
            raise CommandError("nothing is staged: run `manage.py edge stage` first")
        self.bring(PRODUCTION, id, **options)
        self.stdout.write(f"Release {id} is live.")

    def rollback(self, release: str | None, **options: Any) -> None:
        id = pointer.read(SiteStore()).before() if release is None else given(release)
        if id is None:
            raise CommandError("no other release was live before")
        self.bring(PRODUCTION, id, **options)
        self.stdout.write(f"Release {id} is live again.")

    def bring(self, place: str, id: str, *, no_api: bool, **options: Any) -> Pointer:
        if lacking := edge_places.lacking(place):
            self.stderr.write(f"Beware: {lacking}.")
        if no_api:
            self.stderr.write(NOT_LOOKED_AT)
        promotion = edge_places.promotion(place, self.told.progress, server_too=not no_api, say=self.stderr.write)
        return replace(promotion, verify=self.told.looking(promotion.verify)).promote(id, by=person())

    def status(self, **options: Any) -> None:
        store = SiteStore()
        places = {place: pointer.read(store, place) for place in (PRODUCTION, STAGING)}
        if options["json"]:
            self.stdout.write(json.dumps({place: now.facts() for place, now in places.items()}, ensure_ascii=False))
            return
        for place, now in places.items():
            self.stdout.write(f"{place:<12}{now.release or 'nothing yet'}{edge_places.on_the_way(now)}")
        for entry in reversed(places[PRODUCTION].history):
            came_from = f" (before: {entry.came_from})" if entry.came_from else ""
            self.stdout.write(f"  {entry.at}  {entry.by:<12} {entry.to}{came_from}: {entry.result}")

    def list_releases(self, **options: Any) -> None:
        store = SiteStore()
        where = {pointer.read(store, place).release: place for place in (STAGING, PRODUCTION)}
        damaged = 0
        for id, release in releases.listed(store):
            if isinstance(release, BadRelease):
                damaged, facts = damaged + 1, f"DAMAGED: {release}"
            else:
                facts = f"{len(release.pages)} pages, {len(release.assets)} assets"
            self.stdout.write(f"{id}  {facts}  {where.get(id, '')}".rstrip())
        if damaged:
            raise CommandError(f"{damaged} of these releases cannot be promoted")

    def prune(self, keep: int, **options: Any) -> None:
        gone = pruning.prune(SiteStore(), keep)
        self.stdout.write(f"{len(gone)} releases deleted." + "".join(f"\n  {id}" for id in gone))

    def deploy(self, stack: str, yes: bool, **options: Any) -> None:
        client, cdn = cdn_aws.client("cloudformation"), cdn_aws.AwsCdn(cdn_aws.client("cloudfront"))
        planned = deploy.plan(client, cdn, stack, parameters(options["set"]), self.stdout.write)
        for change in planned.changes:
            self.stdout.write(f"  {change}")
        if not planned.changes:
            self.stdout.write(f"The stack {stack} is as it should be.")
        elif not yes and not self.is_sure(f"Change the stack {stack} like this? [y/N] "):
            deploy.discard(client, planned)
            self.stdout.write("Nothing was changed. With --yes it is done without asking.")
            return
        for name, value in deploy.apply(client, cdn, planned, self.stdout.write).items():
            self.stdout.write(f"  {name} = {value}")

    def is_sure(self, question: str) -> bool:
        if not sys.stdin.isatty():
            return False
        self.stdout.write(question, ending="")
        self.stdout.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
