# For the scripts that make a PC of their own (fresh, packages, enforcing): commands in its root, and what makes it one of the lab's. Source it
# behind lib.sh. `log` is the file that commands write to.
# shellcheck shell=bash disable=SC2154

mounted=

# in_root FOLDER COMMAND...: as a new user's root would have it, with nothing of this one's settings but whom it trusts on the network.
in_root() {
	local place=$1 status=0
	shift
	mounted=$place/proc
	mount -t proc proc "$mounted"
	chroot "$place" env -i HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$@" >>"$log" 2>&1 </dev/null || status=$?
	umount "$mounted"
	mounted=
	[ "$status" -eq 0 ] || tail -n 30 "$log" >&2
	return "$status"
}

# What a disk says of itself, and an initramfs with what the lab's disks need and no more.
for_a_disk() {
	printf '%s\n' "$2" >"$1/etc/hostname"
	printf '127.0.0.1 localhost %s\n' "$2" >"$1/etc/hosts"
	printf '/dev/vda / ext4 errors=remount-ro 0 1\n' >"$1/etc/fstab"
	printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=3\nBUSYBOX=auto\n' >"$1/etc/initramfs-tools/conf.d/lab"
	printf 'virtio_pci\nvirtio_blk\next4\n' >"$1/etc/initramfs-tools/modules"
}

# What makes a PC one of the lab's: the service that runs what the host shares, and time for an emulated kernel to look at programs.
for_the_lab() {
	local unit disk timers
	disk=$("$lab/image" 6.1)
	debugfs -R 'cat /etc/systemd/system/lab.service' "$disk/root.img" >"$1/etc/systemd/system/lab.service" 2>/dev/null
	for unit in load probes guard; do
		install -d "$1/etc/systemd/system/sekisho-$unit.service.d"
		printf '[Service]\nTimeoutStartSec=600s\nTimeoutStopSec=300s\n' >"$1/etc/systemd/system/sekisho-$unit.service.d/lab.conf"
	done
	install -d "$1/etc/systemd/system.conf.d"
	printf '[Manager]\nDefaultTimeoutStartSec=600s\n' >"$1/etc/systemd/system.conf.d/lab.conf"
	in_root "$1" systemctl -q enable lab.service
	mapfile -t timers < <(cd "$1/etc/systemd/system/timers.target.wants" && ls)
	in_root "$1" systemctl -q disable "${timers[@]}"
	in_root "$1" systemctl -q set-default multi-user.target
	: >"$1/etc/machine-id"
}

# What packages are installed on: it starts from a disk, and knows no archive but ours.
as_a_pc() {
	for_a_disk "$1" pc
	printf 'force-unsafe-io\n' >"$1/etc/dpkg/dpkg.cfg.d/lab"
	in_root "$1" update-initramfs -u
	rm -rf "$1"/var/lib/apt/lists/* "$1"/usr/share/{doc,man,locale,info} "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*
	for_the_lab "$1"
}

# depends FOLDER: names of what the packages there depend on.
depends() {
	local deb
	for deb in "$1"/*.deb; do
		dpkg-deb -f "$deb" Depends
	done | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g' | grep -v '^sekisho' | sort -u
}

# root_disk FOLDER DISK: the disk of that root, with its kernel beside it, for SEKISHO_LAB_DISK.
root_disk() {
	mkdir -p "$2"
	cp "$1"/boot/vmlinuz-* "$2/vmlinuz"
	cp "$1"/boot/initrd.img-* "$2/initrd.img"
	truncate -s 6G "$2/root.img"
	mkfs.ext4 -q -F -d "$1" -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 "$2/root.img"
}
