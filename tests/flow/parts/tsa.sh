# Shared by the flows that have the log stamped: an authority (RFC 3161) by `openssl ts`. Source lib.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
tsa=$tmp/tsa

# start_tsa: makes it (ca.crt; tsa, and the certificates old and stranger, which are not to be trusted) and starts it at $tsa_port.
start_tsa() {
	mkdir "$tsa"
	(
		cd "$tsa" || exit
		printf '[tsa]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n' >ext
		printf '[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\ness_cert_id_alg=sha256\n' >tsa.conf
		echo 01 >serial
		for ca in ca foreign; do
			openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $ca.key -out $ca.crt -subj "/CN=TSA $ca" -days 30
		done
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out csr -utf8 -subj '/O=時刻認証局/CN=tsa'
		sign() { openssl x509 -req -in csr -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days "$3" -extfile ext -extensions tsa -out "$1.crt"; }
		sign tsa ca 20
		sign old ca -1
		sign stranger foreign 20
	) 2>/dev/null
	tsa_port=$(free_port)
	"$py" "$root/tests/flow/parts/tsa.py" "$tsa" "$tsa_port" &
	at_exit "kill $! 2>/dev/null"
	wait_for 60 bash -c "exec 3<>/dev/tcp/127.0.0.1/$tsa_port"
}
