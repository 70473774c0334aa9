/*
 * Certificates for tests, made with openssl(1) in a temporary folder.
 */
#ifndef FED_TEST_TLS_FILES_H
#define FED_TEST_TLS_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct tls_files {
	char dir[64];
};

/* In the folder, quietly; the test fails when the command does. */
static inline void files_run(const struct tls_files *f, const char *command)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "cd %s && { %s; } >log 2>&1", f->dir,
		       command);
	if (system(line) != 0)
		fail_msg("%s", line);
}

static inline const char *files_path(const struct tls_files *f,
				     const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", f->dir, name);
	return out;
}

/* NAME.key, NAME.csr and NAME.ext; ext is lines of x509v3 config */
static inline void files_request(const struct tls_files *f, const char *name,
				 const char *ext)
{
	char line[600];

	(void)snprintf(
		line, sizeof(line),
		"openssl ecparam -name prime256v1 -genkey -noout -out %s.key "
		"&& openssl req -new -key %s.key -subj /CN=%s -out %s.csr "
		"&& printf '%s\\n' > %s.ext",
		name, name, name, name, ext, name);
	files_run(f, line);
}

/* NAME.pem and NAME.key signed by CA.pem */
static inline void files_issue(const struct tls_files *f, const char *ca,
			       const char *name, const char *ext)
{
	char line[600];

	files_request(f, name, ext);
	(void)snprintf(line, sizeof(line),
		       "openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key "
		       "-CAcreateserial -days 30 -extfile %s.ext -out %s.pem",
		       name, ca, ca, name, name);
	files_run(f, line);
}

/* The same, of a day long ago.  Only ca(1) sets both dates with OpenSSL 3.0
 * and 3.5: the one's x509(1) has no option for it, the other's refuses a
 * negative number of days. */
static inline void files_issue_expired(const struct tls_files *f,
				       const char *ca, const char *name,
				       const char *ext)
{
	char line[900];

	files_request(f, name, ext);
	(void)snprintf(line, sizeof(line),
		       "printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index\\n"
		       "new_certs_dir=.\\nrand_serial=1\\ndefault_md=sha256\\n"
		       "policy=p\\n[p]\\ncommonName=supplied\\n' > ca.cnf "
		       "&& : > index && "
		       "openssl ca -batch -config ca.cnf -cert %s.pem "
		       "-keyfile %s.key -in %s.csr -extfile "
		       "%s.ext -startdate 20240101000000Z "
		       "-enddate 20240102000000Z -notext -out %s.pem",
		       ca, ca, name, name, name);
	files_run(f, line);
}

/* NAME.pem of NAME.csr once more, for so many seconds from now. */
static inline void files_issue_short(const struct tls_files *f, const char *ca,
				     const char *name, unsigned seconds)
{
	char line[600];

	(void)snprintf(line, sizeof(line),
		       ": > index && openssl ca -batch -config ca.cnf "
		       "-cert %s.pem -keyfile %s.key -in %s.csr "
		       "-extfile %s.ext -startdate 20240101000000Z -enddate "
		       "$(date -u -d '+%u seconds' +%%Y%%m%%d%%H%%M%%SZ) "
		       "-notext -out %s.pem",
		       ca, ca, name, name, seconds, name);
	files_run(f, line);
}

static inline void files_ca(const struct tls_files *f, const char *name)
{
	char line[512];

	(void)snprintf(
		line, sizeof(line),
		"openssl req -x509 -newkey ec -pkeyopt "
		"ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=%s "
		"-addext keyUsage=keyCertSign,cRLSign -keyout %s.key -out "
		"%s.pem",
		name, name, name);
	files_run(f, line);
}

/* NAME.crl of CA: it revokes that certificate, for so many seconds. */
static inline void files_revoke(const struct tls_files *f, const char *ca,
				const char *cert, const char *name,
				unsigned seconds)
{
	char line[700];

	(void)snprintf(line, sizeof(line),
		       ": > index && openssl ca -config ca.cnf -cert %s.pem "
		       "-keyfile %s.key -revoke %s.pem && openssl ca "
		       "-config ca.cnf -cert %s.pem -keyfile %s.key -gencrl "
		       "-crlsec %u -out %s.crl",
		       ca, ca, cert, ca, ca, seconds, name);
	files_run(f, line);
}

static inline void files_make(struct tls_files *f)
{
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/fed-tls-XXXXXX");
	if (mkdtemp(f->dir) == NULL)
		fail_msg("no temporary folder");
	files_ca(f, "ca");
	files_ca(f, "stranger");
	files_issue(f, "ca", "a",
		    "subjectAltName=DNS:a.example,DNS:*.wild.example");
	files_issue(f, "ca", "b",
		    "subjectAltName=DNS:b.example\\n"
		    "extendedKeyUsage=serverAuth");
	files_issue(f, "ca", "clientonly",
		    "subjectAltName=DNS:c.example\\n"
		    "extendedKeyUsage=clientAuth");
	files_issue(f, "stranger", "odd", "subjectAltName=DNS:odd.example");
	files_issue_expired(f, "ca", "old", "subjectAltName=DNS:old.example");
	files_run(f, "openssl req -x509 -newkey rsa:2048 -nodes -days 30 "
		     "-subj /CN=self -addext subjectAltName=DNS:self.example "
		     "-keyout self.key -out self.pem");
	files_run(f, "echo nothing here > empty.pem && cat ca.pem a.pem > "
		     "turned.pem && cat a.pem ca.pem > chain.pem && openssl "
		     "ec -in a.key -aes128 -passout pass:x -out locked.key");
}

static inline void files_remove(const struct tls_files *f)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "rm -rf %s", f->dir);
	if (system(line) != 0)
		(void)fprintf(stderr, "%s stays\n", f->dir);
}

#endif
