/*
 * Plays text scenarios against the s2s cores with a fake clock.
 *
 *   replay_s2s [-v] [file...]     default: tests/replay/s2s/s2s_*.txt
 *
 * What the core does is written down as lines, in order; bytes that it writes
 * in a row are one line.  A scenario says what goes in and which lines come
 * out.  In what must come out '*' stands for anything and $name takes what is
 * there (or must be equal to what it took before); in what goes in, $name is
 * put back.  Every scenario is played twice: as written, and byte by byte
 * (unless it says `whole`: what stands in one packet matters).
 *
 *   role in | out | verify [ID KEY]   no-certificate   bidi   whole
 *   redirects N (followed before)
 *   partner DOMAIN [tls=NEED] [sasl=NEED] [dialback=NEED] [keep-alive]
 *   settings [keep-alive=30s] [setup=30s] [idle=30s]
 *   policy none | the words of partner: another policy is in force now
 *   peer> bytes                     peer< bytes we must have written
 *   tls up cert=NAME|none valid=yes|no [expires=+30s]    tls failed TEXT
 *   verified LOCAL REMOTE RESULT    eof   shutdown   idle-close   too-slow
 *   time +30s (or +30ms)            expect LINE      expect nothing
 *   state NAME      takes yes|no LOCAL REMOTE (in: our stanzas of that pair)
 *   max-bytes N (what the peer announced)
 *
 * The line of a stanza that is a presence ends with all of it, as we print it.
 *
 * In peer>: \\xHH is a byte, {fill N} N times x, {times N TEXT} N times TEXT,
 * {header [ID]} the usual header of peer.example for home.example.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/replay/s2s_lines.h"
#include "tests/replay/s2s_play.h"
#include "tests/unit/cert_fixtures.h"

/* --- what the core does ----------------------------------------------------
 */

static void put_line(struct play *p, const char *text, size_t n)
{
	char *last = p->line_count > 0 ? p->lines[p->line_count - 1] : NULL;
	bool is_bytes = n >= 2 && text[0] == '<' && text[1] == ' ';

	if (last != NULL && is_bytes && last[0] == '<' && last[1] == ' ') {
		size_t have = strlen(last);

		last = realloc(last, have + n);
		if (last == NULL)
			abort();
		memcpy(last + have, text + 2, n - 2);
		last[have + n - 2] = '\0';
		p->lines[p->line_count - 1] = last;
		return;
	}
	if (p->line_count == LINES_MAX) {
		complain(p, "too many actions", text);
		return;
	}
	p->lines[p->line_count++] = strndup(text, n);
}

static void drain(struct play *p)
{
	struct s2s_action a;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	while (p->in != NULL ? s2s_in_next_action(p->in, &a)
			     : s2s_out_next_action(p->out, &a)) {
		buf_reset(&b);
		describe(&b, &a);
		put_line(p, buf_span(&b).p, buf_len(&b));
	}
	buf_deinit(&b);
}

static void to_stderr(void *arg, enum fed_log_level level, const char *line,
		      size_t n)
{
	(void)arg;
	(void)level;
	fprintf(stderr, "    | %.*s\n", (int)n, line);
}

/* The core is made when the first thing happens. */
static void start(struct play *p)
{
	struct s2s_out_params params = {
		.mode = p->role == ROLE_VERIFY ? S2S_OUT_VERIFY : S2S_OUT_ROUTE,
		.pair = {"home.example", "peer.example"},
		.stream_id = p->verify_id,
		.key = p->verify_key,
		.has_certificate = p->has_certificate,
		.redirects = p->redirects,
	};
	int err;

	if (p->in != NULL || p->out != NULL)
		return;
	p->policy.domains = served;
	p->policy.domain_count = FED_ARRAY_LEN(served);
	p->policy.partners = p->rules;
	p->policy.partner_count = p->rule_count;
	policy_sort(p->rules, p->rule_count);
	p->policy.dialback_secret = SPAN_LIT("s3cr3tf0rd14lb4ck");
	p->policy.stanza_max = 20000;
	p->policy.bidi = p->has_bidi;
	p->log = (struct logger){.level = FED_LOG_DEBUG, .sink = to_stderr};
	p->env = (struct s2s_env){.policy = &p->policy,
				  .ids = &p->ids,
				  .log = p->is_verbose ? &p->log : NULL,
				  .metrics = &p->metrics,
				  .label = "replay"};
	err = p->role == ROLE_IN
		      ? s2s_in_new(&p->in, &p->env, p->now_ms)
		      : s2s_out_new(&p->out, &p->env, &params, p->now_ms);
	if (err != 0)
		put_line(p, fed_strerror(err), strlen(fed_strerror(err)));
}

static void send_event(struct play *p, const struct s2s_event *ev)
{
	int err = 0;

	start(p);
	if (p->in != NULL)
		err = s2s_in_on_event(p->in, ev, p->now_ms);
	else if (p->out != NULL)
		err = s2s_out_on_event(p->out, ev, p->now_ms);
	if (err != 0)
		complain(p, "event", fed_strerror(err));
	if (p->in != NULL || p->out != NULL)
		drain(p);
}

static void send_kind(struct play *p, enum s2s_event_kind kind)
{
	struct s2s_event ev = {.kind = kind};

	send_event(p, &ev);
}

static const char *state_of(const struct play *p)
{
	return p->in != NULL ? s2s_in_state_name(p->in)
			     : s2s_out_state_name(p->out);
}

static void send_bytes(struct play *p, const char *data, size_t n)
{
	size_t step = p->is_split ? 1 : LIMIT_READ_BYTES;

	start(p);
	if (p->in == NULL && p->out == NULL)
		return;
	drain(p);
	for (size_t at = 0; at < n && strcmp(state_of(p), "closed") != 0;
	     at += step) {
		struct s2s_event ev = {.kind = S2S_EV_BYTES};

		ev.u.bytes = span_of(data + at, n - at < step ? n - at : step);
		send_event(p, &ev);
	}
}

/* --- commands --------------------------------------------------------------
 */

static enum policy_need need_of(struct play *p, const char *s)
{
	if (strcmp(s, "optional") == 0)
		return POLICY_OPTIONAL;
	if (strcmp(s, "required") == 0)
		return POLICY_REQUIRED;
	if (strcmp(s, "off") != 0)
		complain(p, "no such need", s);
	return POLICY_OFF;
}

static unsigned long value_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 ? strtoul(word + n, NULL, 10) : 0;
}

static void cmd_settings(struct play *p, char *args)
{
	char *save = NULL;

	for (char *word = strtok_r(args, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		p->policy.keep_alive_ms += 1000 * value_of(word, "keep-alive=");
		p->policy.setup_ms += 1000 * value_of(word, "setup=");
		p->policy.idle_ms += 1000 * value_of(word, "idle=");
	}
}

static void cmd_partner(struct play *p, char *args)
{
	char *save = NULL;
	char *word = strtok_r(args, " ", &save);
	struct policy_partner *rule = &p->rules[p->rule_count];

	if (word == NULL || p->rule_count == RULES_MAX) {
		complain(p, "partner", "no domain, or too many");
		return;
	}
	snprintf(p->rule_domains[p->rule_count], 128, "%s", word);
	*rule = (struct policy_partner){.domain =
						p->rule_domains[p->rule_count]};
	p->rule_count++;
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		if (strncmp(word, "tls=", 4) == 0)
			rule->tls = need_of(p, word + 4);
		else if (strncmp(word, "sasl=", 5) == 0)
			rule->sasl = need_of(p, word + 5);
		else if (strncmp(word, "dialback=", 9) == 0)
			rule->dialback = need_of(p, word + 9);
		else if (strcmp(word, "keep-alive") == 0)
			rule->keep_alive = true;
		else
			complain(p, "partner", word);
	}
}

/* The rules of before are overwritten: a pointer into them would show. */
static void cmd_policy(struct play *p, char *args)
{
	start(p);
	memset(p->rules, 0, sizeof(p->rules));
	memset(p->rule_domains, 0, sizeof(p->rule_domains));
	p->rule_count = 0;
	if (strcmp(args, "none") != 0)
		cmd_partner(p, args);
	p->policy.partner_count = p->rule_count;
	send_kind(p, S2S_EV_POLICY);
}

static void cmd_role(struct play *p, const char *args)
{
	if (strcmp(args, "in") == 0)
		p->role = ROLE_IN;
	else if (strcmp(args, "out") == 0)
		p->role = ROLE_OUT;
	else if (sscanf(args, "verify %127s %127s", p->verify_id,
			p->verify_key) == 2)
		p->role = ROLE_VERIFY;
	else
		complain(p, "role", args);
}

static void cmd_tls(struct play *p, const char *args)
{
	char name[64] = "";
	char valid[8] = "";
	struct s2s_event ev = {.kind = S2S_EV_TLS_UP};

	if (strncmp(args, "failed ", 7) == 0) {
		ev.kind = S2S_EV_TLS_FAILED;
		ev.u.text = args + 7;
		send_event(p, &ev);
		return;
	}
	if (sscanf(args, "up cert=%63s valid=%7s", name, valid) != 2) {
		complain(p, "tls", args);
		return;
	}
	p->tls.has_peer_cert = strcmp(name, "none") != 0;
	p->tls.peer_cert_der = cert_fixture(name);
	p->tls.is_chain_valid = strcmp(valid, "yes") == 0;
	snprintf(p->tls.chain_problem, sizeof(p->tls.chain_problem), "%s",
		 p->tls.is_chain_valid ? "" : "self-signed");
	if (p->tls.has_peer_cert && p->tls.peer_cert_der.n == 0)
		complain(p, "no such certificate", name);
	ev.u.tls = &p->tls;
	args = strstr(args, "expires=+");
	if (args != NULL)
		ev.expires_ms = p->now_ms + strtoul(args + 9, NULL, 10) * 1000;
	send_event(p, &ev);
}

static void cmd_verified(struct play *p, const char *args)
{
	char local[64] = "";
	char remote[64] = "";
	char result[32] = "";
	struct s2s_event ev = {.kind = S2S_EV_VERIFIED};

	if (sscanf(args, "%63s %63s %31s", local, remote, result) != 3)
		complain(p, "verified", args);
	for (size_t i = 0; i < FED_ARRAY_LEN(results); i++)
		if (strcmp(result, results[i]) == 0)
			ev.u.verified.result = (enum s2s_verify_result)i;
	ev.u.verified.pair = (struct s2s_pair){local, remote};
	send_event(p, &ev);
}

static void cmd_time(struct play *p, const char *args)
{
	char unit[8] = "";
	unsigned long n = 0;
	uint64_t due;

	if (sscanf(args, "+%lu%7s", &n, unit) != 2) {
		complain(p, "time", args);
		return;
	}
	start(p);
	p->now_ms += strcmp(unit, "s") == 0 ? n * 1000 : n;
	due = p->in != NULL ? s2s_in_deadline_ms(p->in)
			    : s2s_out_deadline_ms(p->out);
	if (p->now_ms >= due)
		send_kind(p, S2S_EV_TIMER);
}

static void expect_line(struct play *p, const char *pattern)
{
	start(p);
	if (p->in != NULL || p->out != NULL)
		drain(p);
	if (strcmp(pattern, "nothing") == 0) {
		if (p->line_count > 0)
			complain(p, "expected nothing, got", p->lines[0]);
		return;
	}
	if (p->line_count == 0) {
		complain(p, "nothing happened, expected", pattern);
		return;
	}
	if (!match(p, pattern, p->lines[0])) {
		complain(p, "expected", pattern);
		fprintf(stderr, "    got: %s\n", p->lines[0]);
	}
	free(p->lines[0]);
	p->line_count--;
	memmove(p->lines, p->lines + 1, p->line_count * sizeof(p->lines[0]));
}

static void cmd_state(struct play *p, const char *name)
{
	start(p);
	if (strcmp(state_of(p), name) != 0)
		complain(p, "state is", state_of(p));
}

static void cmd_takes(struct play *p, const char *args)
{
	char answer[8] = "";
	char local[64] = "";
	char remote[64] = "";
	const struct s2s_pair pair = {local, remote};

	if (sscanf(args, "%7s %63s %63s", answer, local, remote) != 3 ||
	    p->in == NULL)
		complain(p, "takes", args);
	else if (s2s_in_takes(p->in, &pair) != (strcmp(answer, "yes") == 0))
		complain(p, "takes is not", args);
}

static void cmd_max_bytes(struct play *p, const char *args)
{
	size_t max = p->in != NULL ? s2s_in_peer_max_bytes(p->in)
				   : s2s_out_peer_limits(p->out)->max_bytes;

	if (max != strtoul(args, NULL, 10))
		complain(p, "max-bytes is not", args);
}

static bool simple_event(struct play *p, const char *word)
{
	static const struct {
		const char *word;
		enum s2s_event_kind kind;
	} table[] = {
		{"eof", S2S_EV_EOF},
		{"shutdown", S2S_EV_SHUTDOWN},
		{"idle-close", S2S_EV_IDLE_CLOSE},
		{"too-slow", S2S_EV_TOO_SLOW},
	};

	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++)
		if (strcmp(word, table[i].word) == 0) {
			send_kind(p, table[i].kind);
			return true;
		}
	return false;
}

static char *args_of(char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && line[n] == ' ' ? line + n + 1
							     : NULL;
}

static void run_line(struct play *p, char *line)
{
	static char text[TEXT_MAX];
	char *a;

	if ((a = args_of(line, "peer>")) != NULL)
		send_bytes(p, text, expand(p, a, text, sizeof(text)));
	else if ((a = args_of(line, "peer<")) != NULL)
		expect_line(p, (snprintf(text, sizeof(text), "< %s", a), text));
	else if ((a = args_of(line, "expect")) != NULL)
		expect_line(p, a);
	else if ((a = args_of(line, "role")) != NULL)
		cmd_role(p, a);
	else if ((a = args_of(line, "partner")) != NULL)
		cmd_partner(p, a);
	else if ((a = args_of(line, "settings")) != NULL)
		cmd_settings(p, a);
	else if ((a = args_of(line, "policy")) != NULL)
		cmd_policy(p, a);
	else if ((a = args_of(line, "tls")) != NULL)
		cmd_tls(p, a);
	else if ((a = args_of(line, "verified")) != NULL)
		cmd_verified(p, a);
	else if ((a = args_of(line, "redirects")) != NULL)
		p->redirects = (unsigned)strtoul(a, NULL, 10);
	else if ((a = args_of(line, "time")) != NULL)
		cmd_time(p, a);
	else if ((a = args_of(line, "state")) != NULL)
		cmd_state(p, a);
	else if (strcmp(line, "no-certificate") == 0)
		p->has_certificate = false;
	else if (strcmp(line, "bidi") == 0)
		p->has_bidi = true;
	else if ((a = args_of(line, "takes")) != NULL)
		cmd_takes(p, a);
	else if ((a = args_of(line, "max-bytes")) != NULL)
		cmd_max_bytes(p, a);
	else if (strcmp(line, "whole") == 0)
		p->is_whole = true;
	else if (!simple_event(p, line))
		complain(p, "no such command", line);
}

static void run_file(struct play *p, FILE *f)
{
	static char line[TEXT_MAX];

	while (fgets(line, sizeof(line), f) != NULL) {
		p->line_no++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		run_line(p, line);
		if (p->is_whole && p->is_split)
			break;
	}
	while (p->line_count > 0) {
		if (!(p->is_whole && p->is_split))
			complain(p, "not expected", p->lines[0]);
		free(p->lines[--p->line_count]);
	}
	s2s_in_free(p->in);
	s2s_out_free(p->out);
}

static int play(const char *path, bool is_split, bool is_verbose)
{
	static struct play p;
	FILE *f = fopen(path, "r");

	if (f == NULL) {
		perror(path);
		return 1;
	}
	memset(&p, 0, sizeof(p));
	p.path = path;
	p.is_split = is_split;
	p.is_verbose = is_verbose;
	p.now_ms = 1000000;
	p.has_certificate = true;
	run_file(&p, f);
	fclose(f);
	return p.failures;
}

int main(int argc, char **argv)
{
	bool is_verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	int first = is_verbose ? 2 : 1;
	int failures = 0;
	size_t count;
	glob_t g = {0};

	if (argc > first) {
		g.gl_pathv = argv + first;
		g.gl_pathc = (size_t)(argc - first);
	} else if (glob("tests/replay/s2s/s2s_*.txt", 0, NULL, &g) != 0) {
		fprintf(stderr, "no scenarios found\n");
		return 1;
	}
	count = g.gl_pathc;
	for (size_t i = 0; i < count; i++) {
		int bad = play(g.gl_pathv[i], false, is_verbose) +
			  play(g.gl_pathv[i], true, false);

		/* TAP: one test a scenario */
		printf("%s %zu - %s\n", bad == 0 ? "ok" : "not ok", i + 1,
		       g.gl_pathv[i]);
		failures += bad;
	}
	if (argc <= first)
		globfree(&g);
	printf("1..%zu\n", count);
	return failures == 0 ? 0 : 1;
}
