/* A file system of SQLite in memory, with what a power cut leaves of it. */
#include "power_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { NAMES = 3, SECTOR_BYTES = 512 };

static const char *const ends[NAMES] = {"", "-wal", "-journal"};

struct bytes {
	char *p;
	size_t n;
	size_t cap;
};

/* Not yet synced: bytes at an offset, or the new size of the file. */
struct change {
	size_t offset;
	size_t n;
	char *p; /* NULL: truncate to offset */
};

struct inode {
	struct bytes now;
	struct bytes synced;
	struct change *changes;
	size_t count;
	size_t cap;
	struct inode *next; /* of all of the disk */
};

struct power_disk {
	struct inode *inodes;
	struct inode *now[NAMES];    /* NULL: no such file */
	struct inode *synced[NAMES]; /* where the folder on disk leads to */
	unsigned operations;	     /* of those that are counted */
	struct power_cut cut;
	struct power_disk *rest; /* after the cut */
	bool is_lying;
	struct power_facts facts;
};

struct power_file {
	sqlite3_file base;
	struct inode *inode;
	size_t name;
	bool syncs_folder; /* at its first sync */
};

static struct power_disk *used;

/* --- bytes ---------------------------------------------------------------- */

static void *must(void *p)
{
	FED_REQUIRE(p != NULL);
	return p;
}

static void resize(struct bytes *b, size_t n)
{
	if (n > b->cap) {
		b->cap = n * 2;
		b->p = must(realloc(b->p, b->cap));
	}
	if (n > b->n && b->p != NULL)
		memset(b->p + b->n, 0, n - b->n);
	b->n = n;
}

static void write_at(struct bytes *b, size_t offset, const char *p, size_t n)
{
	if (offset + n > b->n)
		resize(b, offset + n);
	if (n > 0)
		memcpy(b->p + offset, p, n);
}

static void apply(struct bytes *b, const struct change *c)
{
	if (c->p == NULL)
		resize(b, c->offset);
	else
		write_at(b, c->offset, c->p, c->n);
}

/* --- inodes --------------------------------------------------------------- */

static struct inode *inode_new(struct power_disk *d)
{
	struct inode *i = must(calloc(1, sizeof(*i)));

	i->next = d->inodes;
	d->inodes = i;
	return i;
}

static void inode_change(struct inode *i, struct change c)
{
	if (i->count == i->cap) {
		i->cap = i->cap * 2 + 16;
		i->changes =
			must(realloc(i->changes, i->cap * sizeof(*i->changes)));
	}
	i->changes[i->count++] = c;
	apply(&i->now, &c);
}

static void inode_forget(struct inode *i)
{
	for (size_t k = 0; k < i->count; k++)
		free(i->changes[k].p);
	i->count = 0;
}

static void inode_sync(struct inode *i)
{
	for (size_t k = 0; k < i->count; k++)
		apply(&i->synced, &i->changes[k]);
	inode_forget(i);
}

static void inode_free(struct inode *i)
{
	inode_forget(i);
	free(i->changes);
	free(i->now.p);
	free(i->synced.p);
	free(i);
}

static struct inode *inode_of(struct power_disk *d, const struct bytes *b)
{
	struct inode *i = inode_new(d);

	write_at(&i->now, 0, b->p != NULL ? b->p : "", b->n);
	write_at(&i->synced, 0, b->p != NULL ? b->p : "", b->n);
	return i;
}

/* --- the cut -------------------------------------------------------------- */

static unsigned pick(struct power_disk *d, unsigned n)
{
	return ((unsigned)rand_r(d->cut.seed) >> 4) % n;
}

/* Some sectors of it. */
static void apply_torn(struct power_disk *d, struct bytes *b,
		       const struct change *c)
{
	size_t from = 0;

	while (c->p != NULL && from < c->n) {
		size_t end =
			((c->offset + from) / SECTOR_BYTES + 1) * SECTOR_BYTES -
			c->offset;
		size_t n = (end < c->n ? end : c->n) - from;

		if (pick(d, 2) == 0)
			write_at(b, c->offset + from, c->p + from, n);
		from += n;
	}
}

static struct bytes content_after(struct power_disk *d, const struct inode *i)
{
	struct bytes b = {NULL, 0, 0};
	unsigned way = pick(d, 4);
	size_t first = i->count > 0 ? pick(d, (unsigned)i->count + 1) : 0;

	write_at(&b, 0, i->synced.p != NULL ? i->synced.p : "", i->synced.n);
	for (size_t k = 0; k < i->count; k++) {
		bool is_there = way == 1 || (way == 2 && k < first) ||
				(way == 3 && pick(d, 2) == 0);

		if (way == 2 && k == first)
			apply_torn(d, &b, &i->changes[k]);
		else if (is_there && way == 3 && pick(d, 8) == 0)
			apply_torn(d, &b, &i->changes[k]);
		else if (is_there)
			apply(&b, &i->changes[k]);
	}
	return b;
}

static const struct inode *name_after(struct power_disk *d, size_t name)
{
	if (d->now[name] == d->synced[name])
		return d->now[name];
	switch (pick(d, 3)) {
	case 0:
		return d->now[name];
	case 1:
		return d->synced[name];
	default:
		/* removed, and the new one not there yet */
		return d->synced[name] != NULL && d->now[name] != NULL
			       ? NULL
			       : d->now[name];
	}
}

void power_disk_cut(struct power_disk *d)
{
	if (d->rest != NULL)
		return;
	d->rest = power_disk_new();
	for (size_t name = 0; name < NAMES; name++) {
		const struct inode *i = name_after(d, name);
		struct bytes b;

		d->facts.in_folder |= d->now[name] != d->synced[name];
		if (i == NULL)
			continue;
		d->facts.in_file |= name == 0 && i->count > 0;
		d->facts.in_log |= name == 1 && i->count > 0;
		b = content_after(d, i);
		d->rest->now[name] = inode_of(d->rest, &b);
		d->rest->synced[name] = d->rest->now[name];
		free(b.p);
	}
	d->cut.at_cut(d->cut.arg);
}

static bool cuts_here(struct power_disk *d, size_t name, bool in_folder)
{
	if ((d->cut.where == POWER_IN_FILE && name != 0) ||
	    (d->cut.where == POWER_IN_FOLDER && !in_folder))
		return false;
	return ++d->operations == d->cut.operation;
}

/* In front of the operation, or behind it: the result is for finish(). */
static bool begin(struct power_disk *d, size_t name, bool in_folder)
{
	bool is_after = cuts_here(d, name, in_folder);

	if (is_after && pick(d, 2) == 0) {
		power_disk_cut(d);
		is_after = false;
	}
	return is_after;
}

static int finish(struct power_disk *d, bool is_cut)
{
	if (is_cut)
		power_disk_cut(d);
	return SQLITE_OK;
}

/* --- files ---------------------------------------------------------------- */

static struct power_file *file_of(sqlite3_file *f)
{
	return (struct power_file *)f;
}

static int file_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 offset)
{
	const struct bytes *b = &file_of(f)->inode->now;
	size_t from = (size_t)offset;
	size_t there = from < b->n ? b->n - from : 0;

	if (there > (size_t)n)
		there = (size_t)n;
	if (there > 0)
		memcpy(out, b->p + from, there);
	memset((char *)out + there, 0, (size_t)n - there);
	return there == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *p, int n,
		      sqlite3_int64 offset)
{
	struct change c = {(size_t)offset, (size_t)n, must(malloc((size_t)n))};
	bool is_cut = begin(used, file_of(f)->name, false);

	memcpy(c.p, p, c.n);
	inode_change(file_of(f)->inode, c);
	return finish(used, is_cut);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	bool is_cut = begin(used, file_of(f)->name, false);

	inode_change(file_of(f)->inode,
		     (struct change){.offset = (size_t)size});
	return finish(used, is_cut);
}

static void sync_folder(struct power_disk *d)
{
	memcpy(d->synced, d->now, sizeof(d->synced));
}

static int file_sync(sqlite3_file *f, int flags)
{
	bool is_cut = begin(used, file_of(f)->name, false);

	(void)flags;
	if (!used->is_lying) {
		inode_sync(file_of(f)->inode);
		if (file_of(f)->syncs_folder)
			sync_folder(used);
		file_of(f)->syncs_folder = false;
	}
	return finish(used, is_cut);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)file_of(f)->inode->now.n;
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int file_reserved(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *f)
{
	(void)f;
	return 4096; /* as SQLite's own says */
}

static int file_traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1, /* no shared memory: it has to be used by us alone */
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_lock,
	.xCheckReservedLock = file_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
};

/* --- folder --------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name);
	size_t k = strlen(end);

	return n >= k && strcmp(name + n - k, end) == 0;
}

static size_t name_of(const char *path)
{
	for (size_t i = 1; i < NAMES; i++)
		if (ends_with(path, ends[i]))
			return i;
	return 0;
}

static int folder_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f,
		       int flags, int *flags_out)
{
	const int syncing = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
	struct power_file *file = file_of(f);
	size_t name = path != NULL ? name_of(path) : 0;
	bool is_cut;

	(void)vfs;
	file->base.pMethods = NULL;
	if (path == NULL)
		return SQLITE_CANTOPEN; /* temporary ones are in memory */
	/* the program itself makes the file, empty */
	if (used->now[name] == NULL && name != 0 &&
	    (flags & SQLITE_OPEN_CREATE) == 0)
		return SQLITE_CANTOPEN;
	if (used->now[name] == NULL) {
		is_cut = begin(used, name, true);
		used->now[name] = inode_new(used);
		(void)finish(used, is_cut);
	}
	file->base.pMethods = &methods;
	file->inode = used->now[name];
	file->name = name;
	file->syncs_folder =
		(flags & SQLITE_OPEN_CREATE) != 0 && (flags & syncing) != 0;
	if (flags_out != NULL)
		*flags_out = flags;
	return SQLITE_OK;
}

static int folder_delete(sqlite3_vfs *vfs, const char *path, int is_synced)
{
	size_t name = name_of(path);
	bool is_cut;

	(void)vfs;
	if (used->now[name] == NULL)
		return SQLITE_IOERR_DELETE_NOENT;
	is_cut = begin(used, name, true);
	used->now[name] = NULL;
	if (is_synced != 0 && !used->is_lying)
		sync_folder(used);
	return finish(used, is_cut);
}

/* As SQLite's own: an empty file does not count. */
static int folder_access(sqlite3_vfs *vfs, const char *path, int flags,
			 int *out)
{
	const struct inode *i = used->now[name_of(path)];

	(void)vfs;
	*out = i != NULL && (flags != SQLITE_ACCESS_EXISTS || i->now.n > 0);
	return SQLITE_OK;
}

static int folder_full_path(sqlite3_vfs *vfs, const char *path, int size,
			    char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)size, "%s", path) < size ? SQLITE_OK
							      : SQLITE_CANTOPEN;
}

void power_disk_use(struct power_disk *d)
{
	static sqlite3_vfs vfs;

	if (vfs.zName == NULL) {
		vfs = *sqlite3_vfs_find(NULL);
		vfs.iVersion = 2; /* no system calls to replace */
		vfs.zName = "power";
		vfs.szOsFile = (int)sizeof(struct power_file);
		vfs.xOpen = folder_open;
		vfs.xDelete = folder_delete;
		vfs.xAccess = folder_access;
		vfs.xFullPathname = folder_full_path;
	}
	used = d;
	if (d != NULL)
		FED_REQUIRE(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
	else
		(void)sqlite3_vfs_unregister(&vfs);
}

/* --- disks ---------------------------------------------------------------- */

struct power_disk *power_disk_new(void)
{
	return must(calloc(1, sizeof(struct power_disk)));
}

void power_disk_free(struct power_disk *d)
{
	struct inode *next;

	if (d == NULL)
		return;
	power_disk_free(d->rest);
	for (struct inode *i = d->inodes; i != NULL; i = next) {
		next = i->next;
		inode_free(i);
	}
	free(d);
}

struct power_disk *power_disk_clone(const struct power_disk *d)
{
	struct power_disk *copy = power_disk_new();

	for (size_t name = 0; name < NAMES; name++)
		if (d->now[name] != NULL) {
			copy->now[name] = inode_of(copy, &d->now[name]->now);
			copy->synced[name] = copy->now[name];
		}
	return copy;
}

void power_disk_cut_at(struct power_disk *d, const struct power_cut *cut)
{
	d->cut = *cut;
}

struct power_disk *power_disk_take_rest(struct power_disk *d)
{
	struct power_disk *rest = d->rest;

	d->rest = NULL;
	return rest;
}

void power_disk_lie(struct power_disk *d)
{
	d->is_lying = true;
}

struct power_facts power_disk_facts(const struct power_disk *d)
{
	return d->facts;
}
