// Monitors: how members are checked.

import { hostField } from '../../../platform/graph/described/fields.ts';
import { onlyFor } from '../../../platform/graph/described/kind.ts';
import { upperCaseName } from '../../../platform/graph/described/patterns.ts';
import {
  enumField,
  inputField,
  integerField,
  listField,
  portField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import { isHost } from '../../../platform/input/input.ts';
import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import { canonicalAddressBlock } from '../../../platform/net/address-block.ts';
import { monitorParameters, parametersKey, shownParametersField } from './check-parameters.ts';
import { descriptionSetting, type GslbKind, nameSetting, setting } from './kind.ts';

const checkType = {
  name: 'GslbMonitorType',
  description: 'How a monitor checks a member.',
  values: {
    TCP: 'A TCP connection, optionally with data to send and to expect.',
    UDP: 'A UDP datagram and its answer.',
    ICMP: 'An echo request.',
    HTTP: 'An HTTP request.',
    HTTPS: 'An HTTP request over TLS.',
    SSH: 'The banner of an SSH server.',
    GRPC: 'The health service of gRPC.',
    DNS: 'A question to a DNS server.',
    EXEC: "A program configured on the checker's host.",
    LOADBALANCER: 'The status of a load balancer of Tidegate.',
    NEUTRON_LBAAS_V2: 'The status tree of a load balancer of Octavia.',
    NEUTRON_PORT: 'The status of a port of Neutron.',
    PLUGIN: 'A custom check plugin, named by `plugin`.',
  },
} as const;

const auth = {
  name: 'GslbMonitorAuthInput',
  description: 'Credentials that checks of a monitor present. Stored encrypted and never shown again.',
  fields: {
    username: textField('User name, sent with `password`.', 255, 1),
    password: textField('Password, sent with `username`.', 1_024, 1),
    token: textField('Bearer token that checks send.', 4_096, 1),
  },
} as const;

const authField = inputField(
  'Credentials that checks send. Members then cannot override `parameters`, and a change of `parameters`, `targetHost`, `targetPort` or `authHosts` must include new ones.',
  auth,
);

export const monitor: GslbKind = {
  name: 'GslbMonitor',
  description: 'A check of members that all vantage points run. It is attached to pools or to single members.',
  words: ['a', 'monitor'],
  owner: 'PROJECT',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique in its project. ${nameSetting.description}` },
    description: descriptionSetting,
    checkType: setting(required(enumField('The kind of check, for example HTTP.', checkType)), { fixed: true }),
    plugin: setting(
      {
        ...textField('Plugin name from `gslbMonitorTypes`, for type PLUGIN.', 32, 1),
        schema: { type: 'string', pattern: upperCaseName.pattern },
      },
      { fixed: true },
    ),
    targetHost: setting(hostField("Address or host name to check instead of the member's own.")),
    targetPort: setting(portField("Port to check instead of the member's own.")),
    intervalMs: setting(
      integerField('Time between the starts of two checks, in milliseconds, 100 to 3600000.', 100, 3_600_000),
      {
        default: 5_000,
      },
    ),
    timeoutMs: setting(
      integerField('Timeout of a check, in milliseconds, 10 to 60000. At most `intervalMs`.', 10, 60_000),
      { default: 2_000 },
    ),
    fall: setting(integerField('Consecutive failures before a vantage point votes DOWN, 1 to 10.', 1, 10), {
      default: 2,
    }),
    rise: setting(integerField('Consecutive successes before a vantage point votes UP, 1 to 10.', 1, 10), {
      default: 2,
    }),
    parameters: setting(monitorParameters, {
      default: {},
      shownAs: shownParametersField(
        'Parameters of the check, with their defaults. Null for a type without parameters.',
      ),
    }),
    parametersFor: setting(textField('Check type of the entry that `parameters` had.', 32)),
    authHosts: setting(
      listField(
        textField('Host name, address or CIDR block.', 253, 1),
        'Where HTTP, HTTPS and PLUGIN may send the credentials, at `targetPort`: host names, addresses and blocks, 1 to 64. Members elsewhere are refused. docs/gslb.md says when a host name is enough.',
        64,
      ),
      { default: [] },
    ),
  },
  hidden: ['parametersFor'],
  createFields: { auth: authField },
  updateFields: {
    auth: {
      ...authField,
      description: 'New credentials of the checks. If omitted, they stay. Null removes them and `authHosts`.',
    },
  },
  typeFields: `  "Whether credentials are stored for the checks."
  credentialsSet: Boolean!
  "Pools whose members the monitor checks, oldest first."
  attachedPools(first: Int = 20, after: String): GslbPoolConnection @semanticNonNull
  "Members that the monitor is attached to directly, oldest first."
  poolMembers(first: Int = 20, after: String): GslbPoolMemberConnection @semanticNonNull
`,
  refine(spec) {
    const { timeoutMs, intervalMs, authHosts } = spec;
    const faults: SchemaFault[] = onlyFor(spec, 'plugin', 'checkType', ['PLUGIN'], { required: true });
    const { checkType: type, parametersFor } = spec;
    if (parametersFor !== null && parametersFor !== type) {
      const own = parametersKey(String(type));
      const given = parametersKey(String(parametersFor));
      faults.push({
        path: ['parameters', String(given)],
        message: `is not for checkType ${String(type)}: ${own === undefined ? 'leave parameters out' : `give ${own}`}`,
      });
    }
    if (Number(timeoutMs) > Number(intervalMs))
      faults.push({ path: ['timeoutMs'], message: `must be at most intervalMs, which is ${String(intervalMs)}` });
    for (const [at, host] of (authHosts as readonly string[]).entries())
      if (!isHost(host) && canonicalAddressBlock(host) === undefined)
        faults.push({ path: ['authHosts', String(at)], message: 'must be a host name, an address or a block' });
    return faults;
  },
};
