# Debian 13 in a folder, with its own CUPS and a desktop's notices: our programs as they were built here run there, beside what they are linked
# with where that release has another version of it. For the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

# shellcheck source=tests/flow/parts/debian_root.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian_root.sh"
# CUPS with what a desktop has of it, what the flows of paper call, and what our programs are linked with. The libraries that Debian 13
# has by another name than Debian 12 come from this machine.
trixie_packages=(cups cups-client cups-ipp-utils cups-browsed cups-filters ghostscript avahi-daemon dbus-daemon dbus-bin python3
	openssl procps qpdf poppler-data libjansson4 libseccomp2 libyaml-0-2 libpcre2-8-0 libcurl4t64 libsystemd0 libzstd1
	libarchive13t64 libcairo2 libssl3t64 libsqlite3-0 libpq5 libpoppler-glib8t64 dbus
	libgmime-3.0-0t64 libgsf-1-114 libxml2
	dbus-x11 dunst xvfb systemd)

# trixie_root: the folder, in trixie_dir.
trixie_root() {
	debian_root cups-trixie trixie 13 '' '' "${trixie_packages[@]}"
	trixie_dir=$debian_dir
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
