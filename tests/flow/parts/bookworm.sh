# Debian 12 in a folder, as a PC or a server has it before anything of ours is there: apt, dpkg, debconf, udev, systemd's tools, and the
# libraries that our packages ask for, so that a test installs nothing but ours. For the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

bookworm_cache=${SEKISHO_LAB_CACHE:-$root/tests/lab/cache}
# What our packages depend on is here; apt would say which one is missing.
bookworm_packages=(apt debconf passwd udev systemd systemd-sysv kmod procps ca-certificates gpgv
	libarchive13 libargon2-1 libbpf1 libcairo2 libcbor0.8 libcups2 libcurl4 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7
	libfido2-1 libjansson4 libjose0 libpcre2-8-0 libpoppler-glib8 libqpdf29 libseccomp2 libsqlite3-0 libssl3 libsystemd0
	libudev1 libusb-1.0-0 libyaml-0-2 libzstd1 qpdf)

bookworm_archive() {
	local uri
	# shellcheck disable=SC2016 # apt's own words
	uri=$(apt-get indextargets --format '$(REPO_URI)' "Origin: Debian" "Label: Debian" 2>/dev/null | head -n 1)
	printf '%s\n' "${uri%/}"
}

# bookworm_root: the folder, made where it is not there, in bookworm_dir. Ends the test (77) where it cannot be had.
bookworm_root() {
	local archive key
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root: it makes a root file system'
		exit 77
	}
	key=$(printf '%s\n' "${bookworm_packages[@]}" | sha256sum | cut -c 1-16)
	bookworm_dir=$bookworm_cache/packages-bookworm-$key
	mkdir -p "$bookworm_cache/debs"
	exec 9>"$bookworm_cache/.bookworm"
	flock 9
	if [ ! -d "$bookworm_dir" ]; then
		command -v debootstrap >/dev/null || {
			echo 'needs debootstrap (packaging/install-dependencies test)'
			exit 77
		}
		archive=$(bookworm_archive)
		curl -fsSLI --max-time 30 "${archive:-none:}/dists/bookworm/InRelease" >/dev/null || {
			echo "the archive of Debian 12 cannot be reached (${archive:-apt knows none})"
			exit 77
		}
		rm -rf --one-file-system "$bookworm_dir.part"
		debootstrap --variant=minbase --merged-usr --cache-dir="$bookworm_cache/debs" \
			--include="$(IFS=,; printf '%s' "${bookworm_packages[*]}")" bookworm "$bookworm_dir.part" "$archive" >"$tmp/debootstrap.log" 2>&1 ||
			fail "$(tail -n 20 "$tmp/debootstrap.log")"
		rm -rf "$bookworm_dir.part"/var/cache/apt/archives/*.deb
		# No service is started there: there is no init.
		printf '#!/bin/sh\nexit 101\n' >"$bookworm_dir.part/usr/sbin/policy-rc.d"
		chmod 755 "$bookworm_dir.part/usr/sbin/policy-rc.d"
		mv "$bookworm_dir.part" "$bookworm_dir"
		find "$bookworm_cache" -mindepth 1 -maxdepth 1 -name 'packages-bookworm-*' ! -path "$bookworm_dir" -exec rm -rf --one-file-system {} +
	fi
	exec 9>&-
}
