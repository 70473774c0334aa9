# shellcheck shell=bash
#
# Prosody: the demo's own for xmpp.example, and one per domain that a test adds.
# Its folder holds: domain, ip, secure_auth, certificate (a folder), data/.

prosody_value() {
	cat "$LAB_STATE/$1/$2"
}

prosody_ip() {
	prosody_value "$1" ip
}

# write_prosody_values SERVICE DOMAIN IP SECURE_AUTH CERTIFICATE-FOLDER
write_prosody_values() {
	local folder=$LAB_STATE/$1

	printf '%s\n' "$2" >"$folder/domain"
	printf '%s\n' "$3" >"$folder/ip"
	printf '%s\n' "$4" >"$folder/secure_auth"
	printf '%s\n' "$5" >"$folder/certificate"
}

# These names are the template's.
render_prosody() {
	local PROSODY_DIR=$LAB_STATE/$1
	local PROSODY_DOMAIN PROSODY_IP PROSODY_SECURE_AUTH
	local PROSODY_CERT PROSODY_KEY PROSODY_CA=$LAB_CA

	PROSODY_DOMAIN=$(prosody_value "$1" domain)
	PROSODY_IP=$(prosody_value "$1" ip)
	PROSODY_SECURE_AUTH=$(prosody_value "$1" secure_auth)
	PROSODY_CERT=$(prosody_value "$1" certificate)/chain.pem
	PROSODY_KEY=$(prosody_value "$1" certificate)/key.pem
	# who signs his own certificate trusts no CA either: dialback both ways
	[[ $PROSODY_SECURE_AUTH == true ]] || PROSODY_CA=$PROSODY_CERT
	export PROSODY_DIR PROSODY_DOMAIN PROSODY_IP PROSODY_SECURE_AUTH \
		PROSODY_CERT PROSODY_KEY PROSODY_CA
	mkdir -p "$PROSODY_DIR/data"
	render ../prosody.cfg.lua.in >"$PROSODY_DIR/prosody.cfg.lua"
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
	write_prosody_values prosody "$LAB_XMPP_DOMAIN" "$LAB_PROSODY_IP" true \
		"$(certificate_folder ca "$LAB_XMPP_DOMAIN")"
	render_prosody prosody
	prosody_account prosody juliet "$LAB_JULIET_PASSWORD"
	prosody_account prosody nurse "$LAB_NURSE_PASSWORD"
}

prosody_start() {
	spawn "$1" "$LAB_NS_INET" \
		prosody --config "$LAB_STATE/$1/prosody.cfg.lua" -F
}

prosody_answers() {
	local ip

	ip=$(prosody_ip "$1")
	listens "$LAB_NS_INET" -t "$ip:$LAB_S2S_PORT" &&
		listens "$LAB_NS_INET" -t "$ip:$LAB_C2S_PORT"
}

# lab prosody DOMAIN IP [--self-signed]
command_prosody() {
	local domain=${1:-} ip=${2:-} kind=ca secure=true service

	case $#:${3:-} in
	2:) ;;
	3:--self-signed) kind=self-signed secure=false ;;
	*) die "usage: lab prosody DOMAIN IP [--self-signed]" ;;
	esac
	need_up
	[[ " ${ADDRESSES_INET[*]} " == *" $ip/24 "* ]] ||
		die "$ip is no address of the lab's Internet"
	service=prosody-$domain
	[[ ! -d $LAB_STATE/$service ]] || die "$service is there already"
	mkdir "$LAB_STATE/$service"
	write_prosody_values "$service" "$domain" "$ip" "$secure" \
		"$(certificate_folder "$kind" "$domain")"
	render_prosody "$service"
	prosody_account "$service" nurse "$LAB_NURSE_PASSWORD"
	dns_add "$SRV_NAME.$domain. 60 IN SRV 0 0 $LAB_S2S_PORT xmpp.$domain." \
		"xmpp.$domain. 60 IN A $ip"
	service_start "$service"
}
