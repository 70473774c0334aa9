# shellcheck shell=bash
#
# The Internet's DNS: one server that knows the zone "example." and the records
# that were added to it. The file "records" holds them all, one a line.

SRV_NAME=_xmpp-server._tcp

dns_configure() {
	local folder=$LAB_STATE/dns

	render unbound.conf.in >"$folder/unbound.conf"
	cat >"$folder/records" <<-END
		$SRV_NAME.$LAB_XMPP_DOMAIN. 60 IN SRV 0 0 $LAB_S2S_PORT prosody.$LAB_XMPP_DOMAIN.
		prosody.$LAB_XMPP_DOMAIN. 60 IN A $LAB_PROSODY_IP
		prosody.$LAB_XMPP_DOMAIN. 60 IN AAAA $LAB_PROSODY_IP6
		$SRV_NAME.$LAB_SIP_DOMAIN. 60 IN SRV 0 0 $LAB_S2S_PORT edge1.$LAB_SIP_DOMAIN.
		edge1.$LAB_SIP_DOMAIN. 60 IN A $LAB_EDGE_OUTER_IP
		edge1.$LAB_SIP_DOMAIN. 60 IN AAAA $LAB_EDGE_OUTER_IP6
	END
}

# address_record NAME ADDRESS
address_record() {
	local type=A

	[[ $2 != *:* ]] || type=AAAA
	echo "$1. 60 IN $type $2"
}

dns_control() {
	unbound-control -q -c "$LAB_STATE/dns/unbound.conf" "$@"
}

# The records go in as the configuration that unbound reads at its start.
dns_start() {
	local record

	while IFS= read -r record; do
		printf "local-data: '%s'\n" "$record"
	done <"$LAB_STATE/dns/records" >"$LAB_STATE/dns/records.conf"
	spawn dns "$LAB_NS_INET" unbound -d -c "$LAB_STATE/dns/unbound.conf"
}

dns_answers() {
	ip netns exec "$LAB_NS_INET" getent hosts \
		"prosody.$LAB_XMPP_DOMAIN" >/dev/null
}

check_record() {
	[[ $1 != *[\'$'\n']* ]] ||
		die "a record is one line without the character ': $1"
	[[ $1 =~ ^[^[:space:]]+[[:space:]]+([0-9]+[[:space:]]+)?(IN[[:space:]]+)?[A-Z][A-Z0-9]*[[:space:]]+[^[:space:]] ]] ||
		die "not a record: '$1'" \
			"(expected like 'h.foo.example. 60 IN A 198.51.100.20')"
}

with_final_dot() {
	local record name

	for record in "$@"; do
		name=${record%%[[:space:]]*}
		printf '%s.%s\n' "${name%.}" "${record#"$name"}"
	done
}

# One record may also come as several words, its name without the final dot.
dns_add() {
	local record answer
	local -a records

	[[ $* == *[[:space:]]* && $1 != *[[:space:]]* ]] && set -- "$*"
	for record in "$@"; do
		check_record "$record"
	done
	mapfile -t records < <(with_final_dot "$@")
	set -- "${records[@]}"
	for record in "$@"; do
		answer=$(dns_control local_data "$record" 2>&1) ||
			die "the DNS server refuses '$record': $answer"
		grep -qxF -e "$record" "$LAB_STATE/dns/records" ||
			printf '%s\n' "$record" >>"$LAB_STATE/dns/records"
	done
}

dns_remove() {
	local name file=$LAB_STATE/dns/records

	for name in "$@"; do
		[[ $name == *. ]] || die "a name ends with a dot: $name"
		dns_control local_data_remove "$name" ||
			die "the DNS server does not remove '$name'"
		awk -v name="$name" '$1 != name' "$file" >"$file.new"
		mv "$file.new" "$file"
	done
}

# lab dns add RECORD… | remove NAME… | list
command_dns() {
	local verb=${1:-}

	(($# == 0)) || shift
	need_up
	case $verb in
	add | remove)
		(($# > 0)) || die "usage: lab dns add RECORD… | remove NAME…"
		service_alive dns || die "the DNS server does not run"
		"dns_$verb" "$@"
		;;
	list) cat "$LAB_STATE/dns/records" ;;
	*) die "usage: lab dns add RECORD… | remove NAME… | list" ;;
	esac
}
