/* Write beside, then rename: a crash leaves the old file or the new one. */
#include "io/file_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int complain(const char *file, struct errbuf *e)
{
	errbuf_set(e, "%s: %s", file, strerror(errno));
	return FED_EIO;
}

static int write_all(int fd, struct span bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FED_EIO;
		bytes = span_sub(bytes, (size_t)n, bytes.n);
	}
	return fsync(fd) == 0 ? 0 : FED_EIO;
}

static int write_beside(const char *beside, struct span bytes, struct errbuf *e)
{
	int fd;
	int err;

	/* what a crash left may have other rights */
	(void)unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain(beside, e);
	err = write_all(fd, bytes);
	if (err != 0)
		(void)complain(beside, e);
	if (close(fd) != 0 && err == 0)
		err = complain(beside, e);
	return err;
}

/* The rename is on the disk when its folder is: it is opened before anything
 * is changed. */
static int open_folder(const char *file, int *fd_out, struct errbuf *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(file, '/');

	(void)snprintf(folder, sizeof(folder), "%.*s",
		       slash == NULL ? 1 : (int)(slash - file) + 1,
		       slash == NULL ? "." : file);
	*fd_out = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd_out < 0 ? complain(folder, e) : 0;
}

static int sync_folder(int folder, const char *file, struct errbuf *e)
{
	if (fsync(folder) == 0)
		return 0;
	errbuf_set(e, "folder of %s: %s", file, strerror(errno));
	return FED_EIO;
}

static int name_beside(const char *file, char beside[PATH_MAX],
		       struct errbuf *e)
{
	int n = snprintf(beside, PATH_MAX, "%s.new", file);

	if (n >= 0 && n < PATH_MAX)
		return 0;
	errbuf_set(e, "%s: the name is too long", file);
	return FED_EIO;
}

static int replace(const char *file, const char *beside, struct span bytes,
		   struct errbuf *e)
{
	int err = write_beside(beside, bytes, e);

	if (err == 0 && rename(beside, file) != 0)
		err = complain(file, e);
	if (err != 0)
		(void)unlink(beside);
	return err;
}

int file_replace(const char *file, struct span bytes, struct errbuf *e)
{
	char beside[PATH_MAX];
	int folder = -1;
	int err = name_beside(file, beside, e);

	if (err == 0)
		err = open_folder(file, &folder, e);
	if (err != 0)
		return err;
	err = replace(file, beside, bytes, e);
	if (err == 0 && sync_folder(folder, file, e) != 0)
		err = FED_ESTATE;
	(void)close(folder);
	return err;
}

static int try(const char *file, const char *beside, struct span bytes,
	       struct errbuf *e)
{
	struct stat st;
	int err = write_beside(beside, bytes, e);

	(void)unlink(beside);
	if (err == 0 && stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
		errbuf_set(e, "%s: is not a file", file);
		err = FED_EIO;
	}
	return err;
}

int file_replace_try(const char *file, struct span bytes, struct errbuf *e)
{
	char beside[PATH_MAX];
	int folder = -1;
	int err = name_beside(file, beside, e);

	if (err == 0)
		err = open_folder(file, &folder, e);
	if (err != 0)
		return err;
	err = try(file, beside, bytes, e);
	if (err == 0)
		err = sync_folder(folder, file, e);
	(void)close(folder);
	return err;
}
