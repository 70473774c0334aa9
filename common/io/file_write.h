/* Files of our own that must survive a crash whole. */
#ifndef FED_IO_FILE_WRITE_H
#define FED_IO_FILE_WRITE_H

#include "base/err.h"
#include "base/span.h"

/**
 * Put the bytes in the place of a file, or leave it as it was: they are on the
 * disk when this returns.  Only its owner may read it.
 *
 * @param file  its folder must be there; FILE.new in it is used meanwhile
 * @param e     "FILE: why not"
 * @return 0; FED_EIO the file is as it was; FED_ESTATE the bytes are in its
 *         place, but the old ones may come back where the power fails
 */
int file_replace(const char *file, struct span bytes,
		 struct errbuf *e) FED_NODISCARD;

/**
 * Would file_replace() do?  The bytes are written to the disk and taken away
 * again, the file stays as it is; its folder is synced too.
 *
 * @param e  "FILE: why not"
 * @return 0; FED_EIO
 */
int file_replace_try(const char *file, struct span bytes,
		     struct errbuf *e) FED_NODISCARD;

#endif
