"""A printer on USB that speaks IPP over USB, played by this PC itself (dummy_hcd, FunctionFS): usb_printer.py PORT.

Three interfaces of class 7, subclass 1, protocol 4. What comes in over one of them is handed to the IPP printer that listens on that
TCP port of this machine, and what that answers goes back: HTTP, as the USB Print Class says of IPP over USB."""
import os
import socket
import struct
import subprocess
import sys
import threading

INTERFACES = 3
PACKET = 512
CONFIG = "/sys/kernel/config/usb_gadget/paper"
FFS = "/run/usb-printer"
DEVICE_ID = b"MFG:Sekisho;MDL:Paper;CMD:PWGRaster;CLS:PRINTER;"
port = int(sys.argv[1])


def put(name, text):
    with open(os.path.join(CONFIG, name), "w") as f:
        f.write(text)


def make():
    subprocess.run(["modprobe", "-a", "libcomposite", "usb_f_fs", "dummy_hcd"], check=True)
    if not os.path.ismount("/sys/kernel/config"):
        subprocess.run(["mount", "-t", "configfs", "configfs", "/sys/kernel/config"], check=True)
    for folder in ("", "strings/0x409", "configs/c.1", "functions/ffs.paper"):
        os.makedirs(os.path.join(CONFIG, folder), exist_ok=True)
    put("idVendor", "0x1d6b")
    put("idProduct", "0x0104")
    put("strings/0x409/serialnumber", "PAPER1")
    put("strings/0x409/manufacturer", "Sekisho")
    put("strings/0x409/product", "Paper")
    os.symlink(CONFIG + "/functions/ffs.paper", CONFIG + "/configs/c.1/ffs.paper")
    os.makedirs(FFS, exist_ok=True)
    subprocess.run(["mount", "-t", "functionfs", "paper", FFS], check=True)


def descriptors():
    speeds = []
    for packet in (64, PACKET):
        all_of_it = b""
        for i in range(INTERFACES):
            all_of_it += struct.pack("<BBBBBBBBB", 9, 4, i, 0, 2, 7, 1, 4, 0)
            all_of_it += struct.pack("<BBBBHB", 7, 5, 2 * i + 1, 2, packet, 0)
            all_of_it += struct.pack("<BBBBHB", 7, 5, 0x80 | (2 * i + 2), 2, packet, 0)
        speeds.append(all_of_it)
    count = 3 * INTERFACES
    body = struct.pack("<II", count, count) + speeds[0] + speeds[1]
    return struct.pack("<III", 3, 12 + len(body), 3) + body


class Bridge:
    """One interface. A printer hangs up when nothing came for a while: what it has not answered then is asked again."""

    def __init__(self, i):
        self.out = os.open("%s/ep%d" % (FFS, 2 * i + 1), os.O_RDONLY)
        self.back = os.open("%s/ep%d" % (FFS, 2 * i + 2), os.O_WRONLY)
        self.lock = threading.Lock()
        self.sock, self.unanswered = None, b""

    def ask(self):
        self.sock = socket.create_connection(("localhost", port))
        threading.Thread(target=self.answers, args=(self.sock,), daemon=True).start()
        self.sock.sendall(self.unanswered)

    def answers(self, sock):
        while True:
            try:
                data = sock.recv(16384)
            except OSError:
                data = b""
            with self.lock:
                if not data:
                    if self.sock is sock:
                        self.sock = None
                        if self.unanswered:
                            self.ask()
                    return
                self.unanswered = b""
            # A transfer ends with a short packet: whoever reads would wait for more behind a full one.
            if len(data) % PACKET == 0:
                os.write(self.back, data[:-1])
                data = data[-1:]
            os.write(self.back, data)

    def run(self):
        while True:
            try:
                data = os.read(self.out, PACKET)  # more would wait for a short packet, which need not come
            except OSError:
                continue  # the host has looked away
            with self.lock:
                self.unanswered += data
                try:
                    if self.sock is None:
                        self.ask()
                    else:
                        self.sock.sendall(data)
                except OSError:
                    pass  # whoever reads its answers sees that it is gone


make()
control = os.open(FFS + "/ep0", os.O_RDWR)
os.write(control, descriptors())
os.write(control, struct.pack("<IIII", 2, 16, 0, 0))
put("UDC", os.listdir("/sys/class/udc")[0])
for number in range(INTERFACES):
    threading.Thread(target=Bridge(number).run, daemon=True).start()
while True:
    events = os.read(control, 12 * 4)
    for at in range(0, len(events), 12):
        kind, request, _, _, length, what = struct.unpack_from("<BBHHHB", events, at)
        if what != 4:  # FUNCTIONFS_SETUP
            continue
        try:
            if kind & 0x80:
                os.write(control, (struct.pack(">H", len(DEVICE_ID) + 2) + DEVICE_ID)[:length] if request == 0 else b"\0"[:length])
            else:
                os.read(control, length)
        except OSError:
            pass
