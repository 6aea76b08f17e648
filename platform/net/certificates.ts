// Makes X.509 certificates (RFC 5280) with the openssl program, version 3.0 or later: an authority's, one signed by an authority,
// or self-signed as devices make them for their web interface.
// needs: openssl
import { execFile } from 'node:child_process';
import { generateKeyPair, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface CertificateAndKey {
  /** PEM. */
  readonly cert: string;
  /** PEM (PKCS #8), not encrypted. */
  readonly key: string;
  /** Hash of the certificate's DER form, in lower-case hex without colons. */
  readonly sha256: string;
}

export interface CertificateOptions {
  /** 1 to 64 characters (X.520, ub-common-name): letters, digits, space, dot, hyphen, underscore. */
  readonly commonName: string;
  /** Subject alternative names: IP addresses and DNS names. Default: none. */
  readonly names?: readonly string[];
  /** The issuer. If absent, the certificate is self-signed. */
  readonly issuer?: Pick<CertificateAndKey, 'cert' | 'key'>;
  /** `authority`: it may sign others. Default: usable by servers and clients alike. */
  readonly use?: 'authority' | 'server' | 'client';
  /** Default: a day ago, for clocks that are behind. */
  readonly notBefore?: Date;
  /** Default: ten years from now. In the past: expired. */
  readonly notAfter?: Date;
  /** Default `ec` (P-256); `rsa` (2048 bits) for clients without ECDSA. */
  readonly keyType?: 'ec' | 'rsa';
  /** An existing private key (PEM), for a renewal. Default: a new one. */
  readonly key?: string;
}

const dayMs = 86_400_000;
const programTimeoutMs = 20_000;
const run = promisify(execFile);
const newKeyPair = promisify(generateKeyPair);

/** A new key and its certificate. Rejects when openssl is missing or refuses; keeps nothing on the disk. */
export async function makeCertificate(options: CertificateOptions): Promise<CertificateAndKey> {
  const { issuer, notBefore = new Date(Date.now() - dayMs), keyType = 'ec' } = options;
  const { notAfter = new Date(Date.now() + 3650 * dayMs) } = options;
  const key = options.key ?? (await newKey(keyType));
  return withFolder(async ({ path, at, write }) => {
    await write('key.pem', key);
    await write('openssl.cnf', configuration(path, options));
    await write('index.txt', '');
    if (issuer !== undefined) {
      await write('issuer.pem', issuer.cert);
      await write('issuer.key', issuer.key);
    }
    await openssl('req', '-new', '-config', at('openssl.cnf'), '-key', at('key.pem'), '-out', at('request.pem'));
    const signer =
      issuer === undefined
        ? ['-selfsign', '-keyfile', at('key.pem')]
        : ['-cert', at('issuer.pem'), '-keyfile', at('issuer.key')];
    await openssl(
      ...['ca', '-batch', '-notext', '-config', at('openssl.cnf'), ...signer],
      ...['-startdate', time(notBefore), '-enddate', time(notAfter), '-in', at('request.pem'), '-out', at('cert.pem')],
    );
    const cert = await readFile(at('cert.pem'), 'utf8');
    const { fingerprint256 } = new X509Certificate(cert);
    return { cert, key, sha256: fingerprint256.replaceAll(':', '').toLowerCase() };
  });
}

async function newKey(keyType: 'ec' | 'rsa'): Promise<string> {
  const { privateKey } = await (keyType === 'ec'
    ? newKeyPair('ec', { namedCurve: 'P-256' })
    : newKeyPair('rsa', { modulusLength: 2048 }));
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

interface CertifyOptions {
  /** PEM (SubjectPublicKeyInfo). The private key is not needed. */
  readonly publicKey: string;
  readonly issuer: Pick<CertificateAndKey, 'cert' | 'key'>;
  /** Like `makeCertificate`'s. */
  readonly commonName: string;
  /** URI in the subject alternative name: letters, digits, colons, hyphens. */
  readonly uri: string;
  /** IP addresses in it. Default: none. */
  readonly addresses?: readonly string[];
  /** How long it is valid from now. */
  readonly days: number;
}

/** A certificate (PEM) for a given public key, for servers and clients alike. */
export async function certify(options: CertifyOptions): Promise<string> {
  const { publicKey, issuer, commonName, uri, addresses = [], days } = options;
  if (!/^[\w:-]{1,253}$/.test(uri)) throw new TypeError(`"${uri}" can't be the URI of a certificate`);
  for (const each of addresses) if (isIP(each) === 0) throw new TypeError(`"${each}" is not an IP address`);
  return withFolder(async ({ at, write }) => {
    await write('public.pem', publicKey);
    await write('issuer.pem', issuer.cert);
    await write('issuer.key', issuer.key);
    const extensions = [
      'basicConstraints = critical, CA:FALSE',
      'keyUsage = critical, digitalSignature',
      'extendedKeyUsage = serverAuth, clientAuth',
      `subjectAltName = ${[`URI:${uri}`, ...addresses.map((each) => `IP:${each}`)].join(', ')}`,
    ];
    await write('extensions.cnf', `[made]\n${extensions.join('\n')}\n`);
    await openssl(
      ...['x509', '-new', '-force_pubkey', at('public.pem'), '-subj', `/CN=${checkedName(commonName)}`],
      ...['-CA', at('issuer.pem'), '-CAkey', at('issuer.key'), '-days', String(days)],
      ...['-extfile', at('extensions.cnf'), '-extensions', 'made', '-out', at('cert.pem')],
    );
    return readFile(at('cert.pem'), 'utf8');
  });
}

/**
 * A list of certificates that are refused (PEM, RFC 5280 section 5), by their serial numbers in hexadecimal. It is signed by a key that
 * nobody keeps: it is for a reader that looks only at the numbers, as etcd does.
 */
export async function makeRefusedList(serials: readonly string[]): Promise<string> {
  for (const each of serials)
    if (!/^[0-9A-F]{2,40}$/i.test(each)) throw new TypeError(`"${each}" is not a serial number`);
  const issuer = await makeCertificate({ commonName: 'Refused certificates', use: 'authority' });
  return withFolder(async ({ path, at, write }) => {
    const [now, end] = [time(new Date()).slice(2), time(new Date(Date.now() + 3650 * dayMs)).slice(2)];
    const lines = serials.map((each) => `R\t${end}\t${now}\t${each.toUpperCase()}\tunknown\t/CN=refused\n`);
    await write('index.txt', lines.join(''));
    await write('openssl.cnf', configuration(path, { commonName: 'Refused certificates' }));
    await write('issuer.pem', issuer.cert);
    await write('issuer.key', issuer.key);
    await openssl(
      ...['ca', '-gencrl', '-config', at('openssl.cnf'), '-crldays', '3650'],
      ...['-cert', at('issuer.pem'), '-keyfile', at('issuer.key'), '-out', at('refused.pem')],
    );
    return readFile(at('refused.pem'), 'utf8');
  });
}

interface Folder {
  readonly path: string;
  at(name: string): string;
  write(name: string, text: string): Promise<void>;
}

/** Runs with a temporary folder, which is removed at the end. */
async function withFolder<Result>(work: (folder: Folder) => Promise<Result>): Promise<Result> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-certificate-'));
  const at = (name: string) => join(path, name);
  try {
    return await work({ path, at, write: (name, text) => writeFile(at(name), text, { mode: 0o600 }) });
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

function checkedName(commonName: string): string {
  if (!/^[\w .-]{1,64}$/.test(commonName)) throw new TypeError(`"${commonName}" can't be the name of a certificate`);
  return commonName;
}

/** The configuration for openssl's `req` and `ca`. The only texts of the caller in it are names that were checked. */
function configuration(folder: string, { commonName, names = [], use }: CertificateOptions): string {
  const alternative = names.map((name) => {
    if (!/^[\w.:*-]{1,253}$/.test(name)) throw new TypeError(`"${name}" is neither an address nor a DNS name`);
    return `${isIP(name) === 0 ? 'DNS' : 'IP'}:${name}`;
  });
  return [
    '[req]',
    'prompt = no',
    'distinguished_name = subject',
    '[subject]',
    `CN = ${checkedName(commonName)}`,
    '[ca]',
    'default_ca = made',
    '[made]',
    `database = ${join(folder, 'index.txt')}`,
    `new_certs_dir = ${folder}`,
    'rand_serial = yes',
    'default_md = sha256',
    'policy = any',
    'x509_extensions = extensions',
    '[any]',
    'commonName = supplied',
    '[extensions]',
    `basicConstraints = critical, CA:${use === 'authority' ? 'TRUE' : 'FALSE'}`,
    ...(use === 'authority' ? ['keyUsage = critical, keyCertSign, cRLSign', 'subjectKeyIdentifier = hash'] : []),
    ...(use === 'server' || use === 'client' ? [`extendedKeyUsage = ${use}Auth`] : []),
    ...(alternative.length > 0 ? [`subjectAltName = ${alternative.join(', ')}`] : []),
    '',
  ].join('\n');
}

/** GeneralizedTime, which openssl writes as UTCTime up to 2049 (RFC 5280 section 4.1.2.5). */
function time(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}

async function openssl(...args: readonly string[]): Promise<void> {
  await run('openssl', args, { timeout: programTimeoutMs }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Error('the program openssl is missing: install the package openssl');
    throw new Error(`openssl ${args[0]} failed: ${(error as { stderr?: string }).stderr?.trim() ?? error.message}`);
  });
}
