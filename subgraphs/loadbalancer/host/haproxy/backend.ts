// A pool as a backend, with its members as servers and its health monitor as their checks.
import { isIP } from 'node:net';
import type { JsonObject } from '../../../../platform/json.ts';
import type { WantedPart } from '../../wanted/wanted-node.ts';
import type { BackendModel, ServerModel } from './model.ts';
import { word } from './quoting.ts';
import { backendName, certificatePath, isEnabled, serverName, type Tree } from './tree.ts';

const balance: Readonly<Record<string, readonly string[]>> = {
  ROUND_ROBIN: ['balance roundrobin'],
  LEAST_CONNECTIONS: ['balance leastconn'],
  SOURCE_IP: ['balance source', 'hash-type consistent'],
};
const versions: Readonly<Record<string, string>> = { TLS_1_2: 'TLSv1.2', TLS_1_3: 'TLSv1.3' };

export function backendOf(tree: Tree, pool: WantedPart, listeners: readonly WantedPart[]): BackendModel {
  const { spec } = pool;
  const isHttp = spec.protocol !== 'TCP';
  const persistence = spec.persistence as JsonObject | null;
  const monitor = tree.children('HealthMonitor', pool.id).find(isEnabled);
  const cookie = isHttp ? cookieLines(tree, persistence) : [];
  const lines = [
    `mode ${isHttp ? 'http' : 'tcp'}`,
    // A hash of the client's address needs no memory, so that it holds over reloads, and on all nodes alike.
    ...((persistence?.type === 'SOURCE_IP' ? balance.SOURCE_IP : balance[String(spec.algorithm)]) ?? []),
    ...timeoutLines(pool, listeners),
    'retries 3',
    'option redispatch 1',
    ...(isHttp ? httpLines : []),
    ...cookie,
    ...(monitor === undefined ? [] : checkLines(monitor)),
  ];
  const servers = tree
    .children('Member', pool.id)
    .flatMap((member) => serversOf(tree, pool, member, monitor))
    .map((server): [string, ServerModel] => [server.name, server]);
  return { name: backendName(pool.id), lines, dynamicCookie: cookie.length > 0, servers: new Map(servers) };
}

/** `empty-response` would send a POST twice: only requests that may be repeated are. */
const httpLines = [
  'retry-on conn-failure empty-response response-timeout',
  // Of the listener, which can't set it itself.
  'http-request set-timeout server var(txn.member_timeout)',
  'http-request disable-l7-retry unless { method GET HEAD OPTIONS }',
];

/** Of several listeners the longest applies; HTTP requests have the timeout of their own for the answer. */
function timeoutLines(pool: WantedPart, listeners: readonly WantedPart[]): string[] {
  const users = listeners.filter(({ spec }) => spec.defaultPool === pool.id);
  const longest = (field: string, usual: number) =>
    Math.max(...users.map(({ spec }) => Number(spec[field])), users.length === 0 ? usual : 0);
  return [
    `timeout connect ${longest('memberConnectTimeoutMs', 5_000)}ms`,
    `timeout server ${longest('memberTimeoutMs', 50_000)}ms`,
    'timeout queue 10s',
    'timeout tunnel 1h',
  ];
}

/** The values follow from key, address and port: no memory, and the same on all nodes. */
function cookieLines({ node }: Tree, persistence: JsonObject | null): string[] {
  if (persistence === null || persistence.type === 'SOURCE_IP') return [];
  const key = `dynamic-cookie-key ${word(node.cookieKey)}`;
  const name = word(String(persistence.cookieName ?? 'SRV'));
  if (persistence.type === 'APP_COOKIE') return [`cookie ${name} prefix nocache dynamic`, key];
  const idle = Math.ceil(Number(persistence.timeoutMs ?? 1_800_000) / 1000);
  return [`cookie ${name} insert indirect nocache httponly maxidle ${idle}s dynamic`, key];
}

function checkLines({ spec }: WantedPart): string[] {
  const timeout = `timeout check ${Number(spec.timeoutMs)}ms`;
  if (spec.type === 'HTTP' || spec.type === 'HTTPS') {
    const host = spec.hostHeader === null ? '' : ` hdr Host ${word(String(spec.hostHeader))}`;
    const version = spec.hostHeader === null ? 'HTTP/1.0' : 'HTTP/1.1';
    return [
      timeout,
      'option log-health-checks',
      'option httpchk',
      `http-check send meth ${String(spec.method ?? 'GET')} uri ${word(String(spec.path ?? '/'))} ver ${version}${host}`,
      `http-check expect status ${String(spec.expectedCodes ?? '200')}`,
    ];
  }
  return [timeout, 'option log-health-checks'];
}

function serversOf(
  { places, files }: Tree,
  pool: WantedPart,
  member: WantedPart,
  monitor: WantedPart | undefined,
): ServerModel[] {
  const { spec } = member;
  const host = String(spec.host);
  const named = isIP(host) === 0;
  const addresses = named ? places.addressesOf(host) : [host];
  const keywords = [...connectionKeywords({ places, files }, pool), ...checkKeywords(places, pool, member, monitor)];
  const state = !isEnabled(member) || !isEnabled(pool) ? 'MAINT' : member.drainUntil === null ? 'READY' : 'DRAIN';
  return addresses.map((address) => ({
    name: serverName(member.id, address, named),
    ...{
      address,
      port: Number(spec.port),
      keywords,
      weight: Number(spec.weight),
      state,
      checked: monitor !== undefined,
    },
  }));
}

function connectionKeywords({ places, files }: Pick<Tree, 'places' | 'files'>, { id, spec }: WantedPart): string[] {
  const words: string[] = [];
  if (spec.proxyProtocol === 'V1') words.push('send-proxy');
  if (spec.proxyProtocol === 'V2') words.push('send-proxy-v2');
  if (spec.protocol === 'HTTP2') words.push(...(spec.tls === true ? ['alpn', 'h2'] : ['proto', 'h2']));
  if (Number(spec.slowStartMs) > 0) words.push('slowstart', `${Number(spec.slowStartMs)}ms`);
  if (spec.ejectAfterErrors !== null)
    words.push(
      'observe',
      spec.protocol === 'TCP' ? 'layer4' : 'layer7',
      'error-limit',
      String(spec.ejectAfterErrors),
      'on-error',
      'mark-down',
    );
  // Sessions of a dead member end at once.
  words.push('on-marked-down', 'shutdown-sessions');
  if (spec.tls !== true) return words;
  const accepted = (spec.tlsVersions as readonly string[]).map((each) => versions[each] ?? '').sort();
  words.push('ssl', 'ssl-min-ver', accepted[0] ?? 'TLSv1.2', 'ssl-max-ver', accepted.at(-1) ?? 'TLSv1.3');
  if (spec.tlsCiphers !== null) words.push('ciphers', word(String(spec.tlsCiphers)));
  if (spec.clientCertificate !== null) words.push('crt', word(certificatePath(places, String(spec.clientCertificate))));
  if (spec.authorities === null) words.push('verify', 'none');
  else {
    const path = `${places.folder}/files/authorities-${id}`;
    files.set(path, { path, content: String(spec.authorities) });
    words.push('verify', 'required', 'ca-file', word(path));
    if (spec.tlsServerName !== null)
      words.push('sni', word(`str(${String(spec.tlsServerName)})`), 'verifyhost', word(String(spec.tlsServerName)));
  }
  return words;
}

function checkKeywords(
  { addressesOf }: Tree['places'],
  pool: WantedPart,
  member: WantedPart,
  monitor: WantedPart | undefined,
): string[] {
  const { spec } = member;
  const words = spec.backup === true ? ['backup'] : [];
  if (monitor === undefined) return words;
  const { intervalMs, fall, rise, type } = monitor.spec;
  // The last checks before a verdict come faster: a dead member is found sooner, without more checks of living ones.
  const fast = Math.max(100, Math.round(Number(intervalMs) / 5));
  words.push(
    'check',
    'inter',
    `${Number(intervalMs)}ms`,
    'fastinter',
    `${fast}ms`,
    'fall',
    String(fall),
    'rise',
    String(rise),
  );
  if (spec.monitorPort !== null) words.push('port', String(spec.monitorPort));
  const host = spec.monitorHost === null ? undefined : String(spec.monitorHost);
  const address = host === undefined || isIP(host) !== 0 ? host : addressesOf(host)[0];
  if (address !== undefined) words.push('addr', word(address));
  const checksTls = type === 'HTTPS' || type === 'TLS_HELLO';
  if (checksTls) words.push('check-ssl', ...(pool.spec.tls === true ? [] : ['verify', 'none']));
  if (checksTls && monitor.spec.hostHeader !== null) words.push('check-sni', word(String(monitor.spec.hostHeader)));
  return words;
}
