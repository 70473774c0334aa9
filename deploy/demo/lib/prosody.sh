# shellcheck shell=bash
#
# Prosody: the demo's own for xmpp.example, and one per domain that a test adds.
# Its folder holds: domain, ip (a list), secure_auth, certificate (a folder),
# data/.

prosody_value() {
	cat "$LAB_STATE/$1/$2"
}

# The address it is known by, and all of them.
prosody_ip() {
	head -n 1 "$LAB_STATE/$1/ip"
}

prosody_ips() {
	prosody_value "$1" ip
}

# write_prosody_values SERVICE DOMAIN SECURE_AUTH CERTIFICATE-FOLDER IP…
write_prosody_values() {
	local folder=$LAB_STATE/$1

	printf '%s\n' "$2" >"$folder/domain"
	printf '%s\n' "$3" >"$folder/secure_auth"
	printf '%s\n' "$4" >"$folder/certificate"
	printf '%s\n' "${@:5}" >"$folder/ip"
}

# These names are the template's.
render_prosody() {
	local PROSODY_DIR=$LAB_STATE/$1
	local PROSODY_DOMAIN PROSODY_IPS PROSODY_SECURE_AUTH
	local PROSODY_CERT PROSODY_KEY PROSODY_CA=$LAB_CA

	PROSODY_DOMAIN=$(prosody_value "$1" domain)
	PROSODY_IPS=$(prosody_ips "$1" | sed 's/.*/"&"/' | paste -sd ,)
	PROSODY_SECURE_AUTH=$(prosody_value "$1" secure_auth)
	PROSODY_CERT=$(prosody_value "$1" certificate)/chain.pem
	PROSODY_KEY=$(prosody_value "$1" certificate)/key.pem
	# who signs his own certificate trusts no CA either: dialback both ways
	[[ $PROSODY_SECURE_AUTH == true ]] || PROSODY_CA=$PROSODY_CERT
	export PROSODY_DIR PROSODY_DOMAIN PROSODY_IPS PROSODY_SECURE_AUTH \
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
	write_prosody_values prosody "$LAB_XMPP_DOMAIN" true \
		"$(certificate_folder ca "$LAB_XMPP_DOMAIN")" \
		"$LAB_PROSODY_IP" "$LAB_PROSODY_IP6"
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

	while read -r ip; do
		listens "$LAB_NS_INET" -t \
			"$(with_port "$ip" "$LAB_S2S_PORT")" || return 1
		listens "$LAB_NS_INET" -t \
			"$(with_port "$ip" "$LAB_C2S_PORT")" || return 1
	done < <(prosody_ips "$1")
}

# lab prosody DOMAIN IP… [--self-signed]
command_prosody() {
	local domain=${1:-} ip kind=ca secure=true service
	local -a ips=() records=()

	(($# == 0)) || shift
	while (($# > 0)); do
		case $1 in
		--self-signed) kind=self-signed secure=false ;;
		--*) die "lab prosody knows no $1" ;;
		*) ips+=("$1") ;;
		esac
		shift
	done
	((${#ips[@]} > 0)) ||
		die "usage: lab prosody DOMAIN IP… [--self-signed]"
	need_up
	for ip in "${ips[@]}"; do
		[[ " ${ADDRESSES_INET[*]%/*} " == *" $ip "* ]] ||
			die "$ip is no address of the lab's Internet"
		records+=("$(address_record "xmpp.$domain" "$ip")")
	done
	service=prosody-$domain
	[[ ! -d $LAB_STATE/$service ]] || die "$service is there already"
	mkdir "$LAB_STATE/$service"
	write_prosody_values "$service" "$domain" "$secure" \
		"$(certificate_folder "$kind" "$domain")" "${ips[@]}"
	render_prosody "$service"
	prosody_account "$service" nurse "$LAB_NURSE_PASSWORD"
	dns_add "$SRV_NAME.$domain. 60 IN SRV 0 0 $LAB_S2S_PORT xmpp.$domain." \
		"${records[@]}"
	service_start "$service"
}
