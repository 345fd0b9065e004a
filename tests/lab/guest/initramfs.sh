#!/bin/sh
# PID 1 of the initramfs: load what the root disk needs, put the overlay over the root, hand over to its init.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
while read -r module; do insmod "/modules/$module" || echo "lab: insmod $module failed"; done </modules/order
mount -t ext4 /dev/vda /root || { echo "lab: no root disk"; exec sh; }
[ -d /overlay ] && cp -a /overlay/. /root/
init=/lab/init-fast
for word in $(cat /proc/cmdline); do case $word in lab.init=*) init=${word#lab.init=} ;; esac; done
umount /proc
mount -o move /dev /root/dev
exec switch_root /root "$init"
