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
	for c in qemu-system-x86_64 debootstrap mkfs.ext4; do
		command -v "$c" >/dev/null || {
			echo "needs $c (packaging/install-dependencies test)"
			exit 77
		}
	done
}

# lab_share FOLDER: what guest finds there: where this tree and its programs are, and what runs first.
lab_share() {
	mkdir -p "$1/out" "$1/disks"
	cp "$lab/guest" "$1/guest"
	printf 'root=%q\nbuild=%q\n' "$root" "$(dirname "$BIN")" >"$1/plan"
}

# lab_machine KERNEL FOLDER [PLACE]: the command in MACHINE and the kernel's words in APPEND, without serial ports. Software
# emulation: KVM is not everywhere, and a test must not depend on it. The disk stays as it is (snapshot), unless a copy is made in
# PLACE, which keeps from boot to boot what is written to it. What FOLDER/power-on says is so when power comes on:
#   root usb           the disk hangs on USB
#   append WORD...     behind the kernel's command line
#   plug NAME OPTION...   as tests/lab/outside has it
# and FOLDER/initrd.img, where there is one, is the initramfs.
lab_machine() {
	local disk image snapshot=on initrd on=virtio-blk-pci words=''
	disk=$("$lab/image" "$1") || return
	image=$disk/root.img initrd=$disk/initrd.img
	if [ -n "${3:-}" ]; then
		image=$3/root.img snapshot=off
		[ -e "$image" ] || cp --sparse=always "$disk/root.img" "$image"
	fi
	[ ! -s "$2/initrd.img" ] || initrd=$2/initrd.img
	if [ -e "$2/power-on" ]; then
		words=$(sed -n 's/^append //p' "$2/power-on" | tr '\n' ' ')
		! grep -qx 'root usb' "$2/power-on" || on=usb-storage,bus=xhci.0,serial=OWN1
	fi
	MACHINE=(qemu-system-x86_64 -accel 'tcg,thread=multi' -cpu max -smp 2 -m 1G -nodefaults -no-user-config -no-reboot
		-display none -object 'rng-random,id=rng,filename=/dev/urandom' -device 'virtio-rng-pci,rng=rng'
		-kernel "$disk/vmlinuz" -initrd "$initrd"
		-drive "file=$image,format=raw,if=none,id=root,snapshot=$snapshot,cache=unsafe"
		-virtfs "local,path=$2,mount_tag=lab,security_model=none"
		-virtfs "local,path=$root,mount_tag=tree,security_model=none,readonly=on"
		-virtfs "local,path=$(dirname "$BIN"),mount_tag=build,security_model=none,readonly=on"
		-device virtio-serial-pci -device 'qemu-xhci,id=xhci,p2=8,p3=8' -device "$on,drive=root"
		-drive 'if=none,id=card' -device sdhci-pci -device 'sd-card,drive=card')
	APPEND="root=/dev/vda rw console=ttyS0 panic=-1 systemd.show_status=false net.ifnames=0 modprobe.blacklist=floppy,pcspkr,kvm,kvm_amd,powernow_k8,ata_piix,i2c_piix4 ${SEKISHO_LAB_APPEND:-} $words"
}

# lab_install FOLDER: what a package would put on a PC, below FOLDER/install.
lab_install() {
	DESTDIR="$1/install" cmake --install "$(dirname "$BIN")" >"$1/install.log" 2>&1 || {
		tail -n 20 "$1/install.log" >&2
		return 1
	}
}
