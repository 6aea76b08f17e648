// The shell scripts that run on the device: constants, for any POSIX shell. User data is on standard input and never part of a
// command; the last line that a script prints is its verdict, `waf …`, with the id of the call.
//
// in:   on standard input the id of the call (or an empty line), the configuration folder, the site and a rule's number (or a mode)
//       on a line each, then the lines of a file, which end with `# end`, or for a deletion the calls whose mark the file may have (with
//       blanks between them) and the SHA-256 sum that it may have, on a line each
// does: one change: writes or removes one file, has Apache test its whole configuration and then load it. If the test fails,
//       restores the former state and prints the reason
// must hold: one change at a time on the device (lock); a connection that breaks does not stop a script half-way (HUP and
//       PIPE are ignored), and a file that arrived in part is not used

import type { ExecCall } from '../driver.ts';
import type { Call } from '../script-input.ts';

/** The last line of every uploaded file. */
export const endMark = '# end';

const prelude = `export LC_ALL=C
umask 022
trap '' HUP PIPE
end() { printf 'waf %s%s\\n' "$1" "\${call:+ $call}"; exit 0; }
IFS= read -r call || { call=; end 'refused BAD_INPUT'; }
IFS= read -r root || end 'refused BAD_INPUT'`;

const oneSite = `${prelude}
IFS= read -r site && IFS= read -r key || end 'refused BAD_INPUT'
case $site in '' | .* | *[!A-Za-z0-9._-]*) end 'refused BAD_INPUT' ;; esac
case $key in '' | *[!A-Za-z0-9]*) end 'refused BAD_INPUT' ;; esac
folder=$root/sites/$site
[ -f "$folder/mode.conf" ] && [ -d "$folder/rules" ] || end 'refused NO_SITE'`;

/** Takes the lock, and checks that Apache is running and can load the change. */
const change = `${oneSite}
touch "$root/lock" || end 'refused NOT_WRITABLE'
exec 9>>"$root/lock"
flock -w 15 9 || end 'refused BUSY'
[ ! -f /etc/apache2/envvars ] || . /etc/apache2/envvars
pid=$(cat "\${APACHE_PID_FILE:-/run/apache2/apache2.pid}" 2>/dev/null) && kill -0 "$pid" 2>/dev/null || end 'refused NOT_RUNNING'

children() { cat "/proc/$pid/task/$pid/children" 2>/dev/null; }
# Has Apache load its configuration; it has when it has a child that it had not before.
load() {
  before=" $(children) "
  apache2ctl graceful 2>&1 9>&- || return 1
  waits=0
  while [ $waits -lt 100 ]; do
    for child in $(children); do case $before in *" $child "*) ;; *) loaded=loaded; return 0 ;; esac; done
    waits=$((waits + 1))
    sleep 0.05
  done
  loaded=told
}
# What was there is put back by undo, which each script defines.
try() {
  if ! apache2ctl configtest 2>&1 9>&-; then undo || end 'broken'; end 'refused CONFIG_TEST'; fi
  if ! load; then undo || end 'broken'; end 'refused NOT_LOADED'; fi
}
receive() {
  cat >"$1" || { rm -f "$1"; end 'refused NOT_WRITABLE'; }
  [ "$(tail -n 1 "$1")" = '${endMark}' ] || { rm -f "$1"; end 'refused CUT_SHORT'; }
}`;

const ruleCreate = `${change}
target=$folder/rules/$key.conf fresh=$folder/rules/.$key.new
[ ! -e "$target" ] || end 'refused EXISTS'
receive "$fresh"
# A file that somebody else puts there is neither replaced nor removed.
undo() { [ ! "$target" -ef "$fresh" ] || rm -f "$target"; rm -f "$fresh"; }
ln "$fresh" "$target" || { rm -f "$fresh"; [ ! -e "$target" ] || end 'refused EXISTS'; end 'refused NOT_WRITABLE'; }
try
rm -f "$fresh"
end "applied $loaded"`;

const ruleDelete = `${change}
IFS= read -r calls && IFS= read -r sum || end 'refused BAD_INPUT'
target=$folder/rules/$key.conf kept=$folder/rules/.$key.old
[ -e "$target" ] || end 'refused ABSENT'
is_meant() {
  mark=$(sed -n '/^# tg:/{s/^# tg:\\([^ ]*\\).*/\\1/p;q;}' "$1")
  for each in $calls; do [ "$each" != "$mark" ] || return 0; done
  [ -n "$sum" ] && [ "$sum  -" = "$(sha256sum <"$1")" ]
}
is_meant "$target" || end 'refused CHANGED'
undo() { ln "$kept" "$target" && rm -f "$kept"; }
mv "$target" "$kept" || end 'refused NOT_WRITABLE'
# Somebody else may have replaced it since.
is_meant "$kept" || { undo || end 'broken'; end 'refused CHANGED'; }
try
rm -f "$kept"
end "applied $loaded"`;

const modeSet = `${change}
target=$folder/mode.conf fresh=$folder/.mode.new kept=$folder/.mode.old
receive "$fresh"
grep -Eqv '^[[:space:]]*(#.*|SecRuleEngine[[:space:]].*)?$' "$target" && { rm -f "$fresh"; end 'refused OTHER_SETTINGS'; }
undo() { mv "$kept" "$target"; }
cp -p "$target" "$kept" && mv "$fresh" "$target" || end 'refused NOT_WRITABLE'
try
rm -f "$kept"
end "applied $loaded"`;

/** The rule is tested as if it were the server's own, from a file outside of all sites. */
const ruleCheck = `${oneSite}
[ ! -e "$folder/rules/$key.conf" ] || end 'refused EXISTS'
fresh=$(mktemp "$root/check.XXXXXX") || end 'refused NOT_WRITABLE'
cat >"$fresh"
cut=$(tail -n 1 "$fresh")
apache2ctl -t -c "Include $fresh" 2>&1 && verdict='applied checked' || verdict='refused CONFIG_TEST'
rm -f "$fresh"
[ "$cut" = '${endMark}' ] || end 'refused CUT_SHORT'
end "$verdict"`;

const siteList = `${prelude}
[ -d "$root/sites" ] || end 'refused NO_SITE'
for folder in "$root"/sites/*/; do
  folder=\${folder%/}
  [ -f "$folder/mode.conf" ] || continue
  printf 'site %s\\n' "\${folder##*/}"
  sed 's/^/ /' "$folder/mode.conf"
  for rule in "$folder"/rules/*.conf; do [ ! -e "$rule" ] || printf 'rule\\n'; done
done
end listed`;

const ruleList = `${oneSite}
for rule in "$folder"/rules/*.conf; do
  [ -e "$rule" ] || continue
  name=\${rule##*/}
  printf 'rule %s %s\\n' "\${name%.conf}" "$(sha256sum <"$rule")"
  sed 's/^/ /' "$rule"
done
end listed`;

const ruleRead = `${oneSite}
rule=$folder/rules/$key.conf
[ -e "$rule" ] || end 'refused ABSENT'
printf 'rule %s %s\\n' "$key" "$(sha256sum <"$rule")"
sed 's/^/ /' "$rule"
end listed`;

const siteRead = `${oneSite}
printf 'site %s\\n' "$site"
sed 's/^/ /' "$folder/mode.conf"
end listed`;

const versions = `${prelude}
apache2ctl -v 2>&1
printf 'modsecurity %s\\n' "$(dpkg-query -W -f='\${Version}' libapache2-mod-security2 2>/dev/null)"
printf 'machine %s\\n' "$(cat /etc/machine-id 2>/dev/null)"
[ -d "$root/sites" ] || end 'refused NO_SITE'
end listed`;

export const scripts = {
  ...{ ruleCreate, ruleDelete, ruleCheck, ruleList, ruleRead },
  ...{ modeSet, siteList, siteRead, versions },
} as const;

/**
 * Runs a script. `lines` follow the id of the call on its standard input. `call`: absent for a script run that is not a call, for
 * example a read.
 */
export function run(script: keyof typeof scripts, lines: readonly string[], call?: Call): ExecCall {
  const input = [call?.operationId ?? '', ...lines];
  return { kind: 'exec', command: scripts[script], stdin: input.map((line) => `${line}\n`).join('') };
}
