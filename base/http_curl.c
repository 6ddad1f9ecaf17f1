/*
 * The HTTP client of base/http.h on libcurl's multi interface: many exchanges on one thread, driven by epoll, so that
 * a turn costs by what happens and not by how many are under way.
 */

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/http_curl_exchange.h"
#include "base/mem.h"
#include "base/sys.h"

#define DEFAULT_IDLE_MS 60000
#define MAX_POOLED      64  /* exchanges that are kept for later */
#define TURN_MS         100 /* the longest wait before looking for cancellation and silent peers */
#define MAX_EVENTS      64

/* What libcurl wants to know of a socket, and what epoll was told. */
struct watched {
	uint32_t wanted, told; /* EPOLLIN, EPOLLOUT; 0: nothing */
	bool is_ours;          /* opened here: its closing is told */
};

struct http_curl {
	struct http http;
	CURLM *multi;
	int epoll_fd, wake_fd;
	struct watched *sockets; /* by number */
	size_t n_sockets;
	int64_t timer_ms; /* when libcurl wants to be called; -1: not at all */
	int64_t swept_ms; /* when silent peers were last looked for */
	struct exchange *active, *pool;
	int n_pooled;
	size_t n_done; /* in this turn */
};

static int64_t ticks_ms(void)
{
	return sys_real.ticks_ms(&sys_real);
}

static struct watched *watched_of(struct http_curl *c, int fd)
{
	size_t n = (size_t)fd + 1;

	if (n > c->n_sockets) {
		n = n < 64 ? 64 : 2 * n;
		c->sockets = xreallocarray(c->sockets, n, sizeof(*c->sockets));
		memset(&c->sockets[c->n_sockets], 0, (n - c->n_sockets) * sizeof(*c->sockets));
		c->n_sockets = n;
	}
	return &c->sockets[fd];
}

static void tell_epoll(struct http_curl *c, int fd, struct watched *w)
{
	struct epoll_event event = { .events = w->wanted, .data.fd = fd };

	if (w->wanted == w->told)
		return;
	if (!w->wanted)
		epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(c->epoll_fd, w->told ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0)
		epoll_ctl(c->epoll_fd, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
	w->told = w->wanted;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
	struct http_curl *c = ctx;
	struct watched *w = watched_of(c, fd);

	(void)easy;
	(void)unused;
	w->wanted = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	if (what == CURL_POLL_REMOVE)
		w->wanted = 0;
	/* A connection that rests between two exchanges stays with epoll: the next one wants it back at once. */
	if (w->wanted || !w->is_ours)
		tell_epoll(c, fd, w);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_curl *c = ctx;

	(void)multi;
	c->timer_ms = timeout_ms < 0 ? -1 : ticks_ms() + timeout_ms;
	return 0;
}

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *e = ctx;
	curl_socket_t fd = exchange_open_socket(e, address);

	(void)purpose;
	if (fd != CURL_SOCKET_BAD)
		*watched_of(e->call->client, fd) = (struct watched){ .is_ours = true };
	return fd;
}

/* epoll forgets a closed socket by itself; so do we, for its number comes again. */
static int on_close_socket(void *ctx, curl_socket_t fd)
{
	struct http_curl *c = ctx;

	*watched_of(c, fd) = (struct watched){ 0 };
	return close(fd);
}

static struct exchange *take_exchange(struct http_curl *c)
{
	struct exchange *e = c->pool;

	if (!e) {
		e = xcalloc(1, sizeof(*e));
		e->easy = curl_easy_init();
		if (!e->easy)
			abort();
		return e;
	}
	c->pool = e->next;
	c->n_pooled--;
	return e;
}

static void free_exchange(struct exchange *e)
{
	curl_easy_cleanup(e->easy);
	free(e);
}

static void link_active(struct http_curl *c, struct exchange *e)
{
	e->previous = NULL;
	e->next = c->active;
	if (e->next)
		e->next->previous = e;
	c->active = e;
}

/* Take an exchange from libcurl and from the active ones; back into the pool. */
static void retire(struct http_curl *c, struct exchange *e)
{
	curl_multi_remove_handle(c->multi, e->easy);
	curl_easy_reset(e->easy);
	curl_slist_free_all(e->headers);
	if (e->next)
		e->next->previous = e->previous;
	*(e->previous ? &e->previous->next : &c->active) = e->next;
	if (c->n_pooled >= MAX_POOLED) {
		free_exchange(e);
		return;
	}
	*e = (struct exchange){ .easy = e->easy, .next = c->pool };
	c->pool = e;
	c->n_pooled++;
}

static void end_exchange(struct http_curl *c, struct exchange *e, int result)
{
	struct http_exchange *call = e->call;

	retire(c, e);
	call->client = NULL;
	call->result = result;
	c->n_done++;
	call->done(call);
}

static struct exchange *find_active(struct http_curl *c, const struct http_exchange *call)
{
	struct exchange *e = c->active;

	while (e && e->call != call)
		e = e->next;
	return e;
}

static void submit_curl(struct http *http, struct http_exchange *call)
{
	struct http_curl *c = (struct http_curl *)http;
	struct exchange *e;

	if (exchange_check(call->req, call->err) < 0) {
		call->result = -1;
		call->done(call);
		return;
	}
	e = take_exchange(c);
	e->call = call;
	call->client = c;
	e->moved_ms = ticks_ms();
	exchange_set_options(e);
	curl_easy_setopt(e->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(e->easy, CURLOPT_OPENSOCKETDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(e->easy, CURLOPT_CLOSESOCKETDATA, c);
	link_active(c, e);
	curl_multi_add_handle(c->multi, e->easy);
}

static void abandon_curl(struct http *http, struct http_exchange *call)
{
	struct http_curl *c = (struct http_curl *)http;
	struct exchange *e = find_active(c, call);

	if (e)
		retire(c, e);
}

static void take_finished(struct http_curl *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left))) {
		CURLcode code = msg->data.result;
		struct exchange *e = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&e);
		end_exchange(c, e, exchange_finish(e, code));
	}
}

static bool is_silent(struct exchange *e, int64_t now_ms)
{
	int64_t idle_ms = e->call->req->idle_ms ? e->call->req->idle_ms : DEFAULT_IDLE_MS;
	curl_off_t moved = exchange_bytes_moved(e);

	if (moved != e->moved) {
		e->moved = moved;
		e->moved_ms = now_ms;
	}
	return idle_ms > 0 && now_ms - e->moved_ms > idle_ms;
}

static void end_silent(struct http_curl *c, int64_t now_ms)
{
	struct exchange *next;

	c->swept_ms = now_ms;
	for (struct exchange *e = c->active; e; e = next) {
		next = e->next;
		if (is_silent(e, now_ms))
			end_exchange(c, e, exchange_silent(e));
	}
}

static void on_event(struct http_curl *c, const struct epoll_event *event)
{
	int fd = event->data.fd, running, what = 0;
	struct watched *w;
	uint64_t count;

	if (fd == c->wake_fd) {
		(void)!read(fd, &count, sizeof(count));
		c->n_done++;
		return;
	}
	w = watched_of(c, fd);
	if (!w->wanted) {
		/* A resting connection stirs: the server closes it. libcurl sees that when it wants it again. */
		tell_epoll(c, fd, w);
		return;
	}
	what |= event->events & EPOLLIN ? CURL_CSELECT_IN : 0;
	what |= event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(c->multi, fd, what, &running);
}

static int wait_ms(const struct http_curl *c, int64_t until_ms)
{
	int64_t now_ms = ticks_ms(), wait = until_ms - now_ms;

	if (c->timer_ms >= 0 && c->timer_ms - now_ms < wait)
		wait = c->timer_ms - now_ms;
	if (wait > TURN_MS)
		wait = TURN_MS;
	return wait > 0 ? (int)wait : 0;
}

static void turn(struct http_curl *c, int64_t until_ms)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(c->epoll_fd, events, MAX_EVENTS, wait_ms(c, until_ms)), running;
	int64_t now_ms;

	for (int i = 0; i < n; i++)
		on_event(c, &events[i]);
	now_ms = ticks_ms();
	if (c->timer_ms >= 0 && now_ms >= c->timer_ms) {
		c->timer_ms = -1;
		curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	take_finished(c);
	if (now_ms - c->swept_ms >= TURN_MS)
		end_silent(c, now_ms);
}

static int perform_curl(struct http *http, int64_t timeout_ms, struct err *err)
{
	struct http_curl *c = (struct http_curl *)http;
	int64_t until_ms = ticks_ms() + timeout_ms;

	c->n_done = 0;
	do {
		turn(c, until_ms);
		if (sys_check_cancelled(err) < 0)
			return -1;
	} while (!c->n_done && ticks_ms() < until_ms);
	return 0;
}

static void wake_curl(struct http *http)
{
	struct http_curl *c = (struct http_curl *)http;
	uint64_t one = 1;

	(void)!write(c->wake_fd, &one, sizeof(one));
}

static void note_done(struct http_exchange *call)
{
	*(bool *)call->ctx = true;
}

static int send_curl(struct http *http, const struct http_request *req, struct http_response *resp, struct err *err)
{
	bool is_done = false;
	struct http_exchange call = { .req = req, .resp = resp, .err = err, .done = note_done, .ctx = &is_done };

	submit_curl(http, &call);
	while (!is_done) {
		auto_err cancelled = { 0 };

		if (perform_curl(http, TURN_MS, &cancelled) < 0 && !is_done) {
			abandon_curl(http, &call);
			err_move(err, &cancelled);
			return -1;
		}
	}
	return call.result;
}

static void free_curl(struct http *http)
{
	struct http_curl *c = (struct http_curl *)http;
	struct exchange *next;

	while (c->active)
		retire(c, c->active);
	for (struct exchange *e = c->pool; e; e = next) {
		next = e->next;
		free_exchange(e);
	}
	curl_multi_cleanup(c->multi);
	close(c->wake_fd);
	close(c->epoll_fd);
	free(c->sockets);
	free(c);
}

static void init_library(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

const char *http_library(void)
{
	return curl_version();
}

struct http *http_curl_new(void)
{
	static const struct http_ops ops = { send_curl, free_curl, submit_curl, perform_curl, abandon_curl, wake_curl };
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http_curl *c = xcalloc(1, sizeof(*c));
	struct epoll_event event = { .events = EPOLLIN };

	pthread_once(&once, init_library);
	c->http.ops = &ops;
	c->timer_ms = -1;
	c->multi = curl_multi_init();
	c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!c->multi || c->epoll_fd < 0 || c->wake_fd < 0 ||
	    epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, c->wake_fd, &event) < 0)
		abort();
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	return &c->http;
}
