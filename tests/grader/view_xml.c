/* JUnit XML, as CI systems read it: testsuites > testsuite > testcase > failure, error or
 * skipped. */
#include "grade.h"

#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const xmlChar *x(const char *s)
{
    return (const xmlChar *)s;
}

static void write_case(xmlTextWriterPtr xml, const struct record *record,
                       const struct test *test)
{
    const char *element = record->build_failure != NULL || test->result == RESULT_FAIL
                              ? "failure"
                          : test->result == RESULT_SKIP ? "skipped"
                                                        : "error";
    char *class = text_format("%s.%s", record->lesson->name, test->group);
    xmlTextWriterStartElement(xml, x("testcase"));
    xmlTextWriterWriteAttribute(xml, x("classname"), x(class));
    xmlTextWriterWriteAttribute(xml, x("name"), x(test->name));
    xmlTextWriterWriteFormatAttribute(xml, x("time"), "%.3f", test->seconds);
    if (record->build_failure != NULL || test->result != RESULT_PASS) {
        char *story = record->build_failure != NULL ? text_copy(record->build_failure)
                                                    : view_story(test, "", 100);
        xmlTextWriterStartElement(xml, x(element));
        xmlTextWriterWriteAttribute(xml, x("message"),
                                    x(record->build_failure != NULL
                                          ? "it does not compile"
                                      : test->you != NULL ? test->you
                                                          : "failed"));
        xmlTextWriterWriteString(xml, x(story));
        xmlTextWriterEndElement(xml);
        free(story);
    }
    xmlTextWriterEndElement(xml);
    free(class);
}

static void write_suite(xmlTextWriterPtr xml, const struct record *record)
{
    bool built = record->build_failure == NULL;
    xmlTextWriterStartElement(xml, x("testsuite"));
    xmlTextWriterWriteAttribute(xml, x("name"), x(record->lesson->name));
    xmlTextWriterWriteFormatAttribute(xml, x("tests"), "%zu", record->lesson->count);
    xmlTextWriterWriteFormatAttribute(
        xml, x("failures"), "%d", built ? record->failed : (int)record->lesson->count);
    xmlTextWriterWriteFormatAttribute(xml, x("errors"), "%d", built ? record->errors : 0);
    xmlTextWriterWriteFormatAttribute(xml, x("skipped"), "%d",
                                      built ? record->skipped : 0);
    xmlTextWriterWriteFormatAttribute(xml, x("time"), "%.3f", record->seconds);
    for (size_t i = 0; i < record->lesson->count; i++)
        write_case(xml, record, &record->lesson->tests[i]);
    xmlTextWriterEndElement(xml);
}

void view_xml(const struct record *const *records, size_t n, const char *path)
{
    char *beside = text_format("%s.%d", path, (int)getpid());
    xmlTextWriterPtr xml = xmlNewTextWriterFilename(beside, 0);
    if (xml == NULL)
        fatal("write %s", path);
    xmlTextWriterSetIndent(xml, 1);
    xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(xml, x("testsuites"));
    for (size_t i = 0; i < n; i++)
        write_suite(xml, records[i]);
    xmlTextWriterEndElement(xml);
    int written = xmlTextWriterEndDocument(xml);
    xmlFreeTextWriter(xml);
    if (written < 0 || rename(beside, path) < 0)
        fatal("write %s", path);
    free(beside);
}
