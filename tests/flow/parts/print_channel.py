#!/usr/bin/python3
"""Both ends of CUPS's channels, as a filter and as a backend by the name `channel`: the filter asks the backend for the device's id
over the side channel (cups/sidechannel.h: command, status, length, data) and reads what the printer says over the back channel, and its
document is what it heard. The backend answers, and puts the document where TO (in its URI, channel:TO) says."""
import os
import select
import struct
import sys

BACK, SIDE, GET_DEVICE_ID, OK = 3, 4, 4, 1
ID, WORD = b"MFG:Sekisho;MDL:Channel;", b"the printer says: paper is low"


def wait(fd, what):
    if not select.select([fd], [], [], 30)[0]:
        sys.exit("ERROR: nothing on the %s channel" % what)


def as_filter():
    os.write(SIDE, struct.pack(">BBH", GET_DEVICE_ID, 0, 0))
    wait(SIDE, "side")
    answer = os.read(SIDE, 1024)
    command, status, size = struct.unpack(">BBH", answer[:4])
    wait(BACK, "back")
    word = os.read(BACK, 1024)
    sys.stdout.buffer.write(b"%d %d %s\n%s\n" % (command, status, answer[4:4 + size], word))


def as_backend():
    if len(sys.argv) == 1:
        print('direct channel "Unknown" "Channel"')
        return
    wait(SIDE, "side")
    command = os.read(SIDE, 1024)[0]
    os.write(SIDE, struct.pack(">BBH", command, OK, len(ID)) + ID)
    os.write(BACK, WORD)
    with open(os.environ["DEVICE_URI"].split(":", 1)[1] + "/.part", "wb") as out:
        while data := os.read(0, 65536):
            out.write(data)
    os.rename(out.name, out.name.replace(".part", sys.argv[1]))


as_filter() if "/filter/" in __file__ else as_backend()
