/* A file as a whole. */
#include "deploy/fedctl/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static int read_all(FILE *from, struct arena *a, struct span *out)
{
	size_t room = 64 * 1024;
	size_t n = 0;
	char *bytes = malloc(room);

	while (bytes != NULL) {
		char *more;

		n += fread(bytes + n, 1, room - n, from);
		if (n < room || room > LIMIT_ADMIN_REQUEST_BYTES)
			break;
		room *= 2;
		more = realloc(bytes, room);
		if (more == NULL)
			free(bytes);
		bytes = more;
	}
	if (bytes == NULL)
		return FED_ENOMEM;
	*out = span_of(arena_dup(a, span_of(bytes, n)), n);
	free(bytes);
	if (out->p == NULL)
		return FED_ENOMEM;
	return n == room ? FED_ELIMIT : 0;
}

const char *load_name(const char *path)
{
	return strcmp(path, "-") == 0 ? "stdin" : path;
}

int load_file(struct session *s, struct arena *a, const char *path,
	      struct span *out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *from = is_stdin ? s->in : fopen(path, "re");
	int err;

	if (from == NULL)
		return session_fail(s, STATUS_FAILED, "%s: %s", load_name(path),
				    strerror(errno));
	errno = 0;
	err = read_all(from, a, out);
	if (ferror(from))
		err = FED_EIO;
	if (!is_stdin)
		(void)fclose(from);
	switch (err) {
	case 0:
		return STATUS_DONE;
	case FED_ELIMIT:
		return session_fail(s, STATUS_FAILED, "%s: too long",
				    load_name(path));
	case FED_EIO:
		return session_fail(s, STATUS_FAILED, "%s: %s", load_name(path),
				    strerror(errno));
	default:
		return session_fail(s, STATUS_FAILED, "out of memory");
	}
}
