// Check parameters of each monitor type, as JSON Schemas. The graph publishes these schemas and validates by them. The checker's plugin of the same
// name carries out the check.
import { requestSchema } from '../../../platform/checks/probes/http.ts';
import { talkSchema } from '../../../platform/checks/probes/tcp.ts';
import { tlsSchema } from '../../../platform/checks/probes/tls.ts';
import {
  certificateHash,
  domainName,
  openStackId,
  programArgument,
  programName,
  secureAddress,
} from '../../../platform/graph/described/patterns.ts';

export interface CheckType<Name extends string = string> {
  /** The monitor's type: upper-case letters, digits and underscores. */
  readonly name: Name;
  /** JSON Schema (draft 7) of a monitor's parameters. */
  readonly parameters: object;
  /** Whether a target needs a port. */
  readonly needsPort: boolean;
}

/** The schema of parameters. All are optional unless listed in `required`. */
function parametersSchema(properties: object, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties };
}

const url = { type: 'string', pattern: secureAddress.pattern, maxLength: 500 };
const name = { type: 'string', minLength: 1, maxLength: 255 };

const openStack = parametersSchema(
  {
    ...{ url, authUrl: url, project: name, userDomain: name, projectDomain: name },
    caCertificates: { type: 'string', minLength: 1, maxLength: 12_000 },
    certificateSha256: { type: 'string', pattern: certificateHash.pattern },
    id: { type: 'string', pattern: openStackId.pattern },
  },
  ['url', 'authUrl', 'project'],
);

/** Question types of a DNS check. */
export const questionTypes = { A: 1, NS: 2, CNAME: 5, SOA: 6, TXT: 16, AAAA: 28 } as const;

const dns = parametersSchema(
  {
    name: { type: 'string', pattern: domainName.pattern, maxLength: 253 },
    type: { enum: Object.keys(questionTypes) },
    expect: { type: 'array', maxItems: 32, items: { type: 'string', minLength: 1, maxLength: 255 } },
    expectedCode: { enum: ['NOERROR', 'NXDOMAIN', 'REFUSED'] },
    recursionDesired: { type: 'boolean', default: false },
    transport: { enum: ['UDP', 'TCP'] },
  },
  ['name'],
);

const exec = parametersSchema(
  {
    program: { type: 'string', pattern: programName.pattern },
    arguments: {
      type: 'array',
      maxItems: 16,
      // A value can't look like an option of the program.
      items: { type: 'string', pattern: programArgument.pattern, maxLength: 255 },
    },
  },
  ['program'],
);

const ssh = parametersSchema({
  expect: { type: 'string', minLength: 1, maxLength: 255 },
  keyExchange: { type: 'boolean', default: true },
});

const grpc = parametersSchema({
  service: { type: 'string', maxLength: 255 },
  tls: { type: 'boolean', default: false },
  ...tlsSchema,
});

/** The types that every checker has a plugin for. */
export const checkTypes = {
  TCP: { name: 'TCP', parameters: parametersSchema(talkSchema), needsPort: true },
  UDP: { name: 'UDP', parameters: parametersSchema(talkSchema), needsPort: true },
  ICMP: { name: 'ICMP', parameters: parametersSchema({}), needsPort: false },
  HTTP: { name: 'HTTP', parameters: parametersSchema(requestSchema), needsPort: true },
  HTTPS: { name: 'HTTPS', parameters: parametersSchema({ ...requestSchema, ...tlsSchema }), needsPort: true },
  SSH: { name: 'SSH', parameters: ssh, needsPort: true },
  GRPC: { name: 'GRPC', parameters: grpc, needsPort: true },
  DNS: { name: 'DNS', parameters: dns, needsPort: true },
  EXEC: { name: 'EXEC', parameters: exec, needsPort: false },
  NEUTRON_LBAAS_V2: { name: 'NEUTRON_LBAAS_V2', parameters: openStack, needsPort: false },
  NEUTRON_PORT: { name: 'NEUTRON_PORT', parameters: openStack, needsPort: false },
} as const satisfies { readonly [Name in string]: CheckType<Name> };
