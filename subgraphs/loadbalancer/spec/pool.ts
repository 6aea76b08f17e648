// Pools and their members: where requests go, and how a member is chosen.
import { formedField, hostField, objectField } from '../../../platform/graph/described/fields.ts';
import { textFault } from '../../../platform/graph/described/kind.ts';
import { token } from '../../../platform/graph/described/patterns.ts';
import {
  booleanField,
  enumField,
  integerField,
  portField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import { canonicalAddressBlock, withoutMapping } from '../../../platform/net/address-block.ts';
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
import { type PartKind, type PartSpec, part } from './part-kind.ts';
import { certificatesFault } from './pem.ts';

const protocol = {
  name: 'PoolProtocol',
  description: 'What a pool speaks to its members.',
  values: {
    HTTP: 'HTTP/1.1.',
    HTTP2: 'HTTP/2, without TLS unless `tls` is true (gRPC).',
    TCP: 'A TCP stream.',
  },
} as const;

const algorithm = {
  name: 'PoolAlgorithm',
  description: 'How a pool chooses a member.',
  values: {
    ROUND_ROBIN: 'In turn, by weight.',
    LEAST_CONNECTIONS: 'The member with the fewest connections, by weight.',
    SOURCE_IP: 'By the address of the client.',
  },
} as const;

const proxyProtocol = {
  name: 'PoolProxyProtocol',
  description: 'The PROXY protocol header that tells members the address of the client.',
  values: { NONE: 'None.', V1: 'Version 1 (text).', V2: 'Version 2 (binary).' },
} as const;

const persistence = {
  name: 'PoolPersistence',
  description: 'How a client stays with its member.',
  fields: {
    type: required(
      enumField('How a client is recognised.', {
        name: 'PoolPersistenceType',
        description: 'How a client is recognised.',
        values: {
          SOURCE_IP: 'By its address.',
          HTTP_COOKIE: 'By a cookie of the load balancer.',
          APP_COOKIE: 'By a cookie of the application.',
        },
      }),
    ),
    cookieName: formedField(
      'The name of the cookie. Required for APP_COOKIE; default for HTTP_COOKIE: SRV.',
      128,
      token,
    ),
    timeoutMs: integerField(
      'How long an idle client is remembered, 1000 to 86400000 milliseconds. Default: 1800000.',
      1_000,
      86_400_000,
    ),
  },
} as const;

export const pool: PartKind = {
  name: 'Pool',
  description: 'Members that serve the same content, and how one of them is chosen.',
  parent: 'LoadBalancer',
  most: 50,
  unique: ({ name = '' }) => (name === '' || name === null ? undefined : String(name)),
  uniqueFields: ['name'],
  fields: {
    name: part(textField('Name, unique in its load balancer if not empty.', 255), {
      default: '',
      octavia: 'name',
    }),
    description: descriptionField,
    memberProtocol: part(required(enumField('What it speaks to its members.', protocol)), {
      fixed: true,
      octavia: 'protocol',
    }),
    algorithm: part(enumField('How a member is chosen.', algorithm), {
      default: 'ROUND_ROBIN',
      octavia: 'lb_algorithm',
    }),
    persistence: part(objectField('How a client stays with its member. By default it does not.', persistence), {
      octavia: 'session_persistence',
    }),
    proxyProtocol: part(enumField('The PROXY protocol header sent to members.', proxyProtocol), {
      default: 'NONE',
      octavia: 'protocol (PROXY, PROXYV2)',
    }),
    tls: part(booleanField('Whether connections to members use TLS.'), { default: false, octavia: 'tls_enabled' }),
    tlsVersions: part(tlsVersionsField('Versions of TLS offered to members, at least one.'), {
      default: ['TLS_1_2', 'TLS_1_3'],
      octavia: 'tls_versions',
    }),
    tlsCiphers: part(
      ciphersField('Ciphers of TLS 1.2 offered to members, as OpenSSL names them, separated by colons.'),
      {
        octavia: 'tls_ciphers',
      },
    ),
    tlsServerName: part(
      hostField(
        'The host name that the certificates of members must contain, also sent as SNI. By default none is sent or checked.',
      ),
    ),
    authorities: part(
      certificatesField(
        'PEM certificates of the authorities that must have signed the certificates of members. Without them, those certificates are not checked.',
      ),
      {
        octavia: 'ca_tls_container_ref',
      },
    ),
    clientCertificate: part(textField('The certificate that it presents to members.', 255), {
      refersTo: 'TlsCertificate',
      octavia: 'tls_container_ref',
    }),
    failOpenBelowPercent: part(
      integerField(
        'If a smaller share of members is healthy, all members get requests, 0 to 100 percent. 0 turns this off.',
        0,
        100,
      ),
      { default: 0 },
    ),
    ejectAfterErrors: part(
      integerField(
        'After this many consecutive failed requests, 1 to 1000, a member gets no requests until its checks succeed. By default only checks decide.',
        1,
        1_000,
      ),
      {},
    ),
    slowStartMs: part(
      integerField(
        'How long a member takes to reach its full share after it becomes healthy, 0 to 600000 milliseconds.',
        0,
        600_000,
      ),
      { default: 0 },
    ),
    drainMs: part(
      integerField(
        'How long a removed member may take to finish its sessions, 0 to 86400000 milliseconds.',
        0,
        86_400_000,
      ),
      { default: 30_000 },
    ),
    enabled: enabledField,
    tags: tagsField,
  },
  refine(spec) {
    const faults = [];
    const wish = spec.persistence as PartSpec | null;
    if (wish?.type === 'APP_COOKIE' && wish.cookieName === undefined)
      faults.push({ path: ['persistence', 'cookieName'], message: 'is required for type APP_COOKIE' });
    if (wish?.type === 'SOURCE_IP' && wish.cookieName !== undefined)
      faults.push({ path: ['persistence', 'cookieName'], message: 'is only for cookies' });
    if (spec.memberProtocol === 'TCP' && wish !== null && wish?.type !== 'SOURCE_IP')
      faults.push({
        path: ['persistence', 'type'],
        message: 'must be SOURCE_IP for memberProtocol TCP: it has no cookies',
      });
    for (const field of ['tlsCiphers', 'tlsServerName', 'authorities', 'clientCertificate'])
      if (spec.tls === false && spec[field] !== null) faults.push({ path: [field], message: 'requires tls: true' });
    if (spec.tlsServerName !== null && spec.authorities === null)
      faults.push({ path: ['authorities'], message: 'is required with tlsServerName: without it nothing is checked' });
    faults.push(...textFault(spec, 'tlsCiphers', ciphersFault), ...textFault(spec, 'authorities', certificatesFault));
    return faults;
  },
};

export const member: PartKind = {
  name: 'PoolMember',
  description: 'A server of a pool.',
  parent: 'Pool',
  most: 1_000,
  unique: ({ host, port }) => `${canonicalAddressBlock(String(host)) ?? String(host).toLowerCase()} ${String(port)}`,
  uniqueFields: ['host', 'port'],
  fields: {
    name: nameField,
    host: part(required(hostField('Its address, or its host name, which is resolved again when its TTL expires.')), {
      fixed: true,
      octavia: 'address',
    }),
    port: part(required(portField('The TCP port on which it serves.')), { fixed: true, octavia: 'protocol_port' }),
    weight: part(
      integerField('Its weight among the members, 0 to 256. A member with 0 gets no new sessions.', 0, 256),
      {
        default: 1,
        octavia: 'weight',
      },
    ),
    backup: part(booleanField('If true, it gets requests only when no other member is healthy.'), {
      default: false,
      octavia: 'backup',
    }),
    monitorHost: part(
      hostField(
        'The address or host name to check. Default: its own. The member is down while the name has no address.',
      ),
      {
        octavia: 'monitor_address',
      },
    ),
    monitorPort: part(portField('The port to check. Default: its own.'), { octavia: 'monitor_port' }),
    enabled: enabledField,
    tags: tagsField,
  },
  refine: (spec) =>
    ['host', 'monitorHost']
      .filter((field) => ['0.0.0.0', '::'].includes(withoutMapping(String(spec[field]))))
      .map((field) => ({ path: [field], message: 'must be an address of one machine' })),
};
