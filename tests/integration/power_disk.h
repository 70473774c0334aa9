/*
 * A disk that loses power: a file system in memory for SQLite.
 *
 * What was written is on the disk when it was synced; at the cut any part of
 * the rest is there too: none, all, the first ones, or some, and each of these
 * may be torn between sectors.  The names in the folder are the same: a file
 * that was made or removed is so for sure when the folder was synced, which
 * SQLite's own file system does at the first sync of a journal or log.
 */
#ifndef FED_TEST_POWER_DISK_H
#define FED_TEST_POWER_DISK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct power_disk;

/** An empty disk; never NULL. */
struct power_disk *power_disk_new(void);

/** NULL is allowed. */
void power_disk_free(struct power_disk *d);

/** The same bytes, all of them synced, on another disk. */
struct power_disk *power_disk_clone(const struct power_disk *d);

/** All files of SQLite are on this one from now on; NULL: on the machine's. */
void power_disk_use(struct power_disk *d);

/* Operations that are counted: write, sync, truncate, make, remove. */
enum power_where {
	POWER_ANYWHERE,
	POWER_IN_FILE,	 /* of the file itself: it is made, the log copied */
	POWER_IN_FOLDER, /* make and remove */
};

/* When, and who is told. */
struct power_cut {
	enum power_where where;
	unsigned operation; /* from 1; 0: never */
	unsigned *seed;
	void (*at_cut)(void *arg);
	void *arg;
};

/** Lose power at that operation. */
void power_disk_cut_at(struct power_disk *d, const struct power_cut *cut);

/** Lose power now, unless it was. */
void power_disk_cut(struct power_disk *d);

/** What is left after the cut: a disk for its own. */
struct power_disk *power_disk_take_rest(struct power_disk *d);

/** Syncs do nothing from now on, as on a disk that lies. */
void power_disk_lie(struct power_disk *d);

/* What the cut hit. */
struct power_facts {
	bool in_file;	/* the file itself had bytes not synced */
	bool in_log;	/* the log had */
	bool in_folder; /* a name was not synced */
};

/** Facts of the cut, for a test that wants to know what it saw. */
struct power_facts power_disk_facts(const struct power_disk *d);

#endif
