/* A blocking Unix socket. */
#include "deploy/fedctl/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"

enum { CLIENT_READ_BYTES = 64 * 1024 };

void client_init(struct client *c, const char *path)
{
	*c = (struct client){.path = path, .fd = -1};
	buf_init(&c->in, LIMIT_ADMIN_RESPONSE_BYTES + ADMIN_PREFIX_BYTES +
				 CLIENT_READ_BYTES);
	arena_init(&c->arena, LIMIT_ADMIN_ARENA_BYTES);
}

void client_deinit(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	buf_deinit(&c->in);
	arena_deinit(&c->arena);
}

static const char *advice(int error)
{
	switch (error) {
	case ENOENT:
		return "no daemon has made this socket: is it running "
		       "(systemctl status fe-gateway), and is this its "
		       "admin.socket?";
	case ECONNREFUSED:
		return "the daemon that made it is gone: systemctl status "
		       "fe-gateway";
	case EACCES:
	case EPERM:
		return "only root and members of the daemon's group may";
	default:
		return "--socket PATH or FEDCTL_SOCKET name another one";
	}
}

static int open_socket(struct client *c, struct errbuf *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *path = c->path;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		errbuf_set(e, "%s: too long for the path of a socket", path);
		return FED_EIO;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
		errbuf_set(e, "%s: %s; %s", path, strerror(errno),
			   advice(errno));
		return FED_EIO;
	}
	return 0;
}

/* What was not sent to somebody who closed may have its reason said before. */
static int send_all(const struct client *c, struct span s, struct errbuf *e)
{
	while (s.n > 0) {
		ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);

		if (n > 0) {
			s = span_sub(s, (size_t)n, SIZE_MAX);
		} else if (errno == EPIPE || errno == ECONNRESET) {
			return 0;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			errbuf_set(e,
				   "%s: the daemon reads nothing for %u "
				   "seconds: it takes one long request at a "
				   "time; is it at another one?",
				   c->path, c->patience_s);
			return FED_EIO;
		} else if (errno != EINTR) {
			errbuf_set(e, "cannot send: %s", strerror(errno));
			return FED_EIO;
		}
	}
	return 0;
}

static int set_patience(struct client *c, unsigned patience_s, struct errbuf *e)
{
	const struct timeval silent = {.tv_sec = (time_t)patience_s};

	c->patience_s = patience_s;
	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &silent,
		       sizeof(silent)) == 0 &&
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &silent,
		       sizeof(silent)) == 0)
		return 0;
	errbuf_set(e, "%s: %s", c->path, strerror(errno));
	return FED_EIO;
}

int client_ask(struct client *c, const Fed__AdminRequest *r,
	       unsigned patience_s, struct errbuf *e)
{
	struct buf out;
	int err = c->fd >= 0 ? 0 : open_socket(c, e);

	if (err == 0)
		err = set_patience(c, patience_s, e);
	if (err != 0)
		return err;
	buf_init(&out, LIMIT_ADMIN_REQUEST_BYTES + ADMIN_PREFIX_BYTES);
	err = admin_codec_put_request(&out, r);
	if (err != 0)
		errbuf_set(e, "the request is too long");
	else
		err = send_all(c, buf_span(&out), e);
	buf_deinit(&out);
	return err;
}

static int receive(struct client *c, struct errbuf *e)
{
	char *room = buf_reserve(&c->in, CLIENT_READ_BYTES);
	ssize_t n;

	if (room == NULL) {
		errbuf_set(e, "out of memory");
		return FED_ENOMEM;
	}
	do {
		n = recv(c->fd, room, CLIENT_READ_BYTES, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		buf_commit(&c->in, (size_t)n);
		return 0;
	}
	if (n == 0)
		errbuf_set(e, "%s: the daemon closed the connection", c->path);
	else if (errno == EAGAIN || errno == EWOULDBLOCK)
		errbuf_set(e, "%s: the daemon says nothing for %u seconds",
			   c->path, c->patience_s);
	else
		errbuf_set(e, "cannot receive: %s", strerror(errno));
	return FED_EIO;
}

int client_next(struct client *c, Fed__AdminResponse **r_out, struct errbuf *e)
{
	size_t used;
	int err;

	for (;;) {
		err = admin_codec_take_response(buf_span(&c->in), &c->arena,
						r_out, &used);
		if (err != FED_EAGAIN)
			break;
		err = receive(c, e);
		if (err != 0)
			return err;
	}
	if (err == 0)
		buf_consume(&c->in, used);
	else
		errbuf_set(e,
			   "what the daemon says is no answer (%s): is it "
			   "of another version?",
			   fed_strerror(err));
	return err;
}
