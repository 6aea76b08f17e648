// Interprets the router's replies. A script's verdict is its last line. Without a verdict, or without ip's own words for a refusal,
// the outcome is unknown.
import { type ExecReply, type JsonObject, maxMessageLength, type Outcome } from '../driver.ts';
import { isObject, jsonIn } from '../json.ts';
import { type Call, verdictOf } from '../script-input.ts';

/** Reasons for which the scripts refuse before they change anything. */
const refusals: Readonly<Record<string, string>> = {
  BAD_INPUT: 'The router got input that the relay did not send. Nothing was changed.',
  CUT_SHORT: 'The input reached the router in part. Nothing was changed.',
  NO_IP: 'The account finds no program ip: install iproute2, or add its folder to the PATH of the account.',
  UNREADABLE: 'ip could not show the routes, so nothing was changed.',
  NO_INTERFACE: 'The router has no interface of this name. Give the name that `ip link` shows.',
  NOT_FOUND: 'The router has no static route with this destination, metric and table.',
  ALREADY_EXISTS:
    'Another route has this destination, metric and table. It would be lost: give another metric, or say in `replaces` which static route is replaced.',
  CHANGED:
    'The static route with this destination, metric and table is not the meant one: somebody else made it, or changed it. Nothing was changed: verify the mapping. To take over what is there now, forget the mapping and adopt it.',
  SEVERAL:
    'The router has several static routes with this destination, metric and table, appended by another program. Remove all but one with `ip route del`.',
};

/** Advice for ip's error messages. */
const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /invalid gateway|No route to host|Network is unreachable/,
    'The router does not reach nextHop directly: give an address in the network of one of its interfaces (of `interface`, where that is given).',
  ],
  [/not up|Network is down/, 'The interface is down: set it up first.'],
  [/Operation not permitted/, 'The account may not change routes: it needs the capability CAP_NET_ADMIN.'],
  [/local address/, 'nextHop is an address of the router itself: give that of another router.'],
];

/** Matches the start of ip's message when ip or the kernel did not take a command (lib/libnetlink.c, lib/utils.c). */
const refusal = /^(?:RTNETLINK answers: |Error: |Cannot find device )/m;

const unreadable = (reply: ExecReply): Extract<Outcome, { state: 'UNKNOWN' }> => ({
  state: 'UNKNOWN',
  code: 'UNREADABLE_REPLY',
  message: `The router's reply has no verdict for this call (${quoted(reply)}).`,
});

function quoted({ exitCode, stdout, stderr, truncated }: ExecReply): string {
  const said = `${stderr}\n${stdout}`.trim().slice(0, 1_024);
  return `exit ${exitCode ?? 'by a signal'}${truncated ? ', cut off' : ''}${said === '' ? '' : `: ${said}`}`;
}

/** The refusal of a script. Nothing was changed. */
function refusedBy(verdict: string, { stderr }: ExecReply): Extract<Outcome, { state: 'FAILED' }> | undefined {
  const [, code = ''] = /^refused (\w+)$/.exec(verdict) ?? [];
  const text = refusals[code];
  if (text === undefined) return undefined;
  const message = `${text} ${stderr.trim()}`.trim().slice(0, maxMessageLength);
  return { state: 'FAILED', code, message, ...(code === 'NOT_FOUND' ? { absent: true } : {}) };
}

/** The outcome of a script that changes a route. ip exits with 0 only after the kernel has accepted its one command. */
export function outcomeOf(reply: ExecReply, _args: unknown, call: Call): Outcome {
  const found = verdictOf('iproute2', reply, call);
  if (found === undefined) return unreadable(reply);
  const refused = refusedBy(found.verdict, reply);
  if (refused !== undefined) return refused;
  if (found.verdict === 'exit 0') return { state: 'SUCCEEDED', result: null };
  if (!/^exit (?:1|2|255)$/.test(found.verdict) || !refusal.test(reply.stderr))
    return { ...unreadable(reply), ended: true };
  const said = reply.stderr.replace(/^Command failed .*\n?/gm, '').trim();
  // Another program was quicker than the script's change.
  if (/No such process/.test(said)) return { state: 'FAILED', code: 'NOT_FOUND', message: said, absent: true };
  if (/File exists/.test(said))
    return { state: 'FAILED', code: 'ALREADY_EXISTS', message: `${refusals.ALREADY_EXISTS} ${said}` };
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1];
  const message = `${said}${hint === undefined ? '' : `\n${hint}`}`.slice(0, maxMessageLength);
  return { state: 'FAILED', code: 'DEVICE_REFUSED', message };
}

type Shown =
  | { readonly ok: true; readonly routes: readonly { readonly version: '4' | '6'; readonly route: JsonObject }[] }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** The result of the reading script: the routes of each requested version. `call`: absent for a reader. */
export function routesIn(reply: ExecReply, versions: readonly ('4' | '6')[], call?: Call): Shown {
  const found = verdictOf('iproute2', reply, call);
  const cant = (message: string): Shown => ({ ok: false, code: 'UNREADABLE_REPLY', message });
  if (found === undefined) return cant(`The router's reply has no verdict for this call (${quoted(reply)}).`);
  const refused = refusedBy(found.verdict, reply);
  if (refused !== undefined) return { ok: false, code: refused.code, message: refused.message };
  const parts = partsOf(found.before);
  if (found.verdict !== 'done' || parts.length !== versions.length) return cant(`Not routes: ${quoted(reply)}.`);
  const routes: { version: '4' | '6'; route: JsonObject }[] = [];
  for (const [index, version] of versions.entries()) {
    const { text = '', exit } = parts[index] ?? {};
    // The kernel has no table without routes. It reports an error, and ip leaves its JSON unfinished.
    if (exit !== 0 && reply.stderr.includes(`ipv${version}: FIB table does not exist.`)) continue;
    const list = exit === 0 ? jsonIn(text) : undefined;
    if (!Array.isArray(list) || !list.every(isObject)) return cant(`Not routes: ${quoted(reply)}.`);
    routes.push(...list.map((route) => ({ version, route })));
  }
  return { ok: true, routes };
}

/** ip's output for each run, with the exit code. */
function partsOf(lines: readonly string[]): readonly { readonly text: string; readonly exit: number }[] {
  const parts: { text: string; exit: number }[] = [];
  let text = '';
  for (const line of lines) {
    const [, exit] = /^exit (\d+)$/.exec(line) ?? [];
    if (exit === undefined) text += line;
    else {
      parts.push({ text, exit: Number(exit) });
      text = '';
    }
  }
  return parts;
}

/** The router's facts that the script prints, by name. Undefined if it is not a router with iproute2. */
export function systemIn(reply: ExecReply, call?: Call): Readonly<Record<string, string>> | undefined {
  const found = verdictOf('iproute2', reply, call);
  if (found?.verdict !== 'done') return undefined;
  const facts: Record<string, string> = Object.fromEntries(
    found.before.map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]),
  );
  const version = /^ip utility, iproute2-([^,\s]+)/.exec(facts.version ?? '')?.[1];
  return version === undefined ? undefined : { ...facts, version };
}
