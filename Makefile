# `make run` and `make test` set up everything they need, and nothing again when nothing changed.
.PHONY: setup run edge edge-demo test fast lint bench lock screenshots
PYTHON := .venv/bin/python
# Images of Python often set it. Every process, of which the tests start hundreds, would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

setup: ## Python packages and browser libraries
	@.ci/setup run

run: setup ## the whole product on http://127.0.0.1:8000 (PORT), with demo data
	@exec $(PYTHON) manage.py demo

edge: ## the CDN's part in front of `make run`, on http://127.0.0.1:8080 (ARGS="--port 9000", ARGS=--help)
	@.ci/setup edge
	@exec $(PYTHON) -m edge.local $(ARGS)

edge-demo: setup ## a release staged, promoted and served as customers get it, without Amazon: pages on PORT+100, API on PORT
	@exec $(PYTHON) -m qdn.edge_demo

# One part that fails does not hide what the others have to say.
test: ## every test: on SQLite, on PostgreSQL, with real processes, in a real browser
	@.ci/setup test
	@failed=0; \
	$(PYTHON) -m pytest -n auto -m "not browser and not processes" || failed=1; \
	$(PYTHON) -m tests.postgres $(PYTHON) -m pytest -n auto -m "not browser and not processes" || failed=1; \
	$(PYTHON) -m pytest -n 4 --dist loadfile -m processes || failed=1; \
	$(PYTHON) -m pytest -n 2 --dist loadfile -m browser || failed=1; \
	exit $$failed

fast: ## the tests to run while working: under a minute
	@.ci/setup test
	@$(PYTHON) -m pytest -n auto -m "not browser and not processes"

screenshots: ## take the README's pictures anew
	@.ci/setup test
	@SCREENSHOTS=1 $(PYTHON) -m pytest -m browser -k readme

lint: ## style, types, templates, missing migrations
	@.ci/setup test
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/djlint templates --lint --quiet
	@.venv/bin/cfn-lint --regions us-east-1 -- edge/stack.yaml
	@$(PYTHON) manage.py makemigrations --check --dry-run

bench: ## the figures of docs/performance.md, as ratios in one run
	@.ci/setup test
	@$(PYTHON) -m tests.bench

lock: setup ## pin requirements.in and requirements-dev.in anew
	@.venv/bin/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --upgrade requirements.in -o requirements.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --upgrade requirements-dev.in -o requirements-dev.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --upgrade .ci/ministack.in -o .ci/ministack.txt
