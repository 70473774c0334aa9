/* fedctl: what an operator asks of a running daemon. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deploy/fedctl/client.h"
#include "deploy/fedctl/command.h"

static const char *socket_path(const struct line *l)
{
	static const char gateway[] = "/run/fe-gateway/admin.sock";
	static const char edge[] = "/run/edge-proxy/admin.sock";
	const char *path = line_option(l, "socket");

	if (path == NULL)
		path = getenv("FEDCTL_SOCKET");
	if (path != NULL && path[0] != '\0')
		return path;
	return access(gateway, F_OK) != 0 && access(edge, F_OK) == 0 ? edge
								     : gateway;
}

/* ---- asking -------------------------------------------------------------- */

static int ask(void *arg, const Fed__AdminRequest *r, unsigned patience_s,
	       struct errbuf *e)
{
	return client_ask(arg, r, patience_s, e);
}

static int next(void *arg, Fed__AdminResponse **r_out, struct errbuf *e)
{
	return client_next(arg, r_out, e);
}

static int run(const struct line *l)
{
	struct client c;
	const struct session_peer peer = {ask, next, &c};
	struct session s;
	int status;

	client_init(&c, socket_path(l));
	session_init(&s, &peer, l);
	s.yaml = (struct session_yaml){federation_yaml_read,
				       federation_yaml_write};
	status = session_run(&s);
	client_deinit(&c);
	return status;
}

/* ---- help ---------------------------------------------------------------- */

static int help(const char *const *words, size_t count)
{
	const struct command *c;
	size_t used;

	if (count == 0) {
		command_help(stdout);
		return STATUS_DONE;
	}
	c = command_find(words, count, &used);
	if (c != NULL)
		command_help_one(stdout, c);
	else if (count > 1 || !command_help_word(stdout, words[0])) {
		command_complain(stderr, words, count);
		return STATUS_USAGE;
	}
	return STATUS_DONE;
}

static int run_line(struct line *l)
{
	bool asks_help = l->word_count > 0 && strcmp(l->words[0], "help") == 0;

	if (line_has(l, "version")) {
		(void)printf("fedctl %s\n", FED_VERSION);
		return STATUS_DONE;
	}
	if (asks_help || line_has(l, "help"))
		return help(l->words + asks_help, l->word_count - asks_help);
	if (l->word_count == 0) {
		command_help(stderr);
		return STATUS_USAGE;
	}
	return line_match(l, stderr) ? run(l) : STATUS_USAGE;
}

/* Where one of the three is closed the socket would take its number, and the
 * daemon what is written for people.  Nothing can be written here. */
static void fill_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	struct line l;
	int status = STATUS_USAGE;

	fill_standard_files();
	if (line_split(&l, argc, (const char *const *)argv, stderr))
		status = run_line(&l);
	line_deinit(&l);
	return status;
}
