# Another Debian in a folder that is kept: made once of these packages, and anew when they change. Source it after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

debian_cache=${SEKISHO_LAB_CACHE:-$root/tests/lab/cache}

debian_archive() {
	local uri
	# shellcheck disable=SC2016 # apt's own words
	uri=$(apt-get indextargets --format '$(REPO_URI)' "Origin: Debian" "Label: Debian" 2>/dev/null | head -n 1)
	printf '%s\n' "${uri%/}"
}

# debian_root NAME SUITE NUMBER "OPTION..." "PREPARE" PACKAGE...: the folder NAME-KEY, made where it is not there, in debian_dir. OPTIONs are
# debootstrap's; PREPARE are functions, each of which is given the folder before it is kept; what else it is made of
# is said by debian_made_of. Ends the test (77) where it cannot be had.
debian_root() {
	local name=$1 suite=$2 number=$3 options prepares prepare archive key
	read -r -a options <<<"$4"
	read -r -a prepares <<<"$5"
	shift 5
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root: it makes a root file system'
		exit 77
	}
	key=$({
		printf '%s\n' "$@" ${debian_made_of:+"$debian_made_of"}
		[ ${#prepares[@]} -eq 0 ] || declare -f "${prepares[@]}"
	} | sha256sum | cut -c 1-16)
	debian_dir=$debian_cache/$name-$key
	mkdir -p "$debian_cache/debs"
	exec 9>"$debian_cache/.$suite"
	flock 9
	if [ ! -d "$debian_dir" ]; then
		command -v debootstrap >/dev/null || {
			echo 'needs debootstrap (packaging/install-dependencies test)'
			exit 77
		}
		archive=$(debian_archive)
		curl -fsSLI --max-time 30 "${archive:-none:}/dists/$suite/InRelease" >/dev/null || {
			echo "the archive of Debian $number cannot be reached (${archive:-apt knows none})"
			exit 77
		}
		rm -rf --one-file-system "$debian_dir.part"
		debootstrap --variant=minbase "${options[@]}" --cache-dir="$debian_cache/debs" --include="$(IFS=,; printf '%s' "$*")" \
			"$suite" "$debian_dir.part" "$archive" >"$tmp/debootstrap.log" 2>&1 || fail "$(tail -n 20 "$tmp/debootstrap.log")"
		rm -rf "$debian_dir.part"/var/cache/apt/archives/*.deb
		for prepare in "${prepares[@]}"; do
			"$prepare" "$debian_dir.part"
		done
		mv "$debian_dir.part" "$debian_dir"
		find "$debian_cache" -mindepth 1 -maxdepth 1 -name "$name-*" ! -path "$debian_dir" -exec rm -rf --one-file-system {} +
	fi
	exec 9>&-
}
