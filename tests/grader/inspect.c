/*
 * What runs before main() can decide the verdict before a test does, and so can what takes
 * the place of a function of the harness or of the C library. So an object of the student's
 * holds what a compiler makes of C and nothing else: the sections known here; no
 * constructor, no indirect function (its resolver runs while the program is loaded); no
 * symbol that objcopy cannot make local (see build.c); and no use of what belongs to the
 * tests or tells a sanitizer to look away. AddressSanitizer itself adds one constructor and
 * one destructor to every object.
 */
#include "grade.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_usual(const char *name)
{
    static const char *const whole[] = {"",        ".comment", ".eh_frame", ".group",
                                        ".symtab", ".strtab",  ".shstrtab"};
    static const char *const families[] = {".text",  ".data", ".bss",   ".rodata",
                                           ".tdata", ".tbss", ".sdata", ".sbss",
                                           ".debug", ".note", ".rela.", ".rel."};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(name, whole[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (begins(name, families[i]))
            return true;
    return false;
}

static const char *inspect_section(const char *name, const GElf_Shdr *header,
                                   size_t *before_main, size_t *after_main)
{
    if (begins(name, ".init_array"))
        *before_main += header->sh_size;
    else if (begins(name, ".fini_array"))
        *after_main += header->sh_size;
    else if (begins(name, ".preinit_array") || begins(name, ".ctors") ||
             begins(name, ".dtors") || strcmp(name, ".init") == 0 ||
             strcmp(name, ".fini") == 0)
        return "it holds code that runs before main() (a constructor) or after it";
    else if (strcmp(name, "lab_tests") == 0)
        return "it holds a section that belongs to the tests";
    else if (!is_usual(name))
        return "it holds a section of a kind that C code has no use for";
    return NULL;
}

/* The names that the harness defines; n of them. They live as long as harness is open. */
struct names {
    const Elf_Arsym *list;
    size_t n;
};

static const char *name_of_the_tests(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->list[i].as_name != NULL && strcmp(names->list[i].as_name, name) == 0)
            return names->list[i].as_name;
    return strcmp(name, "__start_lab_tests") == 0  ? "__start_lab_tests"
           : strcmp(name, "__stop_lab_tests") == 0 ? "__stop_lab_tests"
                                                   : NULL;
}

/* Of the sanitizers' functions these are for programs; the others are called by what a compiler adds. */
static bool silences_a_sanitizer(const char *name)
{
    static const char *const families[] = {"__lsan_",
                                           "__sanitizer_",
                                           "__asan_set_error",
                                           "__asan_set_death",
                                           "__asan_unpoison_memory_region",
                                           "__ubsan_default",
                                           "__ubsan_on_report"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (begins(name, families[i]))
            return true;
    return false;
}

static char *inspect_symbol(const GElf_Sym *symbol, const char *name,
                            const struct names *names)
{
    int binding = GELF_ST_BIND(symbol->st_info);
    if (GELF_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
        return text_copy(
            "it holds an indirect function (ifunc), which runs before main()");
    if (binding == STB_LOCAL)
        return NULL;
    if ((binding != STB_GLOBAL && binding != STB_WEAK) || symbol->st_shndx == SHN_COMMON)
        return text_copy("it holds a symbol that could take the place of another file's");
    if (symbol->st_shndx != SHN_UNDEF)
        return NULL;
    const char *taken = name_of_the_tests(names, name);
    if (taken != NULL)
        return text_format("it uses %s, which belongs to the tests", taken);
    return silences_a_sanitizer(name)
               ? text_copy("it tells a sanitizer what to look at, or what to do")
               : NULL;
}

static char *inspect_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                             const struct names *names)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t n = data == NULL || header->sh_entsize == 0
                   ? 0
                   : header->sh_size / header->sh_entsize;
    char *why = NULL;
    for (size_t i = 0; i < n && why == NULL; i++) {
        GElf_Sym symbol;
        const char *name = gelf_getsym(data, (int)i, &symbol) == NULL
                               ? NULL
                               : elf_strptr(elf, header->sh_link, symbol.st_name);
        why = name == NULL ? text_copy("its symbol table cannot be read")
                           : inspect_symbol(&symbol, name, names);
    }
    return why;
}

static char *inspect_elf(Elf *elf, const struct names *tests)
{
    size_t names, before_main = 0, after_main = 0;
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || elf_getshdrstrndx(elf, &names) < 0)
        return text_copy("it is no object file");
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        const char *name;
        if (gelf_getshdr(section, &header) == NULL ||
            (name = elf_strptr(elf, names, header.sh_name)) == NULL)
            return text_copy("its sections cannot be read");
        char *why = text_copy(inspect_section(name, &header, &before_main, &after_main));
        if (why == NULL && header.sh_type == SHT_SYMTAB)
            why = inspect_symbols(elf, section, &header, tests);
        if (why != NULL)
            return why;
    }
    if (before_main > sizeof(void *) || after_main > sizeof(void *))
        return text_copy(
            "it holds a constructor or destructor: code that runs before main() or after it");
    return NULL;
}

static char *inspect_file(int fd, int harness)
{
    struct names names = {0};
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL),
        *library = elf_begin(harness, ELF_C_READ, NULL);
    names.list = elf_getarsym(library, &names.n);
    if (names.list == NULL)
        fatal("the harness has no list of its names");
    char *why = inspect_elf(elf, &names);
    elf_end(elf);
    elf_end(library);
    return why;
}

char *inspect_object(const char *path, const char *harness)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
        library = open(harness, O_RDONLY | O_CLOEXEC);
    char *why = fd < 0 || library < 0 || elf_version(EV_CURRENT) == EV_NONE
                    ? text_copy("it cannot be read")
                    : inspect_file(fd, library);
    if (fd >= 0)
        close(fd);
    if (library >= 0)
        close(library);
    return why;
}
