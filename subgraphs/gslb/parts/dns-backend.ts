// DNS backends: servers that hold zones, and how they are changed. Each type has settings of its own; dns/backends/backend-input.ts says more.
import { objectField } from '../../../platform/graph/described/fields.ts';
import { enumField, type Field, inputField, listField, required, textField } from '../../../platform/graph/fields.ts';
import { type GslbKind, nameSetting, setting } from './kind.ts';

export const backendType = {
  name: 'DnsBackendType',
  description: 'A kind of DNS backend.',
  values: {
    ANSWERER: 'Our own name servers: answers that depend on the client.',
    POWERDNS: 'PowerDNS by its HTTP API.',
    RFC2136: 'Servers that take signed updates, for example Knot or BIND.',
    DESIGNATE: "OpenStack's Designate.",
  },
} as const;

const pemField: Field = {
  ...textField('Authorities that vouch for its certificate, in PEM.', 65_536),
  schema: { type: 'string', maxLength: 65_536 },
};

const trust = {
  certificateSha256: textField('Fingerprint of its certificate: `SHA256:` and 43 characters of base64.', 50),
  caCertificates: pemField,
};

const algorithm = 'hmac-sha256, the default, or hmac-sha512.';

const rfc2136 = {
  name: 'DnsBackendRfc2136',
  description: 'Servers that take updates signed with one key (RFC 2136, RFC 8945).',
  fields: {
    servers: required(listField(textField('ADDRESS:PORT.', 80, 1), 'ADDRESS:PORT of each, at most 8.', 8)),
    keyName: required(textField('Name of the TSIG key.', 200, 1)),
    keyAlgorithm: textField(`Its algorithm: ${algorithm}`, 32),
  },
};

const powerdnsServer = {
  name: 'DnsBackendPowerdnsServer',
  description: 'A server of PowerDNS.',
  fields: {
    url: required(textField('URL of its API, with HTTPS.', 300, 1)),
    dns: required(textField('ADDRESS:PORT at which it answers questions.', 80, 1)),
    ...trust,
  },
};

const powerdns = {
  name: 'DnsBackendPowerdns',
  description: 'Servers of PowerDNS with one key of their API.',
  fields: {
    servers: required(listField(objectField('A server.', powerdnsServer), 'At most 8.', 8)),
    transferKeyName: textField('Name of the TSIG key with which secondaries transfer its zones. Default: none.', 200),
    transferKeyAlgorithm: textField(`Its algorithm: ${algorithm}`, 32),
  },
};

const designate = {
  name: 'DnsBackendDesignate',
  description: 'Designate, with a user of Keystone.',
  fields: {
    url: required(textField('Its URL, with HTTPS and without the version.', 300, 1)),
    authUrl: required(textField('URL of Keystone, with HTTPS and its version.', 300, 1)),
    username: required(textField('A user.', 255, 1)),
    project: required(textField('The project that has the zones.', 255, 1)),
    userDomain: textField('Domain of the user. Default: Default.', 255),
    projectDomain: textField('Domain of the project. Default: Default.', 255),
    nameServers: listField(
      textField('ADDRESS:PORT.', 80, 1),
      "ADDRESS:PORT of its pool's name servers, at most 8: explanations ask them.",
      8,
    ),
    ...trust,
  },
};

const credentials = inputField(
  'What its servers ask for. Stored sealed, for these servers alone, and never shown again.',
  {
    name: 'DnsBackendCredentialsInput',
    description: 'Secrets for the servers of a backend: those of its type.',
    fields: {
      keySecret: textField('RFC2136: of the TSIG key, in base64.', 344),
      apiKey: textField('POWERDNS: of the API.', 1_024),
      transferKeySecret: textField('POWERDNS: of the key for transfers, in base64.', 344),
      password: textField('DESIGNATE: of the user.', 1_024),
    },
  },
);

export const dnsBackend: GslbKind = {
  name: 'DnsBackend',
  description: 'Servers that hold zones, and how they are changed.',
  words: ['a', 'DNS backend'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique. ${nameSetting.description}` },
    type: setting(required(enumField('Its kind.', backendType)), { fixed: true }),
    rfc2136: setting(objectField('For type RFC2136.', rfc2136)),
    powerdns: setting(objectField('For type POWERDNS.', powerdns)),
    designate: setting(objectField('For type DESIGNATE.', designate)),
  },
  createFields: { credentials },
  updateFields: {
    credentials: { ...credentials, description: 'Omitted: they stay, unless they would be sent elsewhere.' },
  },
  typeFields: `  "Whether credentials are stored for its servers."
  hasCredentials: Boolean!
  "What it can express. What it can't is refused with NOT_SUPPORTED, never approximated."
  capabilities: DnsBackendCapabilities!
  "What was last seen of each of its servers."
  servers: [DnsBackendServer!]!
  "Its zones, oldest first."
  zones(first: Int = 20, after: String): DnsZoneConnection!
`,
};
