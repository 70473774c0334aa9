/*
 * State of a scenario that is being played, the patterns of what must come out
 * and the short forms of what goes in.  Private to replay_s2s.c.
 */
#ifndef FED_REPLAY_S2S_PLAY_H
#define FED_REPLAY_S2S_PLAY_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/s2s_in.h"
#include "edge-proxy/core/s2s_out.h"

enum { LINES_MAX = 64, VARS_MAX = 16, TEXT_MAX = 300000, RULES_MAX = 8 };

enum role { ROLE_IN, ROLE_OUT, ROLE_VERIFY };

struct var {
	char name[32];
	char value[256];
};

struct play {
	const char *path;
	unsigned line_no;
	bool is_split;
	bool is_whole;
	bool is_verbose;
	int failures;
	uint64_t now_ms;
	enum role role;
	bool has_certificate;
	unsigned redirects; /* followed before */
	bool has_bidi;	    /* of the policy */
	char verify_id[128];
	char verify_key[128];
	struct policy_partner rules[RULES_MAX];
	char rule_domains[RULES_MAX][128];
	size_t rule_count;
	struct policy policy;
	struct id_source ids;
	struct metrics metrics;
	struct logger log;
	struct s2s_env env;
	struct tls_facts tls;
	struct s2s_in *in;
	struct s2s_out *out;
	char *lines[LINES_MAX]; /* what the core did; "< ..." are bytes */
	size_t line_count;
	struct var vars[VARS_MAX];
	size_t var_count;
};

static const char *const served[] = {"home.example", "second.home.example"};

static inline void complain(struct play *p, const char *what,
			    const char *detail)
{
	p->failures++;
	fprintf(stderr, "%s:%u: %s%s: %s\n", p->path, p->line_no,
		p->is_split ? "[byte by byte] " : "", what, detail);
}

/* --- patterns --------------------------------------------------------------
 */

static inline struct var *find_var(struct play *p, const char *name, size_t n)
{
	for (size_t i = 0; i < p->var_count; i++)
		if (strlen(p->vars[i].name) == n &&
		    memcmp(p->vars[i].name, name, n) == 0)
			return &p->vars[i];
	return NULL;
}

static inline size_t name_len(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

static inline bool match(struct play *p, const char *pat, const char *s);

/* $name: what it took before, or the shortest text that fits */
static inline bool match_var(struct play *p, const char *pat, const char *s)
{
	size_t n = name_len(pat + 1);
	struct var *v = find_var(p, pat + 1, n);

	if (v != NULL)
		return strncmp(s, v->value, strlen(v->value)) == 0 &&
		       match(p, pat + 1 + n, s + strlen(v->value));
	if (p->var_count == VARS_MAX || n >= sizeof(v->name))
		return false;
	v = &p->vars[p->var_count++];
	snprintf(v->name, sizeof(v->name), "%.*s", (int)n, pat + 1);
	for (size_t k = 1; k < sizeof(v->value) && s[k - 1] != '\0'; k++) {
		snprintf(v->value, sizeof(v->value), "%.*s", (int)k, s);
		if (match(p, pat + 1 + n, s + k))
			return true;
	}
	p->var_count--;
	return false;
}

static inline bool match(struct play *p, const char *pat, const char *s)
{
	for (; *pat != '\0' && *pat != '*' && *pat != '$'; pat++, s++)
		if (*pat != *s)
			return false;
	if (*pat == '\0')
		return *s == '\0';
	if (*pat == '$')
		return match_var(p, pat, s);
	for (;; s++) {
		if (match(p, pat + 1, s))
			return true;
		if (*s == '\0')
			return false;
	}
}

/* {header}, {header ID}: the usual header of peer.example */
static inline size_t put_header(const char *args, char *out, size_t max)
{
	size_t n = strcspn(args, "}");
	int w = snprintf(out, max,
			 "<stream:stream xmlns='jabber:server' xmlns:stream="
			 "'http://etherx.jabber.org/streams' "
			 "xmlns:db='jabber:server:dialback' "
			 "from='peer.example' to='home.example' version='1.0'");

	if (n > 1)
		w += snprintf(out + w, max - (size_t)w, " id='%.*s'",
			      (int)n - 1, args + 1);
	w += snprintf(out + w, max - (size_t)w, ">");
	return (size_t)w;
}

/* {times N TEXT} */
static inline size_t put_times(const char *args, char *out, size_t max)
{
	char *text;
	unsigned long k = strtoul(args, &text, 10);
	size_t len = strcspn(++text, "}");
	size_t n = 0;

	for (; k > 0 && n + len < max; k--, n += len)
		memcpy(out + n, text, len);
	return n;
}

/* Put variables back; \\xHH, {fill N}, {times N TEXT} and {header [ID]}. */
static inline size_t expand(struct play *p, const char *in, char *out,
			    size_t max)
{
	size_t n = 0;

	while (*in != '\0' && n + 300 < max) {
		unsigned byte = 0;

		if (*in == '$') {
			size_t len = name_len(in + 1);
			struct var *v = find_var(p, in + 1, len);

			if (v == NULL)
				complain(p, "unknown variable", in);
			else
				n += (size_t)snprintf(out + n, max - n, "%s",
						      v->value);
			in += 1 + len;
		} else if (in[0] == '\\' &&
			   sscanf(in + 1, "x%2x", &byte) == 1) {
			out[n++] = (char)byte;
			in += 4;
		} else if (strncmp(in, "{fill ", 6) == 0) {
			unsigned long k = strtoul(in + 6, NULL, 10);

			while (k-- > 0 && n + 300 < max)
				out[n++] = 'x';
			in = strchr(in, '}') + 1;
		} else if (strncmp(in, "{times ", 7) == 0) {
			n += put_times(in + 7, out + n, max - n - 300);
			in = strchr(in, '}') + 1;
		} else if (strncmp(in, "{header", 7) == 0) {
			n += put_header(in + 7, out + n, max - n);
			in = strchr(in, '}') + 1;
		} else {
			out[n++] = *in++;
		}
	}
	out[n] = '\0';
	return n;
}

#endif
