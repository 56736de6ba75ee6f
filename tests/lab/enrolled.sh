# For scenarios with an office (`# needs: office`), one of them in a PC, as it enrols there. Source it behind story.sh.
# shellcheck shell=bash disable=SC2154

shared=/run/lab
office() {
	outside office "$@"
}

# A PC that nobody enrolled: other scenarios made keys of their own.
fresh() {
	systemctl stop sekisho-uplink sekisho-print sekisho-guard sekisho-recorder sekisho-probes
	rm -rf /var/lib/sekisho /var/spool/sekisho /etc/sekisho/admin.keys /root/office
	"$root/packaging/prepare-system" agent
}

# enrol [LINE OF AGENT.CONF]...: over the network, as it stays until the scenario ends.
enrol() {
	fresh
	at_exit fresh
	ip link set eth0 up
	ip addr add 10.0.2.15/24 dev eth0
	printf '%s\n' 'spread = 0s' 'backoff_max = 1s' 'spool_floor = 0' "$@" >/etc/sekisho/agent.conf
	sekisho-uplink enrol --name pc --collector "https://10.0.2.2:$(cat $shared/port)" "$(office token)" >/dev/null
}

# It runs from here on; the recorder later, as the kernel takes its time here to look at its programs.
agent_start() {
	systemctl start sekisho-load sekisho-guard sekisho-uplink
	systemctl start --no-block sekisho-recorder
}
