/* The policy in force, from a gateway's Config or the host file. */
#include "edge-proxy/edge_federation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge-proxy/core/policy_config.h"
#include "io/daemon.h"
#include "io/file_read.h"
#include "io/file_write.h"

/* A Config and the policy that it made, which borrows from it. */
struct edge_rules {
	uint64_t revision;
	struct buf
		packed; /* as in the file; has the secret, wiped when freed */
	Fed__Config *config;
	struct arena arena;
	struct policy policy;
};

struct edge_federation {
	struct policy host; /* the host file's, with a secret */
	char random_secret[SHA256_HEX_BYTES + 1];
	struct edge_rules *now;	   /* NULL: the host's */
	struct loop_deferred look; /* streams are looked at again */
};

/* ---- one Config ---------------------------------------------------------- */

static void rules_free(struct edge_rules *r)
{
	if (r == NULL)
		return;
	if (r->config != NULL) {
		if (r->config->dialback_secret.len > 0)
			explicit_bzero(r->config->dialback_secret.data,
				       r->config->dialback_secret.len);
		fed__config__free_unpacked(r->config, NULL);
	}
	arena_deinit(&r->arena);
	buf_deinit(&r->packed);
	free(r);
}

static struct edge_rules *rules_new(void)
{
	struct edge_rules *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	buf_init(&r->packed, LIMIT_POLICY_FILE_BYTES);
	arena_init(&r->arena, LIMIT_POLICY_BYTES);
	return r;
}

static int pack(const Fed__Config *config, struct buf *out)
{
	Fed__Config plain = *config;
	size_t n;
	char *place;

	plain.check_only = 0;
	n = fed__config__get_packed_size(&plain);
	place = buf_reserve(out, n + 1);
	if (place == NULL)
		return FED_ENOMEM;
	buf_commit(out, fed__config__pack(&plain, (uint8_t *)place));
	return 0;
}

/* What is in r->packed, of its own memory. */
static int read_packed(struct edge *e, struct edge_rules *r, struct errbuf *why)
{
	struct span packed = buf_span(&r->packed);

	r->config =
		fed__config__unpack(NULL, packed.n, (const uint8_t *)packed.p);
	if (r->config == NULL) {
		errbuf_set(why, "is no configuration");
		return FED_EINVAL;
	}
	r->revision = r->config->revision;
	return policy_config_read(r->config, &e->federation->host,
				  e->config->file->s2s.streams_max, &r->arena,
				  &r->policy, why);
}

static int rules_of(struct edge *e, const Fed__Config *config,
		    struct edge_rules **out, struct errbuf *why)
{
	struct edge_rules *r = rules_new();
	int err = r == NULL ? FED_ENOMEM : pack(config, &r->packed);

	*out = r;
	if (err != 0) {
		errbuf_set(why, "out of memory");
		return err;
	}
	return read_packed(e, r, why);
}

/* ---- the file ------------------------------------------------------------ */

/* The next start uses what is in the file: that is in force then, whatever
 * becomes of it. */
static int keep_file(struct edge *e, struct span file, struct errbuf *why)
{
	const char *path = e->config->file->federation.path;
	int err = file_replace(path, file, why);

	if (err != FED_ESTATE)
		return err;
	fed_log(&e->log, FED_LOG_ERROR, "config_file",
		"path=%s in_force=gateway text=\"%s\"", path,
		log_value(span_str(why->text)).text);
	return 0;
}

/* One that is only checked is only tried: what this disk would not take must
 * be refused before anybody has it. */
static int write_file(struct edge *e, const struct edge_rules *r, bool is_try,
		      struct errbuf *why)
{
	const char *path = e->config->file->federation.path;
	struct buf file;
	int err;

	buf_init(&file, LIMIT_POLICY_FILE_BYTES);
	err = policy_file_write(buf_span(&r->packed), &file);
	if (err != 0)
		errbuf_set(why, "too large to keep on disk");
	else if (is_try)
		err = file_replace_try(path, buf_span(&file), why);
	else
		err = keep_file(e, buf_span(&file), why);
	buf_deinit(&file);
	return err;
}

static int read_file(struct edge *e, struct edge_rules *r, struct errbuf *why)
{
	struct span packed = SPAN_NULL;
	struct buf file;
	int err;

	buf_init(&file, LIMIT_POLICY_FILE_BYTES);
	err = file_read(e->config->file->federation.path, &file, why);
	if (err == 0)
		err = policy_file_read(buf_span(&file), &packed, why);
	if (err == 0)
		err = buf_put_span(&r->packed, packed);
	if (err == 0)
		err = read_packed(e, r, why);
	buf_deinit(&file);
	return err;
}

/* ---- start --------------------------------------------------------------- */

static int make_secret(struct edge_federation *f)
{
	uint8_t raw[SHA256_BYTES];

	if (f->host.dialback_secret.n > 0)
		return 0;
	if (daemon_random(raw, sizeof(raw)) != 0)
		return FED_EIO;
	digest_hex(raw, sizeof(raw), f->random_secret);
	explicit_bzero(raw, sizeof(raw));
	f->host.dialback_secret = span_str(f->random_secret);
	return 0;
}

static void log_policy(const struct edge *e, const char *from)
{
	fed_log(&e->log, FED_LOG_INFO, "config",
		"revision=%llu from=%s domains=%zu partners=%zu denied=%zu",
		(unsigned long long)edge_federation_revision(e), from,
		e->policy.domain_count, e->policy.partner_count,
		e->policy.denied_count);
}

/* A broken file must not keep the edge from serving whom its host file names,
 * and the gateways send what should be in it. */
static void start_from_file(struct edge *e)
{
	const char *path = e->config->file->federation.path;
	struct edge_rules *r;
	struct errbuf why = {0};

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return;
	r = rules_new();
	if (r != NULL && read_file(e, r, &why) == 0) {
		e->federation->now = r;
		e->policy = r->policy;
		log_policy(e, "file");
		return;
	}
	rules_free(r);
	fed_log(&e->log, FED_LOG_ERROR, "config_file",
		"path=%s in_force=host text=\"%s\"", path,
		r == NULL ? "out of memory"
			  : log_value(span_str(why.text)).text);
}

/* At the end of the turn: what the gateway said before its Config, that nobody
 * is there any more, leaves before the streams are closed. */
static void on_look(void *arg)
{
	struct edge *e = arg;

	edge_routes_look_again(e);
	edge_in_look_again_all(e);
	edge_out_look_again_all(e);
}

int edge_federation_new(struct edge *e)
{
	struct edge_federation *f = calloc(1, sizeof(*f));
	int err;

	if (f == NULL)
		return FED_ENOMEM;
	e->federation = f;
	f->look = (struct loop_deferred){.fn = on_look, .arg = e};
	f->host = e->config->policy;
	err = make_secret(f);
	if (err != 0)
		return err;
	e->policy = f->host;
	start_from_file(e);
	if (f->now == NULL)
		log_policy(e, "host");
	return 0;
}

void edge_federation_free(struct edge *e)
{
	struct edge_federation *f = e->federation;

	if (f == NULL)
		return;
	loop_undefer(e->loop, &f->look);
	e->federation = NULL;
	e->policy = (struct policy){.domains = NULL};
	rules_free(f->now);
	explicit_bzero(f->random_secret, sizeof(f->random_secret));
	free(f);
}

uint64_t edge_federation_revision(const struct edge *e)
{
	return e->federation->now == NULL ? 0 : e->federation->now->revision;
}

/* ---- a new one ----------------------------------------------------------- */

static int check_follows(struct edge *e, const Fed__Config *config,
			 const struct edge_rules *r, struct errbuf *why)
{
	const struct edge_rules *now = e->federation->now;

	return policy_config_follows(
		config, buf_span(&r->packed), edge_federation_revision(e),
		now == NULL ? SPAN_NULL : buf_span(&now->packed), why);
}

static void put_in_force(struct edge *e, struct edge_rules *r)
{
	struct edge_rules *old = e->federation->now;

	e->federation->now = r;
	e->policy = r->policy;
	log_policy(e, "gateway");
	loop_defer(e->loop, &e->federation->look);
	rules_free(old);
}

int edge_federation_take(struct edge *e, const Fed__Config *config,
			 struct errbuf *why)
{
	struct edge_rules *r = NULL;
	int err = e->phase == EDGE_RUNNING ? 0 : FED_ESTATE;

	if (err != 0)
		errbuf_set(why, "the edge is stopping");
	else
		err = rules_of(e, config, &r, why);
	if (err == 0)
		err = check_follows(e, config, r, why);
	if (err == 0)
		err = write_file(e, r, config->check_only, why);
	if (err != 0 || config->check_only) {
		rules_free(r);
		return err == FED_EEXIST ? 0 : err;
	}
	put_in_force(e, r);
	return 0;
}
