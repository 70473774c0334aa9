/*
 * The federation configuration as YAML: what export writes, and apply and the
 * gateway's bootstrap read.  No loop and no socket in here: fedctl has it too.
 */
#ifndef FED_IO_FEDERATION_YAML_H
#define FED_IO_FEDERATION_YAML_H

#include <stdio.h>

#include "base/arena.h"
#include "base/span.h"
#include "federation.pb-c.h"

/* Records of a file. */
struct federation_records {
	Fed__Record **items;
	size_t count;
};

/**
 * Absent keys have their defaults; settings without dialback_secret have an
 * empty one, which keeps that there is.  Names are as written, whether they
 * make sense is for the gateway to say.
 *
 * @param name  for e
 * @param a     of LIMIT_FEDERATION_ARENA_BYTES; the records live in there
 * @param e     "NAME:LINE: key: what was wrong, what is expected"
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int federation_yaml_read(const char *name, struct span text, struct arena *a,
			 struct federation_records *out,
			 struct errbuf *e) FED_NODISCARD;

/** The same of a file. */
int federation_yaml_read_file(const char *path, struct arena *a,
			      struct federation_records *out,
			      struct errbuf *e) FED_NODISCARD;

/**
 * Records in a form that reads to the same, all keys written out; those of a
 * migration (movers) are left out.
 *
 * @param with_secrets  false: without dialback_secret
 * @return 0; FED_EIO errno says why; FED_ENOMEM
 */
int federation_yaml_write(FILE *out, const Fed__Record *const *records,
			  size_t count, bool with_secrets) FED_NODISCARD;

#endif
