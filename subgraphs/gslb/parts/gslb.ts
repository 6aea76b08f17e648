// Names: what is answered, by which policy, from which pools.
import type { presets } from '../../../dns/policy/presets.ts';
import { hostField, objectField } from '../../../platform/graph/described/fields.ts';
import { type DescribedFault, type DescribedSpec, onlyFor } from '../../../platform/graph/described/kind.ts';
import {
  enumField,
  integerField,
  listField,
  numberField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import { descriptionSetting, type GslbKind, regionField, setting } from './kind.ts';

const meanings: Readonly<Record<(typeof presets)[number], string>> = {
  FAILOVER: 'The members of the smallest priority.',
  ROUND_ROBIN: 'All members, in random order.',
  WEIGHTED: 'One member at random, by weight.',
  GEO: "Members in the client's region, country or continent.",
  PROXIMITY: 'The nearest members.',
  LATENCY: "The members that are fastest from the client's region.",
  STICKY: 'The same member for the same client while it is up.',
};

export const policyType = {
  name: 'GslbPolicy',
  description: 'How members are chosen for a client.',
  values: { ...meanings, CUSTOM: 'By `steps`.' },
} as const;

const geoWay = {
  name: 'GslbGeoWay',
  description: 'How a client and members are compared.',
  values: {
    CIDR: "By the name's `clientBlocks`, else the nearest region.",
    COUNTRY: 'By country.',
    CONTINENT: 'By continent.',
  },
} as const;

const stepType = {
  name: 'GslbPolicyStepType',
  description: 'A step narrows, orders or cuts the list of members, and never leaves nothing.',
  values: {
    PRIORITY: 'Keeps the smallest priority.',
    GEO: "Keeps those in the client's region, country or continent.",
    PROXIMITY: 'Keeps the nearest.',
    LATENCY: "Keeps the fastest from the client's region.",
    SHUFFLE: 'Puts them in random order.',
    WEIGHTED: 'Puts them in random order by weight.',
    STICKY: "Puts them in an order of the client's prefix.",
    FIRST: 'Keeps the first `count`.',
  },
} as const;

const settings = {
  count: integerField('FIRST: so many members, 1 to 32.', 1, 32),
  geoBy: listField(enumField('A way.', geoWay), 'GEO: by these ways, in order. Default: all.', 3),
  toleranceKm: numberField('PROXIMITY: those that are farther by at most so much are kept too, 0 to 20100.', 0, 20_100),
  toleranceShare: numberField('LATENCY: those that are slower by at most this share are kept too, 0 to 10.', 0, 10),
  stickyIpv4Bits: integerField('STICKY: bits of an IPv4 address that are one client, 1 to 32.', 1, 32),
  stickyIpv6Bits: integerField('STICKY: bits of an IPv6 address that are one client, 1 to 128.', 1, 128),
};

const options = {
  name: 'GslbPolicyOptions',
  description: 'Settings of a policy. What is not set has a usual value.',
  fields: { ...settings, count: integerField('At most so many members are answered, 1 to 32.', 1, 32) },
};

const step = {
  name: 'GslbPolicyStep',
  description: 'One step of a policy, with the settings of its type.',
  fields: { step: required(enumField('What it does.', stepType)), ...settings },
};

const noneUp = {
  name: 'GslbNoneUp',
  description: 'What is answered while no pool has enough members that are up.',
  values: {
    ALL: 'As if all members were up.',
    LAST_KNOWN: 'As if those were up that were it last.',
    POOL: 'The fallback pool.',
    CNAME: 'A CNAME to `fallbackCname`.',
    NODATA: 'No records.',
    SERVFAIL: 'A failure: resolvers may use what they remember.',
  },
} as const;

const block = {
  name: 'GslbClientBlock',
  description: 'Clients of these addresses are in this region.',
  fields: {
    cidr: required({
      ...textField('A CIDR block.', 49),
      type: 'AddressBlock',
      schema: { type: 'string', format: 'address-block', maxLength: 49 },
    }),
    region: required(regionField('A region.')),
  },
};

/** As `GslbSpec`, `gslb` and `gslb_pool_use` store it: see objects/name-spec.ts. */
export const gslb: GslbKind = {
  name: 'Gslb',
  description: 'A DNS name whose answer follows which of its members are alive.',
  words: ['a', 'GSLB'],
  owner: 'PROJECT',
  fields: {
    fqdn: setting(
      required(
        textField('The name, in a zone of the installation; may begin with `*.`. At most 240 characters.', 1_024, 1),
      ),
      { fixed: true },
    ),
    description: descriptionSetting,
    flavor: setting(required({ ...textField('Its flavor.', 255), type: 'GslbFlavor' }), {
      fixed: true,
      refersTo: 'GslbFlavor',
    }),
    applianceId: setting(textField('The appliance of the CMP that answers, for people.', 255)),
    pools: setting(
      required({
        ...listField({ ...textField('', 255), type: 'GslbPool' }, 'Its pools, in order of preference, 1 to 16.', 16),
      }),
      { refersTo: 'GslbPool' },
    ),
    policy: setting(enumField('How members are chosen.', policyType), { default: 'ROUND_ROBIN' }),
    policyOptions: setting(objectField('Settings of the policy.', options), { default: {} }),
    steps: setting(
      listField(objectField('A step.', step), 'For CUSTOM: the steps, at most 16. The last is FIRST.', 16),
      {
        default: [],
      },
    ),
    ttlSeconds: setting(
      integerField('TTL of its records, 0 to 604800 seconds; its flavor may allow less.', 0, 604_800),
      {
        default: 30,
      },
    ),
    degradedTtlSeconds: setting(
      integerField(
        'TTL while a member that should serve does not, 0 to 604800 seconds. Default: the usual one.',
        0,
        604_800,
      ),
    ),
    noneUp: setting(enumField('What is answered while no pool has enough members.', noneUp), { default: 'ALL' }),
    fallbackPool: setting(
      { ...textField('For POOL: a pool beside the others.', 255), type: 'GslbPool' },
      { refersTo: 'GslbPool' },
    ),
    fallbackCname: setting(hostField('For CNAME: a host name.')),
    clientBlocks: setting(
      listField(objectField('A block.', block), 'Regions of clients, for GEO by CIDR, at most 1000.', 1_000),
      { default: [] },
    ),
  },
  typeFields: `  "The zone in which it is."
  zone: String!
  "The CMP object for which it was created."
  cmpObject: CmpObject
  "What is being done with it."
  action: GslbAction!
  "How far that has come."
  provisioningStatus: GslbProvisioningStatus!
  "What it waits for, or why it failed; null: nothing."
  provisioningReason: String
  "What it answers; null: no verdict yet."
  operatingStatus: GslbOperatingStatus
  "Why it is not fully up; null: it is."
  statusMessage: String
  "Since when its answer is frozen; null: it follows its members."
  frozenAt: DateTime
  "Until when; null: until it is released."
  frozenUntil: DateTime
  "Why, in the words of who froze it."
  frozenReason: String
  "Rises with each change of what is answered."
  generation: Int!
  """
  What it answers to a client by its present plan; null: nothing is answered. Where chance decides, always the same one of those that are
  possible. \`gslbExplain\` says why, and what name servers really answer.
  """
  answer(
    "The type of records."
    type: GslbQuestionType = A
    "The client's address, or a block of it. Default: nothing is known of the client."
    client: AddressBlock
  ): GslbAnswer
  "Changes of its members' verdicts, newest first."
  history(first: Int = 20, after: String): GslbFlipConnection!
`,
  refine(spec) {
    const faults: DescribedFault[] = [
      ...onlyFor(spec, 'fallbackPool', 'noneUp', ['POOL'], { required: true }),
      ...onlyFor(spec, 'fallbackCname', 'noneUp', ['CNAME'], { required: true }),
    ];
    const steps = spec.steps as readonly DescribedSpec[];
    if (spec.policy === 'CUSTOM' && steps.at(-1)?.step !== 'FIRST')
      faults.push({ path: ['steps'], message: 'is required for policy CUSTOM, and its last step is FIRST' });
    if (spec.policy !== 'CUSTOM' && steps.length > 0)
      faults.push({ path: ['steps'], message: `is only for policy CUSTOM; policy is ${String(spec.policy)}` });
    if (spec.policy === 'CUSTOM' && Object.keys(spec.policyOptions as object).length > 0)
      faults.push({ path: ['policyOptions'], message: 'is not for policy CUSTOM: give the settings with the steps' });
    for (const [at, { step: type, ...given }] of steps.entries())
      for (const name of Object.keys(given))
        if (!(stepSettings[String(type)] ?? []).includes(name))
          faults.push({ path: ['steps', String(at), name], message: `is not for the step ${String(type)}` });
    for (const [at, each] of steps.entries())
      if (each.step === 'FIRST' && each.count === undefined)
        faults.push({ path: ['steps', String(at), 'count'], message: 'is required for the step FIRST' });
    if (spec.degradedTtlSeconds !== null && Number(spec.degradedTtlSeconds) > Number(spec.ttlSeconds))
      faults.push({
        path: ['degradedTtlSeconds'],
        message: `must be at most ttlSeconds, which is ${String(spec.ttlSeconds)}`,
      });
    return faults;
  },
};

const stepSettings: Readonly<Record<string, readonly string[]>> = {
  GEO: ['geoBy'],
  PROXIMITY: ['toleranceKm'],
  LATENCY: ['toleranceShare'],
  STICKY: ['stickyIpv4Bits', 'stickyIpv6Bits'],
  FIRST: ['count'],
};
