# shellcheck shell=bash
#
# The lab's names, addresses and small helpers. Everything upper-case that is
# exported here is what "lab env" prints.

# Names are set here and used in the other files and the templates.
# shellcheck disable=SC2034

LAB_TOP=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../../.." && pwd)
DEMO_DIR=$LAB_TOP/deploy/demo
STATE_ROOT=/run/fed-lab

ALL_PARTS="dns prosody kamailio edge gateway"

# Variables that "lab env" prints, in its order.
LAB_VARIABLES=(
	LAB LAB_STATE LAB_TOP LAB_BIN LAB_PARTS
	LAB_EDGE_WRAP LAB_GATEWAY_WRAP
	LAB_NS_INET LAB_NS_DMZ LAB_NS_INSIDE
	LAB_INET_NET LAB_DNS_IP LAB_PROSODY_IP LAB_EJABBERD_IP LAB_EDGE_OUTER_IP
	LAB_INSIDE_NET LAB_EDGE_INNER_IP LAB_GATEWAY_IP LAB_KAMAILIO_IP
	LAB_UA_IP LAB_UA2_IP
	LAB_INET_NET6 LAB_DNS_IP6 LAB_PROSODY_IP6 LAB_EJABBERD_IP6
	LAB_EDGE_OUTER_IP6
	LAB_INSIDE_NET6 LAB_EDGE_INNER_IP6 LAB_GATEWAY_IP6
	LAB_S2S_PORT LAB_DIRECT_TLS_PORT LAB_C2S_PORT LAB_CHANNEL_PORT
	LAB_SIP_TRANSPORT LAB_GATEWAY_SIP LAB_KAMAILIO_SIP
	LAB_GATEWAY_SIPS LAB_KAMAILIO_SIPS LAB_CHANNEL LAB_CHANNEL6
	LAB_XMPP_DOMAIN LAB_CHAT_DOMAIN LAB_SIP_DOMAIN LAB_EDGE_NAME LAB_GATEWAY_NAME
	LAB_JULIET LAB_NURSE LAB_ROMEO
	LAB_JULIET_PASSWORD LAB_NURSE_PASSWORD
	LAB_CA LAB_CHANNEL_CA LAB_LOG_LEVEL
	LAB_EDGE_CONFIG LAB_GATEWAY_CONFIG LAB_EDGE_ADMIN LAB_GATEWAY_ADMIN
	LAB_FEDERATION
	LAB_DNS_LOG LAB_PROSODY_LOG LAB_KAMAILIO_LOG LAB_EDGE_LOG
	LAB_GATEWAY_LOG LAB_EJABBERD_LOG
)

say() {
	printf 'lab %s: %s\n' "$LAB" "$*"
}

warn() {
	printf 'lab %s: %s\n' "${LAB:-}" "$*" >&2
}

die() {
	warn "$@"
	exit 1
}

set_names() {
	LAB=${LAB:-demo}
	[[ $LAB =~ ^[a-z0-9][a-z0-9-]{0,19}$ ]] ||
		die "LAB is a-z, 0-9 and '-', at most 20 characters"
	LAB_STATE=${LAB_STATE:-$STATE_ROOT/$LAB}
	[[ $LAB_STATE == /* ]] || die "LAB_STATE must be an absolute path"
	check_owner
	LAB_BIN=${LAB_BIN:-$(read_setting bin "$LAB_TOP/build/release")}
	LAB_EDGE_WRAP=${LAB_EDGE_WRAP-$(read_setting edge-wrap "")}
	LAB_GATEWAY_WRAP=${LAB_GATEWAY_WRAP-$(read_setting gateway-wrap "")}
	LAB_PARTS=${LAB_PARTS:-$(read_setting parts "$ALL_PARTS")}
	LAB_SIP_TRANSPORT=${LAB_SIP_TRANSPORT:-$(read_setting sip-transport tcp)}
	[[ $LAB_SIP_TRANSPORT == @(tcp|udp|tls) ]] ||
		die "LAB_SIP_TRANSPORT is tcp, udp or tls"
	LAB_LOG_LEVEL=${LAB_LOG_LEVEL:-debug}
	LAB_NS_INET=$LAB-inet
	LAB_NS_DMZ=$LAB-dmz
	LAB_NS_INSIDE=$LAB-inside

	LAB_XMPP_DOMAIN=xmpp.example
	LAB_CHAT_DOMAIN=chat.example
	LAB_SIP_DOMAIN=sip.example
	LAB_EDGE_NAME=edge1.dmz.example
	LAB_GATEWAY_NAME=gw1.inside.example
	LAB_JULIET=juliet@$LAB_XMPP_DOMAIN
	LAB_NURSE=nurse@$LAB_XMPP_DOMAIN
	LAB_ROMEO=romeo@$LAB_SIP_DOMAIN
}

# IPv6 addresses end in the digits of the IPv4 ones. SIP speaks IPv4 only.
set_addresses() {
	LAB_INET_NET=198.51.100.0/24
	LAB_EDGE_OUTER_IP=198.51.100.1
	LAB_PROSODY_IP=198.51.100.10
	LAB_EJABBERD_IP=198.51.100.40
	LAB_DNS_IP=198.51.100.53

	LAB_INSIDE_NET=10.66.0.0/24
	LAB_EDGE_INNER_IP=10.66.0.1
	LAB_GATEWAY_IP=10.66.0.2
	LAB_KAMAILIO_IP=10.66.0.3
	LAB_UA_IP=10.66.0.10
	LAB_UA2_IP=10.66.0.11

	LAB_INET_NET6=2001:db8:1::/64
	LAB_EDGE_OUTER_IP6=2001:db8:1::1
	LAB_PROSODY_IP6=2001:db8:1::10
	LAB_EJABBERD_IP6=2001:db8:1::40
	LAB_DNS_IP6=2001:db8:1::53

	LAB_INSIDE_NET6=fd00:66::/64
	LAB_EDGE_INNER_IP6=fd00:66::1
	LAB_GATEWAY_IP6=fd00:66::2

	LAB_S2S_PORT=5269
	LAB_DIRECT_TLS_PORT=5270
	LAB_C2S_PORT=5222
	LAB_CHANNEL_PORT=23456
	LAB_GATEWAY_SIP=$LAB_GATEWAY_IP:5070
	LAB_KAMAILIO_SIP=$LAB_KAMAILIO_IP:5060
	LAB_GATEWAY_SIPS=$LAB_GATEWAY_IP:5071
	LAB_KAMAILIO_SIPS=$LAB_KAMAILIO_IP:5061
	set_sip_ways
	LAB_CHANNEL=$LAB_EDGE_INNER_IP:$LAB_CHANNEL_PORT
	LAB_CHANNEL6=[$LAB_EDGE_INNER_IP6]:$LAB_CHANNEL_PORT
}

# How the gateway and Kamailio reach each other: the name in the certificate
# is the domain's, the address stands in maddr, for nothing asks DNS.
set_sip_ways() {
	NEXT_HOP="sip:$LAB_KAMAILIO_SIP;transport=$LAB_SIP_TRANSPORT"
	WAY_TO_GATEWAY="sip:$LAB_GATEWAY_SIP;transport=$LAB_SIP_TRANSPORT"
	if [[ $LAB_SIP_TRANSPORT == tls ]]; then
		NEXT_HOP="sip:$LAB_SIP_DOMAIN:5061;transport=tls"
		NEXT_HOP+=";maddr=$LAB_KAMAILIO_IP"
		WAY_TO_GATEWAY="sip:$LAB_GATEWAY_SIPS;transport=tls"
	fi
}

# The first address of a family is the one outgoing connections have.
set_address_lists() {
	local n

	ADDRESSES_INET=("$LAB_PROSODY_IP/24" "$LAB_DNS_IP/24"
		"$LAB_PROSODY_IP6/64" "$LAB_DNS_IP6/64")
	for ((n = 20; n < 60; n++)); do
		((n == 53)) || ADDRESSES_INET+=("198.51.100.$n/24"
			"2001:db8:1::$n/64")
	done
	ADDRESSES_DMZ_OUTER=("$LAB_EDGE_OUTER_IP/24" "$LAB_EDGE_OUTER_IP6/64")
	ADDRESSES_DMZ_INNER=("$LAB_EDGE_INNER_IP/24" "$LAB_EDGE_INNER_IP6/64")
	ADDRESSES_INSIDE=("$LAB_GATEWAY_IP/24" "$LAB_KAMAILIO_IP/24"
		"$LAB_GATEWAY_IP6/64")
	for ((n = 10; n < 30; n++)); do
		ADDRESSES_INSIDE+=("10.66.0.$n/24")
	done
}

set_paths() {
	LAB_CA=$LAB_STATE/pki/ca.pem
	LAB_CHANNEL_CA=$LAB_STATE/pki/channel-ca.pem
	LAB_DNS_LOG=$LAB_STATE/dns/log
	LAB_PROSODY_LOG=$LAB_STATE/prosody/log
	LAB_EJABBERD_LOG=$LAB_STATE/ejabberd/log
	LAB_KAMAILIO_LOG=$LAB_STATE/kamailio/log
	LAB_EDGE_LOG=$LAB_STATE/edge/log
	LAB_GATEWAY_LOG=$LAB_STATE/gateway/log
	LAB_EDGE_CONFIG=$LAB_STATE/edge/edge-proxy.yaml
	LAB_GATEWAY_CONFIG=$LAB_STATE/gateway/fe-gateway.yaml
	LAB_FEDERATION=$LAB_STATE/gateway/federation.yaml
	LAB_EDGE_ADMIN=$LAB_STATE/edge/admin.sock
	LAB_GATEWAY_ADMIN=$LAB_STATE/gateway/admin.sock
	LAB_JULIET_PASSWORD=$(read_setting juliet-password "")
	LAB_NURSE_PASSWORD=$(read_setting nurse-password "")
}

load_settings() {
	set_names
	set_addresses
	set_address_lists
	set_paths
	export "${LAB_VARIABLES[@]}"
}

# A shell that has read one lab's "lab env" must not act on another's state.
check_owner() {
	local owner=$LAB_STATE/.fed-lab

	[[ ! -s $owner || $(<"$owner") == "$LAB" ]] ||
		die "LAB_STATE=$LAB_STATE is that of the lab '$(<"$owner")'"
}

# Settings that "up" decides and later commands need again.
read_setting() {
	if [[ -r $LAB_STATE/settings/$1 ]]; then
		cat "$LAB_STATE/settings/$1"
	else
		printf '%s\n' "$2"
	fi
}

write_setting() {
	printf '%s\n' "$2" >"$LAB_STATE/settings/$1"
}

print_env() {
	local name

	for name in "${LAB_VARIABLES[@]}"; do
		printf 'export %s=%q\n' "$name" "${!name}"
	done
}

namespaces() {
	printf '%s\n' "$LAB_NS_INET" "$LAB_NS_DMZ" "$LAB_NS_INSIDE"
}

namespace_of() {
	case $1 in
	inet) echo "$LAB_NS_INET" ;;
	dmz) echo "$LAB_NS_DMZ" ;;
	inside) echo "$LAB_NS_INSIDE" ;;
	*) die "no node '$1': inet, dmz or inside" ;;
	esac
}

namespace_exists() {
	[[ -e /run/netns/$1 ]]
}

is_up() {
	[[ -e $LAB_STATE/.fed-lab ]] && namespace_exists "$LAB_NS_INSIDE"
}

need_up() {
	is_up || die "the lab is not up: $DEMO_DIR/lab up"
}

# with_port ADDRESS PORT, as ss and the host files write it.
with_port() {
	if [[ $1 == *:* ]]; then
		echo "[$1]:$2"
	else
		echo "$1:$2"
	fi
}

need_root() {
	((EUID == 0)) || die "namespaces need root"
}

# Print a template with every @NAME@ replaced by the variable's value.
render() {
	local text name

	text=$(<"$DEMO_DIR/templates/$1")
	while [[ $text =~ @([A-Z][A-Z_0-9]*)@ ]]; do
		name=${BASH_REMATCH[1]}
		text=${text//"@$name@"/"${!name}"}
	done
	printf '%s\n' "$text"
}

# Run a test again and again until it holds: wait_for SECONDS COMMAND…
wait_for() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))

	shift
	until "$@"; do
		((${EPOCHREALTIME/./} < deadline)) || return 1
		sleep 0.03
	done
}
