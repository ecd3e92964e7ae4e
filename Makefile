# Thin on purpose: workflow/Snakefile says what depends on what, `python -m amplib` does the work.
PYTHON    ?= $(shell command -v python3.11 || command -v python3)
ifndef CORES
CORES     := $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
endif
MARKS     ?= not slow and not gpu
PIP_FLAGS ?=

# What is asked for reaches the shell in its environment, as data: neither make nor the shell ever
# expands it.  Lists are split at spaces; `set -f` keeps a * in them what it is.
GIVEN     := ID NOTEBOOK SWEEP STUDY PRESET SET ARGS MINUTES JOBS PROFILE FROM NAME MARKS CORES
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN)
# Sources and results are UTF-8, whatever the locale says.
export PYTHONUTF8 := 1

RUN       := PATH="$(CURDIR)/.venv/bin:$$PATH"
PIP       := .venv/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS)
AMPLIB    := $(RUN) python -m amplib
SNAKEMAKE := $(RUN) python workflow/build.py --cores "$$CORES"
CHECKED   := $(basename $(notdir $(wildcard tests/reference/*.json)))
SETTINGS  := $${SET:+--set $$SET} $$ARGS
OPTIONS   := $${PRESET:+--preset "$$PRESET"} $(SETTINGS)

# How many jobs, and where; without a profile on these cores.
JOBBING   := $${PROFILE:+--profile "$$PROFILE"} $${JOBS:+--jobs "$$JOBS"}

.DEFAULT_GOAL := help
.PHONY: help book pdf notebooks figure compute paper cluster merge data sweep status test lint mutants benchmark scaling clean

help: ## show this list
	@echo "make TARGET; every target sets up what it needs. Cores: CORES=$$CORES."
	@sed -n 's/^\([a-z]*\):[^#]*## /  \1: /p' Makefile | while IFS= read -r line; do \
		printf '%-14s%s\n' "$${line%%: *}" "$${line#*: }"; done

book: .venv/.ready ## the HTML book from the shipped results: _build/html/index.html
	$(SNAKEMAKE) book

pdf: .venv/.ready ## the same as a PDF: _build/amplify.pdf (TeX from Debian packages)
	workflow/system_packages.sh pdf
	$(SNAKEMAKE) pdf

notebooks: .venv/.ready ## run the notebooks that are out of date
	$(SNAKEMAKE) notebooks

figure: .venv/.ready ## one figure again: ID=amplify-fig2 [PRESET=smoke|laptop|paper]
	@test -n "$$ID" || { echo 'make figure ID=amplify-fig2 [PRESET=laptop]' >&2; exit 2; }
	@set -f; $(AMPLIB) figure "$$ID" $(OPTIONS)

compute: .venv/.ready ## the missing parts of a study: STUDY=name [PRESET=laptop] [SET="name=value ..."]
	@test -n "$$STUDY" || { echo 'make compute STUDY=name [PRESET=laptop]' >&2; exit 2; }
	@set -f; $(AMPLIB) compute "$$STUDY" $(OPTIONS)

paper: .venv/.ready ## all that is missing at the papers' scale: [MINUTES=150] [STUDY=name] [PRESET=paper]
	@set -f; $(AMPLIB) compute $${STUDY:+"$$STUDY"} --all $${MINUTES:+--minutes "$$MINUTES"} $(OPTIONS)

cluster: .venv/.ready ## the same in jobs of their own: STUDY=name [PRESET=paper] PROFILE=slurm [JOBS=20] [MINUTES=60]
	@test -n "$$STUDY" || { echo 'make cluster STUDY=name PROFILE=slurm [JOBS=20]' >&2; exit 2; }
	@set -f; $(AMPLIB) cluster "$$STUDY" $(JOBBING) $${MINUTES:+--minutes "$$MINUTES"} $(OPTIONS)

merge: .venv/.ready ## take over parts that another machine has computed: FROM=folder
	@test -n "$$FROM" || { echo 'make merge FROM=folder' >&2; exit 2; }
	@$(AMPLIB) merge "$$FROM"

data: .venv/.ready ## events by the million, in data/: NAME=showers-laptop [SET="name=value ..."]
	@test -n "$$NAME" -a -z "$$PRESET" || \
		{ echo 'make data NAME=showers-laptop [SET="name=value ..."]' >&2; exit 2; }
	@set -f; $(AMPLIB) data "$$NAME" $(SETTINGS)

sweep: .venv/.ready ## a notebook over a grid: NOTEBOOK=name SET="name=1,2,3 ..." [PRESET=laptop], or SWEEP=file.yml [PROFILE=slurm]
	@test -n "$$NOTEBOOK$$SWEEP" || \
		{ echo 'make sweep NOTEBOOK=name SET="name=1,2,3", or SWEEP=file.yml' >&2; exit 2; }
	@set -f; $(AMPLIB) sweep $${NOTEBOOK:+"$$NOTEBOOK"} $${SWEEP:+--file "$$SWEEP"} \
		$(JOBBING) $(OPTIONS)

status: .venv/.ready ## what is computed, what is missing, and what it costs
	@set -f; $(AMPLIB) status $(OPTIONS)

test: lint book ## lint, types, tests, notebooks and the built pages in a browser
	@workflow/system_packages.sh browser || echo 'Without it the browser tests are skipped.'
	$(RUN) python workflow/notebook.py check
	$(RUN) pytest tests $(CHECKED:%=_build/nbval/%.ipynb) --nbval-lax --nbval-current-env \
		-m "$$MARKS" --numprocesses "$$CORES" --dist loadfile --durations 25 $$ARGS

lint: .venv/.ready ## ruff, mypy, and who may import whom
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports --no-cache

mutants: .venv/.ready ## do tests notice small wrong changes of metrics and truth? [ARGS="--sample 50"], ARGS=named
	@set -f; $(RUN) python workflow/mutants.py $$ARGS

benchmark: .venv/.ready ## how fast GANs train, showers and events are made, and events judged, on this machine
	@for name in gan_throughput vae_throughput generating showers shower_generators classifiers events csv_rows merit mixtures minibatches weights; do \
		$(RUN) python benchmarks/$$name.py || exit; done

scaling: .venv/.ready ## what sweeps cost on one core, on two and through a Slurm, for the page How far: half an hour
	workflow/system_packages.sh slurm
	$(RUN) python benchmarks/scaling.py --slurm > benchmarks/.scaling.json
	mv benchmarks/.scaling.json benchmarks/scaling.json

clean: ## remove everything that is built; results and .venv stay
	rm -rf _build book/notebooks .snakemake results/.work *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis

# torch first: with a CPU build at hand the exact pin takes it, and the lock then finds it installed.
.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) "$$(grep '^torch==' requirements.lock)"
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@
