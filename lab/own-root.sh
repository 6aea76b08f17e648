# Gives a device of the lab a root folder of its own; sourced by its first process, in a mount namespace of its own.
# in:   functions, to be called in this order: lay_root FOLDER ACCOUNTS, put and copy as often as needed, enter_root
# does: lays out a file system, in memory unless told, on FOLDER: the given programs with their libraries, the accounts, /dev and /proc; then makes
#       it the only one of this namespace
# must hold: nothing of this machine is in it but copies of programs, of what they read and of a few devices; it is read-only outside
#            of /run; the kernel's settings below /proc can't be written; where that can't be had nothing is started
#            and the exit code is 78
# -n everywhere: mount would keep a table in /run.

own_root_failed() { echo "no root of its own: $1" >&2; exit 78; }

# $1: an empty folder; $2: lines for passwd before those that every device has; $3: `kept` for a root on disk, which several enter.
lay_root() {
  root=$1
  [ "${3:-}" = kept ] || mount -n -t tmpfs -o mode=755,size=256m,nosuid,nodev tmpfs "$root" || own_root_failed "a file system in memory can't be mounted"
  mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/etc" "$root/dev" "$root/proc" "$root/run/sshd" "$root/tmp" "$root/old"
  chmod 1777 "$root/tmp"
  # As on this machine: programs know each other by path.
  for name in bin sbin lib lib64 lib32 libx32; do [ ! -L "/$name" ] || ln -s "usr/$name" "$root/$name"; done
  [ ! -d /usr/lib64 ] || mkdir -p "$root/usr/lib64"
  printf '%s\n' 'root:*:0:0:root:/nonexistent:/usr/sbin/nologin' 'sshd:*:102:65534::/run/sshd:/usr/sbin/nologin' \
    'nobody:*:65534:65534::/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd.rest"
  printf '%s\n' "$2" | cat - "$root/etc/passwd.rest" >"$root/etc/passwd"
  rm "$root/etc/passwd.rest"
  printf '%s\n' 'root:x:0:' 'tty:x:5:' 'www-data:x:33:' 'nogroup:x:65534:' >"$root/etc/group"
  copy /etc/ld.so.cache
  put sh env cat ls id whoami uname echo head tail grep sed sleep date stat sha256sum touch mkdir mknod chmod chown cp mv rm rmdir ln mktemp \
    readlink flock kill ps ip ping setpriv mount umount chroot /usr/sbin/sshd /usr/lib/openssh/sshd-*
}

# Programs (those that this machine has, by name or path) with their libraries.
put() {
  programs=
  for program; do
    path=$(command -v "$program") || continue
    # What is only built into the shell has no path.
    case $path in /*) programs="$programs $path" ;; esac
  done
  # shellcheck disable=SC2086 # Paths of programs have no spaces.
  copy $programs $(ldd $programs 2>/dev/null | sed -n 's/^\t.*=> \(\/[^ ]*\) (.*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p' | sort -u)
}

# Files and folders that this machine has, to the same place.
copy() {
  found=
  for path; do [ ! -e "$path" ] || found="$found $path"; done
  # shellcheck disable=SC2086
  [ -z "$found" ] || cp -RL --parents $found "$root"
}

# A login that is user 0 could otherwise have the kernel run a program of this machine (/proc/sys/kernel/core_pattern).
enter_root() {
  mount -n -t tmpfs -o mode=755,size=64k,nosuid tmpfs "$root/dev" || own_root_failed "its /dev can't be mounted"
  for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount -n --bind "/dev/$name" "$root/dev/$name" || own_root_failed "/dev/$name can't be passed on"
  done
  mkdir "$root/dev/pts"
  mount -n -t devpts -o newinstance,nosuid,noexec,gid=5,mode=620,ptmxmode=666 devpts "$root/dev/pts" 2>/dev/null || :
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%%:*}" "$root/dev/${number#*:}"; done
  mount -n -t proc -o nosuid,nodev,noexec proc "$root/proc" || own_root_failed "its /proc can't be mounted"
  for name in sys sysrq-trigger irq bus fs acpi; do
    [ -e "$root/proc/$name" ] || continue
    { mount -n --bind "$root/proc/$name" "$root/proc/$name" && mount -n -o remount,bind,ro,nosuid,nodev,noexec "$root/proc/$name"; } ||
      own_root_failed "/proc/$name can't be made read-only"
  done
  # A mount of its own: it stays writable when the root is not.
  mount -n --rbind "$root/run" "$root/run" || own_root_failed "its /run can't be mounted"
  mount -n -o remount,bind,ro,nosuid,nodev "$root" || own_root_failed "it can't be made read-only"
  cd "$root"
  pivot_root . old || own_root_failed 'pivot_root is refused'
  umount -n -l /old || own_root_failed "this machine's can't be taken away"
  cd /
}
