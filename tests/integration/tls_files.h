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

/* NAME.pem and NAME.key signed by CA.pem; ext is a line of x509v3 config */
static inline void files_issue(const struct tls_files *f, const char *ca,
			       const char *name, const char *ext, int days)
{
	char line[900];

	(void)snprintf(
		line, sizeof(line),
		"openssl ecparam -name prime256v1 -genkey -noout -out %s.key "
		"&& openssl req -new -key %s.key -subj /CN=%s -out %s.csr "
		"&& printf '%s\\n' > %s.ext "
		"&& openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key "
		"-CAcreateserial -days %d -extfile %s.ext -out %s.pem",
		name, name, name, name, ext, name, name, ca, ca, days, name,
		name);
	files_run(f, line);
}

static inline void files_ca(const struct tls_files *f, const char *name)
{
	char line[512];

	(void)snprintf(
		line, sizeof(line),
		"openssl req -x509 -newkey ec -pkeyopt "
		"ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=%s "
		"-addext keyUsage=keyCertSign -keyout %s.key -out %s.pem",
		name, name, name);
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
		    "subjectAltName=DNS:a.example,DNS:*.wild.example", 30);
	files_issue(f, "ca", "b",
		    "subjectAltName=DNS:b.example\\n"
		    "extendedKeyUsage=serverAuth",
		    30);
	files_issue(f, "ca", "clientonly",
		    "subjectAltName=DNS:c.example\\n"
		    "extendedKeyUsage=clientAuth",
		    30);
	files_issue(f, "stranger", "odd", "subjectAltName=DNS:odd.example", 30);
	files_issue(f, "ca", "old", "subjectAltName=DNS:old.example", -1);
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
