"""USB devices that are not there: sysfs and udev of a process of our choice, by umockdev (which is not ours).

usage: umockdev-wrapper usb_bed.py FIFO COMMAND...    runs COMMAND in the bed; then does what it reads from FIFO, one a line, and says "done" for each:

  plug PORT VENDOR:PRODUCT SERIAL KIND [MAJOR:MINOR]
                                          "-": no serial number, "_": a blank; KIND: storage, phone, keyboard. With numbers, the disk is that
                                          block device of this machine (a loop device), under a name that nothing has
  own PORT VENDOR:PRODUCT SERIAL          a disk of which udev was told that this system runs from it
  unplug PORT
  start | stop                            COMMAND (anew, in the same bed)
  read PORT                               prints what `authorized` of its first interface is
"""

import signal
import struct
import subprocess
import sys

import gi

gi.require_version("UMockdev", "1.0")
from gi.repository import UMockdev  # noqa: E402

CLASSES = {"storage": (8, 6, 0x50), "phone": (6, 1, 1), "keyboard": (3, 1, 1)}


def descriptors(vendor, product, triple):
    raw = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x200, 0, 0, 0, 64, int(vendor, 16), int(product, 16), 0x100, 1, 2, 3, 1)
    return raw + struct.pack("<BBHBBBBB", 9, 2, 18, 1, 1, 0, 0x80, 50) + struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 0, *triple, 0)


class Bed:
    def __init__(self, command):
        self.command, self.bed, self.child, self.next, self.ports = command, UMockdev.Testbed.new(), None, 2, {}
        self.add("/devices/usb1", {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "MAJOR": 189, "MINOR": 0},
                 {"busnum": 1, "devnum": 1, "idVendor": "1d6b", "idProduct": "0002", "dev": "189:0"}, descriptors("1d6b", "0002", (9, 0, 0)))

    def add(self, path, properties, attributes, binary=None):
        """As a whole: its event tells of nothing that is not there yet."""
        lines = ["P: " + path] + [f"E: {k}={v}" for k, v in properties.items()] + [f"A: {k}={v}" for k, v in attributes.items()]
        if binary:
            lines.append("H: descriptors=" + binary.hex().upper())
        self.bed.add_from_string("\n".join(lines) + "\n")
        return "/sys" + path

    def own(self, port, ids, serial):
        self.plug(port, ids, serial, "storage", None, {"SEKISHO_OWN": 1})

    def plug(self, port, ids, serial, kind, dev=None, said=None):
        vendor, product = ids.split(":")
        number, self.next = self.next, self.next + 1
        attributes = {"busnum": 1, "devnum": number, "idVendor": vendor, "idProduct": product, "manufacturer": "Maker", "product": "Thing",
                      "dev": f"189:{number - 1}"}
        if serial != "-":
            attributes["serial"] = serial.replace("_", " ")
        top = "/devices/usb1/" + port
        inner = f"{top}/{port}:1.0"
        paths = [self.add(top, {"SUBSYSTEM": "usb", "DEVTYPE": "usb_device", "MAJOR": 189, "MINOR": number - 1}, attributes,
                          descriptors(vendor, product, CLASSES[kind])),
                 self.add(inner, {"SUBSYSTEM": "usb", "DEVTYPE": "usb_interface"}, {"authorized": 1, "bInterfaceNumber": "00"})]
        if kind == "storage":
            disk = f"sdbed{number}"  # which no machine has: the guard means what it does to a disk
            dev = dev or f"8:{900000 + number}"
            paths.append(self.add(f"{inner}/block/{disk}", {"SUBSYSTEM": "block", "DEVTYPE": "disk", "DEVNAME": "/dev/" + disk,
                                                            "MAJOR": dev.split(":")[0], "MINOR": dev.split(":")[1], "ID_FS_TYPE": "vfat", "ID_FS_UUID": "1234-ABCD",
                                                            **(said or {})},
                                  {"size": 2048, "dev": dev}))
        self.ports[port] = paths

    def unplug(self, port):
        for path in reversed(self.ports.pop(port)):
            self.bed.uevent(path, "remove")
            self.bed.remove_device(path)

    def read(self, port):
        with open(self.bed.get_root_dir() + self.ports[port][1] + "/authorized", encoding="ascii") as f:
            print(f.read().strip(), flush=True)

    def start(self):
        self.child = subprocess.Popen(self.command)

    def stop(self):
        if self.child:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(60)
        self.child = None


def main():
    bed = Bed(sys.argv[2:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the command goes along
    try:
        with open(sys.argv[1], encoding="utf-8") as fifo:
            for line in fifo:
                what, *rest = line.split()
                getattr(bed, what)(*rest)
                print("done", flush=True)
    finally:
        bed.stop()


if __name__ == "__main__":
    main()
