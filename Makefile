# Everything a developer runs. `make run` and `make test` work from a fresh clone: they set up .venv by themselves.
# Data files for the published benchmarks are found through the environment variable OPTIPROXY_DATA, where it is set.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

# One thread per process: searches and tests run several processes side by side.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help reference setup run test test-fast golden golden-record golden-searches lint format bench bench-page bench-tables bench-storage bench-objectives bench-building bench-faults bench-scaling bench-utilisation bench-pruning bench-digits-table check-digits-table bench-env lock clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: $(STAMP)  ## Create .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "optiproxy needs Python 3.11 or newer; try make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: $(STAMP)  ## Search for the best small network on real trainings (digits, under 4 minutes)
	$(BIN)/optiproxy search digits --budget 40 --workers 2 --out runs/digits

test: $(STAMP)  ## Run the test suite
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-fast: $(STAMP)  ## Run the tests that take a moment, in under a minute
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'not slow'

lint: $(STAMP)  ## Check style, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(STAMP)  ## Apply the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

algorithms = $(foreach name,$(1),--algorithm $(name))
OURS := $(call algorithms,optiproxy random regularized-evolution)
FAST := $(call algorithms,local-search reinforce nas-bowl optuna-tpe optuna-nsga2 catcma dehb)
LEARNED := $(call algorithms,bananas weaknas bonas optiproxy-published npenas neural-predictor seminas)
# Over 0.3 s a proposal on NAS-Bench-101; there and on NAS-Bench-NLP; everywhere.
UNIVARIATE := $(call algorithms,optuna-tpe-univariate)
MEDIUM := $(call algorithms,optuna-gp syne-bore)
SLOW := $(call algorithms,smac-rf syne-cqr botorch-mixed)
COMPARE := $(BIN)/optiproxy compare
HARDWARE := $(foreach device,edgegpu raspi4 pixel3,$(foreach limit,2 4 6,hwnasbench-$(device)-$(limit)ms)) \
	$(foreach device,edgetpu eyeriss fpga,hwnasbench-$(device)-1ms)
FOUR := $(foreach limit,edgegpu-4ms raspi4-6ms pixel3-4ms eyeriss-1ms,hwnasbench-$(limit))
LOW_FIDELITY := $(foreach images,cifar10 cifar100 imagenet16,nasbench201-$(images)-12epochs)

# About ten hours on two cores. What results/ holds already is not searched again; it grows by more algorithms or seeds.
bench: $(STAMP)  ## Make the figures of the README again, into results/
	$(COMPARE) nasbench201-cifar10 nasbench201-cifar100 $(OURS) $(FAST) $(LEARNED) $(UNIVARIATE) $(MEDIUM) --seeds 30 --budget 100 --workers 2 --out results/nasbench201-100
	$(COMPARE) nasbench201-cifar10 nasbench201-cifar100 $(SLOW) --seeds 16 --budget 100 --workers 2 --out results/nasbench201-slow
	$(COMPARE) nasbench201-imagenet16 $(OURS) $(FAST) $(LEARNED) $(UNIVARIATE) $(MEDIUM) --seeds 30 --budget 200 --workers 2 --out results/nasbench201-200
	$(COMPARE) nasbench201-imagenet16 $(SLOW) --seeds 16 --budget 200 --workers 2 --out results/nasbench201-200-slow
	$(COMPARE) nasbench301-cifar10 $(OURS) $(FAST) $(LEARNED) $(UNIVARIATE) $(MEDIUM) --seeds 30 --budget 50 --workers 2 --out results/nasbench301-50
	$(COMPARE) nasbench301-cifar10 $(SLOW) --seeds 16 --budget 50 --workers 2 --out results/nasbench301-slow
	$(COMPARE) nasbench101-cifar10 $(OURS) $(FAST) $(LEARNED) --seeds 30 --budget 150 --workers 2 --out results/nasbench101
	$(COMPARE) nasbench101-cifar10 $(UNIVARIATE) --seeds 10 --budget 150 --workers 2 --out results/nasbench101-slow
	$(COMPARE) nasbench-nlp-wikitext2 $(OURS) $(FAST) $(LEARNED) $(UNIVARIATE) --seeds 30 --budget 40 --workers 2 --out results/nasbench-nlp
	$(COMPARE) $(HARDWARE) $(OURS) $(FAST) $(LEARNED) $(UNIVARIATE) $(MEDIUM) --seeds 30 --budget 50 --workers 2 --out results/hwnasbench-50
	$(COMPARE) $(FOUR) $(SLOW) --seeds 16 --budget 50 --workers 2 --out results/hwnasbench-slow
	$(COMPARE) nasbench201-cifar10 $(OURS) $(FAST) $(LEARNED) $(UNIVARIATE) $(MEDIUM) $(SLOW) --seeds 2 --budget 100 --workers 2 --out results/overhead
	$(COMPARE) $(HARDWARE) $(OURS) --seeds 5 --budget 100 --workers 2 --out results/hwnasbench-queried
	$(COMPARE) $(HARDWARE) $(OURS) --free latency_ms --seeds 3 --budget 100 --workers 2 --out results/hwnasbench-free
	$(COMPARE) $(LOW_FIDELITY) $(OURS) --seeds 10 --budget 50 --workers 2 --out results/nasbench201-12epochs
	$(COMPARE) nasbench301-cifar10 --algorithm random --algorithm regularized-evolution --seeds 10 --budget 200 --workers 2 --out results/nasbench301-200
	$(COMPARE) digits --algorithm optiproxy --algorithm random --seeds 5 --budget 40 --workers 2 --out results/digits
	$(COMPARE) digits-table $(OURS) --algorithm optuna-tpe --seeds 20 --budget 40 --workers 2 --out results/digits-table
	$(COMPARE) digits-latency --algorithm optiproxy --algorithm random --algorithm optuna-tpe --seeds 5 --budget 40 --workers 2 --out results/digits-latency
	$(BIN)/python benchmarks/keep_results.py results/*/
	$(MAKE) bench-page

# The folders that are reported together: every one of them joins the correction for the number of tests.
EVIDENCE := $(foreach name,nasbench201-100 nasbench201-slow nasbench201-200 nasbench201-200-slow nasbench301-50 nasbench301-slow \
	nasbench101 nasbench101-slow nasbench-nlp hwnasbench-50 hwnasbench-slow,results/$(name))

bench-page: $(STAMP)  ## One page on all algorithms from results/, with the tests and ranks of the README
	$(BIN)/optiproxy report $(EVIDENCE) --out runs/evidence/report.html
	cp runs/evidence/statistics.json results/statistics.json
	cp runs/evidence/figures/nasbench201-cifar100-best.svg docs/images/nasbench201-cifar100.svg
	cp runs/evidence/figures/ranks-best_at_end.svg docs/images/ranks.svg

bench-tables: $(STAMP)  ## Opening time and speed of the tables
	$(BIN)/python benchmarks/table_speed.py $$($(BIN)/optiproxy tasks --json | $(BIN)/python -c 'import json, sys; print(*(t["id"] for t in json.load(sys.stdin) if t["id"].startswith(("nasbench", "hwnasbench"))))')

bench-storage: $(STAMP)  ## What the study costs a query, on SQLite and PostgreSQL
	$(BIN)/python benchmarks/storage_speed.py

reference: $(STAMP)  ## Write docs/reference.md from the docstrings
	$(BIN)/python benchmarks/reference.py

# The last state whose proposals were recorded is the reference of every refactoring.
SIX := digits-table nasbench201-cifar100 nasbench301-cifar10 hwnasbench-pixel3-4ms nasbench-nlp-wikitext2 nasbench101-cifar10
GOLDEN_ALGORITHMS := $(call algorithms,optiproxy optiproxy-published random regularized-evolution bananas nas-bowl optuna-tpe)
OTHERS := $(call algorithms,local-search reinforce npenas weaknas bonas seminas neural-predictor optuna-nsga2 optuna-gp optuna-tpe-univariate)

golden-searches: $(STAMP)
	rm -rf runs/golden
	$(COMPARE) $(SIX) $(GOLDEN_ALGORITHMS) --seeds 3 --budget 30 --workers 2 --out runs/golden/six
	$(COMPARE) digits-table $(OTHERS) --seeds 1 --budget 30 --workers 2 --out runs/golden/others

golden: golden-searches  ## Search anew what the golden record holds, and compare every proposal (6 minutes)
	$(BIN)/python benchmarks/golden.py check runs/golden/six/results.csv runs/golden/others/results.csv

golden-record: golden-searches  ## Replace the golden record by the proposals of this state
	$(BIN)/python benchmarks/golden.py record runs/golden/six/results.csv runs/golden/others/results.csv

bench-objectives: $(STAMP)  ## Hypervolume of several objectives, against random search and NSGA-II
	$(BIN)/python benchmarks/hypervolume.py

bench-faults: $(STAMP)  ## Do faults to searches and print what was lost (an hour on two quiet cores)
	$(BIN)/python benchmarks/faults --keep results/faults/faults.json

bench-scaling: $(STAMP)  ## Simulate 1 to 1,024 workers, and measure what a proposal costs (hours)
	mkdir -p results/scaling
	$(BIN)/python benchmarks/scaling.py results/scaling/searches.jsonl
	$(BIN)/python benchmarks/scaling.py --cost

bench-pruning: $(STAMP)  ## Epochs that pruners save in real searches, and what they lose (an hour)
	$(BIN)/python benchmarks/pruning.py

bench-utilisation: $(STAMP)  ## How busy 8 and 64 workers are kept by short trainings
	$(BIN)/python benchmarks/utilisation.py

bench-building: $(STAMP)  ## What it costs to open a space and to build its networks
	$(BIN)/python benchmarks/building.py

bench-digits-table: $(STAMP)  ## Train every distinct cell on digits and write the packaged table (about 17 minutes per seed)
	$(BIN)/python benchmarks/digits_table/make.py train runs/digits-table
	$(BIN)/python benchmarks/digits_table/make.py measure runs/digits-table
	$(BIN)/python benchmarks/digits_table/make.py write runs/digits-table

check-digits-table: $(STAMP)  ## Train 50 cells of the table again by the task digits and compare
	$(BIN)/python benchmarks/digits_table/check.py runs/digits-table

bench-env: $(STAMP)  ## Build the environments of the packages that optiproxy is compared with
	$(BIN)/python -m optiproxy.baselines.packages.environments

# A fresh environment resolves the ranges of pyproject.toml anew; local version suffixes (+cpu) are dropped, because they
# name a build that not every index has. Newer versions are taken on purpose: run the tests before committing the result.
lock:  ## Pin the newest versions that pyproject.toml admits into requirements.lock
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-lock/bin/python -m pip install --quiet 'torch==2.13.0' -e . --group dev
	{ echo '# Made by `make lock`: everything that `make` installs, tools and indirect dependencies included.'; \
	  .venv-lock/bin/python -m pip freeze --all --exclude pip --exclude optiproxy --exclude-editable \
	  | sed -E 's/\+[A-Za-z0-9.]+$$//' | LC_ALL=C sort -f; } > requirements.lock
	rm -rf .venv-lock

clean:  ## Remove what can be made again
	rm -rf .venv .venv-lock runs dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
