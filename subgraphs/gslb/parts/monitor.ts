// Monitors: how members are checked.
import { hostField } from '../../../platform/graph/described/fields.ts';
import { type DescribedFault, onlyFor } from '../../../platform/graph/described/kind.ts';
import {
  enumField,
  inputField,
  integerField,
  listField,
  portField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import { isHost } from '../../../platform/input.ts';
import { canonicalAddressBlock } from '../../../platform/net/address-block.ts';
import { descriptionSetting, type GslbKind, jsonField, nameSetting, setting } from './kind.ts';

const type = {
  name: 'GslbMonitorType',
  description: 'How a monitor checks a member.',
  values: {
    TCP: 'A TCP connection; optionally what is sent and expected.',
    UDP: 'A datagram, and its answer.',
    ICMP: 'An echo request.',
    HTTP: 'An HTTP request.',
    HTTPS: 'An HTTP request over TLS.',
    SSH: 'The banner of an SSH server.',
    GRPC: 'The health service of gRPC.',
    DNS: 'A question to a DNS server.',
    EXEC: "A program that the checker's host names.",
    LOADBALANCER: 'The status of a load balancer of Tidegate.',
    NEUTRON_LBAAS_V2: 'The status tree of a load balancer of Octavia.',
    NEUTRON_PORT: 'The status of a port of Neutron.',
    PLUGIN: "A check plugin of the deployer's own; `plugin` names it.",
  },
} as const;

const auth = {
  name: 'GslbMonitorAuthInput',
  description: 'What a monitor proves of itself to what it checks. Stored sealed, and never shown again.',
  fields: {
    username: textField('A user name.', 255, 1),
    password: textField('A password.', 1_024, 1),
    token: textField('A bearer token.', 4_096, 1),
  },
} as const;

export const authField = inputField(
  'Credentials of its checks. Default: none. While it has some, members keep to its `parameters`, and `parameters`, `targetHost`, `targetPort` and `authHosts` change only together with them.',
  auth,
);

export const monitor: GslbKind = {
  name: 'GslbMonitor',
  description: 'How members are checked, from all vantage points. It is used for pools or for single members.',
  words: ['a', 'monitor'],
  owner: 'PROJECT',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique in its project. ${nameSetting.description}` },
    description: descriptionSetting,
    type: setting(required(enumField('How it checks.', type)), { fixed: true }),
    plugin: setting(
      {
        ...textField('For PLUGIN: the name of the plugin, as in `gslbMonitorTypes`.', 32, 1),
        schema: { type: 'string', pattern: '^[A-Z][A-Z0-9_]{0,31}$' },
      },
      { fixed: true },
    ),
    targetHost: setting(hostField("An address or host name that is checked in place of the member's own.")),
    targetPort: setting(portField("A port that is checked in place of the member's own.")),
    delayMs: setting(integerField('Time between two checks, in milliseconds, 100 to 3600000.', 100, 3_600_000), {
      default: 5_000,
    }),
    timeoutMs: setting(
      integerField('How long a check may take, in milliseconds, 10 to 60000. At most `delayMs`.', 10, 60_000),
      { default: 2_000 },
    ),
    failures: setting(integerField('Failed checks in a row after which a vantage point says DOWN, 1 to 10.', 1, 10), {
      default: 2,
    }),
    successes: setting(
      integerField('Successful checks in a row after which a vantage point says UP, 1 to 10.', 1, 10),
      { default: 2 },
    ),
    parameters: setting(jsonField('As `gslbMonitorTypes` says for its type.'), { default: {} }),
    authHosts: setting(
      listField(
        textField('A host name, an address or a block.', 253, 1),
        'For `auth` of HTTP, HTTPS and PLUGIN: where its credentials may be sent, at `targetPort`: host names, addresses and blocks, 1 to 64. Members elsewhere are refused. Names lead into the blocks beside them; without blocks they need HTTPS with `verify`, and are in no zone of this installation.',
        64,
      ),
      { default: [] },
    ),
  },
  createFields: { auth: authField },
  updateFields: {
    auth: {
      ...authField,
      description:
        'New credentials of its checks. Omitted: they stay; null: they are removed, and `authHosts` with them.',
    },
  },
  typeFields: `  "Whether its checks have credentials."
  hasAuth: Boolean!
  "Pools for whose members it is used, oldest first."
  pools(first: Int = 20, after: String): GslbPoolConnection!
  "Members for which it is used by themselves, oldest first."
  poolMembers(first: Int = 20, after: String): GslbPoolMemberConnection!
`,
  refine(spec) {
    const { timeoutMs, delayMs, authHosts } = spec;
    const faults: DescribedFault[] = onlyFor(spec, 'plugin', 'type', ['PLUGIN'], { required: true });
    if (Number(timeoutMs) > Number(delayMs))
      faults.push({ path: ['timeoutMs'], message: `must be at most delayMs, which is ${String(delayMs)}` });
    for (const [at, host] of (authHosts as readonly string[]).entries())
      if (!isHost(host) && canonicalAddressBlock(host) === undefined)
        faults.push({ path: ['authHosts', String(at)], message: 'must be a host name, an address or a block' });
    return faults;
  },
};
