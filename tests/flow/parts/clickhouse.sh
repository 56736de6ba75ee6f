# Shared by what needs a ClickHouse: Debian's own (18.16, of 2018), unpacked below build/, where no package of it is installed and no
# service of it begins. Source lib.sh first.
# shellcheck shell=bash disable=SC2154,SC2034
clickhouse_root=$root/build/clickhouse
clickhouse_port=$(free_port)
clickhouse_url=https://localhost:$clickhouse_port/
clickhouse_pid=''

# clickhouse_there: 15 MB of packages, once.
clickhouse_there() {
	local part names
	[ ! -x "$clickhouse_root/usr/sbin/clickhouse-server" ] || return 0
	part=$(mktemp -d "$root/build/clickhouse-XXXXXX")
	at_exit "rm -rf '$part'"
	# What is installed already need not be fetched; the client is not used.
	mapfile -t names < <(apt-get -s install --no-install-recommends clickhouse-server 2>/dev/null | awk '/^Inst/ && $2 != "clickhouse-client" { print $2 }')
	[ ${#names[@]} -gt 0 ] || return 1
	(cd "$part" && apt-get download "${names[@]}" && for deb in *.deb; do dpkg -x "$deb" root; done) >"$tmp/apt" 2>&1 || return 1
	mv "$part/root" "$clickhouse_root"
}

# clickhouse_settings CERTIFICATE KEY USER PASSWORD
clickhouse_settings() {
	local d=$tmp/clickhouse
	mkdir -p "$d/data" "$d/tmp"
	cat >"$d/config.xml" <<-XML
		<yandex>
		<logger><level>information</level><console>1</console></logger>
		<https_port>$clickhouse_port</https_port><tcp_port>$(free_port)</tcp_port><listen_host>127.0.0.1</listen_host>
		<openSSL><server><certificateFile>$1</certificateFile><privateKeyFile>$2</privateKeyFile>
		<verificationMode>none</verificationMode><loadDefaultCAFile>false</loadDefaultCAFile><cacheSessions>true</cacheSessions>
		<disableProtocols>sslv2,sslv3</disableProtocols></server></openSSL>
		<path>$d/data/</path><tmp_path>$d/tmp/</tmp_path><users_config>users.xml</users_config>
		<default_profile>default</default_profile><default_database>default</default_database>
		<mark_cache_size>16777216</mark_cache_size>
		</yandex>
	XML
	cat >"$d/users.xml" <<-XML
		<yandex>
		<profiles><default><max_memory_usage>3000000000</max_memory_usage>
		<max_threads>1</max_threads><max_compress_block_size>65536</max_compress_block_size><max_read_buffer_size>65536</max_read_buffer_size>
		<allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type></default></profiles>
		<users><$3><password>$4</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></$3></users>
		<quotas><default/></quotas>
		</yandex>
	XML
}

clickhouse_answers() {
	kill -0 "$clickhouse_pid" && curl -sf --max-time 5 --cacert "$tmp/sink.crt" "$clickhouse_url" | grep -q Ok
}

start_clickhouse() {
	LD_LIBRARY_PATH=$clickhouse_root/usr/lib/x86_64-linux-gnu "$clickhouse_root/usr/sbin/clickhouse-server" \
		--config-file="$tmp/clickhouse/config.xml" >>"$tmp/clickhouse.log" 2>&1 &
	clickhouse_pid=$!
	at_exit "kill -9 $clickhouse_pid 2>/dev/null; wait $clickhouse_pid 2>/dev/null"
	wait_for 60 clickhouse_answers
}

kill_clickhouse() {
	kill -9 "$clickhouse_pid"
	wait "$clickhouse_pid" 2>/dev/null || true
}
