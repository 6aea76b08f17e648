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
# Names of network namespaces, sockets and claims: a copy of the machine's. In a layer over them, what others make there meanwhile would show.
mkdir "$folder/run"
mount -t tmpfs -o mode=755 tmpfs "$folder/run"
chmod --reference=/run "$folder/run"
# Some may vanish meanwhile.
cp --archive --one-file-system /run/. "$folder/run" 2>/dev/null || true
mount --bind "$folder/run" /run
mkdir -p /run/netns
mount -t tmpfs -o mode=755 tmpfs /run/netns
set +e
"$@"
exit $?
