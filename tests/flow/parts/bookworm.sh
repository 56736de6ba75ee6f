# Debian 12 in a folder, as a PC or a server has it before anything of ours is there: apt, dpkg, debconf, udev, systemd's tools, and the
# libraries that our packages ask for, so that a test installs nothing but ours. For the scripts that source this after lib.sh.
# shellcheck shell=bash disable=SC2154,SC2034

# shellcheck source=tests/flow/parts/debian_root.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian_root.sh"
# What our packages depend on is here; apt would say which one is missing.
bookworm_packages=(apt debconf passwd udev systemd systemd-sysv kmod procps ca-certificates gpgv
	libarchive13 libargon2-1 libbpf1 libcairo2 libcbor0.8 libcups2 libcurl4 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7
	libfido2-1 libgmime-3.0-0 libgsf-1-114 libjansson4 libjose0 libpasswdqc1 libpcre2-8-0 libpoppler-glib8 libpq5 libqpdf29 libseccomp2 libsqlite3-0 libssl3 libsystemd0
	libudev1 libusb-1.0-0 libyaml-0-2 libxml2 libzstd1 qpdf)

# No service is started there: there is no init.
bookworm_prepare() {
	printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
	chmod 755 "$1/usr/sbin/policy-rc.d"
}

# bookworm_root: the folder, in bookworm_dir.
bookworm_root() {
	debian_root packages-bookworm bookworm 12 --merged-usr bookworm_prepare "${bookworm_packages[@]}"
	bookworm_dir=$debian_dir
}
