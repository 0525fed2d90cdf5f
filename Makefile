# Thin on purpose: names for the steps. How a thing is built stands in CMakeLists.txt and CMakePresets.json.
.DEFAULT_GOAL := help
.PHONY: help deps deps-run deps-test deps-fuzz deps-lint build run test bench format format-check lint docs instructions compare bench-lists bench-table \
        bench-profile bench-choices bench-deflate clean fuzz asan tsan coverage soak

JOBS ?= 2
ARGS ?=
# Sanitizers cannot map their shadow where addresses are spread widely (newer distributions).
NOASLR := $(shell setarch -R true 2>/dev/null && echo setarch -R)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

deps: ## install everything missing, for every target
	@tools/deps.sh run web test browser sanitize lint
deps-run: ## install what `make run` needs
	@tools/deps.sh run web
deps-test: ## install what `make test` needs
	@tools/deps.sh run web test browser sanitize
deps-fuzz:
	@tools/deps.sh run sanitize
deps-lint:
	@tools/deps.sh run lint

build: deps-run ## the program, at build/release/tickcast
	@tools/build.sh release tickcast
run: build ## build and serve a simulated market on http://127.0.0.1:8080 (ARGS="--workers 2 ...")
	@build/release/tickcast serve $(ARGS)

test: deps-test ## all tests: release, then the address, undefined and thread sanitizers
	@JOBS=$(JOBS) tools/test.sh release asan tsan
asan: deps-test ## unit, property, simulated and stress tests under address and undefined-behaviour sanitizers
	@JOBS=$(JOBS) tools/test.sh asan
tsan: deps-test ## the same under the thread sanitizer
	@JOBS=$(JOBS) tools/test.sh tsan
coverage: deps-test ## line coverage of the tests, by gcovr
	@JOBS=$(JOBS) tools/coverage.sh

fuzz: deps-fuzz ## run each fuzzer from tests/fuzz/corpus with a fresh seed (FUZZ=ws FUZZ_SECONDS=60); FUZZ_SEED=1 repeats
	@$(NOASLR) tools/fuzz.sh
bench: deps-test ## all benchmarks and the whole path, beside the last kept run (ARGS="--benchmark_filter=render")
	@tools/bench.sh $(ARGS)
bench-lists: deps-test ## what a send costs with many watch lists, as a ratio to one common list
	@tools/build.sh release tickcast
	@/usr/bin/python3 bench/path/path.py build/release/tickcast --lists $(ARGS)
bench-table: deps-test ## every row of the performance table, into docs/performance-table.md (ROUNDS SECONDS N ROWS OUT WAIT FROM)
	@tools/build.sh release floor -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
	@tools/build.sh release tickcast
	@tools/build.sh release tickcast_lines
	@/usr/bin/python3 bench/path/table.py build/release/tickcast build/release/bench/floor build/release/bench/tickcast_lines
bench-profile: deps-test ## where the time of the table's rows goes that fall short, by perf, into docs/profiles.md (ROUNDS SECONDS N ROWS OUT)
	@tools/deps.sh profile
	@tools/build.sh release floor -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
	@tools/build.sh release tickcast
	@tools/build.sh release tickcast_lines
	@/usr/bin/python3 bench/path/profile.py build/release/tickcast build/release/bench/floor build/release/bench/tickcast_lines
bench-deflate: deps-test ## permessage-deflate once per cohort, beside npm ws (ARGS="--connections 1000 --rounds 3")
	@tools/build.sh release tickcast_lines -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
	@cd bench/compare && { test -d node_modules || npm ci --ignore-scripts --no-audit --no-fund --silent; }
	@/usr/bin/python3 bench/path/deflate.py build/release/bench/tickcast_lines $(ARGS)
bench-choices: deps-test ## what each choice gives (batch, spin, cohort, workers, spread), into docs/choices-table.md (ROUNDS SECONDS N CHOICES OUT)
	@tools/build.sh release tickcast
	@/usr/bin/python3 bench/path/choices.py build/release/tickcast
compare: deps-test ## the same load on tickcast and other servers, into docs/compare.md (ROUNDS SECONDS N PEERS LOADS OUT)
	@tools/deps.sh compare || echo "compare: goes on without what is missing"
	@tools/build.sh release tickcast_lines -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
	@/usr/bin/python3 bench/compare/run.py
instructions: deps-test ## count the instructions of each stage anew (callgrind) and keep them
	@tools/build.sh release instructions -DTICKCAST_TESTS=ON -DTICKCAST_BENCH=ON
	@/usr/bin/python3 bench/instructions/compare.py build/release/tests/speed/instructions --renew
soak: deps-test ## new simulated seeds, then the program under load; memory is watched (SOAK_SECONDS=600)
	@tools/soak.sh

format: deps-lint ## format C and C++ files in place
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i
format-check: deps-lint ## fail where `make format` would change something
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run -Werror && echo "format: clean"
lint: deps-lint ## clang-tidy over core/ and feeds/; what is unchanged since it was clean is not read again
	@/usr/bin/python3 tools/lint.py --jobs $(JOBS)
docs: ## renew the tables in docs/ that are made from headers
	@/usr/bin/python3 tools/docs_tables.py

clean: ## remove build/
	@rm -rf build
