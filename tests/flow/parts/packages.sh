# The Debian packages of this tree, built once for each state of it and kept; and a next version of them. For the scripts that source
# this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

# packages_build [ROOT]: the folder with the three packages in packages_dir, their version in packages_version; built in the Debian that
# lies in ROOT, where one is named. Ends the test (77) where the tools are missing.
packages_build() {
	local cache=${SEKISHO_LAB_CACHE:-$root/tests/lab/cache} key c
	for c in dpkg-buildpackage dh lintian apt-ftparchive gpg debconf-updatepo; do
		command -v "$c" >/dev/null || {
			echo "needs $c (packaging/install-dependencies test)"
			exit 77
		}
	done
	# Nothing in the packages comes from the tests, but the list of cases.
	key=$({
		(cd "$root" && git ls-files -z --cached --others --exclude-standard -- . ':!tests' | xargs -0 sha256sum 2>/dev/null)
		sha256sum <"$root/tests/lab/CASES.md"
		gcc --version
		printf '%s' "${1:-}"
	} | sha256sum | cut -c 1-16)
	packages_dir=$cache/packages-$key
	mkdir -p "$cache"
	exec 9>"$cache/.packages"
	flock 9
	if ! compgen -G "$packages_dir/sekisho-agent_*.deb" >/dev/null; then
		note 'building the packages of this state of the tree'
		rm -rf "$packages_dir.part"
		"$root/packaging/packages" build ${1:+--in "$1"} --out "$packages_dir.part" >"$tmp/build.log" 2>&1 || fail "$(tail -n 30 "$tmp/build.log")"
		mv "$packages_dir.part" "$packages_dir"
		find "$cache" -mindepth 1 -maxdepth 1 -name 'packages-????????????????' ! -path "$packages_dir" -mtime +2 -exec rm -rf {} +
	fi
	exec 9>&-
	packages_version=$(dpkg-deb -f "$packages_dir"/sekisho-common_*.deb Version)
}

# packages_previous [ROOT | rpm]: the folder with the packages of tests/previous's commit in previous_dir, by their own recipe; empty, and a
# word of why, where there is no such history.
packages_previous() {
	local cache=${SEKISHO_LAB_CACHE:-$root/tests/lab/cache} room=$tmp/previous said how=(build ${1:+--in "$1"})
	[ "${1:-}" != rpm ] || how=(rpm)
	previous_dir=
	said=$("$root/tests/previous" tree "$room") || {
		[ $? -eq 77 ] || fail "$said"
		note "the version before is the same programs: $said"
		return 0
	}
	previous_dir=$cache/previous-$(git -C "$room" rev-parse --short=16 HEAD)${1:+-$(basename "$1")}
	exec 9>"$cache/.packages"
	flock 9
	if ! compgen -G "$previous_dir/sekisho-agent[_-]*" >/dev/null; then
		note "building the packages of $(git -C "$room" log -1 --format='%h, %cs')"
		# The page's tools are the same where they are the same versions.
		! cmp -s "$room/collector/console/web/package-lock.json" "$root/collector/console/web/package-lock.json" ||
			[ ! -d "$root/collector/console/web/node_modules" ] ||
			{ cp -a "$root/collector/console/web/node_modules" "$room/collector/console/web/" && touch "$room/collector/console/web/node_modules/.package-lock.json"; }
		rm -rf "$previous_dir.part"
		"$room/packaging/packages" "${how[@]}" --out "$previous_dir.part" >"$tmp/previous.log" 2>&1 || fail "$(tail -n 30 "$tmp/previous.log")"
		mv "$previous_dir.part" "$previous_dir"
	fi
	exec 9>&-
	rm -rf "$room"
}

# packages_next DIR VERSION: the same packages under this version.
packages_next() {
	local deb room=$1/.room
	mkdir -p "$1"
	for deb in "$packages_dir"/*.deb; do
		rm -rf "$room"
		dpkg-deb -R "$deb" "$room"
		sed -i "s/^Version: .*/Version: $2/; s/(= $packages_version)/(= $2)/" "$room/DEBIAN/control"
		sed -i "1s/.*/sekisho-manifest 1 $2/" "$room"/usr/lib/sekisho/manifest/*
		dpkg-deb --root-owner-group -Zgzip -z1 -b "$room" "$1" >/dev/null
	done
	rm -rf "$room"
}

# packages_snapshot ROOT: all that lies there, with owner, mode and content, but for what dpkg, apt, debconf and a PC that runs write about
# themselves: there, what has our name.
packages_snapshot() {
	(
		cd "$1" || exit 1
		find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log -o -path ./repository \
			-o -path ./tmp -o -path ./var/tmp -o -path ./root -o -path ./var/spool/cups -o -path ./var/lib/systemd \) -prune \
			-o \( -type f -o -type l -o -type d \) -printf '%P\t%y %m %U:%G %l\n' |
			grep -vE '^(etc|var/backups)/(passwd|group|g?shadow|sub[ug]id)-|^etc/(ld.so.cache|cups/(printers|subscriptions).conf)' | sort
		sort etc/passwd etc/group etc/gshadow
		cut -d: -f 1 etc/shadow
		find etc -xdev -type f ! -name '*-' ! -name 'ld.so.cache' ! -name shadow ! -path 'etc/cups/printers.conf*' \
			! -path 'etc/cups/subscriptions.conf*' -exec sha256sum {} + | sort -k 2
		{ find var/lib/systemd var/cache var/log var/spool/cups var/tmp tmp root -name '*sekisho*' 2>/dev/null || true; } | sort
	)
}
