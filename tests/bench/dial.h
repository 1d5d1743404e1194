/* dial.h: connections for what plays the clients of the comparison. */
#ifndef DIAL_H
#define DIAL_H

/* A connected stream socket, to HOST and SERVICE, or (service NULL) to the path that is
   called host; -1 with errno set. Writes are not held back (TCP_NODELAY). */
int dial(const char *host, const char *service);

/* As many descriptors as there may be. */
void allow_descriptors(void);

#endif
