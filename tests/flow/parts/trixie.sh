# Debian 13 in a folder, with its own CUPS: the print gate's programs as they were built here run there, beside what they are linked
# with where that release has another version of it. For the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

trixie_cache=${SEKISHO_LAB_CACHE:-$root/tests/lab/cache}
# CUPS with what a desktop has of it, what the flows of paper call, and what our programs are linked with. The libraries that Debian 13
# has by another name than Debian 12 come from this machine.
trixie_packages=(cups cups-client cups-ipp-utils cups-browsed cups-filters ghostscript avahi-daemon dbus-daemon dbus-bin python3
	openssl procps qpdf poppler-data libjansson4 libseccomp2 libyaml-0-2 libpcre2-8-0 libcurl4t64 libsystemd0 libzstd1
	libarchive13t64 libcairo2 libssl3t64 libsqlite3-0 libpoppler-glib8t64 dbus)

trixie_archive() {
	local uri
	# shellcheck disable=SC2016 # apt's own words
	uri=$(apt-get indextargets --format '$(REPO_URI)' "Origin: Debian" "Label: Debian" 2>/dev/null | head -n 1)
	printf '%s\n' "${uri%/}"
}

# trixie_root: the folder, made where it is not there, in trixie_dir. Ends the test (77) where it cannot be had.
trixie_root() {
	local archive key
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root: it makes a root file system'
		exit 77
	}
	key=$(printf '%s\n' "${trixie_packages[@]}" | sha256sum | cut -c 1-16)
	trixie_dir=$trixie_cache/cups-trixie-$key
	mkdir -p "$trixie_cache/debs"
	exec 9>"$trixie_cache/.trixie"
	flock 9
	if [ ! -d "$trixie_dir" ]; then
		command -v debootstrap >/dev/null || {
			echo 'needs debootstrap (packaging/install-dependencies test)'
			exit 77
		}
		archive=$(trixie_archive)
		curl -fsSLI --max-time 30 "${archive:-none:}/dists/trixie/InRelease" >/dev/null || {
			echo "the archive of Debian 13 cannot be reached (${archive:-apt knows none})"
			exit 77
		}
		rm -rf --one-file-system "$trixie_dir.part"
		debootstrap --variant=minbase --cache-dir="$trixie_cache/debs" \
			--include="$(IFS=,; printf '%s' "${trixie_packages[*]}")" trixie "$trixie_dir.part" "$archive" >"$tmp/debootstrap.log" 2>&1 ||
			fail "$(tail -n 20 "$tmp/debootstrap.log")"
		rm -rf "$trixie_dir.part"/var/cache/apt/archives/*.deb
		mv "$trixie_dir.part" "$trixie_dir"
		find "$trixie_cache" -mindepth 1 -maxdepth 1 -name 'cups-trixie-*' ! -path "$trixie_dir" -exec rm -rf --one-file-system {} +
	fi
	exec 9>&-
}

# trixie_libraries FOLDER PROGRAM...: what these programs are linked with and Debian 13 does not have by that name.
trixie_libraries() {
	local folder=$1 name path
	shift
	mkdir -p "$folder"
	ldd "$@" | sed -n 's/^\t\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' | sort -u | while read -r name path; do
		[ -e "$trixie_dir/usr/lib/x86_64-linux-gnu/$name" ] || [ -e "$trixie_dir/lib/x86_64-linux-gnu/$name" ] ||
			cp -L "$path" "$folder/$name"
	done
}
