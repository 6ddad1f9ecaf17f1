# smpipe: plain GNU make. `make help` lists the targets.

VERSION := 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
LOCAL ?= 1
CC ?= gcc

# Layers from the bottom up; tools/check-layers holds the includes to this order.
DIRS ?= base aws s3 ecr $(if $(filter 1,$(LOCAL)),local) pipeline

PKGS := libgit2 libcurl libssl libcrypto libarchive libdeflate yaml-0.1 jansson $(if $(filter 1,$(LOCAL)),libmicrohttpd)
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wvla -Wundef -Werror
OPT ?= -O2 -g
HARDEN := -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fPIE
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# Only asked when something is compiled: pkg-config may not be there before `make deps`.
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
CPPFLAGS_ALL = -I. -I$(BUILD) -D_GNU_SOURCE -DSMPIPE_VERSION='"$(VERSION)"' -DSMPIPE_LOCAL=$(LOCAL) \
	-include base/banned.h $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=gnu17 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) -pthread $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now $(SANFLAGS) -pthread $(LDFLAGS)
LIBS = $(PKG_LIBS) -lm

LIB_SRC := $(sort $(wildcard $(DIRS:%=%/*.c)))
CMD_SRC := $(sort $(wildcard cmd/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o) $(BUILD)/embedded.o
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:%.c=$(BUILD)/%)
# What end-to-end tests call besides smpipe itself.
PROBE_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/probe/*.c))
TEMPLATE_FILES := $(shell find templates -type f -not -path '*/build/*' 2>/dev/null | LC_ALL=C sort)

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all probes deps deps-test demo test unit e2e members check-vectors fuzz fuzz-smoke bench-cold-start bench-snapshot bench-s3 bench-pack check-layers format check-format install clean help FORCE

all: $(BUILD)/smpipe ## build smpipe (the default)

$(BUILD)/smpipe: $(CMD_OBJ) $(BUILD)/libsmpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/libsmpipe.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The files that `smpipe init` writes, as one C table.
$(BUILD)/embedded.c: tools/embed $(TEMPLATE_FILES)
	$(call say,EMBED,templates)
	$(Q)mkdir -p $(@D)
	$(Q)tools/embed templates > $@

$(BUILD)/embedded.o: $(BUILD)/embedded.c $(BUILD)/flags
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Rewritten only when compiler or flags differ, so that changed flags rebuild everything.
$(BUILD)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $@ || \
		echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' > $@

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libsmpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(LIBS)

# What cmd draws is no part of the library.
$(BUILD)/tests/unit/test_leaderboard_view: $(BUILD)/cmd/leaderboard_view.o $(BUILD)/cmd/table.o
$(BUILD)/tests/unit/test_ui: $(BUILD)/cmd/ui.o $(BUILD)/cmd/table.o

$(BUILD)/tests/vectors/%: $(BUILD)/tests/vectors/%.o $(BUILD)/libsmpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/tests/probe/%: $(BUILD)/tests/probe/%.o $(BUILD)/libsmpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libsmpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

probes: $(PROBE_BIN)

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libsmpipe.a
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS)

deps: ## install what building and running needs (as root; otherwise prints the command)
	$(Q)tools/install-deps build

deps-test:
	$(Q)tools/install-deps test

demo: deps ## install what is missing, build, and release a real algorithm into the local cloud
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)tools/demo $(BUILD)/smpipe

test: deps-test ## install what is missing and run every test
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(BUILD) tools/run-tests

unit: $(UNIT_BIN) ## run the unit tests only
	$(Q)set -e; for t in $^; do $$t; done

e2e: $(BUILD)/smpipe $(PROBE_BIN) ## run the end-to-end tests only (T=pattern picks some)
	$(Q)BUILD=$(BUILD) tools/run-tests e2e '$(T)'

members: $(BUILD)/tests/unit/test_request_members ## list every member of the requests, its key and its test
	$(Q)$< --list

# Each prints its counts, and that it notices one changed expectation; those without their vectors are skipped by name.
SUITE_BIN := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/vectors/suite_*.c)))

check-vectors: $(SUITE_BIN) ## run every suite of official vectors and print its counts (SMPIPE_VECTORS, ../shared/vectors)
	$(Q)BUILD=$(BUILD) tools/check-vectors $(SUITE_BIN)

# libFuzzer comes with clang; only what the targets reach is built for it.
FUZZ_BIN := $(patsubst %.c,$(BUILD)-fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_S ?= 5

fuzz: ## build the fuzz targets into $(BUILD)-fuzz/tests/fuzz (clang)
	$(Q)$(MAKE) --no-print-directory CC=clang SAN=fuzzer-no-link,address,undefined OPT='-O1 -g' LOCAL=0 \
		DIRS='base aws s3 ecr' BUILD=$(BUILD)-fuzz $(FUZZ_BIN)

fuzz-smoke: fuzz ## run each fuzz target for FUZZ_S (5) seconds on its committed corpus
	$(Q)tools/fuzz $(FUZZ_S) $(BUILD)-fuzz

bench-cold-start: $(BUILD)/smpipe ## measure the first signed request against awscli's, in one run
	$(Q)SMPIPE=$(abspath $(BUILD)/smpipe) tests/bench/cold-start.sh

bench-snapshot: $(BUILD)/smpipe ## measure snapshots of data that did not change, 1,000 to 100,000 files
	$(Q)SMPIPE=$(abspath $(BUILD)/smpipe) tests/bench/snapshot.sh

bench-s3: $(BUILD)/smpipe $(BUILD)/tests/bench/s3_sink ## race uploads against Debian's tools, in one run (root)
	$(Q)SMPIPE=$(abspath $(BUILD)/smpipe) SINK=$(abspath $(BUILD)/tests/bench/s3_sink) tests/bench/s3.sh

bench-pack: $(BUILD)/smpipe ## measure packing the source archive against tarfile, gzip and pigz, in one run
	$(Q)SMPIPE=$(abspath $(BUILD)/smpipe) tests/bench/pack.sh

check-layers: ## check that no layer includes one above it
	$(Q)tools/check-layers

format: ## format the sources in place
	$(Q)git ls-files '*.c' '*.h' | grep -v '^templates/' | xargs clang-format -i

check-format: ## check the formatting
	$(Q)git ls-files '*.c' '*.h' | grep -v '^templates/' | xargs clang-format --dry-run -Werror

install: $(BUILD)/smpipe ## install to PREFIX (default /usr/local)
	install -D -m 0755 $(BUILD)/smpipe $(DESTDIR)$(PREFIX)/bin/smpipe

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
