/* fedctl: what an operator asks of a running daemon. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slip.h"
#include "deploy/fedctl/client.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

enum { EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

struct options {
	const char *socket;
	const char *edge;
	bool is_json;
	bool is_full;
	bool wants_help;
	bool wants_version;
};

static const struct option option_table[] = {
	{"socket", required_argument, NULL, 's'},
	{"edge", required_argument, NULL, 'e'},
	{"json", no_argument, NULL, 'j'},
	{"full", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'v'},
	{NULL, 0, NULL, 0},
};

/* ---- command line -------------------------------------------------------- */

static void complain_option(const char *word, bool lacks_argument)
{
	struct span typed = span_str(word);
	const char *near = NULL;
	size_t best = SLIP_NEAR + 1;

	(void)fputs("fedctl: ", stderr);
	text_print(stderr, typed, NULL);
	if (lacks_argument) {
		(void)fputs(": a value is missing\n", stderr);
		return;
	}
	while (span_starts(typed, SPAN_LIT("-")))
		typed = span_sub(typed, 1, SIZE_MAX);
	for (const struct option *o = option_table; o->name != NULL; o++) {
		size_t d = slip_distance(typed, span_str(o->name));

		if (d < best) {
			best = d;
			near = o->name;
		}
	}
	if (near != NULL)
		(void)fprintf(stderr, " is no option; did you mean --%s?\n",
			      near);
	else
		(void)fputs(" is no option; \"fedctl help\" lists them\n",
			    stderr);
}

static void take_option(struct options *o, int option)
{
	switch (option) {
	case 's':
		o->socket = optarg;
		break;
	case 'e':
		o->edge = optarg;
		break;
	case 'j':
		o->is_json = true;
		break;
	case 'f':
		o->is_full = true;
		break;
	case 'h':
		o->wants_help = true;
		break;
	default:
		o->wants_version = true;
		break;
	}
}

/* False: complained. */
static bool take_options(struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, ":", option_table, NULL)) !=
	       -1) {
		if (option == '?' || option == ':') {
			complain_option(argv[optind - 1], option == ':');
			return false;
		}
		take_option(o, option);
	}
	return true;
}

static const char *socket_path(const struct options *o)
{
	static const char gateway[] = "/run/fe-gateway/admin.sock";
	static const char edge[] = "/run/edge-proxy/admin.sock";
	const char *path =
		o->socket != NULL ? o->socket : getenv("FEDCTL_SOCKET");

	if (path != NULL && path[0] != '\0')
		return path;
	return access(gateway, F_OK) != 0 && access(edge, F_OK) == 0 ? edge
								     : gateway;
}

/* ---- asking -------------------------------------------------------------- */

static int fail(int status, const char *why)
{
	(void)fputs("fedctl: ", stderr);
	text_print(stderr, span_str(why), NULL);
	(void)fputc('\n', stderr);
	return status;
}

/* What a client error means to the one who runs this. */
static int status_of(int err)
{
	return err == FED_EIO ? EXIT_UNREACHABLE : EXIT_FAILURE;
}

static int show_answer(struct client *c, const struct show *how,
		       struct shower *s)
{
	Fed__AdminResponse *r;
	bool is_begun = false;
	struct errbuf e;

	do {
		int err = client_next(c, &r, &e);

		if (err != 0)
			return fail(status_of(err), e.text);
		if (r->error[0] != '\0')
			return fail(EXIT_FAILURE, r->error);
		/* a refusal is no half of a document */
		if (!is_begun && how->begin != NULL)
			how->begin(s);
		is_begun = true;
		how->more(s, r);
	} while (!r->last);
	if (how->end != NULL)
		how->end(s);
	if (s->is_failed || s->table.is_failed)
		return fail(EXIT_FAILURE, "out of memory");
	if (fflush(s->to) != 0 || ferror(s->to))
		return fail(EXIT_FAILURE, "cannot write the answer");
	return EXIT_SUCCESS;
}

static int run(const struct options *o, const struct command *cmd,
	       struct ask *a, const char *arg)
{
	struct errbuf e = {.text = ""};
	struct shower s;
	struct client c;
	int status;
	int err;

	client_init(&c);
	shower_init(&s, stdout, arg);
	s.is_full = o->is_full;
	err = client_connect(&c, socket_path(o), &e);
	if (err == 0)
		err = client_ask(&c, &a->request, &e);
	if (err != 0)
		status = fail(status_of(err), e.text);
	else
		status =
			show_answer(&c, o->is_json ? cmd->json : cmd->text, &s);
	shower_deinit(&s);
	client_deinit(&c);
	return status;
}

/* ---- commands ------------------------------------------------------------ */

static int run_words(const struct options *o, const char *const *words,
		     size_t count)
{
	size_t used;
	const struct command *c = command_find(words, count, &used);
	const char *arg = NULL;
	const char *wrong;
	struct ask a;

	if (c == NULL) {
		command_complain(stderr, words, count);
		return EXIT_USAGE;
	}
	if (c->arg != NULL && used < count)
		arg = words[used++];
	if (c->arg != NULL && arg == NULL) {
		(void)fprintf(stderr,
			      "fedctl: %s: %s is missing, as in: fedctl %s\n",
			      c->name, c->arg, c->example);
		return EXIT_USAGE;
	}
	if (used < count) {
		(void)fprintf(stderr, "fedctl: %s: \"", c->name);
		text_print(stderr, span_str(words[used]), NULL);
		(void)fputs("\" is one word too many\n", stderr);
		return EXIT_USAGE;
	}
	ask_init(&a);
	wrong = c->ask(&a, arg);
	if (wrong != NULL) {
		(void)fprintf(stderr, "fedctl: %s: %s\n", c->name, wrong);
		return EXIT_USAGE;
	}
	if (o->edge != NULL)
		a.request.edge = (char *)(uintptr_t)o->edge;
	return run(o, c, &a, arg);
}

static int help(const char *const *words, size_t count)
{
	const struct command *c;
	size_t used;

	if (count == 0) {
		command_help(stdout);
		return EXIT_SUCCESS;
	}
	c = command_find(words, count, &used);
	if (c == NULL) {
		command_complain(stderr, words, count);
		return EXIT_USAGE;
	}
	command_help_one(stdout, c);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o = {.socket = NULL};
	const char *const *words;
	size_t count;

	if (!take_options(&o, argc, argv))
		return EXIT_USAGE;
	words = (const char *const *)argv + optind;
	count = (size_t)(argc - optind);
	if (o.wants_version) {
		(void)printf("fedctl %s\n", FED_VERSION);
		return EXIT_SUCCESS;
	}
	if (o.wants_help)
		return help(words, count);
	if (count > 0 && strcmp(words[0], "help") == 0)
		return help(words + 1, count - 1);
	if (count == 0) {
		command_help(stderr);
		return EXIT_USAGE;
	}
	return run_words(&o, words, count);
}
