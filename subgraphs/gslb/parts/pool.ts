// Pools and their members.
import { isIP } from 'node:net';
import { hostField, objectField } from '../../../platform/graph/described/fields.ts';
import { type DescribedFault, type DescribedSpec, onlyFor } from '../../../platform/graph/described/kind.ts';
import {
  addressField,
  enumField,
  integerField,
  listField,
  numberField,
  portField,
  textField,
} from '../../../platform/graph/fields.ts';
import { withoutMapping } from '../../../platform/net/address-block.ts';
import { descriptionSetting, type GslbKind, jsonField, nameSetting, regionField, setting } from './kind.ts';

const scope = {
  name: 'GslbPoolScope',
  description: 'Whose vantage points judge members.',
  values: { ALL: 'All of them together.', REGION: "Each region's own, for the clients of that region." },
} as const;

const failbackMode = {
  name: 'GslbPoolFailbackMode',
  description: 'When a member that was down serves again.',
  values: {
    IMMEDIATE: 'At once when it is up.',
    DELAYED: 'When it has been up for `delayMs` without a break.',
    MANUAL: 'When it is up and a person has released it.',
  },
} as const;

const share = (side: string) => ({
  name: 'GslbPoolQuorumShare',
  description: 'How many vantage points of those that watch a member. Give one of the two.',
  fields: {
    count: integerField(`A number, 1 to 100${side}.`, 1, 100),
    percent: integerField(`A share of them, 1 to 100 percent${side}.`, 1, 100),
  },
});

const quorum = {
  name: 'GslbPoolQuorum',
  description: 'When votes become a verdict. What is not set is a majority of all vantage points that watch a member.',
  fields: {
    downAtLeast: objectField('Votes for DOWN.', share('')),
    upAtLeast: objectField('Votes for UP.', share('')),
    leastVoters: integerField('With fewer votes that count, the last verdict stands, 1 to 100.', 1, 100),
    leastRegions: integerField("A side's votes must come from so many regions, 1 to 100. Default: 1.", 1, 100),
    freshMs: integerField(
      'An older vote does not count, in milliseconds, 1000 to 3600000, and at least two heartbeats of a checker. Default: three times the longest delay, at least 5000.',
      1_000,
      3_600_000,
    ),
  },
};

const failback = {
  name: 'GslbPoolFailback',
  description: 'When members that were down serve again.',
  fields: {
    mode: { ...enumField('When.', failbackMode), required: true },
    delayMs: integerField('For DELAYED: how long, in milliseconds, 1 to 86400000.', 1, 86_400_000),
  },
};

export const pool: GslbKind = {
  name: 'GslbPool',
  description:
    'Members that can answer for each other. Several names may use a pool; its members have one verdict for all of them.',
  words: ['a', 'pool'],
  owner: 'PROJECT',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique in its project. ${nameSetting.description}` },
    description: descriptionSetting,
    minUp: setting(integerField('With fewer members that are up the next pool answers, 1 to 1000.', 1, 1_000), {
      default: 1,
    }),
    quorum: setting(objectField('When votes become a verdict.', quorum), { default: {} }),
    scope: setting(enumField('Whose vantage points judge.', scope), { default: 'ALL' }),
    failback: setting(objectField('When members that were down serve again.', failback), {
      default: { mode: 'IMMEDIATE' },
    }),
  },
  typeFields: `  "Its members, oldest first."
  members(first: Int = 20, after: String): GslbPoolMemberConnection!
  "Monitors of all its members, oldest first."
  monitors: [GslbMonitor!]!
  "Names that use it and that the caller may see, oldest first."
  gslbs(first: Int = 20, after: String): GslbConnection!
`,
  refine({ quorum: rule, failback: back }) {
    const faults: DescribedFault[] = [];
    const given = rule as DescribedSpec;
    for (const field of ['downAtLeast', 'upAtLeast']) {
      const wanted = given[field] as DescribedSpec | undefined;
      if (wanted !== undefined && (wanted.count === undefined) === (wanted.percent === undefined))
        faults.push({ path: ['quorum', field], message: 'needs count or percent, and not both' });
    }
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
  description: 'What a member is.',
  values: {
    IP: 'Addresses.',
    FQDN: 'A host name, answered as a CNAME.',
    LOADBALANCER: 'A load balancer of Tidegate, whose addresses are followed.',
    NEUTRON_LBAAS_V2: 'Addresses of a load balancer of Octavia.',
    NEUTRON_PORT: 'Addresses of a port of Neutron.',
  },
} as const;

const continent = {
  name: 'GslbPoolMemberContinent',
  description: 'A continent.',
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
  description: 'Where a member is.',
  fields: {
    continent: enumField('Its continent.', continent),
    country: {
      ...textField('Its country: ISO 3166-1 alpha-2.', 2, 2),
      schema: { type: 'string', pattern: '^[A-Z]{2}$' },
    },
    latitude: numberField('Degrees, -90 to 90. With `longitude`.', -90, 90),
    longitude: numberField('Degrees, -180 to 180. With `latitude`.', -180, 180),
  },
};

export const member: GslbKind = {
  name: 'GslbPoolMember',
  description: 'What a name is answered with while it is up.',
  words: ['a', 'member'],
  owner: 'PROJECT',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique in its pool. ${nameSetting.description}` },
    description: descriptionSetting,
    type: setting(enumField('What it is.', memberType), { default: 'IP', fixed: true }),
    addresses: setting(
      listField(
        addressField('An address.'),
        'For IP, NEUTRON_LBAAS_V2 and NEUTRON_PORT: IPv4 and IPv6 addresses, 1 to 16.',
        16,
      ),
      {
        default: [],
      },
    ),
    cname: setting(hostField('For FQDN: the host name.')),
    loadBalancerId: setting({ ...textField('For LOADBALANCER: the load balancer.', 255, 1), type: 'ID' }),
    neutronId: setting({
      ...textField(
        'For NEUTRON_LBAAS_V2 and NEUTRON_PORT: the UUID of the load balancer or port in OpenStack.',
        36,
        32,
      ),
      schema: { type: 'string', pattern: '^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$' },
    }),
    port: setting(portField('Where monitors connect. Default: as the monitor says.')),
    region: setting(regionField('Its region, for GEO and verdicts by region.')),
    weight: setting(
      integerField('Its share among the members, 0 to 1000. 0: only when nothing else is left.', 0, 1_000),
      {
        default: 1,
      },
    ),
    priority: setting(integerField('Smaller is preferred, 0 to 65535.', 0, 65_535), { default: 0 }),
    place: setting(objectField('Where it is, for GEO and PROXIMITY.', place)),
    parameters: setting(jsonField('Parameters of its monitors that are its own.'), { default: {} }),
  },
  typeFields: `  "The pool to which it belongs."
  pool: GslbPool!
  "Monitors that are used for it alone, oldest first."
  monitors: [GslbMonitor!]!
  "What an administrator says."
  adminState: GslbPoolMemberAdminState!
  "Until when; null: until it is changed."
  adminUntil: DateTime
  "Why, in the words of who set it."
  adminReason: String
  "Of its monitors together; null: none yet."
  verdict: GslbPoolMemberVerdict
  "Since when."
  verdictAt: DateTime
  "Since when the verdict stands without enough votes for it; null: it has them."
  undecidedAt: DateTime
  "Whether it is answered, as far as it alone decides."
  serving: Boolean!
  "Whether it serves; null: no verdict yet."
  operatingStatus: GslbOperatingStatus
  "Why it does not fully serve; null: it does."
  statusMessage: String
  "When it last served; null: never, or it serves now."
  lastUpAt: DateTime
  "What each vantage point last said of it."
  votes: [GslbPoolMemberVote!]!
`,
  refine(spec) {
    const faults: DescribedFault[] = [
      ...onlyFor(spec, 'cname', 'type', ['FQDN'], { required: true }),
      ...onlyFor(spec, 'loadBalancerId', 'type', ['LOADBALANCER'], { required: true }),
      ...onlyFor(spec, 'neutronId', 'type', ['NEUTRON_LBAAS_V2', 'NEUTRON_PORT'], { required: true }),
    ];
    const addresses = spec.addresses as readonly string[];
    const hasOwn = !['FQDN', 'LOADBALANCER'].includes(String(spec.type));
    if (hasOwn && addresses.length === 0)
      faults.push({ path: ['addresses'], message: `is required for type ${String(spec.type)}` });
    if (!hasOwn && addresses.length > 0)
      faults.push({ path: ['addresses'], message: `is not for type ${String(spec.type)}` });
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
