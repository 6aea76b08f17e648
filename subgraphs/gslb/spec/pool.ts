// Pools and their members.
import { isIP } from 'node:net';
import { hostField, objectField } from '../../../platform/graph/described/fields.ts';
import { type DescribedSpec, onlyFor } from '../../../platform/graph/described/kind.ts';
import { countryCode, openStackId } from '../../../platform/graph/described/patterns.ts';
import {
  addressField,
  enumField,
  integerField,
  listField,
  numberField,
  portField,
  textField,
} from '../../../platform/graph/fields.ts';
import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import { withoutMapping } from '../../../platform/net/address-block.ts';
import { memberParameters, shownParametersField } from './check-parameters.ts';
import { descriptionSetting, type GslbKind, nameSetting, regionField, setting } from './kind.ts';

const answerScope = {
  name: 'GslbPoolScope',
  description: 'Which vantage points vote on members.',
  values: { ALL: 'All vantage points together.', REGION: 'Per region: its own vantage points, for its clients.' },
} as const;

const failbackMode = {
  name: 'GslbPoolFailbackMode',
  description: 'When a recovered member serves again.',
  values: {
    IMMEDIATE: 'As soon as the member is up.',
    DELAYED: 'After the member has been up for `delayMs` without interruption.',
    MANUAL: 'After the member is up and a person has released it.',
  },
} as const;

const share = (side: string) => ({
  name: 'GslbPoolQuorumShare',
  description: 'Number or share of the vantage points that watch a member: one of both.',
  oneOf: true as const,
  fields: {
    count: integerField(`Number of vantage points, 1 to 100${side}.`, 1, 100),
    percent: integerField(`Share of the vantage points, 1 to 100 percent${side}.`, 1, 100),
  },
});

const quorum = {
  name: 'GslbPoolQuorum',
  description: 'Votes needed for a verdict: a majority of all vantage points that watch the member, unless given.',
  fields: {
    downAtLeast: objectField('Votes needed for DOWN.', share('')),
    upAtLeast: objectField('Votes needed for UP.', share('')),
    leastVoters: integerField(
      'Minimum number of votes that count, 1 to 100. With fewer, the last verdict stays.',
      1,
      100,
    ),
    leastRegions: {
      ...integerField('Minimum number of regions that the votes for a verdict must come from, 1 to 100.', 1, 100),
      default: 1,
    },
    freshMs: integerField(
      'Maximum age of a vote that counts, in milliseconds, 1000 to 3600000, at least two heartbeats. Null for three times the longest interval, at least 5000.',
      1_000,
      3_600_000,
    ),
  },
};

const failback = {
  name: 'GslbPoolFailback',
  description: 'When recovered members serve again.',
  fields: {
    mode: { ...enumField('When a recovered member serves again.', failbackMode), required: true },
    delayMs: integerField('Delay for DELAYED, in milliseconds, 1 to 86400000.', 1, 86_400_000),
  },
};

export const pool: GslbKind = {
  name: 'GslbPool',
  description:
    'Members that can replace each other. Several names may use a pool, and its members have the same verdict for all of them.',
  words: ['a', 'pool'],
  owner: 'PROJECT',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique in its project. ${nameSetting.description}` },
    description: descriptionSetting,
    minUp: setting(
      integerField('Minimum number of members that are up, 1 to 1000. With fewer, the next pool answers.', 1, 1_000),
      {
        default: 1,
      },
    ),
    quorum: setting(objectField('Votes needed for a verdict on a member.', quorum), { default: {} }),
    answerScope: setting(enumField('Which vantage points vote, and for which clients.', answerScope), {
      default: 'ALL',
    }),
    failback: setting(objectField('When recovered members serve again.', failback), {
      default: { mode: 'IMMEDIATE' },
    }),
  },
  typeFields: `  "Members of the pool, oldest first."
  members(first: Int = 20, after: String): GslbPoolMemberConnection @semanticNonNull
  "Monitors that check all members, oldest first."
  monitors: [GslbMonitor!]! @listSize(assumedSize: 2)
  "Names that use the pool and that the caller may see, oldest first."
  gslbs(first: Int = 20, after: String): GslbConnection @semanticNonNull
`,
  refine({ failback: back }) {
    const faults: SchemaFault[] = [];
    const { mode, delayMs } = back as DescribedSpec;
    if ((mode === 'DELAYED') !== (delayMs !== undefined))
      faults.push({
        path: ['failback', 'delayMs'],
        message:
          mode === 'DELAYED' ? 'is required for mode DELAYED' : `is only for mode DELAYED; mode is ${String(mode)}`,
      });
    return faults;
  },
};

const memberType = {
  name: 'GslbPoolMemberType',
  description: 'Kind of a member.',
  values: {
    IP: 'Fixed addresses.',
    FQDN: 'A host name, answered as a CNAME.',
    LOADBALANCER: 'A load balancer of Tidegate. The answer follows its addresses.',
    NEUTRON_LBAAS_V2: 'Addresses of a load balancer of Octavia.',
    NEUTRON_PORT: 'Addresses of a port of Neutron.',
  },
} as const;

const continent = {
  name: 'GslbPoolMemberContinent',
  description: 'The continent where a member is, by its two-letter code.',
  values: {
    AF: 'Africa.',
    AN: 'Antarctica.',
    AS: 'Asia.',
    EU: 'Europe.',
    NA: 'North America.',
    OC: 'Oceania.',
    SA: 'South America.',
  },
} as const;

const place = {
  name: 'GslbPoolMemberPlace',
  description: 'Location of a member.',
  fields: {
    continent: enumField('Continent of the member.', continent),
    country: {
      ...textField('Country of the member: ISO 3166-1 alpha-2.', 2, 2),
      schema: { type: 'string', pattern: countryCode.pattern },
    },
    latitude: numberField('Degrees, -90 to 90. Requires `longitude`.', -90, 90),
    longitude: numberField('Degrees, -180 to 180. Requires `latitude`.', -180, 180),
  },
};

export const member: GslbKind = {
  name: 'GslbPoolMember',
  description: 'A target that a name can answer with while it is up.',
  words: ['a', 'member'],
  owner: 'PROJECT',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique in its pool. ${nameSetting.description}` },
    description: descriptionSetting,
    memberType: setting(enumField('The kind of member, for example a host name.', memberType), {
      default: 'IP',
      fixed: true,
    }),
    addresses: setting(
      listField(
        addressField('An address.'),
        'IPv4 and IPv6 addresses of a member of type IP, NEUTRON_LBAAS_V2 or NEUTRON_PORT, 1 to 16.',
        16,
      ),
      {
        default: [],
      },
    ),
    cname: setting(hostField('Host name of a member of type FQDN.')),
    loadBalancerId: setting(
      { ...textField('Load balancer of a member of type LOADBALANCER.', 255, 1), type: 'ID' },
      {
        shownAs: {
          name: 'followedLoadBalancer',
          type: 'LoadBalancer',
          description:
            'Load balancer of a member of type LOADBALANCER. Null for other types, or if it was deleted since.',
        },
      },
    ),
    neutronId: setting({
      ...textField('UUID of the load balancer or port in OpenStack, for NEUTRON_LBAAS_V2 and NEUTRON_PORT.', 36, 32),
      schema: { type: 'string', pattern: openStackId.pattern },
    }),
    servicePort: setting(portField('Port that monitors connect to. Null for the port of the monitor.')),
    memberRegion: setting(regionField('Region of the member, for GEO and verdicts by region.')),
    weight: setting(
      integerField(
        'Share of the clients, relative to other members, 0 to 1000. 0 means only if no other member is left.',
        0,
        1_000,
      ),
      {
        default: 1,
      },
    ),
    priority: setting(integerField('Priority number, 0 to 65535. Smaller is preferred.', 0, 65_535), { default: 0 }),
    place: setting(objectField('Location of the member, for GEO and PROXIMITY.', place)),
    parameters: setting(memberParameters, {
      default: {},
      shownAs: shownParametersField('Parameters that override those of its monitors. Null for none.'),
    }),
    parametersFor: setting(textField('Check type of the entry that `parameters` had.', 32)),
  },
  hidden: ['parametersFor'],
  typeFields: `  "The pool that the member belongs to."
  pool: GslbPool!
  "Monitors that check this member alone, oldest first."
  monitors: [GslbMonitor!]! @listSize(assumedSize: 2)
  "Setting that can override the checks."
  adminState: GslbPoolMemberAdminState!
  "End of that setting. Null if it stays until it is changed."
  adminUntil: DateTime
  "Why a person made that setting. Null if no reason was given."
  adminReason: String
  "Combined verdict of all monitors. Null if there is none yet."
  verdict: GslbPoolMemberVerdict
  "Start of the current verdict."
  verdictAt: DateTime
  "Since when the verdict lacks enough current votes. Null if it has enough."
  undecidedAt: DateTime
  "Whether the member's own state allows it in answers."
  serving: Boolean!
  "Whether the member serves. UNKNOWN until there is a verdict."
  operatingStatus: OperatingStatus!
  "Why the member does not fully serve. Null if it does."
  operatingReason: String
  "When the member last served. Null if it never did, or serves now."
  lastUpAt: DateTime
  "The last vote of each vantage point."
  votes: [GslbPoolMemberVote!]! @listSize(assumedSize: 5)
`,
  refine(spec) {
    const faults: SchemaFault[] = [
      ...onlyFor(spec, 'cname', 'memberType', ['FQDN'], { required: true }),
      ...onlyFor(spec, 'loadBalancerId', 'memberType', ['LOADBALANCER'], { required: true }),
      ...onlyFor(spec, 'neutronId', 'memberType', ['NEUTRON_LBAAS_V2', 'NEUTRON_PORT'], { required: true }),
    ];
    const addresses = spec.addresses as readonly string[];
    const hasOwn = !['FQDN', 'LOADBALANCER'].includes(String(spec.memberType));
    if (hasOwn && addresses.length === 0)
      faults.push({ path: ['addresses'], message: `is required for memberType ${String(spec.memberType)}` });
    if (!hasOwn && addresses.length > 0)
      faults.push({ path: ['addresses'], message: `is not for memberType ${String(spec.memberType)}` });
    for (const [at, address] of addresses.entries())
      if (['0.0.0.0', '::'].includes(withoutMapping(address)))
        faults.push({ path: ['addresses', String(at)], message: 'must be an address of one machine' });
    if (typeof spec.cname === 'string' && isIP(spec.cname) !== 0)
      faults.push({ path: ['cname'], message: 'must be a host name; addresses are for type IP' });
    const where = spec.place as DescribedSpec | null;
    if (where !== null && (where.latitude === undefined) !== (where.longitude === undefined))
      faults.push({ path: ['place'], message: 'needs both latitude and longitude, or none' });
    return faults;
  },
};
