/* The Unix socket of a listener: its file, and what may lie in its place. */
#include "io/listener_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_MODE = 0660 };

static int refuse_path(struct errbuf *e, const char *path, const char *why)
{
	errbuf_set(e, "cannot listen on %s: %s", path, why);
	return FED_EIO;
}

static int new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Somebody takes connections there, or would if he were not busy. */
static bool is_alive(const struct sockaddr_un *sa)
{
	int fd = new_socket();
	bool is_dead;

	if (fd < 0)
		return true; /* better an error than two of us */
	is_dead = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0 &&
		  (errno == ECONNREFUSED || errno == ENOENT);
	(void)close(fd);
	return !is_dead;
}

/* A file of that name; what kill -9 left is taken away. */
static int clear_path(const struct sockaddr_un *sa, struct errbuf *e)
{
	struct stat st;

	if (lstat(sa->sun_path, &st) != 0)
		return errno == ENOENT
			       ? 0
			       : refuse_path(e, sa->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return refuse_path(e, sa->sun_path,
				   "a file that is no socket is there");
	if (is_alive(sa))
		return refuse_path(e, sa->sun_path,
				   "another process listens there");
	if (unlink(sa->sun_path) != 0 && errno != ENOENT)
		return refuse_path(e, sa->sun_path, strerror(errno));
	return 0;
}

/* The mode is set before there is a name to connect to, and again as the
 * umask took some of it.  @return 0 or errno */
static int bind_named(int fd, const struct sockaddr_un *sa, struct stat *st)
{
	if (fchmod(fd, SOCKET_MODE) != 0 ||
	    bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0 ||
	    chmod(sa->sun_path, SOCKET_MODE) != 0 ||
	    lstat(sa->sun_path, st) != 0)
		return errno;
	return 0;
}

static int start(struct listener *l, const struct sockaddr_un *sa)
{
	int fd = new_socket();
	struct stat st = {.st_ino = 0};
	int error;
	int rc;

	if (fd < 0)
		return uv_translate_sys_error(errno);
	error = bind_named(fd, sa, &st);
	if (error != 0) {
		(void)close(fd);
		return uv_translate_sys_error(error);
	}
	l->is_named = true;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	rc = uv_pipe_open(&l->handle.pipe, fd);
	if (rc != 0) {
		(void)close(fd);
		return rc;
	}
	return listener_begin(l);
}

int listener_new_unix(struct listener **l_out, struct loop *loop,
		      const char *path, listener_fn fn, void *arg,
		      struct errbuf *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct listener *l;
	int err;
	int rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return refuse_path(e, path, "the path is too long");
	memcpy(sa.sun_path, path, strlen(path) + 1);
	err = clear_path(&sa, e);
	if (err != 0)
		return err;
	l = listener_make(loop, fn, arg);
	if (l == NULL)
		return FED_ENOMEM;
	(void)uv_pipe_init(loop_uv(loop), &l->handle.pipe, 0); /* cannot fail */
	listener_join(l);
	l->path = strdup(path);
	rc = l->path == NULL ? UV_ENOMEM : start(l, &sa);
	if (rc != 0) {
		(void)refuse_path(e, path, uv_strerror(rc));
		listener_close(l);
		return rc == UV_ENOMEM ? FED_ENOMEM : FED_EIO;
	}
	*l_out = l;
	return 0;
}

void listener_remove_name(struct listener *l)
{
	struct stat st;

	/* the file of a daemon that was started since stays */
	if (l->is_named && lstat(l->path, &st) == 0 && st.st_dev == l->device &&
	    st.st_ino == l->inode)
		(void)unlink(l->path);
	l->is_named = false;
}
