#!/bin/sh
# The first process of a run's namespaces. A shell, because it reaps processes whose parents have ended; without that they would stay as
# zombies, and whoever waits for their end would wait forever.
# Inputs: the run's folder, the command and its arguments. The exit code is the command's.
set -e
folder=$1
shift
ip link set lo up
# Shared memory of the machine's own size. What a killed run leaves in it would use up the machine's memory.
size=$(($(df --output=size --block-size=1024 /dev/shm | tail -n 1)))
case $folder in
  /dev/shm/*) ;;
  *) mount -t tmpfs -o "mode=1777,size=${size}k" tmpfs /dev/shm ;;
esac
# Names of network namespaces, and sockets. Without overlays, as in some containers, only the names are the run's own.
mkdir "$folder/run"
mount -t tmpfs -o mode=755 tmpfs "$folder/run"
mkdir "$folder/run/upper" "$folder/run/work"
chmod --reference=/run "$folder/run/upper"
mount -t overlay -o "lowerdir=/run,upperdir=$folder/run/upper,workdir=$folder/run/work" overlay /run 2>/dev/null || :
mkdir -p /run/netns
mount -t tmpfs -o mode=755 tmpfs /run/netns
set +e
"$@"
exit $?
