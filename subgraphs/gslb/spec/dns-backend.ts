// DNS backends: servers that hold zones, and how they are changed. Each type has its own settings: see dns/backends/backend-input.ts.
import { objectField } from '../../../platform/graph/described/fields.ts';
import { enumField, type Field, inputField, listField, required, textField } from '../../../platform/graph/fields.ts';
import { type GslbKind, nameSetting, setting } from './kind.ts';

const backendType = {
  name: 'DnsBackendType',
  description: 'Protocol or product of a DNS backend.',
  values: {
    ANSWERER: "The installation's own name servers, whose answers depend on the client.",
    POWERDNS: 'PowerDNS through its HTTP API.',
    RFC2136: 'Servers that accept signed updates, for example Knot or BIND.',
    DESIGNATE: "OpenStack's Designate.",
  },
} as const;

const pemField: Field = {
  ...textField("Certificate authorities to trust for the server's certificate, in PEM.", 65_536),
  schema: { type: 'string', maxLength: 65_536 },
};

const trust = {
  certificateSha256: textField("Fingerprint of the server's certificate: `SHA256:` and 43 characters of base64.", 50),
  caCertificates: pemField,
};

const algorithm = 'hmac-sha256 or hmac-sha512.';

const rfc2136 = {
  name: 'DnsBackendRfc2136',
  description: 'Servers that accept updates signed with one key (RFC 2136, RFC 8945).',
  fields: {
    servers: required(listField(textField('ADDRESS:PORT.', 80, 1), 'ADDRESS:PORT of each server, at most 8.', 8)),
    keyName: required(textField('Name of the TSIG key.', 200, 1)),
    keyAlgorithm: { ...textField(`Algorithm of that key: ${algorithm}`, 32), default: 'hmac-sha256' },
  },
};

const powerdnsServer = {
  name: 'DnsBackendPowerdnsServer',
  description: 'One PowerDNS server.',
  fields: {
    url: required(textField('HTTPS URL of the API.', 300, 1)),
    dns: required(textField('ADDRESS:PORT where the server answers DNS queries.', 80, 1)),
    ...trust,
  },
};

const powerdns = {
  name: 'DnsBackendPowerdns',
  description: 'PowerDNS servers that share one API key.',
  fields: {
    servers: required(listField(objectField('PowerDNS server.', powerdnsServer), 'PowerDNS servers, at most 8.', 8)),
    transferKeyName: textField('Name of the TSIG key that secondaries use to transfer zones. Null for none.', 200),
    transferKeyAlgorithm: textField(`Algorithm of that key: ${algorithm}`, 32),
  },
};

const designate = {
  name: 'DnsBackendDesignate',
  description: 'An OpenStack Designate service, with a Keystone user.',
  fields: {
    url: required(textField('HTTPS URL of Designate, without the version.', 300, 1)),
    authUrl: required(textField('HTTPS URL of Keystone, with the version.', 300, 1)),
    username: required(textField('Name of the Keystone user.', 255, 1)),
    project: required(textField('The project that owns the zones.', 255, 1)),
    userDomain: { ...textField('Keystone domain of the user.', 255), default: 'Default' },
    projectDomain: { ...textField('Keystone domain of the project.', 255), default: 'Default' },
    nameServers: listField(
      textField('ADDRESS:PORT.', 80, 1),
      "ADDRESS:PORT of the pool's name servers, which explanations query, at most 8.",
      8,
    ),
    ...trust,
  },
};

const credentials = inputField(
  "Credentials for the backend's servers. Stored encrypted, sent to these servers only, and never shown again.",
  {
    name: 'DnsBackendCredentialsInput',
    description: 'Secrets for the servers of a backend. Only those of its type are allowed.',
    fields: {
      keySecret: textField('RFC2136: secret of the TSIG key, in base64.', 344),
      apiKey: textField('POWERDNS: key of the HTTP API.', 1_024),
      transferKeySecret: textField('POWERDNS: secret of the TSIG key for transfers, in base64.', 344),
      password: textField('DESIGNATE: password of the user.', 1_024),
    },
  },
);

export const dnsBackend: GslbKind = {
  name: 'DnsBackend',
  description: 'Servers that host zones, and the access to change them.',
  words: ['a', 'DNS backend'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique. ${nameSetting.description}` },
    backendType: setting(required(enumField('Protocol or product of the servers.', backendType)), { fixed: true }),
    rfc2136: setting(objectField('Settings of type RFC2136.', rfc2136)),
    powerdns: setting(objectField('Settings of type POWERDNS.', powerdns)),
    designate: setting(objectField('Settings of type DESIGNATE.', designate)),
  },
  createFields: { credentials },
  updateFields: {
    credentials: {
      ...credentials,
      description: 'Credentials for the servers. If omitted, they stay, unless they would be sent to other servers.',
    },
  },
  typeFields: `  "Whether credentials are stored for the servers."
  credentialsSet: Boolean!
  "Supported features. Anything else is refused with NOT_SUPPORTED, never approximated."
  capabilities: DnsBackendCapabilities!
  "Servers, in their last known state."
  servers: [DnsBackendServer!]! @listSize(assumedSize: 3)
  "Zones of the backend, oldest first."
  zones(first: Int = 20, after: String): DnsZoneConnection @semanticNonNull
`,
};
