/*
 * The floor: a TCP relay that makes only the system calls that a relay needs.
 *
 *	gcc -O2 -pthread -o floor floor.c
 *	./floor LISTEN_PORT SERVER_PORT THREADS
 *
 * It listens on 127.0.0.1, connects each client to a server on 127.0.0.1, and relays
 * until both sides have ended. It examines no byte, and
 * has no rules, timers, limits or counters. The cost of another relay above the
 * floor is the cost of its features.
 *
 * Each thread has its own listener (SO_REUSEPORT) and epoll. Sockets are
 * registered once, edge-triggered. A direction first copies through a buffer of the
 * thread. From the first full read on, it is spliced. A pipe also holds
 * the bytes that a slow reader has not accepted, so no byte is lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 << 10, PIPE = 256 << 10, BATCH = 256 };

struct session;

/* One socket, and the direction that reads from it. */
struct end {
	struct session *session;
	int fd;
	int hup;   /* EPOLLRDHUP: the peer has sent FIN */
	int eof;   /* the end was read and forwarded */
	int pipe[2]; /* -1: none yet */
	size_t piped; /* bytes in the pipe */
};

struct session {
	struct end client, server;
	struct session *next; /* in the list dead */
};

static struct sockaddr_in server_addr;
static int listen_port;
static __thread char buffer[BUFFER];
static __thread struct session *dead; /* sessions to free after this batch of events, which may still refer to them */
static __thread int epoll;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(struct end *e)
{
	struct epoll_event ev = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = e}};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, e->fd, &ev))
		die("epoll_ctl");
}

static void end_close(struct end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	if (e->pipe[0] >= 0) {
		close(e->pipe[0]);
		close(e->pipe[1]);
	}
}

static void finish(struct session *s)
{
	end_close(&s->client);
	end_close(&s->server);
	s->client.fd = -1;
	s->next = dead;
	dead = s;
}

/* Puts the rest of a short write into the pipe, which is large enough for it. */
static int keep(struct end *from, const char *rest, size_t n)
{
	if (from->pipe[0] < 0) {
		if (pipe2(from->pipe, O_NONBLOCK | O_CLOEXEC))
			return -1;
		fcntl(from->pipe[0], F_SETPIPE_SZ, PIPE);
	}
	if (n && write(from->pipe[1], rest, n) != (ssize_t)n)
		return -1;
	from->piped += n;
	return 0;
}

/* Moves the contents of the pipe to the other socket. Returns 1 when the pipe is empty, 0 when the socket is full, -1 for an error. */
static int flush(struct end *from, struct end *to)
{
	while (from->piped) {
		ssize_t n = splice(from->pipe[0], NULL, to->fd, NULL, from->piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n <= 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		from->piped -= n;
	}
	return 1;
}

/* Forwards the end of the stream. If both directions have ended, closing the socket sends the FIN. */
static int pass_end(struct end *from, struct end *to)
{
	from->eof = 1;
	if (!to->eof && shutdown(to->fd, SHUT_WR))
		return -1;
	return 0;
}

/* Moves the available bytes. Returns 0, or -1 if the session has failed. */
static int pump(struct end *from, struct end *to)
{
	while (!from->eof) {
		int empty = flush(from, to);
		if (empty <= 0)
			return empty;
		ssize_t n, want = from->pipe[0] < 0 ? BUFFER : PIPE;
		if (from->pipe[0] < 0)
			n = read(from->fd, buffer, BUFFER);
		else
			n = splice(from->fd, NULL, from->pipe[1], NULL, PIPE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n == 0)
			return pass_end(from, to);
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		if (from->pipe[0] >= 0) {
			from->piped += n;
			continue;
		}
		ssize_t sent = send(to->fd, buffer, n, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return -1;
		if (sent < 0)
			sent = 0;
		if ((sent < n || n == want) && keep(from, buffer + sent, n - sent))
			return -1;
		if (n < want && sent == n) /* a short read: the socket is empty */
			return from->hup ? pass_end(from, to) : 0;
	}
	return 0;
}

/* Connects to the server, forwards the bytes that the client has sent already, and watches both sockets. */
static void begin(int fd)
{
	struct session *s = calloc(1, sizeof *s);
	if (!s)
		die("calloc");
	s->client = (struct end){.session = s, .fd = fd, .pipe = {-1, -1}};
	s->server = (struct end){.session = s, .pipe = {-1, -1}};
	s->server.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->server.fd < 0)
		die("socket");
	if (connect(s->server.fd, (struct sockaddr *)&server_addr, sizeof server_addr) && errno != EINPROGRESS) {
		finish(s);
		return;
	}
	if (pump(&s->client, &s->server)) {
		finish(s);
		return;
	}
	watch(&s->client);
	watch(&s->server);
}

static void ready(struct end *e, uint32_t events)
{
	struct session *s = e->session;
	if (s->client.fd < 0)
		return; /* finished earlier in this batch */
	if (events & EPOLLRDHUP)
		e->hup = 1;
	struct end *other = e == &s->client ? &s->server : &s->client;
	int broken = events & EPOLLERR;
	if (!broken && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
		broken = pump(e, other);
	if (!broken && events & EPOLLOUT && other->piped)
		broken = pump(other, e);
	if (broken || (s->client.eof && s->server.eof && !s->client.piped && !s->server.piped))
		finish(s);
}

static int open_listener(void)
{
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(listen_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 4096))
		die("listen");
	return fd;
}

static void *loop(void *unused)
{
	struct epoll_event events[BATCH];
	struct end listener = {.fd = open_listener()};
	epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {EPOLLIN, {.ptr = &listener}};
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener.fd, &ev))
		die("epoll");
	for (;;) {
		int n = epoll_wait(epoll, events, BATCH, -1);
		for (int i = 0; i < n; i++) {
			struct end *e = events[i].data.ptr;
			if (e != &listener) {
				ready(e, events[i].events);
				continue;
			}
			int fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd >= 0)
				begin(fd);
		}
		while (dead) {
			struct session *next = dead->next;
			free(dead);
			dead = next;
		}
	}
	return unused;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: floor LISTEN_PORT SERVER_PORT THREADS\n");
		return 2;
	}
	listen_port = atoi(argv[1]);
	server_addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[2])), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	for (int i = atoi(argv[3]); i > 1; i--) {
		pthread_t t;
		if (pthread_create(&t, NULL, loop, NULL))
			die("pthread_create");
	}
	loop(NULL);
}
