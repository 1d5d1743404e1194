/*
 * What runs before main() can decide the verdict before a test does. So an object of the
 * student's may hold no constructor, no indirect function (its resolver runs while the
 * program is loaded) and no entry of the test list. AddressSanitizer itself adds one
 * constructor and one destructor to every object.
 */
#include "grade.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <unistd.h>

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
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
    return NULL;
}

static const char *inspect_symbols(Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t n = data == NULL || header->sh_entsize == 0
                   ? 0
                   : header->sh_size / header->sh_entsize;
    for (size_t i = 0; i < n; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL)
            return "its symbol table cannot be read";
        if (GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
            return "it holds an indirect function (ifunc), which runs before main()";
    }
    return NULL;
}

static const char *inspect_elf(Elf *elf)
{
    size_t names, before_main = 0, after_main = 0;
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || elf_getshdrstrndx(elf, &names) < 0)
        return "it is no object file";
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        GElf_Shdr header;
        const char *name, *why = NULL;
        if (gelf_getshdr(section, &header) == NULL ||
            (name = elf_strptr(elf, names, header.sh_name)) == NULL)
            return "its sections cannot be read";
        why = inspect_section(name, &header, &before_main, &after_main);
        if (why == NULL && header.sh_type == SHT_SYMTAB)
            why = inspect_symbols(section, &header);
        if (why != NULL)
            return why;
    }
    if (before_main > sizeof(void *) || after_main > sizeof(void *))
        return "it holds a constructor or destructor: code that runs before main() or after it";
    return NULL;
}

const char *inspect_object(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || elf_version(EV_CURRENT) == EV_NONE) {
        if (fd >= 0)
            close(fd);
        return "it cannot be read";
    }
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    const char *why = inspect_elf(elf);
    elf_end(elf);
    close(fd);
    return why;
}
