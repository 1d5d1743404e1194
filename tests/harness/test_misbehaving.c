/*
 * test_misbehaving.c: tests that must not pass, each in the way that harness.bats states.
 */
#define _GNU_SOURCE
#include "lab.h"
#include "peer.h"
#include "test_student.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void with_pair(void (*wrong)(int fd))
{
    int fds[2];

    lab_tcp_pair(fds);
    wrong(fds[0]);
    lab_close(fds[0]);
    lab_close(fds[1]);
}

/* Ways out. */
LAB_TEST(leaves, by_exit, .points = 1)
{
    student_exit(0);
}
LAB_TEST(leaves, by_exit_with_3, .points = 1)
{
    student_exit(3);
}
LAB_TEST(leaves, by_underscore_exit, .points = 1)
{
    student_underscore_exit(0);
}
LAB_TEST(leaves, by_quick_exit, .points = 1)
{
    student_quick_exit(0);
}
LAB_TEST(leaves, by_exit_group, .points = 1)
{
    student_exit_group(0);
}
LAB_TEST(leaves, by_the_bare_instruction, .points = 1)
{
    student_bare_exit();
}
LAB_TEST(leaves, by_pthread_exit, .points = 1)
{
    student_pthread_exit();
}
LAB_TEST(leaves, by_abort, .points = 1)
{
    student_abort();
}

/* Crashes. */
LAB_TEST(dies, of_sigsegv, .points = 1)
{
    student_segfault();
}
LAB_TEST(dies, of_sigpipe, .points = 1)
{
    int fds[2];

    lab_tcp_pair(fds);
    lab_close(fds[1]);
    student_write_to_gone_reader(fds[0]);
}
LAB_TEST(dies, of_a_heap_overflow, .points = 1)
{
    student_overflow(9);
}
LAB_TEST(dies, of_undefined_behaviour, .points = 1)
{
    student_overflow_int(INT_MAX);
}

/* Mutexes. */
LAB_TEST(locks, what_is_locked, .points = 1)
{
    student_lock_twice();
}
LAB_TEST(locks, not_before_it_unlocks, .points = 1)
{
    student_unlock_unlocked();
}
LAB_TEST(locks, not_before_it_waits, .points = 1)
{
    student_wait_unlocked();
}

/* Hangs. */
LAB_TEST(hangs, in_a_call, .points = 1, .likely = "wait for the end")
{
    char byte;
    int fds[2];

    lab_tcp_pair(fds);
    student_recv(fds[0], &byte, 1, 0);
}
LAB_TEST(hangs, in_a_loop, .points = 1)
{
    student_loop();
}
LAB_TEST(hangs, while_a_peer_waits, .points = 1)
{
    int fds[2];

    lab_tcp_pair(fds);
    peer_join(peer_start(fds[1], (struct peer_step[]){PEER_EXPECT(5), PEER_STOP}));
}

/* Things left behind. */
LAB_TEST(leaves_behind, memory, .points = 1)
{
    student_leak(24);
}
LAB_TEST(leaves_behind, a_descriptor, .points = 1)
{
    with_pair(student_leak_descriptor);
}
LAB_TEST(leaves_behind, a_child, .points = 1)
{
    student_leave_child();
}
LAB_TEST(leaves_behind, an_orphan, .points = 1)
{
    student_leave_orphan();
}
LAB_TEST(leaves_behind, every_descriptor_closed, .points = 1)
{
    student_close_everything();
}
LAB_TEST(leaves_behind, an_ignored_signal, .points = 1)
{
    student_ignore_sigpipe();
}
LAB_TEST(leaves_behind, a_blocked_signal, .points = 1)
{
    student_block_sigint();
}

/* Forgery and noise. */
LAB_TEST(forges, results, .points = 1)
{
    student_write_everywhere("00 end forges/results pass 1\n");
    printf("00 end forges/results pass 1\nok 1\n100%%: Checks: 1\n");
    lab_expect(false, "nothing forged", "wrote to every descriptor");
}
LAB_TEST(prints, for_ever, .points = 1)
{
    student_print_for_ever();
    lab_expect(false, "less", "printed 16 MiB");
}

/* The test's own ways to end. */
LAB_TEST(says, what_was_expected, .points = 1, .likely = "the test's own")
{
    lab_peer("sent %s", "one");
    lab_peer("and two");
    lab_expect(true, "this to be passed over", "no");
    lab_expect(false, "2", "returned %d", 1);
}
LAB_TEST(says, another_likely_mistake, .points = 1, .likely = "the test's own")
{
    lab_likely("found at run time");
    lab_expect(false, "2", "returned 1");
}
LAB_TEST(says, its_own_mistake_again, .points = 1, .likely = "the test's own")
{
    lab_likely("found at run time");
    lab_likely(NULL);
    lab_expect(false, "2", "returned 1");
}
LAB_TEST(says, that_it_cannot_check, .points = 1)
{
    lab_close(-1);
}
LAB_TEST(says, that_something_is_lacking, .points = 1)
{
    lab_skip("second moon");
}
LAB_TEST(says, that_a_peer_was_not_joined, .points = 1)
{
    int fds[2];

    lab_tcp_pair(fds);
    peer_start(fds[1], (struct peer_step[]){PEER_STOP});
    lab_close(fds[0]);
}
LAB_TEST(needs, a_group, .points = 1, .needs = "dies")
{
}
LAB_TEST(needs, one_test_of_two, .points = 1, .needs = "wanting, says/what_was_expected")
{
}
LAB_TEST(needs, another_system, .points = 1, .requires = "a second moon")
{
}
LAB_TEST(random, says_what_it_drew, .points = 1)
{
    unsigned char bytes[4];

    lab_random_bytes(bytes, sizeof(bytes));
    lab_expect(false, "", "drew %u %s", lab_random_below(1000000), lab_quote(bytes, 4));
}
LAB_TEST(random, draws_otherwise_in_another_test, .points = 1)
{
    lab_expect(false, "", "drew %u", lab_random_below(1000000));
}
