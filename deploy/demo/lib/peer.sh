# shellcheck shell=bash
#
# What "lab prosody" and "lab ejabberd" have in common: a domain, its addresses
# and how it secures its streams.
#
# A peer is a folder with one value a file:
#   domain  ip (a list)  tls (ca, self-signed or none)
#   dialback, direct, bidi (yes or no)
#   packaged (yes: the package's own settings; no: strict ones of ours)

DIRECT_SRV_NAME=_xmpps-server._tcp

# peer_value FOLDER NAME
peer_value() {
	cat "$1/$2"
}

# new_peer FOLDER DOMAIN IP… [OPTION…]
new_peer() {
	local folder=$1 domain=$2 tls=ca direct=no packaged=no dialback=yes
	local bidi=no
	local -a ips=()

	shift 2
	while (($# > 0)); do
		case $1 in
		--self-signed) tls=self-signed ;;
		--no-tls) tls=none ;;
		--no-dialback) dialback=no ;;
		--direct-tls) direct=yes ;;
		--bidi) bidi=yes ;;
		--packaged) packaged=yes ;;
		--*) die "no option '$1' for a peer: lab help" ;;
		*)
			check_internet_address "$1"
			ips+=("$1")
			;;
		esac
		shift
	done
	[[ ! -e $folder/domain ]] || die "$domain is there already"
	mkdir -p "$folder"
	printf '%s\n' "$domain" >"$folder/domain"
	printf '%s\n' "${ips[@]}" >"$folder/ip"
	printf '%s\n' "$tls" >"$folder/tls"
	printf '%s\n' "$dialback" >"$folder/dialback"
	printf '%s\n' "$direct" >"$folder/direct"
	printf '%s\n' "$bidi" >"$folder/bidi"
	printf '%s\n' "$packaged" >"$folder/packaged"
}

check_internet_address() {
	[[ " ${ADDRESSES_INET[*]%/*} " == *" $1 "* ]] ||
		die "$1 is no address of the lab's Internet"
}

# The folder of its certificate. Without TLS it has one that it does not use.
peer_certificate() {
	local kind=ca

	[[ $(peer_value "$1" tls) != self-signed ]] || kind=self-signed
	certificate_folder "$kind" "$(peer_value "$1" domain)"
}

# Whom it believes. One that signs its own certificate trusts no CA either, so
# that dialback decides both ways.
peer_trust() {
	if [[ $(peer_value "$1" tls) == self-signed ]]; then
		echo "$(peer_certificate "$1")/chain.pem"
	else
		echo "$LAB_CA"
	fi
}

# Where it is found. Priority 10, so that a test can put another before it.
peer_publish() {
	local domain ip srv=$SRV_NAME port=$LAB_S2S_PORT
	local -a records=()

	domain=$(peer_value "$1" domain)
	if [[ $(peer_value "$1" direct) == yes ]]; then
		srv=$DIRECT_SRV_NAME port=$LAB_DIRECT_TLS_PORT
	fi
	while read -r ip; do
		records+=("$(address_record "xmpp.$domain" "$ip")")
	done <"$1/ip"
	dns_add "$srv.$domain. 60 IN SRV 10 0 $port xmpp.$domain." \
		"${records[@]}"
}

# peer_listens FOLDER PORT…: on all its addresses.
peer_listens() {
	local folder=$1 ip port

	shift
	while read -r ip; do
		for port in "$@"; do
			listens "$LAB_NS_INET" -t \
				"$(with_port "$ip" "$port")" || return 1
		done
	done <"$folder/ip"
}
