/*
 * class.h: the parts of `class`, file by file.
 *
 * class finds what a class handed in, makes each submission gradable, says what there is
 * to grade, and reports on the results. It grades nothing itself: that is grade's work.
 *
 *   class.c      main; the jobs to be graded; one submission by itself
 *   collect.c    all submissions of a class: who, when, what; the manifest
 *   names.c      what the names say that learning management systems give to files
 *   settings.c   the instructor's files `times` and `weights`, and Gradescope's metadata
 *   open.c       one submission, opened in a process that can harm nothing
 *   archive.c    the entries of an archive, read and never extracted
 *   take.c       which files are taken, and made plain text
 *   course.c     what each lesson's contract asks for, and its starters
 *   files.c      files and folders, written whole
 *   report.c     grades, pages, and the comparison with the run before
 *
 * The manifest (OUT/manifest.json):
 *   class, lessons, weights
 *   only      keys of the students that --student named, to be graded anew; or null
 *   ignored   names below CLASS that are no submissions
 *   students  sorted by key; of each: key, name, identity (what told one student from
 *             another), attempts in the order of their times; of each:
 *     id, source, lessons (name, handed_in, from_starter), notes, problem
 *     time, time_from   seconds since 1970, and who says so: "name" (the LMS), "times"
 *                       (the instructor), "files" (the student's own clock)
 *     late              what the LMS says: true or false (Canvas), null where it does not;
 *                       whether it was late for a lesson that has a due date is the
 *                       report's to say, from time and due
 *   Every string is valid UTF-8 without control characters.
 */
#ifndef CLASS_H
#define CLASS_H

#include "../grader/grade.h"

#include <jansson.h>
#include <time.h>

/* ---- report.c ---------------------------------------------------------------------- */

/*
 * report: write the grades and pages of what was graded.
 *
 * out  the class's folder, with manifest.json and results/
 *
 * Writes OUT/grades.csv, report.html, students/, changes.txt and last.json, and prints a
 * summary. Returns the exit status: 0, or 2 when there was nothing to report on.
 */
int report(const char *out);

/* ---- files.c ----------------------------------------------------------------------- */

/* Makes the folder and those above it. fatal() if it cannot. */
void folder_make(const char *path);

/* Removes the folder with all that is in it, following no link. Not being there is no
 * error. */
void folder_remove(const char *path);

/* Makes `made` stand at path instead of what was there, which is removed. fatal() if it
 * cannot. */
void folder_replace(const char *made, const char *path);

/* Writes the file beside path and gives it its name when it is whole. fatal() if it
 * cannot. */
void file_write(const char *path, const char *bytes, size_t n);

/* The same for JSON, with sorted keys: the same value gives the same bytes. */
void json_write(const char *path, const json_t *value);

/* Out of OUT/manifest.json, or NULL after saying on standard error what is wrong. The
 * caller calls json_decref(). */
json_t *manifest_read(const char *out);

/* Is it one that the system makes, and nobody hands in? (.DS_Store, __MACOSX, ...) */
bool file_is_litter(const char *name);

/* Text from outside as part of one line: valid UTF-8, white space as single spaces, no
 * control characters, no bidirectional overrides, not longer than a line or two. The
 * caller frees. */
char *shown(const char *bytes);

/* Does s end so, whatever the case of its letters? */
bool ends_with(const char *s, const char *end);

/* ---- course.c ---------------------------------------------------------------------- */

/* A lesson, as far as it concerns what is handed in. */
struct unit {
    char *name;      /* "02-bind-listen-accept" */
    char **files;    /* names of the contract's modules and programs */
    char **starters; /* their pristine text, read when first asked for */
    size_t count;
    bool wanted;
};

struct course {
    struct unit *units;
    size_t count;
};

/* Reads the contracts of all lessons; all of them are wanted. fatal() without one. */
struct course *course_load(void);
void course_free(struct course *course);

/* Only these lessons are wanted: numbers or names, with commas. Returns false after saying
 * on standard error which one there is not. */
bool course_want(struct course *course, const char *list);

/* The lesson called by its number, with or without the zero, or by its whole name; or
 * NULL. */
struct unit *course_find(const struct course *course, const char *word, size_t length);

/* The place in files of a name, whatever the case of its letters; or count. */
size_t unit_file(const struct unit *unit, const char *name);

/* The pristine text of that file of the lesson. fatal() if there is none. */
const char *unit_starter(struct unit *unit, size_t file);

/* ---- names.c ----------------------------------------------------------------------- */

/* What a name below CLASS says. */
struct named {
    char *student;  /* as it is to be shown */
    char *identity; /* equal for all submissions of one student */
    char *person;   /* a number that the LMS knows the student by, or NULL */
    char *group;    /* equal for all files of one submission; NULL: it is one by itself */
    char *file;     /* of a lone file: what the student called it */
    time_t time;    /* -1: does not say */
    int late;       /* 1 or 0; -1: does not say */
};

/*
 * name_read: take apart what an LMS made of student, time and file.
 *
 * entry   the name of the file or folder
 * folder  it is a folder, so a dot in it begins no extension
 * course  whose file names are known at the end of a lone file's name
 *
 * The caller calls name_free().
 */
void name_read(struct named *named, const char *entry, bool folder,
               const struct course *course);
void name_free(struct named *named);

/* Puts the name of a student (as shown) in place of the one read. */
void name_set_student(struct named *named, const char *student);

/* [a-z0-9-], at least one of them, from any text: "Zoë Çelik" gives "zoe-celik", and what
 * has no letters that can be spelled so, the fallback. The caller frees. */
char *name_key(const char *name, const char *fallback);

/* The length of an archive's extension at the end of the name, or 0. */
size_t archive_extension(const char *name);

/* ---- settings.c -------------------------------------------------------------------- */

/* Local time as YYYY-MM-DD HH:MM, at the beginning of text; sets *rest to what follows
 * it. -1 if it is no such time. */
time_t time_read(const char *text, const char **rest);

/* CLASS/weights as the manifest's "weights"; empty if there is no such file; NULL after
 * saying on standard error what is wrong and where. */
json_t *weights_read(const char *folder, const struct course *course);

/* CLASS/times, as an object of seconds since 1970; the same otherwise. */
json_t *times_read(const char *folder);

/* CLASS/submission_metadata.yml of a Gradescope export: folder to object with "name",
 * "identity" and "time". Empty if there is no such file. */
json_t *gradescope_read(const char *folder);

/* ---- take.c ------------------------------------------------------------------------ */

#define FILE_MOST    ((size_t)1 << 20)     /* bytes of a file that is taken */
#define UNPACK_MOST  ((uint64_t)256 << 20) /* bytes of a submission, unpacked */
#define ENTRIES_MOST 20000                 /* files and folders in it */
#define DEPTH_MOST   8                     /* folders within folders */

/* The best file so far of those that want one place. */
struct found {
    char *path; /* as in the submission; NULL: none */
    char *bytes;
    size_t length, others; /* others: different ones that want the same place */
    int depth;
    time_t time;
    const char *because; /* why it was taken and the others not */
};

struct taking {
    const struct course *course;
    struct found **found; /* by lesson and file */
    json_t *notes;
    char *problem; /* NULL: none. Once it is there, nothing more is read */
    uint64_t unpacked;
    size_t entries;
};

/* A file or entry that is being looked at. */
struct candidate {
    const char *path; /* within the submission, anything at all */
    bool regular;
    uint64_t size;
    time_t time;
};

void take_begin(struct taking *taking, const struct course *course);
void take_end(struct taking *taking);

/* One more line about this submission; many are cut short. */
void take_note(struct taking *taking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The submission cannot be graded: says why. The first reason stays. */
void take_problem(struct taking *taking, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One more entry of that size is there. false: that was too much (and the problem). */
bool take_count(struct taking *taking, uint64_t size);

/* Is its content wanted? Notes why not, where the name is one of a lesson's. */
bool take_wants(struct taking *taking, const struct candidate *candidate);

/* The content of a candidate that was wanted. bytes stay the caller's. */
void take_content(struct taking *taking, const struct candidate *candidate,
                  const char *bytes, size_t n);

/* Was anything found, of whatever lesson? */
bool take_any(const struct taking *taking);

/* Writes what is wanted to folder/NN-topic/, as plain text, and adds notes on the way.
 * Returns the lessons' files: {"02-bind-listen-accept": ["tcp.c"]}. */
json_t *take_write(struct taking *taking, const char *folder);

/* Text as a C compiler on Linux likes it: UTF-8 without a mark, lines that end with LF.
 * Adds to changes, in words, what was done. */
void text_normalise(struct text *text, struct text *changes);

/* ---- archive.c --------------------------------------------------------------------- */

/*
 * archive_take: take what is wanted from an archive.
 *
 * taking  where to
 * path    put before the names of its entries; may be empty
 * fd      the archive, open for reading; it is read from its beginning
 *
 * An archive within it is read too, but none within that one. Returns NULL, or why it
 * could not be read to its end, as a sentence without subject ("is encrypted"): nothing was
 * taken then. The caller frees.
 */
char *archive_take(struct taking *taking, const char *path, int fd);

/* ---- open.c ------------------------------------------------------------------------ */

/* A place to look into. */
struct place {
    const char *name; /* below folder */
    const char *file; /* what the student called a lone file, or NULL */
};

/*
 * open_submission: find and normalise one submission, in a process of its own.
 *
 * folder, places, count  what belongs to it
 * into                   a folder that is made for the files, as into/NN-topic/
 *
 * Returns an object: "lessons" as in the manifest (files that are missing have been put
 * there from the starter), "notes", "problem", "newest" (time of the newest file, or -1)
 * and "others" (lessons that were handed in, too, and are not wanted). Whatever happens to
 * that process, this one goes on.
 */
json_t *open_submission(struct course *course, const char *folder,
                        const struct place *places, size_t count, const char *into);

/* ---- collect.c --------------------------------------------------------------------- */

struct collect_options {
    const char *lessons; /* or NULL */
    const char *student; /* or NULL */
    const char *class_, *out;
};

/* Finds the submissions below class_; makes OUT/submissions and OUT/manifest.json.
 * Returns the exit status: 0, or 2 (nothing was changed) after saying why. */
int collect(const struct collect_options *options);

#endif
