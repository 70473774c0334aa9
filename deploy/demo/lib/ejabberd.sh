# shellcheck shell=bash
#
# ejabberd: one, for chat.example and any other domain that a test adds. It
# takes seconds to start, so it is no part of the demo: "lab start ejabberd".
# Each domain is a peer's folder (peer.sh) below ejabberd/hosts.

# Settings that hold for all domains are the package's; a domain has its own
# where it differs. It binds to its own addresses also when it calls.
EJABBERD_PACKAGED=/etc/ejabberd/ejabberd.yml

ejabberd_hosts() {
	printf '%s\n' "$LAB_STATE"/ejabberd/hosts/*/
}

# What one domain has for itself, as YAML below host_config.
ejabberd_host() {
	local modules=mod_disco,mod_ping,mod_roster,mod_version

	printf '  %s:\n' "$(peer_value "$1" domain)"
	printf '    s2s_cafile: %s\n' "$(peer_trust "$1")"
	[[ $(peer_value "$1" tls) != none ]] ||
		printf '    s2s_use_starttls: false\n'
	grep -qF . "$1/ip" || printf '    outgoing_s2s_families: [ipv6]\n'
	[[ $(peer_value "$1" dialback) == no ]] || modules+=,mod_s2s_dialback
	[[ $(peer_value "$1" bidi) == no ]] || modules+=,mod_s2s_bidi
	printf '    modules: {%s: {}}\n' "${modules//,/: {\}, }"
}

ejabberd_render() {
	local folder=$LAB_STATE/ejabberd host
	local EJABBERD_HOSTS="" EJABBERD_CERTIFICATES="" EJABBERD_HOST_CONFIG=""
	local EJABBERD_NAMESERVER=${LAB_DNS_IP//./,}

	while read -r host; do
		EJABBERD_HOSTS+="$(peer_value "$host" domain), "
		EJABBERD_CERTIFICATES+="$(peer_certificate "$host")/chain.pem, "
		EJABBERD_CERTIFICATES+="$(peer_certificate "$host")/key.pem, "
		EJABBERD_HOST_CONFIG+="$(ejabberd_host "$host")"$'\n'
	done < <(ejabberd_hosts)
	export EJABBERD_PACKAGED EJABBERD_HOSTS EJABBERD_CERTIFICATES \
		EJABBERD_HOST_CONFIG EJABBERD_NAMESERVER
	render ejabberd.yml.in >"$folder/ejabberd.yml"
	render ejabberd.inetrc.in >"$folder/inetrc"
}

ejabberd_configure() {
	command -v ejabberdctl >/dev/null ||
		die "ejabberd is missing: run $LAB_TOP/deploy/install-deps"
	new_peer "$LAB_STATE/ejabberd/hosts/$LAB_CHAT_DOMAIN" \
		"$LAB_CHAT_DOMAIN" "$LAB_EJABBERD_IP" "$LAB_EJABBERD_IP6"
	peer_publish "$LAB_STATE/ejabberd/hosts/$LAB_CHAT_DOMAIN"
	ejabberd_render
}

# No node name, so no epmd and no cookie; one scheduler that does not spin.
ejabberd_start() {
	local folder=$LAB_STATE/ejabberd
	local -a libraries=(/usr/lib/*/ejabberd-*)

	rm -f "$folder/is-up"
	HOME=$folder ERL_LIBS=${libraries[0]%/*} ERL_INETRC=$folder/inetrc \
		EJABBERD_CONFIG_PATH=$folder/ejabberd.yml \
		EJABBERD_LOG_PATH=$folder/ejabberd.log \
		ERL_CRASH_DUMP=/dev/null \
		LAB_HOSTS=$(basename -a "$folder"/hosts/*/ | paste -sd ' ') \
		spawn ejabberd "$LAB_NS_INET" erl -noinput +B +S 1 +sbwt none \
		-mnesia dir "\"$folder/mnesia\"" -s ejabberd \
		-eval "$(<"$DEMO_DIR/templates/ejabberd-accounts.erl")"
}

ejabberd_answers() {
	[[ -e $LAB_STATE/ejabberd/is-up ]]
}

# lab ejabberd DOMAIN [IP…] [OPTION…]: one more domain, at ejabberd's addresses
# or one of them. Reading the configuration anew is a restart.
command_ejabberd() {
	local domain=${1:-} folder was_up=no

	[[ -n $domain && $domain != -* ]] ||
		die "usage: lab ejabberd DOMAIN [IP…] [OPTION…]"
	shift
	if [[ ${1:---} == --* ]]; then
		set -- "$LAB_EJABBERD_IP" "$LAB_EJABBERD_IP6" "$@"
	fi
	need_up
	service_configure ejabberd
	folder=$LAB_STATE/ejabberd/hosts/$domain
	new_peer "$folder" "$domain" "$@"
	peer_publish "$folder"
	ejabberd_render
	! service_alive ejabberd || was_up=yes
	service_stop ejabberd
	[[ $was_up == no ]] || service_start ejabberd
}
