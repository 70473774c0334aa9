# shellcheck shell=bash
#
# Two private CAs: one for XMPP domains, one for the channel and for SIP.

# new_ca FILE-STEM NAME
new_ca() {
	local stem=$1 name=$2

	CERT_DOMAIN=none openssl req -x509 \
		-config "$LAB_STATE/pki/openssl.cnf" -extensions ca \
		-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj "/CN=$name" -keyout "$stem.key" -out "$stem.pem" \
		2>"$LAB_STATE/pki/log" || show_pki_log
}

# new_certificate FOLDER DOMAIN [CA-STEM]; without a CA it signs itself.
new_certificate() {
	local folder=$1 domain=$2 issuer=()

	[[ -z ${3:-} ]] || issuer=(-CA "$3.pem" -CAkey "$3.key")
	mkdir -p "$folder"
	CERT_DOMAIN=$domain openssl req -x509 "${issuer[@]}" \
		-config "$LAB_STATE/pki/openssl.cnf" -extensions leaf \
		-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
		-subj "/CN=${domain:0:64}" \
		-keyout "$folder/key.pem" -out "$folder/chain.pem" \
		2>"$LAB_STATE/pki/log" || show_pki_log
	((${#issuer[@]})) || cp "$folder/chain.pem" "$folder/ca.pem"
}

show_pki_log() {
	cat "$LAB_STATE/pki/log" >&2
	die "openssl could not make a key or certificate"
}

pki_up() {
	local pki=$LAB_STATE/pki

	mkdir -p "$pki"
	cp "$DEMO_DIR/templates/openssl.cnf" "$pki/openssl.cnf"
	new_ca "$pki/ca" "Lab CA for XMPP domains"
	new_ca "$pki/channel-ca" "Lab CA for the channel"
	new_certificate "$pki/channel/edge" "$LAB_EDGE_NAME" "$pki/channel-ca"
	new_certificate "$pki/channel/gateway" "$LAB_GATEWAY_NAME" \
		"$pki/channel-ca"
	new_certificate "$pki/channel/kamailio" "$LAB_SIP_DOMAIN" \
		"$pki/channel-ca"
	certificate_folder ca "$LAB_XMPP_DOMAIN" >/dev/null
	certificate_folder ca "$LAB_SIP_DOMAIN" >/dev/null
}

# certificate_folder ca|self-signed|channel NAME: issue once, print the folder.
certificate_folder() {
	local folder=$LAB_STATE/pki/domains/$2

	[[ $2 =~ ^[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]] ||
		die "'$2' is not a domain name in ASCII"
	if [[ $1 == self-signed ]]; then
		folder+=.self-signed
		[[ -e $folder/chain.pem ]] || new_certificate "$folder" "$2"
	elif [[ $1 == channel ]]; then
		folder=$LAB_STATE/pki/channel/$2
		[[ -e $folder/chain.pem ]] || new_certificate "$folder" "$2" \
			"$LAB_STATE/pki/channel-ca"
		ln -sfn "$LAB_CHANNEL_CA" "$folder/ca.pem"
	elif [[ ! -e $folder/chain.pem ]]; then
		new_certificate "$folder" "$2" "$LAB_STATE/pki/ca"
		ln -s "$LAB_CA" "$folder/ca.pem"
	fi
	printf '%s\n' "$folder"
}

# lab cert [--self-signed|--channel] NAME
command_cert() {
	local kind=ca folder

	if [[ ${1:-} == --self-signed || ${1:-} == --channel ]]; then
		kind=${1#--}
		shift
	fi
	(($# == 1)) || die "usage: lab cert [--self-signed|--channel] NAME"
	need_up
	folder=$(certificate_folder "$kind" "$1")
	printf 'cert=%s\nkey=%s\nca=%s\n' "$folder/chain.pem" \
		"$folder/key.pem" "$folder/ca.pem"
}
