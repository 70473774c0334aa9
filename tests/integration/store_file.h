/*
 * The place of an SQLite store under test: a folder of its own in /tmp.
 */
#ifndef FED_TEST_STORE_FILE_H
#define FED_TEST_STORE_FILE_H

#include <unistd.h>

#include "store_rig.h"

static inline void store_file_make(char *path, size_t size)
{
	char folder[] = "/tmp/fed-store-XXXXXX";

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, size, "%s/store.db", folder);
}

static inline void store_file_remove(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-journal"};
	char name[300];

	for (size_t i = 0; i < FED_ARRAY_LEN(ends); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
}

static inline void store_file_folder(const char *path, char *out, size_t size)
{
	(void)snprintf(out, size, "%.*s", (int)(strrchr(path, '/') - path),
		       path);
}

static inline void store_file_drop(const char *path)
{
	char folder[300];

	store_file_remove(path);
	store_file_folder(path, folder, sizeof(folder));
	assert_int_equal(0, rmdir(folder));
}

#endif
