/* The style and script of the pages, as they stand beside this file: each page holds them
 * whole, so that it can be sent by itself. */
#include "report.h"

#define ASSET(name, path)                                                   \
    __asm__(".section .rodata\n.global " name "\n" name ": .incbin \"" path \
            "\"\n.byte 0\n.previous\n")

ASSET("asset_style", "tests/class/report.css");
ASSET("asset_script", "tests/class/report.js");

/* Of the same files, by sha256sum: see the Makefile. */
const char style_hash[] = STYLE_HASH, script_hash[] = SCRIPT_HASH;
