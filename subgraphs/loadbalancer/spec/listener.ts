// Listeners: what a load balancer accepts from clients, on which port, and how.
import { onlyFor, textFault } from '../../../platform/graph/described/kind.ts';
import {
  addressBlockField,
  booleanField,
  enumField,
  integerField,
  listField,
  portField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import { ciphersFault } from './ciphers.ts';
import {
  certificatesField,
  ciphersField,
  descriptionField,
  enabledField,
  nameField,
  tagsField,
  tlsVersionsField,
} from './common-fields.ts';
import { type PartKind, part } from './part-kind.ts';
import { certificatesFault, revocationsFault } from './pem.ts';

const protocol = {
  name: 'ListenerProtocol',
  description: 'What a listener accepts from clients.',
  values: {
    HTTP: 'HTTP/1.1.',
    TCP: 'A TCP stream.',
    HTTPS: 'A TLS stream that is passed on without decryption. The members have the certificate.',
    TERMINATED_HTTPS: 'HTTP/1.1 and HTTP/2 over TLS. The load balancer decrypts the traffic.',
  },
} as const;

const clientAuthentication = {
  name: 'ListenerClientAuthentication',
  description: 'Whether clients present a certificate.',
  values: {
    NONE: 'Clients are not asked for one.',
    OPTIONAL: 'Clients are asked for one. It must be valid if presented.',
    MANDATORY: 'Clients must present a valid one.',
  },
} as const;

const header = {
  name: 'ListenerHeader',
  description:
    'A header that a listener sets on requests to members. A header of that name from the client is removed.',
  values: {
    X_FORWARDED_FOR: 'X-Forwarded-For: the address of the client.',
    X_FORWARDED_PORT: 'X-Forwarded-Port: the port of the listener.',
    X_FORWARDED_PROTO: 'X-Forwarded-Proto: http or https.',
    X_SSL_CLIENT_VERIFY:
      'X-SSL-Client-Verify: the number of the result of its verification, 0 for a valid certificate.',
    X_SSL_CLIENT_HAS_CERT: 'X-SSL-Client-Has-Cert: whether the client presented a certificate.',
    X_SSL_CLIENT_DN: 'X-SSL-Client-DN: the subject of the certificate of the client.',
    X_SSL_CLIENT_CN: 'X-SSL-Client-CN: the common name in it.',
    X_SSL_ISSUER: 'X-SSL-Issuer: its issuer.',
    X_SSL_CLIENT_SHA1: 'X-SSL-Client-SHA1: its SHA-1 fingerprint.',
    X_SSL_CLIENT_NOT_BEFORE: 'X-SSL-Client-Not-Before: when it becomes valid.',
    X_SSL_CLIENT_NOT_AFTER: 'X-SSL-Client-Not-After: when it expires.',
  },
} as const;

const alpn = {
  name: 'ListenerAlpnProtocol',
  description: 'A protocol that is offered to clients within TLS (RFC 7301).',
  values: { H2: 'HTTP/2.', HTTP_1_1: 'HTTP/1.1.' },
} as const;

const dayMs = 86_400_000;
const terminated = ['TERMINATED_HTTPS'];
const http = ['HTTP', 'TERMINATED_HTTPS'];

export const listener: PartKind = {
  name: 'Listener',
  description: 'What a load balancer accepts from clients, on one port.',
  parent: 'LoadBalancer',
  most: 50,
  unique: ({ port }) => String(port),
  uniqueFields: ['port'],
  fields: {
    name: nameField,
    description: descriptionField,
    protocol: part(required(enumField('What it accepts from clients.', protocol)), {
      fixed: true,
      octavia: 'protocol',
    }),
    port: part(required(portField('The TCP port that clients connect to.')), { fixed: true, octavia: 'protocol_port' }),
    defaultPool: part(
      textField('The pool for requests that no L7 policy sends elsewhere. Without a pool they get 503.', 255),
      {
        refersTo: 'Pool',
        octavia: 'default_pool_id',
      },
    ),
    connectionLimit: part(
      integerField(
        'Concurrent connections on each node, 1 to 1000000. Default: the limit of the node size.',
        1,
        1_000_000,
      ),
      { octavia: 'connection_limit' },
    ),
    clientTimeoutMs: part(integerField('How long a client may be silent, 100 to 86400000 milliseconds.', 100, dayMs), {
      default: 50_000,
      octavia: 'timeout_client_data',
    }),
    memberConnectTimeoutMs: part(
      integerField('How long connecting to a member may take, 10 to 60000 milliseconds.', 10, 60_000),
      { default: 5_000, octavia: 'timeout_member_connect' },
    ),
    memberTimeoutMs: part(integerField('How long a member may be silent, 100 to 86400000 milliseconds.', 100, dayMs), {
      default: 50_000,
      octavia: 'timeout_member_data',
    }),
    inspectTimeoutMs: part(
      integerField(
        'How long to wait for the first bytes of a TCP stream before choosing a policy, 0 to 60000 milliseconds.',
        0,
        60_000,
      ),
      { default: 0, octavia: 'timeout_tcp_inspect' },
    ),
    allowedCidrs: part(
      listField(
        addressBlockField('A block of addresses.'),
        'The clients that may connect, at most 1000 blocks. Default: all.',
        1_000,
      ),
      { default: [], octavia: 'allowed_cidrs' },
    ),
    insertHeaders: part(listField(enumField('A header.', header), 'Headers that it sets on requests to members.', 11), {
      default: [],
      octavia: 'insert_headers',
    }),
    certificates: part(
      listField(
        textField('A certificate.', 255, 1),
        'Its certificates, chosen by the name that the client asks for (SNI). The first one serves all other names.',
        100,
      ),
      { default: [], refersTo: 'TlsCertificate', octavia: 'default_tls_container_ref, sni_container_refs' },
    ),
    tlsVersions: part(tlsVersionsField('Accepted versions of TLS, at least one.'), {
      default: ['TLS_1_2', 'TLS_1_3'],
      octavia: 'tls_versions',
    }),
    tlsCiphers: part(
      ciphersField(
        'Accepted ciphers of TLS 1.2, as OpenSSL names them, separated by colons. Default: those with forward secrecy and authenticated encryption.',
      ),
      {
        octavia: 'tls_ciphers',
      },
    ),
    alpnProtocols: part(
      listField(enumField('A protocol.', alpn), 'Protocols offered to clients, preferred first, at least one.', 2),
      {
        default: ['H2', 'HTTP_1_1'],
        octavia: 'alpn_protocols',
      },
    ),
    clientAuthentication: part(enumField('Whether clients present a certificate.', clientAuthentication), {
      default: 'NONE',
      octavia: 'client_authentication',
    }),
    clientAuthorities: part(certificatesField('PEM certificates of the authorities whose clients are accepted.'), {
      octavia: 'client_ca_tls_container_ref',
    }),
    clientRevocations: part(certificatesField('PEM certificate revocation list of the client authorities.'), {
      octavia: 'client_crl_container_ref',
    }),
    hstsMaxAgeSeconds: part(
      integerField(
        'For how many seconds browsers should use only HTTPS (RFC 6797), 0 to 63072000. Default: no such header.',
        0,
        63_072_000,
      ),
      { octavia: 'hsts_max_age' },
    ),
    hstsIncludeSubdomains: part(booleanField('Whether that applies to subdomains too.'), {
      default: false,
      octavia: 'hsts_include_subdomains',
    }),
    hstsPreload: part(booleanField('Whether browsers may add the domain to their preload lists.'), {
      default: false,
      octavia: 'hsts_preload',
    }),
    accessLogPercent: part(
      integerField(
        'The share of requests (connections for TCP and HTTPS) that each node writes to its access log, 0 to 100 percent.',
        0,
        100,
      ),
      { default: 1 },
    ),
    enabled: enabledField,
    tags: tagsField,
  },
  refine(spec) {
    const given = (field: string) => Array.isArray(spec[field]) && (spec[field] as readonly unknown[]).length > 0;
    const faults = ['tlsCiphers', 'clientAuthorities', 'clientRevocations', 'hstsMaxAgeSeconds'].flatMap((field) =>
      onlyFor(spec, field, 'protocol', terminated),
    );
    if (given('certificates') !== (spec.protocol === 'TERMINATED_HTTPS'))
      faults.push({ path: ['certificates'], message: 'are required for protocol TERMINATED_HTTPS, and only for it' });
    if (given('insertHeaders') && !http.includes(String(spec.protocol)))
      faults.push({ path: ['insertHeaders'], message: `are only for protocol ${http.join(' and ')}` });
    if (spec.protocol !== 'TERMINATED_HTTPS') {
      if (spec.clientAuthentication !== 'NONE')
        faults.push({ path: ['clientAuthentication'], message: `is only for protocol TERMINATED_HTTPS` });
      if ((spec.insertHeaders as readonly string[]).some((name) => name.startsWith('X_SSL_')))
        faults.push({
          path: ['insertHeaders'],
          message: 'must have no X_SSL_ header: they are only for protocol TERMINATED_HTTPS',
        });
    } else if (spec.clientAuthentication !== 'NONE' && spec.clientAuthorities === null)
      faults.push({ path: ['clientAuthorities'], message: 'is required when clients present a certificate' });
    if (spec.clientRevocations !== null && spec.clientAuthentication === 'NONE')
      faults.push({ path: ['clientRevocations'], message: 'requires clientAuthentication' });
    for (const field of ['hstsIncludeSubdomains', 'hstsPreload'])
      if (spec[field] === true && spec.hstsMaxAgeSeconds === null)
        faults.push({ path: [field], message: 'requires hstsMaxAgeSeconds' });
    faults.push(
      ...textFault(spec, 'tlsCiphers', ciphersFault),
      ...textFault(spec, 'clientAuthorities', certificatesFault),
      ...textFault(spec, 'clientRevocations', revocationsFault),
    );
    return faults;
  },
};
