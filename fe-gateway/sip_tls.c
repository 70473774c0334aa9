/* Files and policy of the SIP side's TLS. */
#include "fe-gateway/sip_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/ratelimit.h"

/* The names that the library looks for in its folder. */
static const char OWN[] = "agent.pem";	  /* chain and key */
static const char TRUST[] = "cafile.pem"; /* CAs of peers */

struct sip_tls {
	struct sip_tls_params p;
	struct ratelimit refusals; /* in the log: anybody can cause them */
	char folder[256];
};

/* ---- who may ------------------------------------------------------------- */

static bool is_trusted(const struct sip_tls *t, const char *ip)
{
	for (size_t i = 0; i < t->p.trusted_count; i++)
		if (strcmp(t->p.trusted[i], ip) == 0)
			return true;
	return false;
}

static bool is_peer(const struct sip_tls *t, const struct sip_identity *id)
{
	for (size_t i = 0; i < t->p.peer_count; i++)
		if (sip_identity_is(id, span_str(t->p.peers[i])))
			return true;
	return false;
}

/* NULL: it may; else why not. */
static const char *judge(const struct sip_tls *t, const struct sip_tls_peer *p)
{
	if (p->problem != NULL)
		return p->problem;
	if (p->host != NULL)
		return sip_identity_is(&p->identity, span_str(p->host))
			       ? NULL
			       : "its certificate is not for that domain";
	if (is_trusted(t, p->ip) || is_peer(t, &p->identity))
		return NULL;
	return "neither its address nor its certificate is in the "
	       "configuration";
}

static bool on_handshake(void *arg, const struct sip_tls_peer *p)
{
	struct sip_tls *t = arg;
	const char *why = judge(t, p);
	enum fed_log_level level = FED_LOG_WARN;

	if (why == NULL)
		level = p->host != NULL ? FED_LOG_INFO : FED_LOG_DEBUG;
	else if (!ratelimit_take(&t->refusals, loop_now_ms(t->p.loop)))
		level = FED_LOG_DEBUG;
	fed_log(loop_log(t->p.loop), level,
		why == NULL ? "sip_tls_peer" : "sip_tls_refused",
		"dir=%s ip=%s host=%s name=%s why=\"%s\"",
		p->host != NULL ? "out" : "in", p->ip,
		log_value(span_str(p->host)).text,
		log_value(sip_identity_name(&p->identity)).text,
		why != NULL ? why : "");
	return why == NULL;
}

/* ---- files --------------------------------------------------------------- */

static int append_file(int to, const char *path)
{
	char part[8192];
	int from = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = from < 0 ? -1 : 0;

	while (from >= 0 && (n = read(from, part, sizeof(part))) > 0)
		if (write(to, part, (size_t)n) != n) {
			n = -1;
			break;
		}
	/* a file without a line end must not spoil the first line of the
	 * next */
	if (n == 0 && write(to, "\n", 1) != 1)
		n = -1;
	if (from >= 0)
		(void)close(from);
	explicit_bzero(part, sizeof(part));
	return n == 0 ? 0 : FED_EIO;
}

static void name_file(const struct sip_tls *t, const char *name, char *out,
		      size_t size)
{
	(void)snprintf(out, size, "%s/%s", t->folder, name);
}

/* Into the folder; second may be NULL. */
static int put_file(const struct sip_tls *t, const char *name,
		    const char *first, const char *second)
{
	char path[512];
	int fd;
	int err;

	name_file(t, name, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return FED_EIO;
	err = append_file(fd, first);
	if (err == 0 && second != NULL)
		err = append_file(fd, second);
	if (close(fd) != 0)
		err = FED_EIO;
	return err;
}

static void remove_folder(struct sip_tls *t)
{
	char path[512];

	if (t->folder[0] == '\0')
		return;
	name_file(t, OWN, path, sizeof(path));
	(void)unlink(path);
	name_file(t, TRUST, path, sizeof(path));
	(void)unlink(path);
	(void)rmdir(t->folder);
	t->folder[0] = '\0';
}

/* systemd's own folder for this service, else the one of temporary files;
 * mkdtemp() makes it 0700. */
static int make_folder(struct sip_tls *t)
{
	const char *base = getenv("RUNTIME_DIRECTORY");
	int n;

	if (base == NULL || base[0] != '/')
		base = getenv("TMPDIR");
	if (base == NULL || base[0] != '/')
		base = "/tmp";
	n = snprintf(t->folder, sizeof(t->folder), "%s/fe-gateway-XXXXXX",
		     base);
	if (n < 0 || (size_t)n >= sizeof(t->folder) ||
	    mkdtemp(t->folder) == NULL) {
		t->folder[0] = '\0';
		return FED_EIO;
	}
	return 0;
}

int sip_tls_begin_load(struct sip_tls *t, struct errbuf *e)
{
	int err = make_folder(t);

	if (err == 0)
		err = put_file(t, OWN, t->p.certificate, t->p.key);
	if (err == 0)
		err = put_file(t, TRUST, t->p.trust, NULL);
	if (err != 0)
		errbuf_set(e, "sip.tls: files for the SIP library: %s",
			   strerror(errno));
	if (err == 0)
		err = sip_tls_compat_begin(on_handshake, t);
	if (err != 0)
		remove_folder(t);
	return err;
}

size_t sip_tls_end_load(struct sip_tls *t)
{
	remove_folder(t);
	return sip_tls_compat_end();
}

const char *sip_tls_folder(const struct sip_tls *t)
{
	return t->folder;
}

/* ---- life ---------------------------------------------------------------- */

int sip_tls_new(struct sip_tls **t_out, const struct sip_tls_params *p)
{
	struct sip_tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return FED_ENOMEM;
	t->p = *p;
	ratelimit_init(&t->refusals, LIMIT_GATEWAY_WARN_RATE,
		       LIMIT_GATEWAY_WARN_BURST, loop_now_ms(p->loop));
	*t_out = t;
	return 0;
}

void sip_tls_free(struct sip_tls *t)
{
	if (t == NULL)
		return;
	remove_folder(t);
	free(t);
}
