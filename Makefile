# XMPP federation pair: edge-proxy and fe-gateway.
#
#   make            build both daemons into build/release/
#   make help       list the targets
#
# One file, no recursion.  Objects go to build/$(VARIANT)/; `V=1` shows the
# commands.  The link line is the architecture: unit tests and fuzzers link the
# archives of the pure folders only, so a core that reaches for a socket does
# not link.

VARIANT  ?= release
WERROR   ?= 1
V        ?= 0
PREFIX   ?= /usr/local
DESTDIR  ?=
DOCDIR   ?= $(PREFIX)/share/doc/xmpp-federation-pair
ONLY     ?=
TIME     ?= 60
PYTHON   ?= /usr/bin/python3

VERSION  := 0.1.0
B        := build/$(VARIANT)
Q        := $(if $(filter 1,$(V)),,@)

# ---- flags ----------------------------------------------------------------

PKGS_PURE := libxml-2.0 libidn2 libprotobuf-c
PKGS_ALL  := $(PKGS_PURE) libuv sofia-sip-ua libcyaml libsystemd sqlite3
# dependency headers are system headers: they cannot break -Werror
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS_ALL) 2>/dev/null))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
	-Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wswitch-enum \
	-Wimplicit-fallthrough
ifeq ($(WERROR),1)
WARN += -Werror
endif
WARN_PURE := -Wconversion -Wsign-conversion

ifeq ($(VARIANT),release)
CC       ?= gcc
OPT      := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection \
	-ftrivial-auto-var-init=zero -fPIE
LDOPT    := -pie -Wl,-z,relro,-z,now,-z,noexecstack -rdynamic
else ifeq ($(VARIANT),asan)
CC       := gcc
OPT      := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -fPIE
LDOPT    := -pie -fsanitize=address,undefined -rdynamic
else ifeq ($(VARIANT),fuzz)
CC       := clang
OPT      := -O1 -g -fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
LDOPT    := -fsanitize=address,undefined,fuzzer
else
$(error VARIANT is release, asan or fuzz)
endif

CPPFLAGS_ALL := -D_GNU_SOURCE -DFED_VERSION='"$(VERSION)"' \
	-Icommon -I. -Ibuild/gen $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL := -std=c11 $(OPT) $(CFLAGS)

LIBS_PURE := -lxml2 -lidn2 -lunistring -lprotobuf-c -lmbedcrypto
LIBS_EDGE := -lcyaml -lyaml -lsystemd -lunbound -luv -lmbedtls -lmbedx509 $(LIBS_PURE)
LIBS_GW   := -lcyaml -lyaml -lsystemd -lsofia-sip-ua -lssl -lcrypto -lsqlite3 -lunbound -luv \
	-lmbedtls -lmbedx509 $(LIBS_PURE) -pthread

LIBS_FEDCTL := -ljansson -lcyaml -lyaml $(LIBS_PURE)

# ---- sources --------------------------------------------------------------

PROTO   := $(sort $(wildcard proto/*.proto))
GEN_C   := $(PROTO:proto/%.proto=build/gen/%.pb-c.c)
GEN_H   := $(GEN_C:.c=.h)

# archive = folder; the order is the order of the link line
PURE_DIRS := edge-proxy/core fe-gateway/core common/chan common/xmpp common/base
SRC_edge_shell := $(sort $(wildcard edge-proxy/*.c))
SRC_gw_shell   := $(sort $(wildcard fe-gateway/*.c))
SRC_fedctl     := $(sort $(wildcard deploy/fedctl/*.c))
SRC_io         := $(sort $(wildcard common/io/*.c))

srcs   = $(sort $(wildcard $(1)/*.c))
objs   = $(patsubst %.c,$(B)/obj/%.o,$(1))
lib    = $(B)/lib_$(subst /,_,$(1)).a

LIB_PROTO := $(B)/lib_proto.a
LIBS_OF_PURE := $(foreach d,$(PURE_DIRS),$(call lib,$(d))) $(LIB_PROTO)
LIB_IO := $(B)/lib_common_io.a

BINS := $(if $(wildcard edge-proxy/main.c),$(B)/edge-proxy) \
	$(if $(wildcard fe-gateway/main.c),$(B)/fe-gateway) \
	$(if $(wildcard deploy/fedctl/main.c),$(B)/fedctl)

.PHONY: all build help opts clean format format-check lint check \
	check-debian13 demo asan fuzz bench test install uninstall deps
all: build

## build: both daemons and fedctl
build: $(BINS)

# ---- rules ----------------------------------------------------------------

build/gen/%.pb-c.c build/gen/%.pb-c.h: proto/%.proto $(PROTO)
	@mkdir -p build/gen
	$(Q)protoc-c --c_out=build/gen -Iproto $<

# rebuilt when the flags change
STAMP := $(B)/.flags
FLAGS_NOW := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARN)
$(STAMP): FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@
.PHONY: FORCE
FORCE:

$(B)/obj/build/gen/%.o: build/gen/%.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

pure = $(filter edge-proxy/core/% fe-gateway/core/% common/base/% \
	common/xmpp/% common/chan/%,$(1))
$(B)/obj/%.o: %.c $(STAMP) | $(GEN_H)
	@mkdir -p $(@D)
	@$(if $(filter 0,$(V)),echo "  CC      $<",:)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARN) \
		$(if $(call pure,$<),$(WARN_PURE)) -MMD -MP -c $< -o $@

define archive_rule
$$(call lib,$(1)): $$(call objs,$$(call srcs,$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach d,$(PURE_DIRS) common/io,$(eval $(call archive_rule,$(d))))

$(LIB_PROTO): $(GEN_C:%.c=$(B)/obj/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^

EDGE_LIBS := $(call lib,edge-proxy/core) $(LIB_IO) $(call lib,common/chan) \
	$(call lib,common/xmpp) $(call lib,common/base) $(LIB_PROTO)
GW_LIBS := $(call lib,fe-gateway/core) $(LIB_IO) $(call lib,common/chan) \
	$(call lib,common/xmpp) $(call lib,common/base) $(LIB_PROTO)

$(B)/edge-proxy: $(call objs,$(SRC_edge_shell)) $(EDGE_LIBS)
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ $^ $(LIBS_EDGE)

$(B)/fe-gateway: $(call objs,$(SRC_gw_shell)) $(GW_LIBS)
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ $^ $(LIBS_GW)

# no loop, no TLS: it opens one socket; of common/io it takes the YAML form
$(B)/fedctl: $(call objs,$(SRC_fedctl)) $(LIB_IO) $(call lib,common/chan) \
		$(call lib,common/xmpp) $(call lib,common/base) $(LIB_PROTO)
	@echo "  LINK    $@"
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ $^ $(LIBS_FEDCTL)

# ---- unit tests, replay: pure archives only -------------------------------

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
REPLAY_BIN := $(patsubst tests/replay/%.c,$(B)/replay/%,\
	$(sort $(wildcard tests/replay/replay_*.c)))

# what fedctl prints, without its socket
FEDCTL_OBJS := $(filter-out %/main.o %/client.o,$(call objs,$(SRC_fedctl)))
FEDCTL_TESTS := $(filter $(B)/unit/test_fedctl% \
	$(B)/unit/test_federation_fedctl%,$(UNIT_BIN))
$(FEDCTL_TESTS): $(FEDCTL_OBJS)
$(FEDCTL_TESTS): EXTRA := -ljansson
$(B)/unit/%: $(B)/obj/tests/unit/%.o $(LIBS_OF_PURE)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ -Wl,--start-group $^ \
		-Wl,--end-group -lcmocka $(EXTRA) $(LIBS_PURE)

# allocations that fail when the test says so
$(B)/unit/test_presence_sub_memory $(B)/unit/test_federation_memory: LDFLAGS += \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

$(B)/replay/%: $(B)/obj/tests/replay/%.o $(LIBS_OF_PURE)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ $^ $(LIBS_PURE)

# shells are tested on loopback: these link the I/O archive too
SHELL_BIN := $(patsubst tests/integration/%.c,$(B)/integration/%,\
	$(sort $(wildcard tests/integration/test_*.c)))
$(B)/integration/test_edge_dns: $(B)/obj/edge-proxy/edge_dns.o
$(B)/integration/test_dial: $(B)/obj/edge-proxy/edge_dial.o
$(B)/integration/test_fedctl_client: $(B)/obj/deploy/fedctl/client.o
$(B)/integration/test_edge_shell: $(filter-out \
	%/main.o %/edge_dial.o,$(call objs,$(SRC_edge_shell))) \
	$(call lib,edge-proxy/core)
$(B)/integration/test_sip_silent: $(B)/obj/fe-gateway/sip_silent.o \
	$(B)/obj/fe-gateway/sip_sockets.o
$(B)/integration/test_sip_peers: $(B)/obj/fe-gateway/sip_peers.o \
	$(B)/obj/fe-gateway/sip_sockets.o
$(B)/integration/test_sip_accept: $(B)/obj/fe-gateway/sip_accept.o
$(B)/integration/test_sip_cork: $(B)/obj/fe-gateway/sip_cork.o \
	$(B)/obj/fe-gateway/sip_sockets.o
SIP_TEST_OBJS := $(patsubst %,$(B)/obj/fe-gateway/sip_%.o,adapter \
	adapter_parse adapter_pass adapter_read adapter_write cork loop sockets tls tls_compat)
$(B)/integration/test_sip_tls $(B)/integration/test_presence_adapter \
$(B)/integration/test_presence_transactions \
$(B)/integration/test_federation_pass: \
	$(SIP_TEST_OBJS)
$(B)/integration/test_sip_tls $(B)/integration/test_presence_adapter \
$(B)/integration/test_presence_transactions \
$(B)/integration/test_federation_pass: \
	EXTRA := -lsofia-sip-ua -lssl -lcrypto
STORE_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard fe-gateway/store*.c))
STORE_TESTS := $(patsubst %,$(B)/integration/test_presence_%,\
	powercut store store_disk store_file store_memory store_place) \
	$(B)/integration/test_federation_revisions
$(STORE_TESTS): $(STORE_OBJS)
$(STORE_TESTS): EXTRA := -lsqlite3 -pthread
$(B)/integration/test_presence_powercut: $(B)/obj/tests/integration/power_disk.o
$(B)/integration/%: $(B)/obj/tests/integration/%.o $(LIB_IO) $(LIBS_OF_PURE)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ -Wl,--start-group $^ \
		-Wl,--end-group -lcmocka $(EXTRA) -lcyaml -lyaml -lsystemd -lunbound \
		-luv -lmbedtls -lmbedx509 $(LIBS_PURE)

# ---- fuzzers ---------------------------------------------------------------

FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,\
	$(sort $(wildcard tests/fuzz/fuzz_*.c)))
# what fedctl reads of an old gateway
$(B)/fuzz/fuzz_federation_migrate: $(FEDCTL_OBJS)
$(B)/fuzz/fuzz_federation_migrate: EXTRA := -ljansson
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(LIBS_OF_PURE)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ -Wl,--start-group $^ \
		-Wl,--end-group $(EXTRA) $(LIBS_PURE)

BENCH_BIN := $(patsubst tests/bench/%.c,$(B)/bench/%,\
	$(sort $(wildcard tests/bench/bench_*.c)))
$(B)/bench/bench_store: $(STORE_OBJS)
$(B)/bench/bench_store: EXTRA := -lsqlite3 -pthread
$(B)/bench/%: $(B)/obj/tests/bench/%.o $(LIB_IO) $(LIBS_OF_PURE)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDOPT) $(LDFLAGS) -o $@ -Wl,--start-group $^ \
		-Wl,--end-group $(EXTRA) -lcyaml -lyaml -lsystemd -lunbound -luv \
		-lmbedtls -lmbedx509 $(LIBS_PURE)
# the programs of the load generator and what they share
LOAD_PROGRAMS := xmpp sip crowd chat watch
LOAD_BIN := $(LOAD_PROGRAMS:%=$(B)/bench/load/%)
$(LOAD_BIN): $(call objs,$(filter-out \
	$(LOAD_PROGRAMS:%=tests/bench/load/%.c),\
	$(sort $(wildcard tests/bench/load/*.c))))

# what stands for a daemon in tests with real peers
FAKE_BIN := $(B)/integration/fake_gateway $(B)/integration/fake_edge

.PHONY: unit-bins replay-bins fuzz-bins shell-bins bench-bins fake-bins
unit-bins: $(UNIT_BIN)
replay-bins: $(REPLAY_BIN)
fuzz-bins: $(FUZZ_BIN)
shell-bins: $(SHELL_BIN)
bench-bins: $(BENCH_BIN) $(LOAD_BIN)
fake-bins: $(FAKE_BIN)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.SECONDARY:

# ---- what people type ------------------------------------------------------

## demo: bring the lab up, let two people talk, take it down (KEEP=1 leaves it)
demo: deps
	@$(MAKE) --no-print-directory -j2 build
	@deploy/demo/demo

## check: everything CI runs; ONLY=unit|replay|fuzz|integration|lint|NAME
check: deps
	@tests/run $(ONLY)

## check-debian13: the tests on Debian 13 (mbedTLS 3.6, TLS 1.3, Prosody 13, Kamailio 6)
check-debian13:
	@tests/debian13/run

## test: the quick part of check: unit, replay, fuzz corpus (no root needed)
test:
	@tests/run unit replay fuzz

## lint: our own checks, format, clang-tidy, cppcheck, shellcheck, man pages
lint: deps
	@tests/run lint

## asan: both daemons with AddressSanitizer and UBSan, into build/asan/
asan:
	@$(MAKE) --no-print-directory -j2 VARIANT=asan build

## fuzz: explore with every fuzz target, TIME=60 seconds each (T=NAME: one)
fuzz: deps
	@$(MAKE) --no-print-directory -j2 VARIANT=fuzz fuzz-bins
	@tests/fuzz/explore $(TIME) $(T)

## bench: measure; prints a table, writes build/bench.json
bench: deps
	@$(MAKE) --no-print-directory -j2 build bench-bins
	@tests/bench/run

## format: clang-format every C file in place
format:
	clang-format -i $$(find common edge-proxy fe-gateway deploy/fedctl \
		tests -name '*.[ch]')

## format-check: would format change anything?
format-check:
	clang-format --dry-run -Werror $$(find common edge-proxy fe-gateway \
		deploy/fedctl tests -name '*.[ch]')

deps:
	@deploy/install-deps

## install: binaries, man pages, units, example files; DESTDIR= PREFIX=
install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin \
		$(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 \
		$(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(DOCDIR)
	install -m 755 $(filter-out %/fedctl,$(BINS)) $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(B)/fedctl $(DESTDIR)$(PREFIX)/bin/
	install -m 644 deploy/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 deploy/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 deploy/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	for unit in deploy/systemd/*.service; do \
		sed 's#/usr/local#$(PREFIX)#' $$unit > \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done
	install -m 644 deploy/examples/*.conf $(DESTDIR)$(DOCDIR)/

## uninstall: what install put there
uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/sbin/,edge-proxy fe-gateway) \
		$(DESTDIR)$(PREFIX)/bin/fedctl \
		$(addprefix $(DESTDIR)$(PREFIX)/share/man/man1/,\
		$(notdir $(wildcard deploy/man/*.1))) \
		$(addprefix $(DESTDIR)$(PREFIX)/share/man/man8/,\
		$(notdir $(wildcard deploy/man/*.8))) \
		$(addprefix $(DESTDIR)$(PREFIX)/share/man/man5/,\
		$(notdir $(wildcard deploy/man/*.5))) \
		$(addprefix $(DESTDIR)$(PREFIX)/lib/systemd/system/,\
		$(notdir $(wildcard deploy/systemd/*.service)))
	rm -rf $(DESTDIR)$(DOCDIR)

## opts: the effective flags, to copy and paste
opts:
	@echo 'CC=$(CC)'
	@echo 'CPPFLAGS=$(subst ",\",$(CPPFLAGS_ALL))'
	@echo 'CFLAGS=$(CFLAGS_ALL) $(WARN)'
	@echo 'LDFLAGS=$(LDOPT) $(LDFLAGS)'

## clean: remove build/
clean:
	rm -rf build

## help: this list
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)
