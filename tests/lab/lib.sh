# Shared by tests/lab/run and tests/lab/pc: a folder that the PC shares, and the machine around the disk. Source it.
# shellcheck shell=bash disable=SC2034,SC2154

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$lab/../.." && pwd)
BIN=${SEKISHO_BIN:-$root/build/bin}

# lab_needs: what a lab cannot do without; 77 says that it cannot be here.
lab_needs() {
	local c
	[ "$(id -u)" -eq 0 ] || {
		echo 'needs root: it makes a root file system'
		exit 77
	}
	for c in qemu-system-x86_64 qemu-img debootstrap mkfs.ext4; do
		command -v "$c" >/dev/null || {
			echo "needs $c (packaging/install-dependencies test)"
			exit 77
		}
	done
}

# Of the container that a disk becomes by `root luks`.
lab_luks=0f6b7e4c-3f0e-4c7b-9d43-6e1d5d0c9a11 lab_key='of the lab'

# lab_share FOLDER: what guest finds there: where this tree and its programs are, and what runs first.
lab_share() {
	mkdir -p "$1/out" "$1/disks"
	cp "$lab/guest" "$1/guest"
	printf 'root=%q\nbuild=%q\n' "$root" "$(dirname "$BIN")" >"$1/plan"
}

# lab_disk KERNEL: prints the folder of the disk: SEKISHO_LAB_DISK, or what tests/lab/image makes. With LAB_PACKAGES a copy of that with those of
# Debian's packages on it, installed by this machine's processor, kept beside it by their names, and like it left as it is.
lab_disk() {
	local disk with place status=0
	if [ -n "${SEKISHO_LAB_DISK:-}" ]; then
		printf '%s\n' "$SEKISHO_LAB_DISK"
		return
	fi
	disk=$("$lab/image" "$1") || return
	if [ -n "${LAB_PACKAGES:-}" ]; then
		with=$disk-with-$(printf '%s\n' "$LAB_PACKAGES" | sha256sum | cut -c 1-16)
		exec 7>"${SEKISHO_LAB_CACHE:-$lab/cache}/.packages"
		flock 7
		if [ ! -d "$with" ]; then
			rm -rf "$with.part"
			mkdir -p "$with.part"
			ln "$disk/vmlinuz" "$disk/initrd.img" "$with.part/"
			cp --sparse=always "$disk/root.img" "$with.part/root.img"
			place=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-lab-XXXXXX")
			# A mount namespace of its own: what is mounted goes with it. The kernel is not in the disk, and no initramfs is to be made.
			unshare --mount bash -eu -c '
				place=$1 disk=$2
				shift 2
				mount -o loop "$disk/root.img" "$place"
				mount -t proc proc "$place/proc"
				cp -L /etc/resolv.conf "$place/etc/resolv.conf"
				cp -a "$place/etc/initramfs-tools/update-initramfs.conf" "$place/root/kept"
				echo update_initramfs=no >"$place/etc/initramfs-tools/update-initramfs.conf"
				export DEBIAN_FRONTEND=noninteractive LC_ALL=C
				chroot "$place" apt-get update -qq
				chroot "$place" apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-unsafe-io "$@"
				chroot "$place" apt-get clean
				cp -a "$place/root/kept" "$place/etc/initramfs-tools/update-initramfs.conf"
				rm -rf "$place"/var/lib/apt/lists/* "$place/etc/resolv.conf" "$place/root/kept"
				touch "$place/etc/.updated" "$place/var/.updated"
				umount "$place/proc" "$place"' lab_disk "$place" "$with.part" $LAB_PACKAGES >"$with.log" 2>&1 7>&- || status=$?
			rm -rf --one-file-system "$place"
			[ "$status" -eq 0 ] || { tail -n 20 "$with.log" >&2; return "$status"; }
			mv "$with.part" "$with"
		fi
		exec 7>&-
		disk=$with
	fi
	printf '%s\n' "$disk"
}

# lab_machine KERNEL FOLDER IMAGE: the command in MACHINE, the kernel's words in APPEND, without serial ports. Software emulation:
# KVM is not everywhere, and a test must not depend on it. IMAGE is made where it is not there, upon the kernel's disk, which stays as
# it is; it keeps from boot to boot what is written to it. What FOLDER/power-on says is so when power comes on:
#   root usb           the disk hangs on USB
#   root luks          and what was on it is on it encrypted: a container that lab-key opens, of the UUID lab_luks
#   root pmem          it is persistent memory: nobody waits for it (an initramfs with nfit and nd_pmem)
#   append WORD...     behind the kernel's command line
#   plug NAME OPTION...   as tests/lab/outside has it
# and FOLDER/initrd.img, where there is one, is the initramfs. SEKISHO_LAB_DISK names a folder with another disk and its kernel than
# tests/lab/image makes.
# The PC has its network card always; nobody gives it an address but scenarios with an office.
lab_machine() {
	local disk image=$3 initrd on=virtio-blk-pci,drive=root words='' pace drive i memory=(-m 1G)
	disk=$(lab_disk "$1") || return
	initrd=$disk/initrd.img
	[ -e "$image" ] || qemu-img create -q -f qcow2 -F raw -b "$disk/root.img" "$image" || return
	[ ! -s "$2/initrd.img" ] || initrd=$2/initrd.img
	drive=(-drive "file=$image,format=qcow2,if=none,id=root,cache=unsafe")
	if [ -e "$2/power-on" ]; then
		if grep -qx 'root luks' "$2/power-on"; then
			if [ ! -e "$image.luks" ]; then
				printf '%s' "$lab_key" >"$image.key"
				# It measures what the key costs this machine's processor, and one time in ten it is over before that clock has moved:
				# "Unable to get accurate CPU usage".
				i=0
				until qemu-img convert -O luks --object "secret,id=key,file=$image.key" -o key-secret=key,iter-time=10 "$image" "$image.luks"; do
					rm -f "$image.luks"
					[ $((i += 1)) -lt 5 ] || return
				done
				# LUKS 1 has its UUID there, with no sum over it.
				printf '%s' "$lab_luks" | dd of="$image.luks" bs=1 seek=168 conv=notrunc status=none
			fi
			drive=(-drive "file=$image.luks,format=raw,if=none,id=root,cache=unsafe") on=usb-storage,bus=xhci.0,serial=OWN1,drive=root
		fi
		words=$(sed -n 's/^append //p' "$2/power-on" | tr '\n' ' ')
		! grep -qx 'root usb' "$2/power-on" || on=usb-storage,bus=xhci.0,serial=OWN1,drive=root
		if grep -qx 'root pmem' "$2/power-on"; then
			[ -e "$image.raw" ] || qemu-img convert -O raw "$image" "$image.raw" || return
			memory=(-machine 'pc,nvdimm=on' -m '1G,slots=2,maxmem=16G')
			drive=(-object "memory-backend-file,id=root,share=on,mem-path=$image.raw,size=$(stat -c %s "$image.raw")")
			on=nvdimm,memdev=root
		fi
	fi
	# The clock that the emulator is good at; a guard against processors' faults costs it much, and helps nobody here.
	APPEND="root=/dev/vda rw console=ttyS0 panic=-1 systemd.show_status=false net.ifnames=0 tsc=reliable mitigations=off modprobe.blacklist=floppy,pcspkr,kvm,kvm_amd,powernow_k8,ata_piix,i2c_piix4 ${SEKISHO_LAB_APPEND:-} $words"
	# SEKISHO_LAB_COUNT: one processor, whose clock is the instructions that it executed, a nanosecond each, whatever else this machine
	# does meanwhile; where it waits, the clock goes on to what it waits for.
	# shellcheck disable=SC2054 # commas belong to the options
	if [ -n "${SEKISHO_LAB_COUNT:-}" ]; then
		pace=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off' -smp 1)
	else
		pace=(-accel 'tcg,thread=multi' -smp 2)
	fi
	# shellcheck disable=SC2054
	MACHINE=(qemu-system-x86_64 "${pace[@]}" -cpu max "${memory[@]}" -nodefaults -no-user-config -no-reboot
		-display none -object 'rng-random,id=rng,filename=/dev/urandom' -device 'virtio-rng-pci,rng=rng'
		-kernel "$disk/vmlinuz" -initrd "$initrd" -append "$APPEND"
		"${drive[@]}"
		-virtfs "local,path=$2,mount_tag=lab,security_model=none"
		-virtfs "local,path=$root,mount_tag=tree,security_model=none,readonly=on"
		-virtfs "local,path=$(dirname "$BIN"),mount_tag=build,security_model=none,readonly=on"
		-device virtio-serial-pci,id=ports -device 'qemu-xhci,id=xhci,p2=8,p3=8' -device "$on"
		-netdev 'user,id=net' -device 'virtio-net-pci,netdev=net'
		-drive 'if=none,id=card' -device sdhci-pci -device 'sd-card,drive=card')
}

# lab_awake KERNEL IMAGE: IMAGE becomes the disk of a PC that was booted already, to be woken up by -loadvm ready; such a state is made
# once for each kernel and its words, and kept beside the disks. Fails where that does not work: then it has to boot.
lab_awake() {
	local cache=${SEKISHO_LAB_CACHE:-$lab/cache} disk state share
	disk=$(lab_disk "$1") || return
	state=$cache/state-$1-$({
		cat "$lab/state" "$lab/lib.sh"
		printf '%s\n' "$disk" "${SEKISHO_LAB_APPEND:-}"
		# A disk that was made anew at the same place is another one: a PC that wakes up on it finds its file system changed below it.
		stat -c '%i %Y %s' "$disk"
		qemu-system-x86_64 --version
	} | sha256sum | cut -c 1-16)
	exec 8>"$cache/.state"
	flock 8
	if [ ! -e "$state.qcow2" ] && [ ! -e "$state.failed" ]; then
		# Those of disks that are gone, and of older ways to make them.
		find "$cache" -mindepth 1 -maxdepth 1 -name 'state-*' -mtime +2 -delete
		share=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-lab-XXXXXX")
		rm -f "$state.part"
		if lab_machine "$1" "$share" "$state.part" && "$lab/state" "$state.part" "${MACHINE[@]}" >"$state.log" 2>&1; then
			mv "$state.part" "$state.qcow2"
		else
			rm -f "$state.part"
			mv "$state.log" "$state.failed"
		fi
		rm -rf "$share"
	fi
	exec 8>&-
	[ -e "$state.qcow2" ] && cp --sparse=always "$state.qcow2" "$2"
}

# lab_initramfs KERNEL FOLDER MODULE...: FOLDER/initramfs, made by the PC's own mkinitramfs from its own disk with what is installed
# below FOLDER/install, but by this machine's processor: in emulation it takes ten minutes. +unlock among them: it opens what `root luks` makes
# of the disk, with a key that it has; cryptsetup-initramfs has to be among the disk's packages.
lab_initramfs() {
	local disk place status=0
	disk=$(lab_disk "$1") || return
	place=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-lab-XXXXXX")
	# A mount namespace of its own: what is mounted goes with it.
	unshare --mount bash -eu -c '
		disk=$1 place=$2 share=$3 luks=$4 key=$5
		shift 5
		mkdir "$place/disk" "$place/room"
		mount -o loop,ro "$disk/root.img" "$place/disk"
		mount -t tmpfs tmpfs "$place/room"
		mkdir "$place/room"/{upper,work,root}
		mount -t overlay -o "lowerdir=$place/disk,upperdir=$place/room/upper,workdir=$place/room/work" overlay "$place/room/root"
		cd "$place/room/root"
		cp -a --no-preserve=ownership "$share/install/." .
		for word; do
			case $word in
			+unlock)
				printf "labroot UUID=%s /etc/keys/lab.key luks,initramfs\n" "$luks" >etc/crypttab
				echo "KEYFILE_PATTERN=/etc/keys/*.key" >>etc/cryptsetup-initramfs/conf-hook
				echo UMASK=0077 >>etc/initramfs-tools/initramfs.conf
				mkdir -p -m 700 etc/keys
				printf "%s" "$key" >etc/keys/lab.key
				chmod 600 etc/keys/lab.key
				;;
			*) printf "%s\n" "$word" >>etc/initramfs-tools/modules ;;
			esac
		done
		mount -t proc proc proc
		mount --rbind /sys sys
		mount --rbind /dev dev
		chroot . mkinitramfs -o /initramfs "$(ls lib/modules)"
		cp initramfs "$share/initramfs"' lab_initramfs "$disk" "$place" "$2" "$lab_luks" "$lab_key" "${@:3}" >"$2/initramfs.log" 2>&1 || status=$?
	rm -rf --one-file-system "$place"
	[ "$status" -eq 0 ] || tail -n 20 "$2/initramfs.log" >&2
	return "$status"
}

# lab_dracut KERNEL FOLDER WORD...: FOLDER/dracut, as lab_initramfs makes one, but by dracut, which has to be among the disk's packages.
# WORDs are kernel modules, or dracut's with a + before them. The port to the host is left to the PC: systemd starts nothing for a device that
# was there before. In it parts/in-dracut looks at the disks before root is the PC's.
lab_dracut() {
	local disk place status=0
	disk=$(lab_disk "$1") || return
	place=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-lab-XXXXXX")
	unshare --mount bash -eu -c '
		disk=$1 place=$2 share=$3 look=$4
		shift 4
		drivers="virtio_pci virtio_blk ext4" add=
		for word; do
			case $word in
			+*) add="$add ${word#+}" ;;
			*) drivers="$drivers $word" ;;
			esac
		done
		mkdir "$place/disk" "$place/room"
		mount -o loop,ro "$disk/root.img" "$place/disk"
		mount -t tmpfs tmpfs "$place/room"
		mkdir "$place/room"/{upper,work,root}
		mount -t overlay -o "lowerdir=$place/disk,upperdir=$place/room/upper,workdir=$place/room/work" overlay "$place/room/root"
		cd "$place/room/root"
		cp -a --no-preserve=ownership "$share/install/." .
		cp "$look" lab-look
		echo of the lab >lab-key
		mount -t proc proc proc
		mount --rbind /sys sys
		mount --rbind /dev dev
		chroot . dracut --force --no-hostonly --zstd --drivers "$drivers" --omit-drivers virtio_console --filesystems ext4 ${add:+--add "$add"} --install "dd wc" \
			--include /lab-key /lab-key --include /lab-look /usr/lib/dracut/hooks/pre-pivot/00-lab.sh /dracut "$(ls lib/modules)"
		cp dracut "$share/dracut"' lab_dracut "$disk" "$place" "$2" "$lab/parts/in-dracut" "${@:3}" >"$2/dracut.log" 2>&1 || status=$?
	rm -rf --one-file-system "$place"
	[ "$status" -eq 0 ] || tail -n 20 "$2/dracut.log" >&2
	return "$status"
}

# lab_install FOLDER: what a package would put on a PC, below FOLDER/install.
lab_install() {
	DESTDIR="$1/install" cmake --install "$(dirname "$BIN")" >"$1/install.log" 2>&1 || {
		tail -n 20 "$1/install.log" >&2
		return 1
	}
}
