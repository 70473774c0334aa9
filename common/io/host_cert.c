/* Certificates of host files; each complaint names key and expectation. */
#include "io/host_cert.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/tls_creds.h"
#include "io/tls_file.h"

int host_check_readable(const struct host_place *at, const char *key,
			const char *file)
{
	if (access(file, R_OK) == 0)
		return 0;
	return host_complain(at, key, "\"%s\": %s, expected a readable file",
			     file, strerror(errno));
}

int host_check_trust(const struct host_place *at, const char *key,
		     const char *file)
{
	struct errbuf why = {.text = ""};
	struct tls_file *f = NULL;
	int err = host_check_readable(at, key, file);

	if (err == 0 && tls_file_new(&f, file, true, &why) != 0)
		return host_complain(at, key,
				     "%s, expected PEM certificates of CAs",
				     why.text);
	if (err == 0 && !tls_file_has_anchor(f))
		err = host_complain(at, key,
				    "\"%s\" has no CA in it, expected the "
				    "certificate of the CA that signed those "
				    "of the peers",
				    file);
	tls_file_free(f);
	return err;
}

static int complain_of_date(const struct host_place *at, const char *key,
			    const char *file, const char *what, int64_t ms,
			    const char *expected)
{
	time_t seconds = (time_t)(ms / 1000);
	char day[32] = "";
	struct tm utc;

	if (gmtime_r(&seconds, &utc) != NULL)
		(void)strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &utc);
	return host_complain(at, key, "\"%s\" %s %s, expected %s", file, what,
			     day, expected);
}

int host_check_crl(const struct host_place *at, const char *key,
		   const char *file)
{
	struct errbuf why = {.text = ""};
	int64_t until;
	int err = 0;

	if (file != NULL)
		err = host_check_readable(at, key, file);
	if (err != 0 || file == NULL)
		return err;
	if (tls_file_check_crl(file, &until, &why) != 0)
		return host_complain(at, key,
				     "%s, expected PEM revocation lists of "
				     "the CAs in trust",
				     why.text);
	if (until < loop_wall_ms())
		return complain_of_date(at, key, file, "is out of date since",
					until, "a newer revocation list");
	return 0;
}

static const char valid_today[] = "a certificate that is valid today";

static int check_dates(const struct host_place *at, const struct host_pair *p,
		       const struct tls_file *f)
{
	int64_t now = loop_wall_ms();
	int64_t from, to;

	tls_file_dates(f, &from, &to);
	if (now > to)
		return complain_of_date(at, p->cert_key, p->cert_file,
					"expired on", to, valid_today);
	if (now < from)
		return complain_of_date(at, p->cert_key, p->cert_file,
					"is not valid before", from,
					valid_today);
	return 0;
}

/* They belong together; the certificate itself was read before. */
static int check_key(const struct host_place *at, const struct host_pair *p)
{
	struct tls_identity id = {p->name, p->cert_file, p->key_file, NULL};
	struct tls_creds_params params = {.identities = &id,
					  .identity_count = 1};
	struct errbuf why = {.text = ""};
	struct tls_creds *creds = NULL;

	if (tls_creds_new(&creds, &params, &why) == 0) {
		tls_creds_unref(creds);
		return 0;
	}
	/* such as an order that is wrong */
	if (strncmp(why.text, p->cert_file, strlen(p->cert_file)) == 0)
		return host_complain(at, p->cert_key,
				     "%s, expected a PEM certificate chain",
				     why.text);
	if (strstr(why.text, "expected") != NULL)
		return host_complain(at, p->key_key, "%s", why.text);
	return host_complain(at, p->key_key,
			     "%s, expected the private key of its first "
			     "certificate, as PEM",
			     why.text);
}

int host_check_pair(const struct host_place *at, const struct host_pair *p,
		    struct tls_file **file_out)
{
	struct errbuf why = {.text = ""};
	struct tls_file *f = NULL;
	int err = host_check_readable(at, p->cert_key, p->cert_file);

	if (err == 0)
		err = host_check_readable(at, p->key_key, p->key_file);
	if (err == 0 && tls_file_new(&f, p->cert_file, false, &why) != 0)
		return host_complain(at, p->cert_key,
				     "%s, expected a PEM certificate chain, "
				     "the end certificate first",
				     why.text);
	if (err == 0)
		err = check_key(at, p);
	if (err == 0)
		err = check_dates(at, p, f);
	if (err != 0) {
		tls_file_free(f);
		return err;
	}
	*file_out = f;
	return 0;
}

int host_check_channel_pair(const struct host_place *at,
			    const struct host_pair *p)
{
	struct tls_file *f = NULL;
	int err = host_check_pair(at, p, &f);

	if (err == 0 && !tls_file_has_name(f, p->name))
		err = host_complain(at, p->cert_key,
				    "\"%s\" is not a certificate of \"%s\", "
				    "expected one whose subjectAltName has the "
				    "instance as a DNS name",
				    p->cert_file, p->name);
	tls_file_free(f);
	return err;
}
