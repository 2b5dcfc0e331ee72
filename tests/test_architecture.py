"""Promises about the tree as a whole: who may import whom, who writes jobs, and what pages may contain."""

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).parents[1]
APPS = ("qdn", "tracking", "crew", "dispatch", "edge")
MAY_IMPORT = {
    "qdn": {"qdn", "tracking", "crew", "dispatch", "edge"},
    "tracking": {"tracking", "dispatch"},
    "crew": {"crew", "dispatch"},
    "dispatch": {"dispatch"},
    "edge": {"edge"},
}
MODULE_LINES = 260
WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
    "asave", "acreate", "aupdate", "adelete", "abulk_create", "abulk_update", "aget_or_create", "aupdate_or_create",
}  # fmt: skip

MODULES = sorted(
    path.relative_to(ROOT) for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
)
TREES = {path: ast.parse((ROOT / path).read_text()) for path in MODULES}
PAGES = sorted(
    [*(ROOT / "templates").rglob("*.*"), *(page for app in APPS for page in (ROOT / app).glob("templates/**/*.*"))]
)
ASSETS = sorted(
    path
    for app in APPS
    for path in [*(ROOT / app).glob("static/**/*.*"), *(ROOT / app).glob("functions/*.js")]
    if path.suffix in {".js", ".css", ".svg", ".html", ".json", ".webmanifest"}
)


def imported(path: Path, node: ast.AST) -> list[str]:
    """Our apps that an import statement names; a relative import stays inside its app."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [path.parts[0]] if node.level else [node.module or ""]
    else:
        return []
    return [app for app in (name.partition(".")[0] for name in names) if app in APPS]


def wrong_with(paths: list[Path], problems: Callable[[Path], Iterable[str]]) -> list[str]:
    """One line for each problem that a file has. A test for each of hundreds of files would take seconds."""
    assert len(paths) > 50
    return [f"{path.relative_to(ROOT) if path.is_absolute() else path}: {one}" for path in paths for one in problems(path)]


def test_imports_follow_the_arrows():
    def against_them(path):
        return {app for node in ast.walk(TREES[path]) for app in imported(path, node)} - MAY_IMPORT[path.parts[0]]

    assert wrong_with(MODULES, against_them) == []


def test_no_relative_import_leaves_its_app():
    def leaving(path):
        imports = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.ImportFrom)]
        return [ast.unparse(node) for node in imports if node.level >= len(path.parts)]

    assert wrong_with(MODULES, leaving) == []


def test_no_import_of_ours_hides_in_a_function():
    def hidden(path):
        functions = [node for node in ast.walk(TREES[path]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        hidden = {one.name for one in functions for node in ast.walk(one) if imported(path, node)}
        return hidden - ({"ready"} if path.name == "apps.py" else set())

    assert wrong_with(MODULES, hidden) == []


def test_only_the_flow_writes_jobs_and_history():
    found = []
    for path, tree in TREES.items():
        if path in {Path("dispatch/mirror/ledger.py"), Path("dispatch/messages/ledger.py")}:
            continue  # they know other tables only: they import neither Job nor StatusChange
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
                on_what = ast.unparse(node.func.value)
                if re.search(r"\b(Job|StatusChange|jobs?|history|self\.filter)\b", on_what, re.I):
                    found.append(f"{path}: {on_what}.{node.func.attr}")

    assert [write for write in found if not write.startswith("dispatch/flow.py: ")] == [
        "dispatch/models.py: self.filter(pk=pk, mirrored_seq__lt=seq, seq__gte=seq).update",  # JobQuerySet.mark_mirrored
        "dispatch/models.py: self.filter(pk=board.pk, epoch=board.epoch).update",  # BoardQuerySet.note_epochs
    ]
    assert "dispatch/flow.py: job.save" in found


def test_no_lock_that_one_of_the_databases_ignores():
    def locks(path):
        attributes = [node.attr for node in ast.walk(TREES[path]) if isinstance(node, ast.Attribute)]
        return [name for name in attributes if name == "select_for_update"]

    assert wrong_with(MODULES, locks) == []


def test_a_module_is_read_in_one_sitting():
    def too_long(path):
        lines = len((ROOT / path).read_text().splitlines())
        return [f"{lines} lines"] if lines > MODULE_LINES else []

    modules = [path for path in MODULES if path != Path("qdn/settings.py")]  # a list of knobs, all in one place
    assert wrong_with(modules, too_long) == []


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_policy_allows_nothing_unsafe(settings):
    sources = [source for sources in settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].values() for source in sources]

    assert [
        source for source in sources if "unsafe" in source or "*" in source or source.startswith(("http:", "https:"))
    ] == []


def test_a_page_has_nothing_that_the_policy_forbids():
    def forbidden(page):
        text = page.read_text()
        scripts = re.findall(r"<script(?![^>]*(?:\bsrc=|type=\"application/(?:ld\+)?json\"))[^>]*>", text)
        return scripts + re.findall(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", text)

    pages = [page for page in PAGES if page.parts[-2] != "mail"]  # a mail has no policy, its readers know no style sheets
    assert wrong_with(pages, forbidden) == []


def test_nothing_is_fetched_from_elsewhere():
    """Names of XML vocabularies look like addresses, and nobody fetches them."""

    def elsewhere(path):
        text = re.sub(r"http://www\.w3\.org/[\w/#.-]+", "", path.read_text())
        if path.suffix in {".js", ".css"}:
            text = re.sub(r"/\*.*?\*/|^\s*//.*$", "", text, flags=re.DOTALL | re.MULTILINE)
        return re.findall(r"""(?:\b(?:https?|wss?):|[="'(]\s*)//[\w.-]+""", text)

    assert wrong_with([*PAGES, *ASSETS], elsewhere) == []
