#!/bin/sh
# PID 1 of the fast init: mounts, drivers by modalias, the agent. Nothing else runs: no udev, no units.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /dev/shm /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t hugetlbfs hugetlbfs /dev/hugepages
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
# Twice: lpc_ich makes the platform device of iTCO_wdt, an HDA controller its codecs.
for pass in 1 2; do
    find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u | xargs modprobe -abq 2>/dev/null
done
modprobe -aq kvm_intel kvm_amd 2>/dev/null
modprobe -q vfio-pci
python3 /lab/agent.py &
# A shell that waits reaps every orphan.
while :; do wait; sleep 1; done
