# shellcheck shell=bash
#
# Prosody: the demo's own for xmpp.example, and one per domain that a test adds.
# Its folder is a peer's (peer.sh), with data/ and the configuration.

prosody_value() {
	peer_value "$LAB_STATE/$1" "$2"
}

# These names are the template's.
render_prosody() {
	local PROSODY_DIR=$LAB_STATE/$1
	local PROSODY_DOMAIN PROSODY_IPS PROSODY_SECURITY PROSODY_CA
	local PROSODY_CERT PROSODY_KEY PROSODY_DIRECT_PORTS="" PROSODY_DNS=""
	local PROSODY_USE_IPV4=true

	PROSODY_DOMAIN=$(prosody_value "$1" domain)
	PROSODY_IPS=$(prosody_value "$1" ip | sed 's/.*/"&"/' | paste -sd ,)
	grep -qF . "$PROSODY_DIR/ip" || PROSODY_USE_IPV4=false
	PROSODY_SECURITY=$(prosody_security "$1")
	PROSODY_CERT=$(peer_certificate "$PROSODY_DIR")/chain.pem
	PROSODY_KEY=$(peer_certificate "$PROSODY_DIR")/key.pem
	PROSODY_CA=$(peer_trust "$PROSODY_DIR")
	if [[ $(prosody_value "$1" direct) == yes ]]; then
		PROSODY_DIRECT_PORTS=$LAB_DIRECT_TLS_PORT
		PROSODY_DNS=$(prosody_direct_dns)
	fi
	export PROSODY_DIR PROSODY_DOMAIN PROSODY_IPS PROSODY_SECURITY \
		PROSODY_CA PROSODY_CERT PROSODY_KEY PROSODY_DIRECT_PORTS \
		PROSODY_DNS PROSODY_USE_IPV4
	mkdir -p "$PROSODY_DIR/data"
	# the names under which it looks for a certificate for direct TLS
	ln -sf "$PROSODY_CERT" "$PROSODY_DIR/$PROSODY_DOMAIN.crt"
	ln -sf "$PROSODY_KEY" "$PROSODY_DIR/$PROSODY_DOMAIN.key"
	render ../prosody.cfg.lua.in >"$PROSODY_DIR/prosody.cfg.lua"
}

# What only this Prosody's resolver says: the edge has direct TLS too.
prosody_direct_dns() {
	printf '["local-data:"] = "%s.%s. SRV 0 0 %s edge1.%s."' \
		"$DIRECT_SRV_NAME" "$LAB_SIP_DOMAIN" "$LAB_DIRECT_TLS_PORT" \
		"$LAB_SIP_DOMAIN"
}

# What it loads and what it asks of other servers: the package's file, or ours.
prosody_security() {
	local tls modules

	if [[ $(prosody_value "$1" packaged) == yes ]]; then
		echo 'Include "/etc/prosody/prosody.cfg.lua"'
		return
	fi
	tls=$(prosody_value "$1" tls)
	# no mod_limits: the lab measures the daemons, not Prosody's patience
	modules='"roster", "saslauth", "disco", "ping", "time", "version",
	"uptime", "smacks", "carbons", "private", "blocklist"'
	[[ $tls == none ]] || modules+=', "tls"'
	[[ $(prosody_value "$1" dialback) == no ]] || modules+=', "dialback"'
	[[ $(prosody_value "$1" bidi) == no ]] || modules+=', "s2s_bidi"'
	printf 'modules_enabled = { %s }\n' "$modules"
	case $tls in
	ca) printf 's2s_%s = true\n' require_encryption secure_auth ;;
	self-signed)
		printf 's2s_require_encryption = true\n'
		printf 's2s_secure_auth = false\n'
		;;
	none) printf 's2s_%s = false\n' require_encryption secure_auth ;;
	esac
}

# prosody_account SERVICE USER PASSWORD
prosody_account() {
	local config=$LAB_STATE/$1/prosody.cfg.lua

	prosodyctl --config "$config" register "$2" \
		"$(prosody_value "$1" domain)" "$3" >>"$LAB_STATE/$1/log" 2>&1
}

# The one of the demo; the others are configured by command_prosody.
prosody_configure() {
	[[ $1 == prosody ]] || die "use: lab prosody DOMAIN IP"
	new_peer "$LAB_STATE/prosody" "$LAB_XMPP_DOMAIN" "$LAB_PROSODY_IP" \
		"$LAB_PROSODY_IP6"
	render_prosody prosody
	prosody_account prosody juliet "$LAB_JULIET_PASSWORD"
	prosody_account prosody nurse "$LAB_NURSE_PASSWORD"
}

prosody_start() {
	spawn "$1" "$LAB_NS_INET" \
		prosody --config "$LAB_STATE/$1/prosody.cfg.lua" -F
}

prosody_answers() {
	local ports=("$LAB_S2S_PORT" "$LAB_C2S_PORT")

	[[ $(prosody_value "$1" direct) == no ]] || ports+=("$LAB_DIRECT_TLS_PORT")
	peer_listens "$LAB_STATE/$1" "${ports[@]}"
}

# lab prosody DOMAIN IP… [OPTION…]
command_prosody() {
	local service=prosody-${1:-}

	[[ $# -gt 1 && $2 != --* ]] ||
		die "usage: lab prosody DOMAIN IP… [OPTION…]"
	need_up
	new_peer "$LAB_STATE/$service" "$@"
	render_prosody "$service"
	prosody_account "$service" nurse "$LAB_NURSE_PASSWORD"
	peer_publish "$LAB_STATE/$service"
	service_start "$service"
}
