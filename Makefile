# Socket Lab: every command. `make` alone prints them, and how far you are.
#
# SUBMISSION=dir   dir/NN-topic/*.c in place of lessons/
# LINK=mine        link your own earlier modules, not the reference
# ALL=1            tell every failure whole
# HIDDEN=1         run the hidden tests too
# SEED=n           repeat a run's random data exactly
# SANDBOX=level    namespaces, uid or limits; else the best one
# RESULTS=dir      where results are written, not build/results
# NO_INSTALL=1     name missing packages, install none
# V=1              show every command
#
# What a checkout builds is named by rename(2) when it is whole, so several makes may run in it at once.

MAKEFLAGS += --no-builtin-rules --no-print-directory -j$(words $(wildcard /sys/devices/system/cpu/cpu[0-9]*) and-one)
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.SECONDEXPANSION:
.DEFAULT_GOAL := help
.PHONY: help setup tools tools-for-tests tools-for-wire tools-for-class grade grade-class gradescope handout test pristine compile_commands.json FORCE

Q := $(if $(filter-out 0,$(V)),,@)

# ---------------------------------------------------------------- commands

help: ## how far you are, the next step, and this list
	$(Q)tests/tools/progress
	$(Q)tests/tools/commands $(firstword $(MAKEFILE_LIST))

setup: ## install what is missing (each command does so too)
	$(Q)tests/tools/setup --say lessons tests slides wire
	$(Q)tests/tools/apparmor

lesson-%: FORCE $$(call graded,$$*) ## build and grade your code
	$(Q)tests/tools/grade $*

watch-%: FORCE $$(call graded,$$*) ## grade again at every save; q quits
	$(Q)tests/tools/watch $*

hint-%: FORCE $$(call graded,$$*) ## the next hint for your first failing task
	$(Q)tests/tools/hint $*

experiment-%: FORCE $$(call experiments,$$*,$(RUN)) ## list the experiments; RUN=name runs one
	$(Q)tests/tools/experiment $*

wire-%: FORCE build/bin/wire build/bin/peer | tools-for-wire ## calls and packets side by side; RUN=name
	$(Q)tests/tools/wire $*

reset-%: FORCE ## put the starter back; your file is kept beside it
	$(Q)tests/tools/reset $*

grade: pristine ## grade every lesson: a table, build/results/grade.*
	$(Q)tests/tools/grade --table $(ALL_LESSONS)

slides: FORCE ## build/slides: as HTML and PDF, and an index
	$(Q)tests/tools/slides

compile_commands.json: FORCE | tools ## for clangd and editors, by bear
	$(Q)tests/tools/setup editor
	$(Q)tests/tools/compile-commands $@

# ---------------------------------------------------------------- the lab itself (a handout comes without this)

solution-%: FORCE $$(call graded,$$*) ## the same for the reference solution
	$(Q)tests/tools/grade --solution $*

diff-%: FORCE $$(call graded,$$*) ## your code beside the solution, once yours passes
	$(Q)tests/tools/solution-diff $*

handout: FORCE | tools ## the course without its answers, for a class
	$(Q)tests/tools/handout

grade-class: FORCE pristine build/bin/class | tools-for-class ## CLASS=dir: grade every submission below dir
	$(Q)tests/tools/grade-class

gradescope: FORCE pristine build/bin/class | tools-for-class ## autograder.zip for LESSONS="02 03", or for all
	$(Q)tests/tools/gradescope

test: pristine $$(FOR_TESTS) $$(foreach l,$$(ALL_LESSONS),$$(call experiments,$$l,all)) | tools-for-tests ## test the lab itself; FULL=1 adds what takes long
	$(Q)tests/gate/run

test-%: FORCE $$(FOR_TESTS) $$(call graded,$$*) $$(call experiments,$$*,all) | tools-for-tests ## test one lesson
	$(Q)tests/gate/run $*

pictures: FORCE build/bin/wire build/bin/peer | tools-for-wire ## slides/pictures, those that are out of date
	$(Q)tests/tools/pictures

bench: FORCE build/bin/peer | tools ## the servers beside nginx, libuv, libevent; ratios
	$(Q)tests/tools/bench

# ---------------------------------------------------------------- lessons

ALL_LESSONS := $(sort $(patsubst tests/%/contract,%,$(wildcard tests/[0-9][0-9]-*/contract)))

# find: the folder of a lesson called by its number, with or without the zero, or by its whole name
# graded: what must be built before a lesson can be graded; hidden: "hidden" where a lesson has such tests
# used: the reference modules of earlier lessons that its contract names
# experiments: the programs that RUN= asks for
find = $(filter $1 $1-% 0$1-%,$(ALL_LESSONS))
graded = $(foreach l,$(call find,$1),$(GRADER) $(foreach t,unit $(call hidden,$l),build/lessons/$l/$t.o build/lessons/$l/$t.list) $(call used,$l)) tools
hidden = $(patsubst tests/$1/%.c,%,$(wildcard tests/$1/hidden.c))
used = $(foreach u,$(filter $(ALL_LESSONS),$(call words_of,$1)),$(foreach m,$(filter %.c,$(call words_of,$1)),\
    $(if $(call reference_source,$u/reference/$(m:.c=)),build/lessons/$u/reference/$(m:.c=.o))))
words_of = $(file <tests/$1/contract)
experiments = $(foreach l,$(call find,$1),$(patsubst lessons/$l/experiments/%.c,build/experiments/$l/%,\
    $(wildcard lessons/$l/experiments/$(if $(filter all,$2),*,$(or $2,none)).c))) tools

pristine: $$(foreach l,$(or $(ONLY),$(ALL_LESSONS)),$$(call graded,$$l)) ## build the grader and all tests, and grade nothing

# A fresh machine gets its tools before anything is compiled; where all are there this takes 5 ms. A copy without git keeps
# its starters for reset-NN.
tools:
	$(Q)tests/tools/setup lessons
	$(if $(wildcard .git),,$(Q)tests/tools/keep-starters)

tools-for-wire: | tools
	$(Q)tests/tools/setup wire

# ---------------------------------------------------------------- what is built

GRADER := build/bin/grade build/bin/confine build/harness/libharness.a build/harness/assert.bash
HARNESS := $(filter-out tests/harness/test_%.c tests/harness/preload.c,$(wildcard tests/harness/*.c))
HARNESS_HEADERS := $(wildcard tests/harness/*.h)
GRADER_SOURCES := $(filter-out tests/grader/test_%.c tests/grader/confine.c,$(wildcard tests/grader/*.c))
WIRE_SOURCES := $(filter-out tests/wire/peer.c tests/wire/test_%.c,$(wildcard tests/wire/*.c))
GRADER_LIBRARIES := jansson libxml-2.0 libelf

CC := gcc
CHECK := -lcheck -lsubunit -lrt -lm -lpthread
FLAGS := -std=gnu17 -g -O1 -fno-omit-frame-pointer -Wall -Wextra
SANITIZED := $(FLAGS) -fsanitize=address,undefined -U_FORTIFY_SOURCE
INCLUDE := -Itests/harness $(patsubst %/,-I%,$(sort $(wildcard lessons/[0-9][0-9]-*/)))

# Flags are a dependency: build/flags changes when they do, or the compilers of this machine.
build/flags: FORCE | tools
	$(Q)mkdir -p build; new=$@.$$$$; echo '$(CC) $(FLAGS) $(SANITIZED) $(INCLUDE)' /usr/lib/gcc/*/* >$$new; \
	    if cmp -s $$new $@; then rm $$new; else mv $$new $@; fi

# $(call made,COMMAND): COMMAND writes to the name $$new; the file gets its own name when it is whole.
made = $(Q)mkdir -p $(@D); new=$@.$$$$; $1 && mv $$new $@ || { rm -f $$new $$new.d; exit 1; }
compiled = $(call made,$(CC) $1 -MMD -MP -MF $$new.d -MT $@ -c -o $$new $< && mv $$new.d $@.d)
say = @echo 'building $1' >&2

build/harness/%.o: tests/harness/%.c build/flags
	$(call compiled,$(FLAGS))

# bats-support and bats-assert without their comments: a test loads them in 3 ms, not in 20.
build/harness/assert.bash: tests/lib/lab.bash | tools
	$(call made,bash -c 'source tests/lib/lab.bash && before=$$(compgen -A function | sort) && lab_load bats-support && lab_load bats-assert && declare -f $$(comm -13 <(echo "$$before") <(compgen -A function | sort))' >$$new)

build/harness/libharness.a: $(HARNESS:tests/%.c=build/%.o)
	$(call say,the harness)
	$(call made,rm -f $$new; ar rcs $$new $^)

build/grader/%.o: tests/grader/%.c build/flags
	$(call compiled,$(FLAGS) $$(pkg-config --cflags $(GRADER_LIBRARIES)))

build/bin/grade: $(GRADER_SOURCES:tests/%.c=build/%.o)
	$(call say,the grader)
	$(call made,$(CC) -o $$new $^ $$(pkg-config --libs $(GRADER_LIBRARIES)))

# Static where the C library allows it: it is started before each test, and a static program starts faster.
build/bin/confine: tests/grader/confine.c build/flags
	$(call made,{ $(CC) $(FLAGS) -static -o $$new $< 2>/dev/null || $(CC) $(FLAGS) -o $$new $<; })

build/wire/%.o: tests/wire/%.c build/flags | tools-for-wire
	$(call compiled,$(FLAGS) -O2)

build/bin/wire: $(WIRE_SOURCES:tests/%.c=build/%.o)
	$(call say,wire)
	$(call made,$(CC) -o $$new $^ -lpcap)

build/bin/peer: tests/wire/peer.c build/flags
	$(call made,$(CC) $(FLAGS) -o $$new $<)

build/lessons/%/unit.o: tests/%/unit.c build/flags
	$(call say,the tests of $*)
	$(call compiled,$(SANITIZED) $(INCLUDE))

# The list of a lesson's tests comes from their own object, linked with no student's code and never with it.
build/lessons/%.list: build/lessons/%.o build/harness/libharness.a
	$(call made,$(CC) $(SANITIZED) -no-pie -Wl$(comma)--unresolved-symbols=ignore-all -o $$new.lister $^ $(CHECK) && \
	    ASAN_OPTIONS=detect_leaks=0 $$new.lister --list >$$new; status=$$?; rm -f $$new.lister; [ $$status = 0 ])
comma := ,

# A handout has the reference as objects, for the machines that whoever made it could compile for.
build/lessons/%.o: $$(call reference_source,$$*) build/flags
	$(if $(filter %.c,$<),$(call compiled,$(SANITIZED) $(INCLUDE)),$(call made,cp $< $$new))
reference_source = $(firstword $(wildcard solutions/$(subst /reference/,/,$1).c tests/$(subst /reference/,/reference/$(MACHINE)/,$1).o))
MACHINE := $(shell uname -m)

build/experiments/%: $$(call experiment_source,$$*) build/flags
	$(call made,$(CC) $(SANITIZED) -o $$new $< -lpthread)
experiment_source = lessons/$(subst /,/experiments/,$1).c

# ---------------------------------------------------------------- what the lab itself is tested and a class graded with (a handout comes without this)

FOR_TESTS := build/harness/liblabcalls.so build/harness/test_harness build/harness/test_misbehaving build/harness/test_calls build/bin/wire build/bin/peer build/wire/test_wire build/bin/class build/bin/class-sanitized
CLASS_SOURCES := $(wildcard tests/class/*.c)
CLASS_LIBRARIES := jansson libarchive

tools-for-tests: | tools
	$(Q)tests/tools/setup tests slides wire pictures class

tools-for-class: | tools
	$(Q)tests/tools/setup class

# preload.c includes calls.c: the same layer under the calls' own names.
build/harness/liblabcalls.so: tests/harness/preload.c tests/harness/calls.c $(HARNESS_HEADERS) build/flags
	$(call made,$(CC) $(FLAGS) -fPIC -shared -o $$new $< -ldl -lpthread)

# The harness's own tests are built as a lesson's are: what plays the student has its calls renamed, and a name of its own.
build/harness/test_calls: tests/harness/test_calls.c build/flags
	$(call made,$(CC) $(FLAGS) -o $$new $<)

build/harness/test_%: tests/harness/test_%.c tests/harness/test_student.c build/harness/libharness.a tests/harness/calls.syms $(HARNESS_HEADERS) build/flags
	$(call made,$(CC) $(SANITIZED) -ffile-prefix-map=tests/harness/= -c -o $$new.o tests/harness/test_student.c && objcopy --redefine-syms=tests/harness/calls.syms $$new.o && \
	    $(CC) $(SANITIZED) -o $$new $< $$new.o build/harness/libharness.a $(CHECK) && rm $$new.o)

# Without what needs a network or has a main().
build/wire/test_wire: tests/wire/test_wire.c $(filter-out tests/wire/wire.c tests/wire/capture.c,$(WIRE_SOURCES)) tests/wire/wire.h build/flags
	$(call made,$(CC) $(SANITIZED) -o $$new $(filter %.c,$^) $(CHECK))

build/lessons/%/hidden.o: tests/%/hidden.c build/flags
	$(call compiled,$(SANITIZED) $(INCLUDE))

build/classes/%.o: tests/class/%.c build/flags | tools-for-class
	$(call compiled,$(FLAGS) $(HASHES) $$(pkg-config --cflags $(CLASS_LIBRARIES)))

# A page's own style and script are told from others by their sums.
build/classes/assets.o: tests/class/report.css tests/class/report.js
HASHES = -DSTYLE_HASH="\"$(call hash,report.css)\"" -DSCRIPT_HASH="\"$(call hash,report.js)\""
hash = $$(sha256sum <tests/class/$1 | cut -c1-64 | tr a-f A-F | basenc --base16 -d | base64)

build/bin/class: $(CLASS_SOURCES:tests/class/%.c=build/classes/%.o) build/grader/text.o
	$(call say,class)
	$(call made,$(CC) -o $$new $^ $$(pkg-config --libs $(CLASS_LIBRARIES)) -lm)

# What opens strangers' archives is tested with sanitizers.
build/bin/class-sanitized: $(CLASS_SOURCES) $(wildcard tests/class/*.h) tests/class/report.css tests/class/report.js tests/grader/text.c tests/grader/grade.h build/flags | tools-for-class
	$(call made,$(CC) $(SANITIZED) $(HASHES) -o $$new $(filter %.c,$^) $$(pkg-config --cflags --libs $(CLASS_LIBRARIES)) -lm)

# ---------------------------------------------------------------- what was read to build it

-include $(wildcard build/*/*.o.d build/lessons/*/*.o.d build/lessons/*/reference/*.o.d)
