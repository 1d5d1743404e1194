/*
 * claim: A received text can be decoded piece by piece.
 * predict: A word of 4 letters is sent, the last an e with an accent: 5 bytes in UTF-8. The
 *   reader's first recv() brings 4 bytes. What does a UTF-8 decoder say to these 4? And to the fifth?
 * why: A boundary of recv() can fall between the bytes of one character: each half is no
 *   UTF-8. So find the whole message first, then decode it; or use a decoder that keeps the
 *   beginning of a character until the rest has come, as mbrtowc() does with its state.
 */
#define _GNU_SOURCE
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wchar.h>

/* How many characters the n bytes are; -1 if they are not whole characters of UTF-8. */
static int characters(const char *bytes, size_t n)
{
    mbstate_t state = {0};
    int count = 0;
    for (size_t used = 0; n > 0; bytes += used, n -= used, count++) {
        used = mbrtowc(NULL, bytes, n, &state);
        if (used == (size_t)-1 || used == (size_t)-2)
            return -1;
    }
    return count;
}

int main(void)
{
    char text[8];
    int fds[2] = {-1, -1};
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        puts("so: this machine has no locale C.UTF-8 to try it with");
        return 0;
    }
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    printf("send(\"caf\\xc3\\xa9\") = %zd\n",
           send(fds[0], "caf\xc3\xa9", 5, MSG_NOSIGNAL));
    ssize_t first = recv(fds[1], text, 4, 0);
    int first_half = characters(text, (size_t)first);
    printf("recv() = %zd: %s\n", first, first_half == -1 ? "not UTF-8" : "UTF-8");
    ssize_t second = recv(fds[1], text + first, 4, 0);
    int second_half = characters(text + first, (size_t)second);
    printf("recv() = %zd: %s\n", second, second_half == -1 ? "not UTF-8" : "UTF-8");
    int whole = characters(text, (size_t)(first + second));
    printf("both together: %d characters\n", whole);
    printf("so: the pieces %s, the whole is %d characters\n",
           first_half == -1 && second_half == -1 ? "cannot be decoded" : "can be decoded",
           whole);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
