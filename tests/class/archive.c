#define _GNU_SOURCE
#include "class.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INNER_MOST ((size_t)64 << 20) /* of an archive in an archive: it is in memory */

/* One archive that is being read. */
struct reading {
    struct taking *taking;
    struct archive *archive;
    const char *path; /* before the names of its entries; may be empty */
    int level;        /* 1, or 2 for an archive in an archive */
    bool opened;      /* libarchive knows what it is */
    uint64_t size;
};

/*
 * By name, not all that libarchive has: some of its formats read other files of this
 * machine (mtree) and some filters start programs (lrzip). Zip by its directory at the
 * end, which a cut one lacks.
 */
static struct archive *reader(void)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        fatal("out of memory");
    archive_read_support_format_zip_seekable(archive);
    archive_read_support_format_tar(archive);
    archive_read_support_format_7zip(archive);
    archive_read_support_format_rar(archive);
    archive_read_support_format_rar5(archive);
    archive_read_support_filter_gzip(archive);
    archive_read_support_filter_bzip2(archive);
    archive_read_support_filter_xz(archive);
    archive_read_support_filter_lzma(archive);
    archive_read_support_filter_zstd(archive);
    archive_read_support_filter_compress(archive);
    return archive;
}

static char *damaged(const struct reading *reading, size_t entries)
{
    const char *words = archive_error_string(reading->archive);
    char *said = shown(words == NULL ? "no reason given" : words);
    char *why = NULL;
    /* It crashes when it is asked about what it could not open. */
    if ((reading->opened && archive_read_has_encrypted_entries(reading->archive) > 0) ||
        strcasestr(said, "encrypt") != NULL || strcasestr(said, "passphrase") != NULL)
        why = text_copy("is encrypted: it cannot be opened without its password");
    else if (archive_errno(reading->archive) == ENOMEM)
        why = text_copy("cannot be opened: that takes too much memory");
    else if (reading->size == 0)
        why = text_copy("is empty: it has no bytes at all");
    else if (entries == 0)
        why = text_format("cannot be opened: it is cut short, damaged or no archive (%s)",
                          said);
    else
        why = text_format("cannot be read to its end: it is cut short or damaged (%s)",
                          said);
    free(said);
    return why;
}

/* The content of the entry, up to most bytes and one more; false if it is damaged. */
static bool content(struct archive *archive, size_t most, struct text *text)
{
    char buf[16384];
    la_ssize_t n = 0;
    text_add(text, "", 0);
    while (text->length <= most && (n = archive_read_data(archive, buf, sizeof buf)) > 0)
        text_add(text, buf, (size_t)n);
    return n >= 0;
}

static char *walk(struct reading *reading);

static char *inner_walk(const struct reading *outer, struct taking *taking,
                        const char *path, const struct text *bytes)
{
    struct reading inner = {.taking = taking,
                            .archive = reader(),
                            .path = path,
                            .level = outer->level + 1,
                            .size = bytes->length};
    char *why =
        archive_read_open_memory(inner.archive, bytes->bytes, bytes->length) == ARCHIVE_OK
            ? walk(&inner)
            : damaged(&inner, 0);
    archive_read_free(inner.archive);
    return why;
}

/* An archive in the archive. What is wrong with it is no reason not to read the rest. */
static void inner_take(struct reading *reading, const char *path)
{
    struct text bytes = {0};
    char *name = shown(path), *why = NULL;
    if (reading->level > 1)
        take_problem(reading->taking,
                     "it holds an archive in an archive in an archive (%s)", name);
    else if (!content(reading->archive, INNER_MOST, &bytes))
        why = damaged(reading, 1);
    else if (bytes.length > INNER_MOST)
        why = text_copy("is larger than 64 MiB");
    else
        why = inner_walk(reading, reading->taking, path, &bytes);
    if (why != NULL)
        take_note(reading->taking, "%s %s: not taken", name, why);
    free(why);
    free(name);
    text_free(&bytes);
}

/* A name that is in no character set that this machine knows is no lesson's file. */
static char *entry_path(const struct reading *reading, struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    if (name == NULL)
        name = archive_entry_pathname_utf8(entry);
    return text_format("%s%s%s", reading->path, *reading->path != '\0' ? "/" : "",
                       name == NULL ? "?" : name);
}

/* Reads one entry. Returns NULL, or why the archive is not to be believed. */
static char *entry_take(struct reading *reading, struct archive_entry *entry)
{
    la_int64_t size = archive_entry_size(entry);
    char *path = entry_path(reading, entry), *why = NULL;
    struct candidate candidate = {
        .path = path,
        .regular = archive_entry_filetype(entry) == AE_IFREG &&
                   archive_entry_hardlink(entry) == NULL,
        .size = size < 0 ? 0 : (uint64_t)size,
        .time = archive_entry_mtime_is_set(entry) ? archive_entry_mtime(entry) : -1};
    bool folder = archive_entry_filetype(entry) == AE_IFDIR;
    if (!take_count(reading->taking, candidate.size) || folder) {
        free(path);
        return NULL;
    }
    struct text bytes = {0};
    bool packed = candidate.regular && archive_extension(path) > 0;
    bool wanted = !packed && take_wants(reading->taking, &candidate);
    if ((packed || wanted) && archive_entry_is_encrypted(entry))
        why = text_copy("is encrypted: it cannot be opened without its password");
    else if (packed)
        inner_take(reading, path);
    else if (wanted && !content(reading->archive, FILE_MOST, &bytes))
        why = damaged(reading, 1);
    else if (wanted && bytes.length > FILE_MOST)
        why = text_copy("is not what its directory says: a file is longer");
    else if (wanted)
        take_content(reading->taking, &candidate, bytes.bytes, bytes.length);
    text_free(&bytes);
    free(path);
    return why;
}

static char *walk(struct reading *reading)
{
    struct archive_entry *entry = NULL;
    char *why = NULL;
    size_t entries = 0;
    while (why == NULL && reading->taking->problem == NULL) {
        int status = archive_read_next_header(reading->archive, &entry);
        if (status == ARCHIVE_EOF)
            break;
        if (status == ARCHIVE_FATAL || status == ARCHIVE_FAILED)
            return damaged(reading, entries);
        if (status != ARCHIVE_RETRY)
            why = entry_take(reading, entry);
        entries++;
    }
    if (why == NULL && entries == 0 && reading->taking->problem == NULL)
        why = reading->size == 0 ? text_copy("is empty: it has no bytes at all")
                                 : text_copy("is empty: there is no file in it");
    return why;
}

static char *file_walk(struct taking *taking, const char *path, int fd)
{
    struct stat status = {0};
    if (fstat(fd, &status) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        fatal("an archive");
    struct reading reading = {.taking = taking,
                              .archive = reader(),
                              .path = path,
                              .level = 1,
                              .size = (uint64_t)status.st_size};
    reading.opened = archive_read_open_fd(reading.archive, fd, 65536) == ARCHIVE_OK;
    char *why = reading.opened ? walk(&reading) : damaged(&reading, 0);
    archive_read_free(reading.archive);
    return why;
}

/* Twice: what a damaged archive holds is not taken, and where it is damaged may be seen at
 * its end only. */
char *archive_take(struct taking *taking, const char *path, int fd)
{
    struct taking trial;
    take_begin(&trial, taking->course);
    trial.entries = taking->entries;
    trial.unpacked = taking->unpacked;
    char *why = file_walk(&trial, path, fd);
    if (trial.problem != NULL)
        take_problem(taking, "%s", trial.problem);
    take_end(&trial);
    if (why == NULL && taking->problem == NULL)
        why = file_walk(taking, path, fd);
    return why;
}
