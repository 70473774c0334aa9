# shellcheck shell=bash
#
# Starting, watching and stopping what runs in the lab. A service is a folder
# in the state: SERVICE/pid, SERVICE/log, its configuration beside them.
#
# For each service there is SERVICE_configure (writes its files, once, so that
# a test may edit them), SERVICE_start and SERVICE_answers. Prosody exists once
# per domain: "prosody" is the one of the demo, "prosody-DOMAIN" any other.

START_SECONDS=${LAB_START_SECONDS:-15}

# spawn SERVICE NAMESPACE COMMAND…: in the background, output to its log.
spawn() {
	local service=$1 namespace=$2 folder=$LAB_STATE/$1

	shift 2
	setsid ip netns exec "$namespace" "$@" \
		</dev/null >>"$folder/log" 2>&1 &
	printf '%s\n' $! >"$folder/pid"
}

service_namespace() {
	case $1 in
	dns | prosody | prosody-* | ejabberd) echo "$LAB_NS_INET" ;;
	kamailio | gateway) echo "$LAB_NS_INSIDE" ;;
	edge) echo "$LAB_NS_DMZ" ;;
	*) die "no service '$1': $(known_services | tr '\n' ' ')" ;;
	esac
}

service_address() {
	case $1 in
	dns) echo "$LAB_DNS_IP:53" ;;
	prosody | prosody-*)
		with_port "$(head -n 1 "$LAB_STATE/$1/ip")" "$LAB_S2S_PORT"
		;;
	ejabberd) echo "$LAB_EJABBERD_IP:$LAB_S2S_PORT" ;;
	kamailio) echo "$LAB_KAMAILIO_SIP" ;;
	edge) echo "$LAB_EDGE_OUTER_IP:$LAB_S2S_PORT" ;;
	gateway) echo "$LAB_GATEWAY_SIP" ;;
	esac
}

service_pid() {
	cat "$LAB_STATE/$1/pid" 2>/dev/null || true
}

# Alive means: the process is there and is in the service's namespace, so that
# a number taken over by another program does not count.
service_alive() {
	local pid state namespace

	pid=$(service_pid "$1")
	[[ -n $pid && -e /proc/$pid/ns/net ]] || return 1
	state=$(process_state "$pid")
	[[ -n $state && $state != [ZX] ]] || return 1
	namespace=/run/netns/$(service_namespace "$1")
	[[ /proc/$pid/ns/net -ef $namespace ]]
}

# process_state PID: the letter of proc(5), nothing when there is no process.
process_state() {
	awk '$1 == "State:" { print $2 }' "/proc/$1/status" 2>/dev/null || true
}

service_frozen() {
	service_alive "$1" && [[ $(process_state "$(service_pid "$1")") == T ]]
}

service_dead() {
	! service_alive "$1"
}

listens() {
	local namespace=$1 family=$2 address=$3

	[[ -n $(ip netns exec "$namespace" ss -Hln "$family" \
		"src = $address") ]]
}

# It listens some time before it reads: ask, in one datagram (cat).
kamailio_says_ok() {
	local host=${LAB_KAMAILIO_SIP%:*} port=${LAB_KAMAILIO_SIP##*:} line=

	# shellcheck disable=SC2016 # to be expanded by the other shell
	line=$(ip netns exec "$LAB_NS_INSIDE" bash -c '
		exec 3<>"/dev/udp/$1/$2" || exit
		printf "%s\r\n" "OPTIONS sip:$1 SIP/2.0" \
			"Via: SIP/2.0/UDP $1:9;rport;branch=z9hG4bK$$" \
			"From: <sip:lab@$1>;tag=lab" "To: <sip:$1>" \
			"Call-ID: lab$$" "CSeq: 1 OPTIONS" \
			"Max-Forwards: 9" "Content-Length: 0" "" | cat >&3
		read -r -t 0.3 -n 1 line <&3 && printf "%s" "$line"' \
		bash "$host" "$port" 2>/dev/null) || true
	# "SIP/2.0": the rest of the datagram goes with its first byte
	[[ $line == S ]]
}

kamailio_answers() {
	listens "$LAB_NS_INSIDE" -t "$LAB_KAMAILIO_SIP" &&
		listens "$LAB_NS_INSIDE" -t "$LAB_KAMAILIO_SIPS" &&
		listens "$LAB_NS_INSIDE" -u "$LAB_KAMAILIO_SIP" &&
		kamailio_says_ok
}

edge_answers() {
	listens "$LAB_NS_DMZ" -t "$LAB_EDGE_OUTER_IP:$LAB_S2S_PORT" &&
		listens "$LAB_NS_DMZ" -t "[::]:$LAB_S2S_PORT" &&
		listens "$LAB_NS_DMZ" -t "[::]:$LAB_DIRECT_TLS_PORT" &&
		listens "$LAB_NS_DMZ" -t "$LAB_CHANNEL" &&
		listens "$LAB_NS_DMZ" -t "$LAB_CHANNEL6"
}

# The gateway is there when its channel stands, and the same connection still
# does a moment later: one that the other side refuses comes and goes.
gateway_answers() {
	listens "$LAB_NS_INSIDE" -t "$LAB_GATEWAY_SIP" || return 1
	service_alive edge || return 0
	channel_stands
}

channel_stands() {
	local before after

	before=$(channel_lines "$LAB_NS_INSIDE" dport | awk '{ print $3 }')
	[[ -n $before ]] || return 1
	sleep 0.1
	after=$(channel_lines "$LAB_NS_INSIDE" dport | awk '{ print $3 }')
	[[ $before == "$after" ]]
}

kamailio_configure() {
	render kamailio.cfg.in >"$LAB_STATE/kamailio/kamailio.cfg"
}

kamailio_start() {
	local folder=$LAB_STATE/kamailio

	presence_files
	spawn kamailio "$LAB_NS_INSIDE" kamailio -DD -E -m 512 -M 8 \
		-f "$folder/kamailio.cfg" -Y "$folder" -w "$folder"
}

edge_configure() {
	render edge-proxy.yaml.in >"$LAB_EDGE_CONFIG"
}

# The wrappers are commands with arguments: they are meant to be split.
edge_start() {
	# shellcheck disable=SC2086
	spawn edge "$LAB_NS_DMZ" $LAB_EDGE_WRAP \
		"$LAB_BIN/edge-proxy" --config "$LAB_EDGE_CONFIG"
}

gateway_configure() {
	render fe-gateway.yaml.in >"$LAB_GATEWAY_CONFIG"
	render federation.yaml.in >"$LAB_FEDERATION"
}

gateway_start() {
	# shellcheck disable=SC2086
	spawn gateway "$LAB_NS_INSIDE" $LAB_GATEWAY_WRAP \
		"$LAB_BIN/fe-gateway" --config "$LAB_GATEWAY_CONFIG"
}

# lab_has PART: is it one of those that this lab consists of?
lab_has() {
	[[ " $LAB_PARTS " == *" $1 "* ]]
}

known_services() {
	local folder

	for folder in $ALL_PARTS; do
		echo "$folder"
	done
	echo ejabberd
	for folder in "$LAB_STATE"/prosody-*/; do
		[[ -d $folder ]] && basename "$folder"
	done
	return 0
}

# Services that were configured in this lab, in the order they are started.
lab_services() {
	local service

	while read -r service; do
		[[ ! -d $LAB_STATE/$service ]] || echo "$service"
	done < <(known_services)
}

service_configure() {
	local kind=${1%%-*}

	[[ ! -d $LAB_STATE/$1 ]] || return 0
	mkdir "$LAB_STATE/$1"
	"${kind}_configure" "$1"
}

answers_or_died() {
	"${1%%-*}_answers" "$1" || ! kill -0 "$(service_pid "$1")" 2>/dev/null
}

# Start it and wait until it answers; on failure show the end of its log.
service_start() {
	local service=$1

	service_alive "$service" && return 0
	"${service%%-*}_start" "$service"
	if ! wait_for "$START_SECONDS" answers_or_died "$service"; then
		warn "$service does not answer within $START_SECONDS s"
	elif service_alive "$service"; then
		return 0
	else
		warn "$service ended at once"
	fi
	show_log "$service"
	return 1
}

show_log() {
	local log=$LAB_STATE/$1/log

	warn "the last lines of $log:"
	tail -n "${2:-20}" "$log" >&2 || true
}

# The processes of a service are one group; while one of them is left, so are
# its sockets.
group_gone() {
	! kill -s 0 -- "-$1" 2>/dev/null
}

service_stop() {
	local service=$1 pid

	service_alive "$service" || return 0
	pid=$(service_pid "$service")
	kill -s TERM "$pid"
	kill -s CONT -- "-$pid" 2>/dev/null || true
	wait_for "${LAB_STOP_SECONDS:-5}" service_dead "$service" && return 0
	warn "$service ignores SIGTERM and is killed"
	kill -s KILL -- "-$pid" 2>/dev/null || true
	wait_for 5 group_gone "$pid" || die "$service cannot be ended"
}

# lab start|stop|restart SERVICE
command_service() {
	local verb=$1 service=${2:-}

	(($# == 2)) || die "usage: lab $verb SERVICE"
	need_up
	service_namespace "$service" >/dev/null
	if [[ $verb == start ]]; then
		service_configure "$service"
	elif [[ ! -d $LAB_STATE/$service ]]; then
		die "$service is not part of this lab"
	fi
	[[ $verb == start ]] || service_stop "$service"
	[[ $verb == stop ]] || service_start "$service"
}

# lab wait-channel [SECONDS]
command_wait_channel() {
	need_up
	wait_for "${1:-$START_SECONDS}" channel_stands ||
		die "no channel within ${1:-$START_SECONDS} s"
}

# lab status
command_status() {
	local service pid state worst=0

	is_up || {
		say "not up"
		return 1
	}
	printf '%-24s %8s  %-6s %-20s %s\n' SERVICE PID ALIVE ADDRESS LOG
	while read -r service; do
		state=yes
		service_alive "$service" || state=no worst=1
		! service_frozen "$service" || state=frozen worst=1
		pid=$(service_pid "$service")
		printf '%-24s %8s  %-6s %-20s %s\n' "$service" "${pid:--}" \
			"$state" "$(service_address "$service")" \
			"$LAB_STATE/$service/log"
	done < <(lab_services)
	if lab_has gateway && lab_has edge; then
		show_channel || worst=1
	fi
	return "$worst"
}

show_channel() {
	local lines

	lines=$(channel_lines "$LAB_NS_INSIDE" dport)
	printf '\nThe channel, seen from inside (receive queue, send queue,'
	printf ' own address, peer address):\n%s\n' "${lines:-  none}"
	[[ -n $lines ]]
}
