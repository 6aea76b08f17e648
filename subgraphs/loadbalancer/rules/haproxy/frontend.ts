// Renders a listener as a frontend.
import type { WantedPart } from '../../wire/wanted-node.ts';
import { useLines } from './backend.ts';
import type { CertificateModel, FrontendModel } from './model.ts';
import { policyLines } from './policies.ts';
import { format, word } from './quoting.ts';
import {
  admissionSample,
  bindAddress,
  canonicalPem,
  certificatePath,
  fileOf,
  frontendName,
  hashOf,
  healthName,
  isEnabled,
  isHttpListener,
  memberTimeoutOfAll,
  type Tree,
} from './tree.ts';

const alpn: Readonly<Record<string, string>> = { H2: 'h2', HTTP_1_1: 'http/1.1' };
const versions: Readonly<Record<string, string>> = { TLS_1_2: 'TLSv1.2', TLS_1_3: 'TLSv1.3' };
/** Forward secrecy and authenticated encryption: RFC 9325, section 4.2. */
const usualCiphers =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';

const headers: Readonly<Record<string, readonly [string, string]>> = {
  X_FORWARDED_FOR: ['X-Forwarded-For', '%[src]'],
  X_SSL_CLIENT_VERIFY: ['X-SSL-Client-Verify', '%[ssl_c_verify]'],
  X_SSL_CLIENT_HAS_CERT: ['X-SSL-Client-Has-Cert', '%[ssl_c_used]'],
  X_SSL_CLIENT_DN: ['X-SSL-Client-DN', '%[ssl_c_s_dn]'],
  X_SSL_CLIENT_CN: ['X-SSL-Client-CN', '%[ssl_c_s_dn(cn)]'],
  X_SSL_ISSUER: ['X-SSL-Issuer', '%[ssl_c_i_dn]'],
  X_SSL_CLIENT_SHA1: ['X-SSL-Client-SHA1', '%[ssl_c_sha1,hex]'],
  X_SSL_CLIENT_NOT_BEFORE: ['X-SSL-Client-Not-Before', '%[ssl_c_notbefore]'],
  X_SSL_CLIENT_NOT_AFTER: ['X-SSL-Client-Not-After', '%[ssl_c_notafter]'],
};

/**
 * After 101, or after 200 to CONNECT, HAProxy passes on bytes unread: requests in them would bypass policies and could carry headers that
 * only the listener may set. So no upgrade to a protocol that carries requests (h2c, HTTP/2.0, TLS) reaches a member; WebSockets and others
 * do.
 */
const tunnelLines = [
  'http-request del-header Upgrade if { req.hdr(upgrade) -i -m sub h2c http/ tls/ }',
  'http-request del-header HTTP2-Settings',
  // To HTTP/2 members HAProxy asks for an upgrade because of this header alone, and they refuse an upgrade to nothing.
  'http-request del-header Connection if { req.hdr(connection) -i upgrade } !{ req.hdr(upgrade) -m found }',
  'http-request deny deny_status 405 if { method CONNECT }',
];

/** One JSON object per line; {+E} escapes quotes (HAProxy 2.6, section 8.2.4). */
const tcpLog =
  '{"at":%Ts.%ms,"client":"%ci","listener":"%f","pool":"%b","member":"%s","durationMs":%Tt,"bytesOut":%B,"end":"%ts"}';
const httpLog =
  '{"at":%Ts.%ms,"client":"%ci","listener":"%f","pool":"%b","member":"%s","method":"%HM","path":"%{+E}HPO","status":%ST,"durationMs":%Ta,"bytesIn":%U,"bytesOut":%B,"end":"%tsc"}';

/** `isShared`: other listeners use the node's connections too. */
export function frontendOf(tree: Tree, listener: WantedPart, isShared: boolean): FrontendModel {
  const { spec } = listener;
  const { node } = tree;
  const isHttp = isHttpListener(listener);
  const pool = tree.byId.get(String(spec.defaultPool));
  // Both nodes of a floating address listen on it, because either may get it at any moment.
  const addresses = node.floating === null ? [node.address] : [node.address, node.floating.address];
  const places = addresses.map((address) => bindAddress(address, Number(spec.port))).join(',');
  const lines = [
    `bind ${[word(places), ...tlsWords(tree, listener)].join(' ')}`,
    `mode ${isHttp ? 'http' : 'tcp'}`,
    `maxconn ${Math.min(Number(spec.connectionLimit ?? node.size.connections), node.size.connections)}`,
    `timeout client ${Number(spec.clientTimeoutMs)}ms`,
    ...logLines(listener, isHttp),
    ...allowedLines(tree, listener),
    ...(isShared ? limitLines(tree) : []),
    ...admissionLines(tree, listener),
    ...(isHttp ? httpLines(tree, listener) : []),
    ...(pool === undefined || !isEnabled(pool) ? [] : useLines(tree, pool)),
  ];
  return { name: frontendName(listener.id), lines };
}

/** Requests that are not sampled are not even formatted. */
function logLines({ spec }: WantedPart, isHttp: boolean): string[] {
  const percent = Number(spec.accessLogPercent);
  if (percent === 0) return ['no log'];
  const rules = isHttp ? 'http-request' : 'tcp-request content';
  return [
    'option dontlognull',
    `log-format ${word(isHttp ? httpLog : tcpLog)}`,
    ...(percent === 100 ? [] : [`${rules} set-log-level silent unless { rand(100) lt ${percent} }`]),
  ];
}

function httpLines(tree: Tree, listener: WantedPart): string[] {
  const { spec } = listener;
  return [
    // A reload must not cut off a client that is about to send its next request on an idle connection.
    'option idle-close-on-response',
    // Default: that of a request, which must arrive sooner than a client may be silent between two requests.
    `timeout http-keep-alive ${Number(spec.clientTimeoutMs)}ms`,
    ...(memberTimeoutOfAll(tree) === undefined
      ? [`http-request set-var(txn.member_timeout) int(${Number(spec.memberTimeoutMs)})`]
      : []),
    ...tunnelLines,
    ...headerLines(tree, listener),
    ...policyLines(tree, listener),
    ...hstsLines(listener),
  ];
}

/**
 * Headers about the client's certificate must not come from clients, at any listener of a load balancer in which one listener sets them:
 * members can't tell through which listener a request came.
 */
function headerLines({ node, children }: Tree, listener: WantedPart): string[] {
  const { spec } = listener;
  const known = new Map([
    ...Object.entries(headers),
    ['X_FORWARDED_PORT', ['X-Forwarded-Port', String(spec.port)] as const],
    ['X_FORWARDED_PROTO', ['X-Forwarded-Proto', spec.protocol === 'TERMINATED_HTTPS' ? 'https' : 'http'] as const],
  ]);
  const namedBy = (each: WantedPart) => each.spec.insertHeaders as readonly string[];
  const ofCertificates = children('Listener', node.loadBalancer.id)
    .flatMap(namedBy)
    .filter((name) => name.startsWith('X_SSL_'));
  const inserted = namedBy(listener).flatMap((name) => {
    const found = known.get(name);
    return found === undefined ? [] : [found];
  });
  const refused = new Set([...namedBy(listener), ...ofCertificates].flatMap((name) => known.get(name)?.[0] ?? []));
  if (refused.size === 0) return [];
  // Many frameworks treat a name with underscores, in any position, as the same header.
  const names = [...refused].map((header) => header.toLowerCase().replaceAll('-', '[-_]')).join('|');
  return [
    `http-request del-header ${word(`^(${names})$`)} -m reg`,
    ...inserted.map(([header, value]) => `http-request add-header ${header} ${word(value)}`),
  ];
}

function hstsLines({ spec }: WantedPart): string[] {
  if (spec.hstsMaxAgeSeconds === null) return [];
  const value = [
    `max-age=${Number(spec.hstsMaxAgeSeconds)}`,
    ...(spec.hstsIncludeSubdomains === true ? ['includeSubDomains'] : []),
    ...(spec.hstsPreload === true ? ['preload'] : []),
  ];
  return [`http-after-response set-header Strict-Transport-Security ${format(value.join('; '))}`];
}

/** In a file, so that the list can change at runtime. It may have a thousand entries. */
function allowedLines(tree: Tree, { id, spec }: WantedPart): string[] {
  const blocks = spec.allowedCidrs as readonly string[];
  const all = ['0.0.0.0/0', '::/0'];
  const path = fileOf(tree, 'PATTERNS', `allowed-${id}`, `${(blocks.length === 0 ? all : blocks).join('\n')}\n`);
  return [`tcp-request connection reject unless { src -f ${word(path)} }`];
}

/**
 * One listener that is full makes its clients wait. Several together must not exceed the node's size either: HAProxy's own limit would also
 * stop the health checks. It has no limit for some listeners, so they count their connections in one table, and the last one is refused.
 */
function limitLines({ node }: Tree): string[] {
  return [
    `tcp-request connection track-sc0 int(1) table ${healthName}`,
    `tcp-request connection reject if { sc0_conn_cur gt ${node.size.connections} }`,
  ];
}

/**
 * A connection remembers what it had to prove when it was accepted. Once that has changed, its requests are refused and it closes. This
 * also works over HTTP/2, and in earlier workers, which get the same update.
 */
function admissionLines(tree: Tree, { id, spec }: WantedPart): string[] {
  if (spec.protocol !== 'TERMINATED_HTTPS') return [];
  const name = frontendName(id);
  const proof = hashOf([
    spec.clientAuthentication,
    ...[spec.clientAuthorities, spec.clientRevocations].map((pem) => pem !== null && canonicalPem(String(pem))),
  ]);
  const path = fileOf(tree, 'ADMISSIONS', `admission-${id}`, `${name} ${proof}\n`);
  const present = admissionSample(name, path);
  return [
    `tcp-request connection set-var(sess.admission) ${word(present)}`,
    `http-request reject unless { ${word(`${present},strcmp(sess.admission)`)} eq 0 }`,
  ];
}

function tlsWords(tree: Tree, { id, spec }: WantedPart): string[] {
  if (spec.protocol !== 'TERMINATED_HTTPS') return [];
  const certificates = certificatesOf(tree, spec).map((each) => certificatePath(tree.places, each));
  const words = ['ssl', 'crt', defaultCertificatePath(tree, id)];
  words.push('crt-list', fileOf(tree, 'CERTIFICATE_LIST', `certificates-${id}`, `${certificates.join('\n')}\n`));
  const protocols = (spec.alpnProtocols as readonly string[]).flatMap((each) => alpn[each] ?? []);
  // An earlier release accepted an empty list.
  if (protocols.length > 0) words.push('alpn', protocols.join(','));
  const accepted = (spec.tlsVersions as readonly string[]).map((each) => versions[each] ?? '').sort();
  words.push('ssl-min-ver', accepted[0] ?? 'TLSv1.2', 'ssl-max-ver', accepted.at(-1) ?? 'TLSv1.3');
  words.push('ciphers', String(spec.tlsCiphers ?? usualCiphers));
  if (spec.clientAuthentication !== 'NONE') {
    words.push('ca-file', fileOf(tree, 'AUTHORITIES', `client-authorities-${id}`, String(spec.clientAuthorities)));
    words.push('verify', spec.clientAuthentication === 'MANDATORY' ? 'required' : 'optional');
    if (spec.clientRevocations !== null)
      words.push('crl-file', fileOf(tree, 'REVOCATIONS', `client-revocations-${id}`, String(spec.clientRevocations)));
  }
  return words.map(word);
}

/** Certificates that the node has. */
function certificatesOf({ node }: Tree, spec: WantedPart['spec']): readonly string[] {
  const present = new Set(node.certificates.map(({ id }) => id));
  return (spec.certificates as readonly string[]).filter((id) => present.has(id));
}

/** A copy of the first certificate, for names that no certificate has. As a copy it can change without a reload. */
export function defaultCertificateOf(tree: Tree, { id, spec }: WantedPart): CertificateModel | undefined {
  const [first] = spec.protocol === 'TERMINATED_HTTPS' ? certificatesOf(tree, spec) : [];
  const pem = tree.node.certificates.find((each) => each.id === first)?.pem;
  return pem === undefined ? undefined : { path: defaultCertificatePath(tree, id), pem };
}

function defaultCertificatePath({ places }: Tree, listenerId: string): string {
  return certificatePath(places, `default-${listenerId}`);
}

/** Whether it can be served: a TLS listener needs a certificate. */
export function isServable(tree: Tree, listener: WantedPart): boolean {
  return (
    isEnabled(listener) &&
    (listener.spec.protocol !== 'TERMINATED_HTTPS' || defaultCertificateOf(tree, listener) !== undefined)
  );
}
