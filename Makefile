# What people and CI type. Each target says what it does and takes no arguments but those shown.
.PHONY: help demo test soak small picture repl bench bench-setup lint fmt install uninstall
PREFIX ?= $(HOME)/.local

help:         ## this list
	@sed -n 's/^\([a-z-]*\): *## */  make \1\t/p' Makefile | expand -t 22

demo:         ## the three programs of the seed in real Jupyter, as notebooks with outputs and as HTML
	@.ci/demo

test:         ## everything CI runs
	@.ci/test

soak:         ## the same with the long tests at full length (AG_TEST_SCALE)
	@AG_TEST_SCALE=$${AG_TEST_SCALE:-20} .ci/test

picture:      ## the README's pictures of the notebook, in a real JupyterLab
	@.ci/picture

small:        ## ag alone, without the local models and the network: echo lane, hashing embedder (make soak tests it)
	@cargo build --release --locked -p ag-repl --no-default-features --target-dir target/small

repl:         ## a session in the terminal
	@cargo build --release --locked --workspace --all-targets --quiet && target/release/ag

bench:        ## benchmarks: make bench CATEGORY=notebook [JSON=1]
	@.ci/bench "$(CATEGORY)" "$(JSON)"

bench-setup:  ## the programs that benchmarks compare with
	@.ci/bench-setup

lint:         ## formatting and clippy
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings

fmt:          ## format the sources
	cargo fmt --all

install:      ## ag into PREFIX/bin (~/.local), its kernel for you (always where your Jupyter looks)
	cargo build --release --locked --workspace --bins
	install -D target/release/ag "$(PREFIX)/bin/ag"
	"$(PREFIX)/bin/ag" kernel install --user
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) echo "Next: ag" ;; *) echo "Next: $(PREFIX)/bin/ag ($(PREFIX)/bin is not on your PATH)" ;; esac

uninstall:    ## remove both
	-"$(PREFIX)/bin/ag" kernel uninstall --user
	rm -f "$(PREFIX)/bin/ag"
