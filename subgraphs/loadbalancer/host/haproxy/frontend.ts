// A listener as a frontend.
import type { WantedPart } from '../../wanted/wanted-node.ts';
import type { FrontendModel } from './model.ts';
import { policyLines } from './policies.ts';
import { format, word } from './quoting.ts';
import { backendName, bindAddress, certificatePath, frontendName, isEnabled, type Tree } from './tree.ts';

const httpProtocols = ['HTTP', 'TERMINATED_HTTPS'];
const alpn: Readonly<Record<string, string>> = { H2: 'h2', HTTP_1_1: 'http/1.1' };
const versions: Readonly<Record<string, string>> = { TLS_1_2: 'TLSv1.2', TLS_1_3: 'TLSv1.3' };
/** Forward secrecy and authenticated encryption: RFC 9325, section 4.2. */
const usualCiphers =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';

const headers: Readonly<Record<string, readonly [string, string]>> = {
  X_FORWARDED_FOR: ['X-Forwarded-For', '%[src]'],
  X_FORWARDED_PORT: ['X-Forwarded-Port', '%[dst_port]'],
  X_FORWARDED_PROTO: ['X-Forwarded-Proto', '%[ssl_fc,iif(https,http)]'],
  X_SSL_CLIENT_VERIFY: ['X-SSL-Client-Verify', '%[ssl_c_verify]'],
  X_SSL_CLIENT_HAS_CERT: ['X-SSL-Client-Has-Cert', '%[ssl_c_used]'],
  X_SSL_CLIENT_DN: ['X-SSL-Client-DN', '%{+Q}[ssl_c_s_dn]'],
  X_SSL_CLIENT_CN: ['X-SSL-Client-CN', '%{+Q}[ssl_c_s_dn(cn)]'],
  X_SSL_ISSUER: ['X-SSL-Issuer', '%{+Q}[ssl_c_i_dn]'],
  X_SSL_CLIENT_SHA1: ['X-SSL-Client-SHA1', '%[ssl_c_sha1,hex]'],
  X_SSL_CLIENT_NOT_BEFORE: ['X-SSL-Client-Not-Before', '%{+Q}[ssl_c_notbefore]'],
  X_SSL_CLIENT_NOT_AFTER: ['X-SSL-Client-Not-After', '%{+Q}[ssl_c_notafter]'],
};

/** One JSON object a line; {+E} escapes quotes (HAProxy 2.6, section 8.2.4). */
const tcpLog =
  '{"at":%Ts.%ms,"client":"%ci","listener":"%f","pool":"%b","member":"%s","durationMs":%Tt,"bytesOut":%B,"end":"%ts"}';
const httpLog =
  '{"at":%Ts.%ms,"client":"%ci","listener":"%f","pool":"%b","member":"%s","method":"%HM","path":"%{+E}HPO","status":%ST,"durationMs":%Ta,"bytesIn":%U,"bytesOut":%B,"end":"%tsc"}';

export function frontendOf(tree: Tree, listener: WantedPart): FrontendModel {
  const { spec } = listener;
  const { node } = tree;
  const isHttp = httpProtocols.includes(String(spec.protocol));
  const pool = tree.byId.get(String(spec.defaultPool));
  const lines = [
    `bind ${[word(bindAddress(node.address, Number(spec.port))), ...tlsWords(tree, listener)].join(' ')}`,
    `mode ${isHttp ? 'http' : 'tcp'}`,
    ...(spec.connectionLimit === null ? [] : [`maxconn ${Number(spec.connectionLimit)}`]),
    `timeout client ${Number(spec.clientTimeoutMs)}ms`,
    'option dontlognull',
    `log-format ${word(isHttp ? httpLog : tcpLog)}`,
    ...allowedLines(tree, listener),
    ...(isHttp ? httpLines(tree, listener) : []),
    ...(pool === undefined || !isEnabled(pool) ? [] : [`default_backend ${backendName(pool.id)}`]),
  ];
  return { name: frontendName(listener.id), lines };
}

function httpLines(tree: Tree, listener: WantedPart): string[] {
  const { spec } = listener;
  const inserted = (spec.insertHeaders as readonly string[]).flatMap((name) => {
    const [header, value] = headers[name] ?? [];
    return header === undefined || value === undefined ? [] : [`http-request set-header ${header} ${word(value)}`];
  });
  return [
    // A reload must not cut a client that is about to send its next request on an idle connection.
    'option idle-close-on-response',
    `http-request set-var(txn.member_timeout) int(${Number(spec.memberTimeoutMs)})`,
    ...inserted,
    ...policyLines(tree, listener),
    ...hstsLines(listener),
  ];
}

function hstsLines({ spec }: WantedPart): string[] {
  if (spec.hstsMaxAgeSeconds === null) return [];
  const value = [
    `max-age=${Number(spec.hstsMaxAgeSeconds)}`,
    ...(spec.hstsIncludeSubdomains === true ? ['includeSubDomains'] : []),
    ...(spec.hstsPreload === true ? ['preload'] : []),
  ];
  return [`http-response set-header Strict-Transport-Security ${format(value.join('; '))}`];
}

/** The blocks are in a file: there may be a thousand. */
function allowedLines({ places, files }: Tree, { id, spec }: WantedPart): string[] {
  const blocks = spec.allowedCidrs as readonly string[];
  if (blocks.length === 0) return [];
  const path = `${places.folder}/files/allowed-${id}`;
  files.set(path, { path, content: `${blocks.join('\n')}\n` });
  return [`tcp-request connection reject unless { src -f ${word(path)} }`];
}

function tlsWords({ places, files }: Tree, { id, spec }: WantedPart): string[] {
  if (spec.protocol !== 'TERMINATED_HTTPS') return [];
  const file = (name: string, content: string): string => {
    const path = `${places.folder}/files/${name}-${id}`;
    files.set(path, { path, content });
    return word(path);
  };
  const certificates = (spec.certificates as readonly string[]).map((each) => certificatePath(places, each));
  // The first certificate is also for names that no certificate has.
  const words = [
    'ssl',
    'crt',
    word(certificates[0] ?? ''),
    'crt-list',
    file('crt-list', `${certificates.join('\n')}\n`),
  ];
  words.push('alpn', (spec.alpnProtocols as readonly string[]).map((each) => alpn[each] ?? '').join(','));
  const accepted = (spec.tlsVersions as readonly string[]).map((each) => versions[each] ?? '').sort();
  words.push('ssl-min-ver', accepted[0] ?? 'TLSv1.2', 'ssl-max-ver', accepted.at(-1) ?? 'TLSv1.3');
  words.push('ciphers', word(String(spec.tlsCiphers ?? usualCiphers)));
  if (spec.clientAuthentication !== 'NONE') {
    words.push('ca-file', file('client-authorities', String(spec.clientAuthorities)));
    words.push('verify', spec.clientAuthentication === 'MANDATORY' ? 'required' : 'optional');
    if (spec.clientRevocations !== null)
      words.push('crl-file', file('client-revocations', String(spec.clientRevocations)));
  }
  return words;
}
