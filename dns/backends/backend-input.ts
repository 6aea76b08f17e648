// Checks an administrator's input for a backend. Each type has its own fields and refuses others.
import { isIP } from 'node:net';
import { InputCheck } from '../../platform/input/input.ts';
import type { EgressPolicy } from '../../platform/net/egress.ts';
import { addressOfUrl } from '../../platform/net/origin.ts';
import type { BackendType } from '../records/backend-types.ts';
import { placeOf } from '../servers/transport.ts';
import type { TsigKey } from '../wire/tsig.ts';
import type { BackendSecret, BackendSpec, HttpsTrust } from './backend.ts';

type Maybe<Value> = Value | null | undefined;

interface TrustInput {
  readonly certificateSha256?: Maybe<string>;
  readonly caCertificates?: Maybe<string>;
}

interface Rfc2136Input {
  readonly servers: readonly string[];
  readonly keyName: string;
  readonly keyAlgorithm?: Maybe<string>;
}

interface PowerdnsInput {
  readonly servers: readonly ({ readonly url: string; readonly dns: string } & TrustInput)[];
  readonly transferKeyName?: Maybe<string>;
  readonly transferKeyAlgorithm?: Maybe<string>;
}

interface DesignateInput extends TrustInput {
  readonly url: string;
  readonly authUrl: string;
  readonly username: string;
  readonly project: string;
  readonly userDomain?: Maybe<string>;
  readonly projectDomain?: Maybe<string>;
  readonly nameServers?: Maybe<readonly string[]>;
}

/** Like BackendSecret, with only the fields of its type. */
type CredentialsInput = { readonly [Name in keyof BackendSecret]?: Maybe<string> };

export interface BackendInput {
  readonly name: string;
  readonly type: BackendType;
  readonly rfc2136?: Maybe<Rfc2136Input>;
  readonly powerdns?: Maybe<PowerdnsInput>;
  readonly designate?: Maybe<DesignateInput>;
  /** If omitted, the stored credentials stay. */
  readonly credentials?: Maybe<CredentialsInput>;
}

export interface CheckedBackend {
  readonly spec: BackendSpec;
  /** Undefined if it was left out. */
  readonly secret: BackendSecret | undefined;
}

const mostServers = 8;
const keyNamePattern = /^[a-z0-9]([a-z0-9._-]{0,198}[a-z0-9])?$/;
const algorithms = ['hmac-sha256', 'hmac-sha512'] as const;
const fingerprintPattern = /^SHA256:[A-Za-z0-9+/]{43}$/;
const base64Pattern = /^(?=.{16,344}$)[A-Za-z0-9+/]+={0,2}$/;
const longestPem = 65_536;
const secretsOf: Readonly<Record<BackendType, readonly (keyof BackendSecret)[]>> = {
  ...{ ANSWERER: [], RFC2136: ['keySecret'], POWERDNS: ['apiKey', 'transferKeySecret'], DESIGNATE: ['password'] },
};

/** Refuses INVALID_INPUT, TOO_LONG, EGRESS_DENIED. */
export function checkBackend(input: BackendInput, egress: EgressPolicy): CheckedBackend {
  const check = new BackendCheck(egress);
  check.input.name('name', input.name, { required: true, max: 63 });
  const field = { ANSWERER: undefined, RFC2136: 'rfc2136', POWERDNS: 'powerdns', DESIGNATE: 'designate' } as const;
  const own = field[input.type];
  for (const each of ['rfc2136', 'powerdns', 'designate'] as const) {
    if (input[each] != null && each !== own)
      check.input.fault(each, `a backend of type ${input.type} has no ${each}: leave it out`);
  }
  for (const [name, secret] of Object.entries(input.credentials ?? {}))
    if (secret != null && !secretsOf[input.type].includes(name as keyof BackendSecret))
      check.input.fault(`credentials.${name}`, `a backend of type ${input.type} has no ${name}: leave it out`);
  if (own !== undefined && input[own] == null) check.input.fault(own, `a backend of type ${input.type} needs ${own}`);
  check.input.throwIfAny();
  const checked = check.spec(input);
  check.input.throwIfAny();
  return checked;
}

class BackendCheck {
  readonly input = new InputCheck();
  readonly #egress: EgressPolicy;

  constructor(egress: EgressPolicy) {
    this.#egress = egress;
  }

  spec({ type, rfc2136, powerdns, designate, credentials }: BackendInput): CheckedBackend {
    const secrets = credentials ?? {};
    if (type === 'RFC2136' && rfc2136 != null) return this.#rfc2136(rfc2136, secrets);
    if (type === 'POWERDNS' && powerdns != null) return this.#powerdns(powerdns, secrets);
    if (type === 'DESIGNATE' && designate != null) return this.#designate(designate, secrets);
    return { spec: { type: 'ANSWERER' }, secret: {} };
  }

  #rfc2136({ servers, keyName, keyAlgorithm }: Rfc2136Input, { keySecret }: CredentialsInput): CheckedBackend {
    const at = 'rfc2136';
    this.#count(`${at}.servers`, servers);
    for (const [index, each] of servers.entries()) this.#place(`${at}.servers.${index}`, each);
    const key = this.#key(`${at}.key`, keyName, keyAlgorithm);
    this.#keySecret('keySecret', keySecret);
    return {
      spec: { type: 'RFC2136', servers, ...{ keyName: key.name, keyAlgorithm: key.algorithm } },
      secret: keySecret == null ? undefined : { keySecret },
    };
  }

  #powerdns(
    { servers, transferKeyName: name, transferKeyAlgorithm }: PowerdnsInput,
    { apiKey, transferKeySecret }: CredentialsInput,
  ): CheckedBackend {
    const at = 'powerdns';
    this.#count(
      `${at}.servers`,
      servers.map(({ url }) => url),
    );
    const places = servers.map(({ url, dns, ...trust }, index) => {
      this.#url(`${at}.servers.${index}.url`, url);
      this.#place(`${at}.servers.${index}.dns`, dns);
      return { url, dns, ...this.#trust(`${at}.servers.${index}`, trust) };
    });
    const printable = { min: 1, pattern: /^[\x21-\x7e]+$/, wants: 'printable characters' };
    this.input.text('credentials.apiKey', apiKey, printable);
    const key = name == null ? undefined : this.#key(`${at}.transferKey`, name, transferKeyAlgorithm);
    this.#keySecret('transferKeySecret', transferKeySecret);
    if (name == null && transferKeySecret != null)
      this.input.fault(`${at}.transferKeyName`, 'transferKeyName is missing: the secret is of that key');
    if (name != null && apiKey != null && transferKeySecret == null)
      this.input.fault('credentials.transferKeySecret', 'transferKeySecret is missing: give both secrets together');
    const secret = apiKey == null ? undefined : { apiKey, ...(transferKeySecret == null ? {} : { transferKeySecret }) };
    return {
      spec: {
        ...{ type: 'POWERDNS', servers: places, transferKeyName: key?.name ?? null },
        transferKeyAlgorithm: key?.algorithm ?? 'hmac-sha256',
      },
      secret,
    };
  }

  #designate(
    { url, authUrl, username, project, ...given }: DesignateInput,
    { password }: CredentialsInput,
  ): CheckedBackend {
    const at = 'designate';
    this.#url(`${at}.url`, url);
    this.#url(`${at}.authUrl`, authUrl);
    const names = { username, project, userDomain: given.userDomain, projectDomain: given.projectDomain };
    for (const [field, text] of Object.entries(names)) this.input.text(`${at}.${field}`, text, { min: 1, max: 255 });
    this.input.text('credentials.password', password, { min: 1 });
    const nameServers = given.nameServers ?? [];
    if (nameServers.length > 0) this.#count(`${at}.nameServers`, nameServers);
    for (const [index, each] of nameServers.entries()) this.#place(`${at}.nameServers.${index}`, each);
    return {
      spec: {
        ...{ type: 'DESIGNATE', url, authUrl, username, project, ...this.#trust(at, given) },
        ...{ userDomain: given.userDomain ?? 'Default', projectDomain: given.projectDomain ?? 'Default' },
        ...(nameServers.length === 0 ? {} : { nameServers }),
      },
      secret: password == null ? undefined : { password },
    };
  }

  #count(field: string, servers: readonly string[]): void {
    if (servers.length < 1 || servers.length > mostServers)
      this.input.fault(field, `${servers.length} servers are given; 1 to ${mostServers} are allowed`);
    if (new Set(servers).size < servers.length) this.input.fault(field, 'a server is given twice');
  }

  #place(field: string, text: string): void {
    const place = placeOf(text);
    if (place !== undefined) this.#allowed(field, place.address, place.port);
    else this.input.fault(field, `${JSON.stringify(text.slice(0, 80))} is not ADDRESS:PORT, as 192.0.2.53:53`);
  }

  #url(field: string, text: string): void {
    this.input.text(field, text, { max: 300 });
    const url = URL.parse(text);
    const address = addressOfUrl(text);
    const isPlain = url !== null && url.username === '' && url.search === '' && url.hash === '';
    if (address === undefined || !isPlain)
      this.input.fault(field, `${JSON.stringify(text.slice(0, 80))} is not an https URL without account and query`);
    else if (isIP(address.host) !== 0) this.#allowed(field, address.host, address.port);
  }

  /** Names are checked at each connection, when they are resolved. */
  #allowed(field: string, address: string, port: number): void {
    const denial = this.#egress.denial(address, port);
    if (denial !== undefined) this.input.fault(field, denial.reason, 'EGRESS_DENIED');
  }

  #trust(field: string, { certificateSha256, caCertificates }: TrustInput): HttpsTrust {
    this.input.text(`${field}.certificateSha256`, certificateSha256, {
      ...{ pattern: fingerprintPattern, wants: 'SHA256: and 43 characters of base64' },
    });
    this.input.text(`${field}.caCertificates`, caCertificates, { max: longestPem, multiline: true });
    if (certificateSha256 == null && caCertificates == null)
      this.input.fault(
        `${field}.certificateSha256`,
        "give the fingerprint of the server's certificate, or the authorities in caCertificates",
      );
    return { certificateSha256: certificateSha256 ?? null, caCertificates: caCertificates ?? null };
  }

  #key(field: string, name: string, algorithm: Maybe<string>): Pick<TsigKey, 'name' | 'algorithm'> {
    const wants = 'lower-case letters, digits, dots, underscores and hyphens, at most 200';
    this.input.text(`${field}Name`, name, { pattern: keyNamePattern, wants });
    const known = algorithms.find((each) => each === (algorithm ?? 'hmac-sha256'));
    if (known === undefined) this.input.fault(`${field}Algorithm`, `give ${algorithms.join(' or ')}`);
    return { name, algorithm: known ?? 'hmac-sha256' };
  }

  #keySecret(name: string, secret: Maybe<string>): void {
    const wants = 'at least 12 bytes in base64';
    this.input.text(`credentials.${name}`, secret, { pattern: base64Pattern, wants });
  }
}
