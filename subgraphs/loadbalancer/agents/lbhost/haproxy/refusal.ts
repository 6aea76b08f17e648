// Explains to the owner of a load balancer why HAProxy does not accept a configuration: the part and field at fault, and HAProxy's own
// message without the host's paths.

import type { WantedPart } from '../../../wire/wanted-node.ts';

interface RefusedConfiguration {
  /** HAProxy's output on stderr. */
  readonly stderr: string;
  /** The text of the configuration file. */
  readonly configuration: string;
  /** The node's folder. */
  readonly folder: string;
}

const mostAlerts = 3;
const mostLength = 1_000;

/** HAProxy's messages and the graph's field for each. The first match counts. */
const fieldsOfListeners: readonly (readonly [RegExp, string])[] = [
  [/'alpn'/, 'alpnProtocols'],
  [/cipher/i, 'tlsCiphers'],
  [/ssl-m(in|ax)-ver|tls version/i, 'tlsVersions'],
  [/client-revocations|crl-file/, 'clientRevocations'],
  [/client-authorities|ca-file/, 'clientAuthorities'],
  [/certificates[-/]|crt/, 'certificates'],
  [/allowed-/, 'allowedCidrs'],
  [/ACL 'r_|regex/, 'l7Rules.value'],
  [/redirect/, 'l7Policies.redirectUrl'],
  [/maxconn/, 'connectionLimit'],
  [/timeout client/, 'clientTimeoutMs'],
];
const fieldsOfPools: readonly (readonly [RegExp, string])[] = [
  [/cipher/i, 'tlsCiphers'],
  [/ssl-m(in|ax)-ver|tls version/i, 'tlsVersions'],
  [/authorities-|ca-file/, 'authorities'],
  [/verifyhost|'sni'/, 'tlsServerName'],
  [/certificates\/|'crt'/, 'clientCertificate'],
  [/cookie/, 'persistence'],
  [/http-?check/, 'healthMonitor'],
  [/balance|hash-type/, 'algorithm'],
];

export function refusalWords({ stderr, configuration, folder }: RefusedConfiguration): string {
  const lines = stderr
    .split('\n')
    .filter((line) => line.includes('[ALERT]') && !/ (E|Fatal e)rrors?\b.* found in /.test(line));
  const alerts = (lines.length > 0 ? lines : [stderr])
    .slice(0, mostAlerts)
    .map((line) => alertWords(line, configuration, folder));
  return [...new Set(alerts)].join('; ').slice(0, mostLength);
}

function alertWords(line: string, configuration: string, folder: string): string {
  const [, at] = /\[[^\]]*:(\d+)\]/.exec(line) ?? [];
  const [, named] = /Proxy '(\S+)'/.exec(line) ?? [];
  const section = named ?? sectionAt(configuration, Number(at ?? 0));
  const words = line
    .replace(/^\[ALERT\]\s*\(\d+\) : (config : )?/, '')
    .replace(/parsing \[[^\]]*\] : /, '')
    .replace(/ at \[[^\]]*\]/, '')
    .replaceAll(`${folder}/`, '')
    .trim();
  if (section === undefined) return words;
  const fields = section.startsWith('l_') ? fieldsOfListeners : fieldsOfPools;
  const field = fields.find(([pattern]) => pattern.test(words))?.[1];
  return `${section}${field === undefined ? '' : `, ${field}`}: ${words}`;
}

/** The listener or pool whose section contains this line. */
function sectionAt(configuration: string, line: number): string | undefined {
  const before = configuration.split('\n').slice(0, line);
  const head = before.findLast((each) => /^\S/.test(each));
  return /^(?:frontend|backend) (\S+)$/.exec(head ?? '')?.[1];
}

/** UUIDs of the listeners and pools that an error names. */
export function partsNamedIn(error: string): ReadonlySet<string> {
  return new Set([...error.matchAll(/\b[lpo]_([0-9a-f-]{36})/g)].map(([, id = '']) => id));
}

/** The text of an error with the owner's names for parts, and without the host's paths. */
export function inGraphsWords(error: string, folder: string, parts: readonly WantedPart[]): string {
  const byId = new Map(parts.map((part) => [part.id, part]));
  return error.replaceAll(`${folder}/`, '').replaceAll(/\b[lpomr]_([0-9a-f-]{36})/g, (whole, id: string) => {
    const part = byId.get(id);
    return part === undefined ? whole : partWords(part);
  });
}

/** @example listener at port 443, pool "web", member 192.0.2.7:80 */
function partWords({ kind, id, spec }: WantedPart): string {
  switch (kind) {
    case 'Listener':
      return `listener at port ${Number(spec.port)}`;
    case 'PoolMember':
      return `member ${String(spec.host)}:${Number(spec.port)}`;
    case 'L7Rule':
      return `L7 rule ${String(spec.ruleType)} ${String(spec.compareType)} ${String(spec.value)}`;
    default:
      return `${kind.toLowerCase()} ${spec.name === '' ? id : `"${String(spec.name)}"`}`;
  }
}
