// Renders a pool as a backend, its members as servers and its health monitor as their checks.
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { WantedPart } from '../../wire/wanted-node.ts';
import type { BackendModel, ServerModel } from './model.ts';
import { word } from './quoting.ts';
import {
  admissionSample,
  backendName,
  canonicalPem,
  certificatePath,
  failsOpen,
  fileOf,
  hashOf,
  isEnabled,
  memberTimeoutOfAll,
  openBackendName,
  serverName,
  type Tree,
  usualMemberTimeoutMs,
} from './tree.ts';

const balance: Readonly<Record<string, readonly string[]>> = {
  ROUND_ROBIN: ['balance roundrobin'],
  LEAST_CONNECTIONS: ['balance leastconn'],
  SOURCE_IP: ['balance source', 'hash-type consistent'],
};
const versions: Readonly<Record<string, string>> = { TLS_1_2: 'TLSv1.2', TLS_1_3: 'TLSv1.3' };

/** A pool's backend. If the pool fails open, a second one with all of its members, unchecked. */
export function backendsOf(tree: Tree, pool: WantedPart, listeners: readonly WantedPart[]): BackendModel[] {
  const { spec } = pool;
  const isHttp = spec.memberProtocol !== 'TCP';
  const persistence = spec.persistence as JsonObject | null;
  const monitor = tree.children('PoolHealthMonitor', pool.id).find(isEnabled);
  const cookie = isHttp ? cookieLines(tree, persistence) : [];
  const isHashed = persistence?.type === 'SOURCE_IP' || spec.algorithm === 'SOURCE_IP';
  const lines = [
    `mode ${isHttp ? 'http' : 'tcp'}`,
    // A hash of the client's address needs no memory, so it survives reloads and is the same on all nodes.
    ...((isHashed ? balance.SOURCE_IP : balance[String(spec.algorithm)]) ?? []),
    ...timeoutLines(tree, pool, listeners),
    'retries 3',
    'option redispatch 1',
    ...(isHttp ? [...retryLines, ...ownTimeoutLines(tree)] : []),
    ...cookie,
    ...trustLines(tree, pool),
  ];
  const members = tree.children('PoolMember', pool.id);
  const serversWith = (check: WantedPart | undefined) => {
    const servers = members.flatMap((member) => serversOf(tree, pool, member, check));
    return new Map((isHashed ? withIds(servers) : servers).map((server) => [server.name, server] as const));
  };
  const common = { dynamicCookie: cookie.length > 0, drainMs: Number(spec.drainMs) };
  const checks = monitor === undefined ? [] : checkLines(pool, monitor);
  const backend = {
    ...common,
    name: backendName(pool.id),
    lines: [...lines, ...checks],
    servers: serversWith(monitor),
  };
  if (!failsOpen(pool) || monitor === undefined) return [backend];
  const open = { ...common, name: openBackendName(pool.id), lines, servers: serversWith(undefined) };
  return [backend, { ...open, follows: backend.name }];
}

/** Sends requests that meet the condition to a pool. Without a condition: all requests. */
export function useLines(tree: Tree, pool: WantedPart, condition?: string): string[] {
  const use = condition === undefined ? `default_backend` : `use_backend`;
  const lines = [`${use} ${backendName(pool.id)}${condition === undefined ? '' : ` if ${condition}`}`];
  const isChecked = tree.children('PoolHealthMonitor', pool.id).some(isEnabled);
  if (!failsOpen(pool) || !isChecked) return lines;
  const members = tree.children('PoolMember', pool.id);
  const serving = members.filter(
    (member) =>
      isEnabled(member) && member.drainUntil === null && member.spec.backup !== true && member.spec.weight !== 0,
  );
  // Of servers, as HAProxy counts them: a name has one for each of its addresses. One without any counts as a server that is missing.
  const servers = serving.reduce((sum, member) => sum + Math.max(1, addressesOf(tree, member).length), 0);
  const least = Math.ceil((servers * Number(pool.spec.failOpenBelowPercent)) / 100);
  // The number of usable members below which the pool fails open. It is in a file because it changes at runtime, as members come and go. No
  // pool has as many members as the large number.
  const path = fileOf(tree, 'PATTERNS', `few-${pool.id}`, `${least > 0 ? `0:${least - 1}` : 1_000_000}\n`);
  const few = `{ nbsrv(${backendName(pool.id)}) -f ${word(path)} }`;
  return [
    `use_backend ${openBackendName(pool.id)} if ${condition === undefined ? '' : `${condition} `}${few}`,
    ...lines,
  ];
}

/** `empty-response` would send a POST twice: only requests that may be repeated are retried. */
const retryLines = [
  'retry-on conn-failure empty-response',
  'http-request disable-l7-retry unless { method GET HEAD OPTIONS }',
];

/** Timeout of the listener, which can't set it itself. */
function ownTimeoutLines(tree: Tree): string[] {
  return memberTimeoutOfAll(tree) === undefined ? ['http-request set-timeout server var(txn.member_timeout)'] : [];
}

/** A server's position in the hash depends on its id, so that it is the same on all nodes and after reloads. */
function withIds(servers: readonly ServerModel[]): ServerModel[] {
  const used = new Set<number>();
  return servers
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map((server) => {
      let id = createHash('sha256').update(server.name).digest().readUInt32BE() % 2 ** 31;
      while (id === 0 || used.has(id)) id = (id + 1) % 2 ** 31;
      used.add(id);
      return { ...server, keywords: ['id', String(id), ...server.keywords] };
    });
}

/** With several listeners the longest timeout applies. For HTTP requests each listener sets its own timeout for the answer. */
function timeoutLines(tree: Tree, pool: WantedPart, listeners: readonly WantedPart[]): string[] {
  const users = listeners.filter(({ spec }) => spec.defaultPool === pool.id);
  const ofAll = pool.spec.memberProtocol === 'TCP' ? undefined : memberTimeoutOfAll(tree);
  const longest = (field: string, usual: number) =>
    Math.max(...users.map(({ spec }) => Number(spec[field])), users.length === 0 ? usual : 0);
  return [
    `timeout connect ${longest('memberConnectTimeoutMs', 5_000)}ms`,
    `timeout server ${ofAll ?? longest('memberTimeoutMs', usualMemberTimeoutMs)}ms`,
    'timeout queue 10s',
    // For connections that were upgraded, such as WebSockets. In streams it would replace the listener's timeouts from the first byte on.
    ...(pool.spec.memberProtocol === 'TCP' ? [] : ['timeout tunnel 1h']),
  ];
}

/** The values are derived from key, address and port: no memory is needed, and all nodes agree. */
function cookieLines({ node }: Tree, persistence: JsonObject | null): string[] {
  if (persistence === null || persistence.type === 'SOURCE_IP') return [];
  const key = `dynamic-cookie-key ${word(node.cookieKey)}`;
  const name = word(String(persistence.cookieName ?? 'SRV'));
  if (persistence.type === 'APP_COOKIE') return [`cookie ${name} prefix nocache dynamic`, key];
  const idle = Math.ceil(Number(persistence.timeoutMs ?? 1_800_000) / 1000);
  return [`cookie ${name} insert indirect nocache httponly maxidle ${idle}s dynamic`, key];
}

function checkLines(pool: WantedPart, { spec }: WantedPart): string[] {
  const timeout = `timeout check ${Number(spec.timeoutMs)}ms`;
  if (spec.monitorType === 'HTTP' || spec.monitorType === 'HTTPS') {
    // HAProxy sends no HTTP/2 request without a host.
    const host =
      spec.hostHeader ?? (pool.spec.memberProtocol === 'HTTP2' ? (pool.spec.tlsServerName ?? 'localhost') : null);
    const version = host === null ? 'HTTP/1.0' : `HTTP/1.1 hdr Host ${word(String(host))}`;
    return [
      timeout,
      'option log-health-checks',
      'option httpchk',
      `http-check send meth ${String(spec.method ?? 'GET')} uri ${word(String(spec.path ?? '/'))} ver ${version}`,
      `http-check expect status ${String(spec.expectedCodes ?? '200')}`,
    ];
  }
  return [timeout, 'option log-health-checks'];
}

function addressesOf({ places }: Tree, { spec }: WantedPart): readonly string[] {
  const host = String(spec.host);
  return isIP(host) === 0 ? places.addressesOf(host, Number(spec.port)) : [host];
}

function serversOf(tree: Tree, pool: WantedPart, member: WantedPart, monitor: WantedPart | undefined): ServerModel[] {
  const { spec } = member;
  // HAProxy would check the member's own address in place of one that its `monitorHost` does not have.
  const checked = monitor === undefined ? undefined : monitorAddressOf(tree, member);
  if (checked === 'NONE') return [];
  const port = Number(spec.port);
  const named = isIP(String(spec.host)) === 0;
  const keywords = [
    ...(spec.backup === true ? ['backup'] : []),
    ...connectionKeywords(tree, pool),
    ...(monitor === undefined ? [] : checkKeywords(pool, member, monitor, checked)),
  ];
  return addressesOf(tree, member).map((address) => ({
    ...{ name: serverName(member.id, address, named), address, port, keywords },
    ...{ weight: Number(spec.weight), state: stateOf(tree, pool, member), checked: monitor !== undefined },
  }));
}

function stateOf({ places }: Tree, pool: WantedPart, member: WantedPart): ServerModel['state'] {
  if (!isEnabled(member) || !isEnabled(pool)) return 'MAINT';
  if (member.drainUntil === null) return 'READY';
  return Date.parse(member.drainUntil) > places.now ? 'DRAIN' : 'ENDED';
}

/** When members must prove something else, earlier workers are told too: they then send them no more requests. */
function trustLines(tree: Tree, pool: WantedPart): string[] {
  const { id, spec } = pool;
  if (spec.tls !== true) return [];
  const trust = trustOf(pool);
  const names = [backendName(id), openBackendName(id)];
  const path = fileOf(tree, 'ADMISSIONS', `trust-${id}`, names.map((name) => `${name} ${trust}\n`).join(''));
  const rule = spec.memberProtocol === 'TCP' ? 'tcp-request content' : 'http-request';
  return [`${rule} reject unless { ${word(admissionSample(backendName(id), path))} -m str ${trust} }`];
}

/** Hash of what members must prove. */
function trustOf({ spec }: WantedPart): string {
  return hashOf([spec.tls, spec.tlsServerName, spec.authorities !== null && canonicalPem(String(spec.authorities))]);
}

function connectionKeywords(tree: Tree, pool: WantedPart): string[] {
  const { id, spec } = pool;
  // A server added at runtime gets no defaults: without these words it would keep no connection for the next request.
  const words = spec.memberProtocol === 'TCP' ? [] : ['pool-max-conn', '-1', 'pool-purge-delay', '5s'];
  if (spec.proxyProtocol === 'V1') words.push('send-proxy');
  if (spec.proxyProtocol === 'V2') words.push('send-proxy-v2');
  if (spec.memberProtocol === 'HTTP2') words.push(...(spec.tls === true ? ['alpn', 'h2'] : ['proto', 'h2']));
  if (Number(spec.slowStartMs) > 0) words.push('slowstart', `${Number(spec.slowStartMs)}ms`);
  if (spec.tls !== true) return words;
  const accepted = (spec.tlsVersions as readonly string[]).map((each) => versions[each] ?? '').sort();
  // A resumed session would skip the check of the member's certificate, even after the authorities have changed.
  words.push(
    'ssl',
    'no-ssl-reuse',
    'ssl-min-ver',
    accepted[0] ?? 'TLSv1.2',
    'ssl-max-ver',
    accepted.at(-1) ?? 'TLSv1.3',
  );
  if (spec.tlsCiphers !== null) words.push('ciphers', String(spec.tlsCiphers));
  const own = tree.node.certificates.find((each) => each.id === spec.clientCertificate);
  if (own !== undefined) words.push('crt', certificatePath(tree.places, own.id));
  if (spec.authorities === null) return [...words, 'verify', 'none'];
  // HAProxy 2.6 ignores new authorities for an existing server without a client certificate. A new file name forces a reload.
  const authorities = fileOf(tree, 'AUTHORITIES', `authorities-${id}-${trustOf(pool)}`, String(spec.authorities));
  words.push('verify', 'required', 'ca-file', authorities);
  if (spec.tlsServerName !== null)
    words.push('sni', `str(${String(spec.tlsServerName)})`, 'verifyhost', String(spec.tlsServerName));
  return words;
}

/** Undefined for the member's own. */
function monitorAddressOf({ places }: Tree, { spec }: WantedPart): string | 'NONE' | undefined {
  if (spec.monitorHost === null) return undefined;
  const host = String(spec.monitorHost);
  return isIP(host) !== 0 ? host : (places.addressesOf(host, Number(spec.monitorPort ?? spec.port))[0] ?? 'NONE');
}

/** `address`: to check in place of the server's own. */
function checkKeywords(
  pool: WantedPart,
  { spec }: WantedPart,
  monitor: WantedPart,
  address: string | undefined,
): string[] {
  const { intervalMs, fall, rise, monitorType: type } = monitor.spec;
  // The last checks before a verdict are faster: a dead member is found sooner, without more checks of healthy ones.
  const fast = Math.max(100, Math.round(Number(intervalMs) / 5));
  const words = ['check', 'inter', `${Number(intervalMs)}ms`, 'fastinter', `${fast}ms`];
  words.push('fall', String(fall), 'rise', String(rise));
  if (pool.spec.ejectAfterErrors !== null) {
    words.push('observe', pool.spec.memberProtocol === 'TCP' ? 'layer4' : 'layer7');
    words.push('error-limit', String(pool.spec.ejectAfterErrors), 'on-error', 'mark-down');
  }
  if (spec.monitorPort !== null) words.push('port', String(spec.monitorPort));
  // Without brackets HAProxy takes the end of an IPv6 address for a port.
  if (address !== undefined) words.push('addr', isIP(address) === 6 ? `[${address}]` : address);
  const ofTls = type === 'HTTPS' || type === 'TLS_HELLO';
  // HAProxy checks with the server's own TLS unless the check has another address. This does not apply to servers added at runtime.
  const checksTls = ofTls || (pool.spec.tls === true && spec.monitorPort === null && address === undefined);
  if (checksTls) words.push('check-ssl', ...(pool.spec.tls === true ? [] : ['verify', 'none']));
  if (pool.spec.memberProtocol === 'HTTP2' && checksTls && (type === 'HTTP' || type === 'HTTPS'))
    // Checks don't use the server's ALPN. Without TLS they use its protocol, which can't be negotiated inside TLS.
    words.push(...(pool.spec.tls === true ? ['check-alpn', 'h2'] : ['check-alpn', 'http/1.1', 'check-proto', 'h1']));
  // Checks don't use the server's SNI. Without it a member with several certificates would not prove the name that it must prove.
  const asked = ofTls && monitor.spec.hostHeader !== null ? monitor.spec.hostHeader : pool.spec.tlsServerName;
  if (checksTls && asked !== null) words.push('check-sni', String(asked));
  return words;
}
