#!/bin/sh
# The first process of the kernel that `run` starts; $job and $out come from its command line.
# All files are those of the machine, read only, and below a file system in memory that takes what is written.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
modules=/usr/lib/uml/modules

mount -t tmpfs tmpfs /run
mkdir -p /run/kernel/lib/modules /run/upper /run/work /run/root
mount -r -t hostfs -o $modules modules /run/kernel/lib/modules
modprobe -d /run/kernel overlay
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay /run/root
cd /run/root || exit

mkdir -p lib/modules proc sys dev run tmp
mount -r -t hostfs -o $modules modules lib/modules
mount -t proc proc proc
mount -t sysfs sys sys
mount -t devtmpfs dev dev
mount -t tmpfs tmpfs run
mkdir -p dev/pts dev/shm run/job run/out run/lock
mount -t devpts devpts dev/pts
mount -t tmpfs shm dev/shm
ln -s /proc/self/fd dev/fd
mount -t hostfs -o "$job/io" job run/job
mount -t hostfs -o "$out" out run/out

# The kernel looks for its modules in the same place as everybody.
mkdir run/old
pivot_root . run/old
exec chroot . sh -c '
  umount -l /run/old
  hostname kernel
  ip link set lo up
  # Without it, not even its settings are there.
  modprobe ipv6
  bash /run/job/command </dev/null >/run/job/stdout 2>/run/job/stderr
  echo $? >/run/job/status
  sync
  busybox poweroff -f'
