# shellcheck shell=bash
#
# Namespaces, addresses, resolvers and the firewall.
#
# The links run directly between namespaces, so nothing shows up in the host's
# own network and every lab can have the same addresses.

# add_addresses NAMESPACE INTERFACE ADDRESS/PREFIX…
# The kernel may choose any IPv6 address as the source; deprecated ones it
# leaves to those who bind to them. Nobody here has an address twice (nodad).
add_addresses() {
	local namespace=$1 interface=$2 address options=nodad

	shift 2
	for address in "$@"; do
		if [[ $address == *:* ]]; then
			printf 'address add %s dev %s %s\n' \
				"$address" "$interface" "$options"
			options="nodad preferred_lft 0"
		else
			printf 'address add %s dev %s\n' \
				"$address" "$interface"
		fi
	done | ip -n "$namespace" -batch -
	ip -n "$namespace" link set "$interface" up
}

# add_link NAMESPACE INTERFACE NAMESPACE INTERFACE
add_link() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
}

# Each node sees its own /etc/resolv.conf and /etc/hosts.
write_resolver() {
	local namespace=$1 server=$2

	mkdir -p "/etc/netns/$namespace"
	printf 'nameserver %s\noptions timeout:2 attempts:2\n' "$server" \
		>"/etc/netns/$namespace/resolv.conf"
	printf '127.0.0.1 localhost\n::1 localhost\n' \
		>"/etc/netns/$namespace/hosts"
}

network_up() {
	local namespace

	while read -r namespace; do
		ip netns add "$namespace"
		ip -n "$namespace" link set lo up
	done < <(namespaces)
	write_resolver "$LAB_NS_INET" "$LAB_DNS_IP"
	write_resolver "$LAB_NS_DMZ" "$LAB_DNS_IP"
	# Nothing listens there: a look-up inside fails at once.
	write_resolver "$LAB_NS_INSIDE" 127.0.0.1

	firewall_up "$LAB_NS_DMZ" firewall-dmz.nft.in
	firewall_up "$LAB_NS_INSIDE" firewall-inside.nft.in
	add_link "$LAB_NS_DMZ" outer "$LAB_NS_INET" net0
	add_link "$LAB_NS_DMZ" inner "$LAB_NS_INSIDE" net0
	add_addresses "$LAB_NS_INET" net0 "${ADDRESSES_INET[@]}"
	add_addresses "$LAB_NS_DMZ" outer "${ADDRESSES_DMZ_OUTER[@]}"
	add_addresses "$LAB_NS_DMZ" inner "${ADDRESSES_DMZ_INNER[@]}"
	add_addresses "$LAB_NS_INSIDE" net0 "${ADDRESSES_INSIDE[@]}"
}

# firewall_up NAMESPACE TEMPLATE
firewall_up() {
	render "$2" | ip netns exec "$1" nft -f -
	ip netns exec "$1" sysctl -q net.ipv4.ip_forward=0 \
		net.ipv6.conf.all.forwarding=0
}

network_down() {
	local namespace

	while read -r namespace; do
		if namespace_exists "$namespace"; then
			ip netns del "$namespace"
		fi
		rm -rf "/etc/netns/$namespace"
	done < <(namespaces)
	rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null || true
}

# Processes that run in any of the lab's namespaces.
lab_pids() {
	local namespace

	while read -r namespace; do
		if namespace_exists "$namespace"; then
			ip netns pids "$namespace"
		fi
	done < <(namespaces)
}

no_lab_pids() {
	[[ -z $(lab_pids) ]]
}

# signal_all SIGNAL: to every process in the lab's namespaces.
signal_all() {
	local pid

	while read -r pid; do
		kill -s "$1" "$pid" 2>/dev/null || true
	done < <(lab_pids)
}

end_processes() {
	no_lab_pids && return 0
	signal_all TERM
	# One that a test has stopped takes the signal only when it goes on.
	signal_all CONT
	wait_for "${LAB_STOP_SECONDS:-5}" no_lab_pids && return 0
	signal_all KILL
	wait_for 5 no_lab_pids || warn "processes left: $(lab_pids | tr '\n' ' ')"
}

# The channel as the kernel shows it: channel_lines NODE-NAMESPACE sport|dport
channel_lines() {
	ip netns exec "$1" ss -Htn state established \
		"$2 = :$LAB_CHANNEL_PORT"
}
