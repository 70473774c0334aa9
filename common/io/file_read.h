/* Whole files of the operator: configurations, certificates. */
#ifndef FED_IO_FILE_READ_H
#define FED_IO_FILE_READ_H

#include "base/buf.h"
#include "base/err.h"

/**
 * Append a file's bytes.
 *
 * @param out  its maximum is the file's
 * @param e    "FILE: why not", NULL: not wanted
 * @return 0; FED_ECONFIG cannot be opened or read, too large or out of memory
 */
int file_read(const char *file, struct buf *out,
	      struct errbuf *e) FED_NODISCARD;

#endif
