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
# Names of network namespaces, sockets and claims: a layer over the machine's, or a copy where layers can't be had (in some containers, and
# in a run that a run's test starts).
mkdir "$folder/run"
mount -t tmpfs -o mode=755 tmpfs "$folder/run"
mkdir "$folder/run/upper" "$folder/run/work"
chmod --reference=/run "$folder/run/upper"
mount -t overlay -o "lowerdir=/run,upperdir=$folder/run/upper,workdir=$folder/run/work" overlay /run 2>/dev/null || {
  cp --archive --one-file-system /run/. "$folder/run/upper"
  mount --bind "$folder/run/upper" /run
}
mkdir -p /run/netns
mount -t tmpfs -o mode=755 tmpfs /run/netns
set +e
"$@"
exit $?
