# shellcheck shell=bash
#
# Kamailio's presence server: its files, and who may watch whom. Without a rule
# a watcher is left pending.
#
# Tables that it writes are text (its SQLite module gives up when two of its
# processes write at once); the rules are SQLite, which may change under it.

PRESENCE_TABLES=/usr/share/kamailio/dbtext/kamailio
PRESENCE_RULES=/usr/share/kamailio/db_sqlite

# Those that are not there. Without kamailio/presence it has forgotten all.
presence_files() {
	local folder=$LAB_STATE/kamailio table

	if [[ ! -d $folder/presence ]]; then
		mkdir "$folder/presence"
		# texts may be empty, which is the same as null here
		for table in version presentity watchers active_watchers; do
			sed '1s/(str[a-z]*)/(str,null)/g' \
				"$PRESENCE_TABLES/$table" >"$folder/presence/$table"
		done
	fi
	[[ -e $folder/rules.db ]] || {
		echo 'PRAGMA journal_mode = WAL;'
		cat "$PRESENCE_RULES"/{standard,presence}-create.sql
	} | sqlite3 "$folder/rules.db" >/dev/null
}

# One <rule> of RFC 4745 and RFC 5025 for each line "WATCHER ACTION".
presence_rules() {
	local watcher action

	printf '<?xml version="1.0"?>\n'
	printf '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy"'
	printf ' xmlns:pr="urn:ietf:params:xml:ns:pres-rules">\n'
	while read -r watcher action; do
		printf '<rule id="%s"><conditions><identity>' "$watcher"
		printf '<one id="sip:%s"/></identity></conditions>' "$watcher"
		printf '<actions><pr:sub-handling>%s' "$action"
		printf '</pr:sub-handling></actions><transformations/></rule>\n'
	done
	printf '</ruleset>\n'
}

# presence_write USER FILE: his rules into the table that Kamailio reads (2 is
# its number for such a document). It wants one, also when it says nothing.
presence_write() {
	local user=$1 file=$2 document

	document=$(presence_rules <"$file")
	{
		printf '.timeout 5000\n'
		printf "DELETE FROM xcap WHERE username = '%s';\n" "$user"
		printf "INSERT INTO xcap (username, domain,
			doc, doc_type, etag, source, doc_uri, port)
			VALUES ('%s', '%s', '%s', 2, 'lab', 0, '%s', 0);\n" \
			"$user" "$LAB_SIP_DOMAIN" "$document" "$user"
	} | sqlite3 "$LAB_STATE/kamailio/rules.db"
}

# lab watcher USER WATCHER allow|block|polite-block|confirm|none
command_watcher() {
	local user=${1:-} watcher=${2:-} action=${3:-} file

	# nothing that means more than itself in SQL or XML
	[[ $# == 3 && $user =~ ^[a-z0-9._-]+$ &&
		$watcher =~ ^[A-Za-z0-9._%@-]+$ &&
		$action =~ ^(allow|block|polite-block|confirm|none)$ ]] ||
		die "usage: lab watcher USER WATCHER" \
			"allow|block|polite-block|confirm|none"
	need_up
	mkdir -p "$LAB_STATE/kamailio/rules"
	file=$LAB_STATE/kamailio/rules/$user
	touch "$file"
	awk -v watcher="$watcher" '$1 != watcher' "$file" >"$file.new"
	[[ $action == none ]] || echo "$watcher $action" >>"$file.new"
	mv "$file.new" "$file"
	presence_write "$user" "$file"
	service_alive kamailio || return 0
	kamcmd -s "unix:$LAB_STATE/kamailio/ctl" presence.refreshWatchers \
		"sip:$user@$LAB_SIP_DOMAIN" presence 0
}
