# shellcheck shell=bash
#
# Faults: what the network or a machine can do to the daemons. Packets are
# dropped where they arrive, so that the sender learns nothing; a table of its
# own keeps these rules apart from the firewall's.

FAULT_TABLE="inet lab_fault"

# The addresses of a node, a service or an address, one a line.
endpoint_addresses() {
	case $1 in
	inet) printf '%s\n' "${ADDRESSES_INET[@]%/*}" ;;
	dmz | edge)
		printf '%s\n' "${ADDRESSES_DMZ_OUTER[@]%/*}" \
			"${ADDRESSES_DMZ_INNER[@]%/*}"
		;;
	inside) printf '%s\n' "${ADDRESSES_INSIDE[@]%/*}" ;;
	gateway) printf '%s\n' "$LAB_GATEWAY_IP" "$LAB_GATEWAY_IP6" ;;
	kamailio) echo "$LAB_KAMAILIO_IP" ;;
	dns) printf '%s\n' "$LAB_DNS_IP" "$LAB_DNS_IP6" ;;
	prosody | prosody-*)
		[[ -d $LAB_STATE/$1 ]] || die "$1 is not part of this lab"
		cat "$LAB_STATE/$1/ip"
		;;
	ejabberd) printf '%s\n' "$LAB_EJABBERD_IP" "$LAB_EJABBERD_IP6" ;;
	*[.:]*) known_address "$1" ;;
	*) die "'$1' is no node, service or address of the lab" ;;
	esac
}

known_address() {
	local all=("${ADDRESSES_INET[@]}" "${ADDRESSES_DMZ_OUTER[@]}"
		"${ADDRESSES_DMZ_INNER[@]}" "${ADDRESSES_INSIDE[@]}")

	[[ " ${all[*]%/*} " == *" $1 "* ]] ||
		die "$1 is no address of the lab"
	echo "$1"
}

# of_family ip|ip6 ENDPOINT: its addresses as the elements of a set.
of_family() {
	local pattern='^[0-9.]+$'

	[[ $1 == ip ]] || pattern=:
	endpoint_addresses "$2" | { grep -E -e "$pattern" || true; } |
		paste -sd ,
}

# drop_rules NAME A B [MATCH]: commands for nft, both ways in both families.
drop_rules() {
	local family from to a b name=$1 match=${4:-}

	printf 'add table %s\n' "$FAULT_TABLE"
	printf 'add chain %s incoming %s\n' "$FAULT_TABLE" \
		'{ type filter hook prerouting priority raw; }'
	for family in ip ip6; do
		a=$(of_family $family "$2") || return
		b=$(of_family $family "$3") || return
		[[ -n $a && -n $b ]] || continue
		for from in "$a" "$b"; do
			to=$b
			[[ $from == "$a" ]] || to=$a
			printf 'add rule %s incoming %s saddr { %s } %s daddr { %s } %s counter drop comment "%s"\n' \
				"$FAULT_TABLE" $family "$from" $family "$to" \
				"$match" "$name"
		done
	done
}

# fault_rules NAME A B [MATCH], in every namespace: a packet arrives in one of
# them, and once.
fault_rules() {
	local rules namespace

	rules=$(drop_rules "$@") || exit 1
	[[ $rules == *"add rule"* ]] || die "$2 and $3 share no address family"
	while read -r namespace; do
		ip netns exec "$namespace" nft -f - <<<"$rules"
	done < <(namespaces)
}

fault_cut() {
	(($# == 2)) || die "usage: lab fault cut A B"
	fault_rules "cut $1 $2" "$1" "$2"
}

fault_loss() {
	[[ $#:${3:-} =~ ^3:[1-9][0-9]?$ ]] ||
		die "usage: lab fault loss A B PERCENT (1 to 99)"
	fault_rules "loss $1 $2 $3" "$1" "$2" "numgen random mod 100 < $3"
}

# signal_service SIGNAL SERVICE: to all its processes, which are one group.
signal_service() {
	service_alive "$2" || die "$2 does not run"
	kill -s "$1" -- "-$(service_pid "$2")"
}

fault_freeze() {
	(($# == 1)) || die "usage: lab fault freeze SERVICE"
	signal_service STOP "$1"
}

fault_thaw() {
	(($# == 1)) || die "usage: lab fault thaw SERVICE"
	signal_service CONT "$1"
}

fault_kill() {
	(($# == 1)) || die "usage: lab fault kill SERVICE"
	signal_service KILL "$1"
	wait_for 5 group_gone "$(service_pid "$1")" ||
		die "$1 cannot be killed"
}

# Who was killed stays dead: "lab start".
fault_heal() {
	local namespace service

	(($# == 0)) || die "usage: lab fault heal"
	while read -r namespace; do
		printf 'add table %s\ndelete table %s\n' \
			"$FAULT_TABLE" "$FAULT_TABLE" |
			ip netns exec "$namespace" nft -f -
	done < <(namespaces)
	while read -r service; do
		! service_alive "$service" || signal_service CONT "$service"
	done < <(lab_services)
}

# The rules of all namespaces: packets, name.
fault_counters() {
	local namespace

	while read -r namespace; do
		ip netns exec "$namespace" nft list ruleset |
			sed -n 's/.* counter packets \([0-9]*\) .* comment "\(.*\)"$/\1 \2/p'
	done < <(namespaces)
}

fault_list() {
	local service

	(($# == 0)) || die "usage: lab fault list"
	fault_counters | awk '
		{ count = $1; sub(/^[0-9]+ /, ""); packets[$0] += count }
		END { for (name in packets)
			print name ": " packets[name] " packets dropped" }' | sort
	while read -r service; do
		! service_frozen "$service" || echo "freeze $service"
	done < <(lab_services)
}

# lab fault cut|loss|freeze|thaw|kill|heal|list
command_fault() {
	local verb=${1:-}

	(($# == 0)) || shift
	case $verb in
	cut | loss | freeze | thaw | kill | heal | list) ;;
	*) die "usage: lab fault cut|loss|freeze|thaw|kill|heal|list" ;;
	esac
	need_up
	"fault_$verb" "$@"
}
