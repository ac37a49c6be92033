# One line a task. `just` alone lists them.

_default:
    @just --list

# Compile everything.
build:
    cargo build --locked --all-targets

# All tests that need no cluster.
test:
    cargo test --locked

# Deliberate defects, each of which the simulator must catch. `just mutants 03` runs one.
mutants *NAMES:
    tests/mutants/run {{NAMES}}

# Mutants of src/policy, tried with its tests: `just mutation build`, then `try`, then `report`.
mutation *ARGS:
    tests/mutation/run {{ARGS}}

# Any bytes as answers of Prometheus, for five minutes; needs a nightly compiler and cargo-fuzz.
fuzz *ARGS="-max_total_time=300":
    mkdir -p fuzz/corpus/reply
    cargo +nightly fuzz run reply fuzz/corpus/reply fuzz/seeds/reply -- {{ARGS}}

# New worlds of every mix, then every deliberate defect; says what was never reached. `just nightly 2m` for a taste.
nightly *ARGS:
    tests/nightly {{ARGS}}

# Lints; warnings are errors.
lint:
    cargo clippy --locked --all-targets -- -D warnings

# Format the code.
fmt:
    cargo fmt

# Write crds/ and the chart's CRDs from src/api.
crds:
    cargo run --quiet --locked -- crds --dir crds --dir charts/tidegate/crds

# The core scenarios on a real cluster; needs root.
e2e *ARGS:
    e2e/run {{ARGS}}

# Every scenario.
e2e-all:
    e2e/run --all

# Every scenario three times: as installed, with the webhook, and with the controller killed again and again. A night.
e2e-nightly *WAYS:
    e2e/nightly {{WAYS}}

# One good and one bad release, told as they happen.
demo:
    e2e/run demo

# The controller's image.
image TAG="tidegate:0.1.0":
    docker build --tag {{TAG}} .

# What is checked before a merge.
ci:
    .ci/run

# Seeded worlds with faults on all cores, with what was reached: just simulate --for 10m
simulate *ARGS="--for 1m":
    cargo run --release --locked -- sandbox simulate --coverage {{ARGS}}

# Tidegate's comparison and the usual rules on the same traces, into docs/: a quarter of an hour; just benchmark --runs 50
benchmark *ARGS:
    cargo bench --locked --profile e2e --bench canary -- {{ARGS}}
