/* The store of presence: the contract, for each implementation. */
#include "store_contract.h"

#include <unistd.h>

static void make_folder(char *path, size_t size)
{
	char folder[] = "/tmp/fed-store-XXXXXX";

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, size, "%s/store.db", folder);
}

static void drop_folder(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-journal"};
	char name[300];

	for (size_t i = 0; i < FED_ARRAY_LEN(ends); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	(void)snprintf(name, sizeof(name), "%.*s",
		       (int)(strrchr(path, '/') - path), path);
	assert_int_equal(0, rmdir(name));
}

static struct store_factory factories[] = {
	{"sqlite", make_folder, drop_folder},
};

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(factories); i++)
		failed += store_contract(&factories[i]);
	return failed;
}
