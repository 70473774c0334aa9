/*
 * Whether the file and its log are still where their names lead.  Who deletes
 * or replaces one of them takes nothing from us, who have them open, but all
 * from the next start.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fe-gateway/store_sqlite.h"

enum found {
	FOUND_OURS,
	FOUND_NOTHING,
	FOUND_ANOTHER,
	FOUND_UNKNOWN, /* errno */
};

static enum found find(const char *name, const struct store_sqlite_id *id)
{
	struct stat st;

	if (stat(name, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR ? FOUND_NOTHING
							   : FOUND_UNKNOWN;
	return st.st_dev == id->device && st.st_ino == id->inode
		       ? FOUND_OURS
		       : FOUND_ANOTHER;
}

static bool take(const char *name, struct store_sqlite_id *id)
{
	struct stat st;

	if (stat(name, &st) != 0)
		return false;
	*id = (struct store_sqlite_id){st.st_dev, st.st_ino};
	return true;
}

static int refuse(const char *name, enum found found, struct errbuf *why)
{
	int code = errno;

	if (found == FOUND_NOTHING)
		errbuf_set(why, "%s: is gone", name);
	else if (found == FOUND_ANOTHER)
		errbuf_set(why,
			   "%s: was replaced by another file; move that away, "
			   "and a new one is written",
			   name);
	else
		errbuf_set(why, "%s: cannot be found: %s", name,
			   strerror(code));
	return FED_EIO;
}

/* --- what is taken, and looked at ----------------------------------------- */

int store_sqlite_place_take(struct store_sqlite_place *p, struct sqlite3 *db,
			    const char *path, struct errbuf *e)
{
	size_t size = strlen(path) + sizeof("-copy");

	p->path = path;
	p->log_name = sqlite3_filename_wal(sqlite3_db_filename(db, "main"));
	p->has_log = take(p->log_name, &p->log);
	p->copy_name = malloc(size);
	if (p->copy_name == NULL)
		return FED_ENOMEM;
	(void)snprintf(p->copy_name, size, "%s-copy", path);
	if (!take(path, &p->file))
		return refuse(path, FOUND_NOTHING, e);
	return 0;
}

void store_sqlite_place_deinit(struct store_sqlite_place *p)
{
	free(p->copy_name);
}

int store_sqlite_place_look(const struct store_sqlite_place *p,
			    struct errbuf *why)
{
	enum found found = find(p->path, &p->file);

	if (found != FOUND_OURS)
		return refuse(p->path, found, why);
	if (p->has_log)
		found = find(p->log_name, &p->log);
	if (found != FOUND_OURS)
		return refuse(p->log_name, found, why);
	return 0;
}

/* The library closes by name: whatever stands there would be deleted. */
void store_sqlite_place_leave(const struct store_sqlite_place *p,
			      struct sqlite3 *db)
{
	if (!p->has_log || find(p->log_name, &p->log) == FOUND_OURS)
		return;
	(void)sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE,
					NULL, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* --- a copy in its place -------------------------------------------------- */

/* Our log beside another file, or a new one, would be read into that one at
 * the next start.  The file that it belongs to gets what is in it. */
static int drop_log(const struct store_sqlite_place *p, struct sqlite3 *db,
		    struct errbuf *why)
{
	if (p->has_log && find(p->log_name, &p->log) == FOUND_OURS) {
		(void)sqlite3_wal_checkpoint_v2(
			db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		(void)unlink(p->log_name);
	}
	if (access(p->log_name, F_OK) != 0 && errno == ENOENT)
		return 0;
	return refuse(p->log_name, FOUND_ANOTHER, why);
}

static int explain(const struct store_sqlite_place *p, struct errbuf *why)
{
	errbuf_set(why, "%s: a copy cannot be put there: %s", p->path,
		   strerror(errno));
	return FED_EIO;
}

/* Of a file or a folder. */
static int sync_name(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	return rc;
}

static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int rc;

	if (slash == NULL)
		return sync_name(".");
	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (folder == NULL)
		return -1;
	rc = sync_name(folder);
	free(folder);
	return rc;
}

/* All that was committed, under a name of its own. */
static int copy(struct store_sqlite_place *p, struct sqlite3 *db,
		struct errbuf *why)
{
	char *sql;
	int rc;
	int fd;

	(void)unlink(p->copy_name); /* of a try that did not end */
	fd = open(p->copy_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return explain(p, why);
	(void)close(fd);
	sql = sqlite3_mprintf("VACUUM INTO %Q", p->copy_name);
	if (sql == NULL)
		return FED_ENOMEM;
	rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
	if (rc != SQLITE_OK) {
		store_sqlite_explain(db, p->copy_name, why);
		return rc == SQLITE_NOMEM ? FED_ENOMEM : FED_EIO;
	}
	if (sync_name(p->copy_name) != 0 || !take(p->copy_name, &p->copy))
		return explain(p, why);
	return 0;
}

/* Where nothing stands, or the file itself without its log. */
static int put(const struct store_sqlite_place *p, struct errbuf *why)
{
	int rc = find(p->path, &p->file) == FOUND_OURS
			 ? rename(p->copy_name, p->path)
			 : link(p->copy_name, p->path); /* never over another */

	if (rc != 0)
		return explain(p, why);
	if (sync_folder(p->path) != 0)
		return explain(p, why);
	return 0;
}

int store_sqlite_place_mend(struct store_sqlite_place *p, struct sqlite3 *db,
			    struct errbuf *why)
{
	enum found found = find(p->path, &p->file);
	int err;

	if (p->copy.inode != 0 && find(p->path, &p->copy) == FOUND_OURS)
		return 0; /* it could not be opened */
	if (found == FOUND_ANOTHER)
		(void)drop_log(p, db, why);
	if (found == FOUND_ANOTHER || found == FOUND_UNKNOWN)
		return refuse(p->path, found, why);
	if (p->has_log && find(p->log_name, &p->log) == FOUND_ANOTHER)
		return refuse(p->log_name, FOUND_ANOTHER, why);
	err = copy(p, db, why);
	if (err == 0)
		err = drop_log(p, db, why);
	if (err == 0)
		err = put(p, why);
	(void)unlink(p->copy_name);
	return err;
}

int store_sqlite_place_is_copy(const struct store_sqlite_place *now,
			       const struct store_sqlite_place *before,
			       struct errbuf *why)
{
	if (now->file.device == before->copy.device &&
	    now->file.inode == before->copy.inode)
		return 0;
	return refuse(now->path, FOUND_ANOTHER, why);
}
