#!/usr/bin/env bash
# attack: find the harness's page by its symbol in /proc/self/exe, and set the mark that says that the test came to its end
# lesson: 01-socket
# only: type_name/names_every_type_of_the_list
# says: 1 of 1 passed
# points: 100
# passes: 1
# A known limit: a unit test shares its memory with the code that it tests. What such code earns this way it does not earn
# from end-to-end tests: see memory-of-the-harness-end-to-end.
source "${BASH_SOURCE%/*}/common.bash"

top $one <<'C'
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
static void forge(void)
{
    struct page {
        uint64_t wanted, mark;
        int status;
    };
    int self = open("/proc/self/exe", O_RDONLY);
    struct stat status;
    if (fstat(self, &status) < 0)
        return;
    char *base = (char *)(getauxval(AT_PHDR) & ~0xfffUL);
    char *elf = mmap(0, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, self, 0);
    Elf64_Ehdr *head = (Elf64_Ehdr *)elf;
    Elf64_Shdr *sections = (Elf64_Shdr *)(elf + head->e_shoff);
    for (int i = 0; i < head->e_shnum; i++) {
        Elf64_Sym *symbols = (Elf64_Sym *)(elf + sections[i].sh_offset);
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        for (size_t j = 0; j < sections[i].sh_size / sizeof *symbols; j++)
            if (strcmp(elf + sections[sections[i].sh_link].sh_offset + symbols[j].st_name, "lab_page") == 0) {
                struct page *page = *(struct page **)(base + symbols[j].st_value);
                page->mark = page->wanted;
                _exit(page->status);
            }
    }
}
C
starts $one type_name <<<'forge();'
