#!/bin/sh
# dracut sources it when root is mounted, before it is the system's: whatever came in between, its disk is open.
/usr/lib/sekisho/root-disk mounted
