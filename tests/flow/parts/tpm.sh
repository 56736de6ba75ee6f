# Shared by flows with a TPM or a PKCS#11 token: swtpm, SoftHSM, and the keeper as systemd would start it. Source lib.sh and
# doubles/uplink.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
parts=$root/tests/flow/parts
keeper=$SEKISHO_ROOT/run/sekisho/keeper.sock
# Whoever speaks to swtpm takes the port behind it for its control channel.
tpm_port=$(free_port 2)
tpm_control=$((tpm_port + 1))
tpm_pid=''

# start_tpm NAME: a TPM with what it had when it was last there.
start_tpm() {
	mkdir -p "$tmp/tpm-$1"
	swtpm socket --tpm2 --tpmstate "dir=$tmp/tpm-$1" --server "type=tcp,port=$tpm_port" --ctrl "type=tcp,port=$tpm_control" \
		--flags not-need-init,startup-clear >>"$tmp/swtpm.log" 2>&1 &
	tpm_pid=$!
	at_exit "kill -9 $tpm_pid 2>/dev/null"
	wait_for 60 grep -q ":$(printf '%04X' "$tpm_port") .* 0A " /proc/net/tcp
}

# owner_password OLD NEW: as the TPM's owner sets it ("none": there is none), with whatever tools: TPM2_HierarchyChangeAuth, by nothing of
# ours.
owner_password() {
	"$py" - "$tpm_port" "$1" "$2" <<-'END'
		import socket, struct, sys
		port, (old, new) = int(sys.argv[1]), (b"" if word == "none" else word.encode() for word in sys.argv[2:])
		auth = struct.pack(">IHBH", 0x40000009, 0, 0, len(old)) + old
		body = struct.pack(">II", 0x40000001, len(auth)) + auth + struct.pack(">H", len(new)) + new
		with socket.create_connection(("127.0.0.1", port)) as s:
		    s.sendall(struct.pack(">HII", 0x8002, 10 + len(body), 0x129) + body)
		    answer = s.recv(1024)
		assert answer[6:10] == bytes(4), answer.hex()
	END
}

stop_tpm() {
	kill "$tpm_pid"
	wait "$tpm_pid" 2>/dev/null || true
}

# with_users COMMAND...: where this machine has the users of ours that ask for keys without being root, whoever else is on it.
with_users() {
	# In the background it is the command that is ended, not a shell before it.
	local go=()
	[ "$BASHPID" = "$$" ] || go=(exec)
	if [ "$(id -u)" -ne 0 ]; then
		"${go[@]}" "$@"
		return
	fi
	if [ ! -e "$tmp/passwd" ]; then
		grep -v '^sekisho' /etc/group >"$tmp/group"
		printf '%s\n' 'sekisho:x:54320:sekisho-posture,sekisho-uplink' 'sekisho-posture:x:54321:' 'sekisho-uplink:x:54322:' >>"$tmp/group"
		grep -v '^sekisho-\(posture\|uplink\):' /etc/passwd >"$tmp/passwd"
		printf '%s:/nonexistent:/usr/sbin/nologin\n' 'sekisho-posture:x:54321:54321:' 'sekisho-uplink:x:54322:54322:' >>"$tmp/passwd"
	fi
	# shellcheck disable=SC2016 # for the shell in there
	"${go[@]}" unshare --mount --propagation private sh -c 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"' "$tmp" "$@"
}

start_keeper() {
	with_users systemd-socket-activate --accept --inetd --listen "$keeper" -E SEKISHO_ROOT -E SOFTHSM2_CONF -E "TPM2OPENSSL_TCTI=swtpm:host=127.0.0.1,port=$tpm_port" \
		"$BIN/sekisho-keeper" --config "$conf" >>"$tmp/keeper.log" 2>&1 &
	at_exit "kill -9 $! 2>/dev/null"
	wait_for 60 test -S "$keeper"
	chmod 666 "$keeper"
}

ask_keeper() {
	"$py" "$parts/tpm_ask.py" "$keeper" "$@"
}

softhsm=/usr/lib/softhsm/libsofthsm2.so
export SOFTHSM2_CONF=$tmp/softhsm2.conf

# make_token NAME PIN: a new token of SoftHSM's. Its settings name one folder: see use_tokens.
make_token() {
	softhsm2-util --init-token --free --label "$1" --so-pin 87654321 --pin "$2" >/dev/null
}

# use_tokens FOLDER: which tokens are plugged in, so to speak.
use_tokens() {
	mkdir -p "$tmp/$1"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n' "$tmp/$1" >"$SOFTHSM2_CONF"
}
