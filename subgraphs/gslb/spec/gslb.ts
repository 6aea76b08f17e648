// GSLBs: the pools that a name answers from, and the policy that chooses members.
import { mostOwnBlocks } from '../../../dns/policy/plan.ts';
import type { presets } from '../../../dns/policy/presets.ts';
import { hostField, objectField } from '../../../platform/graph/described/fields.ts';
import { type DescribedSpec, onlyFor } from '../../../platform/graph/described/kind.ts';
import {
  enumField,
  integerField,
  listField,
  numberField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import { descriptionSetting, type GslbKind, protectedKind, regionField, setting } from './kind.ts';

const meanings: Readonly<Record<(typeof presets)[number], string>> = {
  FAILOVER: 'Members with the smallest priority number.',
  ROUND_ROBIN: 'All members, in random order.',
  WEIGHTED: 'One member at random, by weight.',
  GEO: "Members in the client's region, country or continent.",
  PROXIMITY: 'The nearest members.',
  LATENCY: "Members with the lowest latency from the client's region.",
  STICKY: 'The same member for the same client while it is up.',
};

export const policyType = {
  name: 'GslbPolicy',
  description: 'How members are chosen for a client.',
  values: { ...meanings, CUSTOM: 'Runs the steps in `steps`.' },
} as const;

const geoWay = {
  name: 'GslbGeoWay',
  description: 'Rule that compares the location of a client with those of members.',
  values: {
    CIDR: "By the name's `clientBlocks`, or the nearest region if none contains the client.",
    COUNTRY: 'By country.',
    CONTINENT: 'By continent.',
  },
} as const;

const stepType = {
  name: 'GslbPolicyStepType',
  description: 'A step filters, orders or truncates the list of members. It always keeps at least one.',
  values: {
    PRIORITY: 'Keeps members with the smallest priority number.',
    GEO: "Keeps members in the client's region, country or continent.",
    PROXIMITY: 'Keeps the nearest members.',
    LATENCY: "Keeps members with the lowest latency from the client's region.",
    SHUFFLE: 'Orders members at random.',
    WEIGHTED: 'Orders members at random by weight.',
    STICKY: "Orders members by a hash of the client's prefix.",
    FIRST: 'Keeps the first `count` members.',
  },
} as const;

const settings = {
  count: integerField('FIRST: number of members to keep, 1 to 32.', 1, 32),
  geoBy: listField(enumField('A way.', geoWay), 'GEO: comparisons to try, in order. Null for all.', 3),
  toleranceKm: numberField(
    'PROXIMITY: also keeps members that are farther than the nearest by at most this distance, 0 to 20100 km.',
    0,
    20_100,
  ),
  tolerancePercent: numberField(
    'LATENCY: also keeps members that are slower than the fastest by at most so much, 0 to 1000 percent.',
    0,
    1_000,
  ),
  stickyIpv4Bits: integerField('STICKY: prefix length that identifies an IPv4 client, 1 to 32 bits.', 1, 32),
  stickyIpv6Bits: integerField('STICKY: prefix length that identifies an IPv6 client, 1 to 128 bits.', 1, 128),
};

const options = {
  name: 'GslbPolicyOptions',
  description: 'Settings of a policy. Omitted settings have default values.',
  fields: { ...settings, count: integerField('Maximum number of members in an answer, 1 to 32.', 1, 32) },
};

const step = {
  name: 'GslbPolicyStep',
  description: 'One step of a policy, with the settings of its type.',
  fields: { step: required(enumField('Operation of the step.', stepType)), ...settings },
};

const noneUp = {
  name: 'GslbNoneUp',
  description: 'Answer while no pool has enough members that are up.',
  values: {
    ALL: 'Answers as if all members were up.',
    LAST_KNOWN: 'Answers with the members that were up last.',
    POOL: 'Answers from the fallback pool.',
    CNAME: 'Answers with a CNAME to `fallbackCname`.',
    NODATA: 'Answers without records.',
    SERVFAIL: 'Answers with a failure. Resolvers may then use cached records.',
  },
} as const;

const block = {
  name: 'GslbClientBlock',
  description: 'Assigns client addresses to a region.',
  fields: {
    cidr: required({
      ...textField('Client addresses, as a CIDR block.', 49),
      type: 'IpOrCidr',
      schema: { type: 'string', format: 'address-block', maxLength: 49 },
    }),
    region: required(regionField('Region of these clients.')),
  },
};

/** Stored by `GslbSpec`, `gslb` and `gslb_pool_use` (control/entities/name-spec.ts). */
export const gslb: GslbKind = {
  name: 'Gslb',
  description: 'A DNS name whose answer depends on which of its members are up.',
  words: ['a', 'GSLB'],
  owner: 'PROJECT',
  derived: ['flavor', 'pools'],
  fields: {
    fqdn: setting(
      required(
        textField('DNS name in a zone of the installation, at most 240 characters. It may begin with `*.`.', 1_024, 1),
      ),
      { fixed: true },
    ),
    description: descriptionSetting,
    flavor: setting(required({ ...textField('Flavor, which limits the other settings.', 255), type: 'GslbFlavor' }), {
      fixed: true,
      refersTo: 'GslbFlavor',
    }),
    sharedWithProjectIds: setting(
      listField(
        { ...textField('A project.', 255, 1), type: 'ID' },
        'Projects that may create names above, below or at this name, at most 100.',
        100,
      ),
      {
        default: [],
        shownAs: {
          name: 'sharedWithProjects',
          type: '[Project!] @semanticNonNull @listSize(assumedSize: 2)',
          description:
            'Projects that may create names above, below or at this name, as far as the caller may see them.',
        },
      },
    ),
    applianceId: setting(textField("The CMP's own id of the appliance that answers, for people.", 255)),
    pools: setting(
      required({
        ...listField({ ...textField('', 255), type: 'GslbPool' }, 'Pools in order of preference, 1 to 16.', 16),
      }),
      { refersTo: 'GslbPool' },
    ),
    policy: setting(enumField('How members are chosen for a client.', policyType), { default: 'ROUND_ROBIN' }),
    policyOptions: setting(objectField('Settings of the policy.', options), { default: {} }),
    steps: setting(
      listField(
        objectField('A step.', step),
        'Steps of the policy CUSTOM, at most 16. The last one must be FIRST.',
        16,
      ),
      {
        default: [],
      },
    ),
    ttlSeconds: setting(
      integerField('TTL of the records, 0 to 604800 seconds. The flavor may narrow this range.', 0, 604_800),
      {
        default: 30,
      },
    ),
    degradedTtlSeconds: setting(
      integerField(
        'TTL while a member that should serve is down, 0 to 604800 seconds. Null for ttlSeconds.',
        0,
        604_800,
      ),
    ),
    noneUp: setting(enumField('Answer while no pool has enough members that are up.', noneUp), { default: 'ALL' }),
    fallbackPool: setting(
      { ...textField('Pool that answers for noneUp POOL, and required then.', 255), type: 'GslbPool' },
      { refersTo: 'GslbPool' },
    ),
    fallbackCname: setting(hostField('Target of the CNAME, required for noneUp CNAME.')),
    clientBlocks: setting(
      listField(
        objectField('A block.', block),
        'Client addresses by region, for GEO by CIDR, at most 1000.',
        mostOwnBlocks,
      ),
      { default: [] },
    ),
  },
  createFields: protectedKind.createFields,
  updateFields: protectedKind.updateFields,
  typeFields: `${protectedKind.typeFields}  "The zone that contains the name. Null for callers other than administrators."
  dnsZone: DnsZone
  "Name of the zone that contains the name, without a final dot."
  zoneName: String!
  "The CMP object for which it was created."
  cmpObject: CmpObject
  "The change that is in progress. NONE if everything is as requested."
  pendingAction: GslbAction!
  "How far the last requested change has come."
  provisioningStatus: ProvisioningStatus!
  "What the change waits for, or why it failed. Null if neither."
  provisioningReason: String
  "Whether the name serves clients. UNKNOWN until there is a verdict on a member."
  operatingStatus: OperatingStatus!
  "Why the name does not fully serve. Null if it does."
  operatingReason: String
  "When the answer was frozen. Null if it follows the members."
  frozenAt: DateTime
  "End of the freeze. Null if it lasts until it is released."
  frozenUntil: DateTime
  "Why a person froze the answer. Null if no reason was given."
  frozenReason: String
  "Increases with each change of the answers."
  generation: Int!
  "The planned answer for a client: of a random choice, always the same. Null if the name is not answered. \`gslbExplain\` has the reasons."
  answer(
    "The type of the records."
    type: GslbQuestionType = A
    "The client's address, or its block. Default: the client is unknown."
    client: IpOrCidr
  ): GslbAnswer
  "Changes of its members' verdicts, newest first."
  history(first: Int = 20, after: String): GslbFlipConnection @semanticNonNull
`,
  refine(spec) {
    const faults: SchemaFault[] = [
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
  LATENCY: ['tolerancePercent'],
  STICKY: ['stickyIpv4Bits', 'stickyIpv6Bits'],
  FIRST: ['count'],
};
