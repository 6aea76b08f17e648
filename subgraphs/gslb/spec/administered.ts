// Entities of administrators: flavors, vantage points and zones.
import { hostField, objectField } from '../../../platform/graph/described/fields.ts';
import {
  addressBlockField,
  booleanField,
  enumField,
  integerField,
  listField,
  numberField,
  portField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import { policyType } from './gslb.ts';
import { descriptionSetting, type GslbKind, nameSetting, protectedKind, regionField, setting } from './kind.ts';

const backendSetting = setting(
  {
    ...textField("The DNS backend that answers. Null for the installation's own name servers.", 255),
    type: 'DnsBackend',
  },
  { fixed: true, refersTo: 'DnsBackend' },
);
const backendTypeText = `  "Type of the backend."
  backendType: DnsBackendType!
`;

export const flavor: GslbKind = {
  name: 'GslbFlavor',
  description: 'Limits for the names that use the flavor.',
  words: ['a', 'flavor'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique. ${nameSetting.description}` },
    description: descriptionSetting,
    backend: backendSetting,
    policies: setting(
      listField(enumField('Allowed policy.', policyType), 'Policies that names may use. Empty for all.', 8),
      {
        default: [],
      },
    ),
    vantagePointNames: setting(
      listField(
        textField('Vantage point name.', 63, 1),
        'Names of the vantage points that check members. Empty for all.',
        100,
      ),
      { default: [], fixed: true },
    ),
    shortestIntervalMs: setting(
      integerField('Shortest interval of monitors of members, in milliseconds, 100 to 3600000.', 100, 3_600_000),
      { default: 1_000 },
    ),
    shortestTtlSeconds: setting(integerField('Shortest TTL of names, 0 to 604800 seconds.', 0, 604_800), {
      default: 1,
    }),
    longestTtlSeconds: setting(integerField('Longest TTL of names, 0 to 604800 seconds.', 0, 604_800), {
      default: 86_400,
    }),
    mostNames: setting(
      integerField(
        "Maximum number of names of this flavor in one project, 0 to 1000000. Null for the project's quota.",
        0,
        1_000_000,
      ),
    ),
    mostMembers: setting(
      integerField('Maximum number of members of one name, in all its pools, 1 to 1000.', 1, 1_000),
      {
        default: 1_000,
      },
    ),
  },
  typeFields: `${backendTypeText}  "Vantage points that check members. Empty for all. Null for callers other than administrators."
  vantagePoints: [GslbVantagePoint!] @listSize(assumedSize: 10)
`,
  refine(spec) {
    const faults: SchemaFault[] = [];
    if (Number(spec.shortestTtlSeconds) > Number(spec.longestTtlSeconds))
      faults.push({
        path: ['shortestTtlSeconds'],
        message: `must be at most longestTtlSeconds, which is ${String(spec.longestTtlSeconds)}`,
      });
    return faults;
  },
};

const beacon = {
  name: 'GslbBeacon',
  description: 'A TCP endpoint that shows whether a vantage point is connected.',
  fields: {
    host: required(hostField('Address or host name of the beacon.')),
    port: required(portField('TCP port of the beacon.')),
  },
};

export const vantagePoint: GslbKind = {
  name: 'GslbVantagePoint',
  description: 'A location that checks members. All its checkers together have one vote.',
  words: ['a', 'vantage point'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique. ${nameSetting.description}` },
    description: descriptionSetting,
    region: setting(required(regionField('Region of the vantage point.'))),
    latitude: setting(required(numberField('Degrees, -90 to 90.', -90, 90))),
    longitude: setting(required(numberField('Degrees, -180 to 180.', -180, 180))),
    allowedBlocks: setting(
      listField(
        addressBlockField('A block.'),
        'Addresses that the vantage point may check, at most 100 blocks. Empty for all.',
        100,
      ),
      { default: [] },
    ),
    deniedBlocks: setting(
      listField(
        addressBlockField('A block.'),
        'Addresses that the vantage point must not check, at most 100 blocks.',
        100,
      ),
      { default: [] },
    ),
    beacons: setting(
      listField(
        objectField('TCP endpoint to reach.', beacon),
        'Beacons, at most 16. The vantage point abstains if it reaches fewer than half.',
        16,
      ),
      { default: [] },
    ),
  },
  typeFields: `  "Increases when the set of checkers that share the targets changes."
  epoch: Int!
`,
};

const nameKind = {
  name: 'DnsZoneNameKind',
  description: 'A special kind of name. A right allows it only if it lists the kind.',
  values: {
    APEX: 'The zone itself.',
    WILDCARDS: 'Names that begin with `*.`.',
    UNDERSCORES: 'Names with a label that begins with `_`, such as `_acme-challenge`.',
    OUTSIDE_PROJECT: 'Any name below the suffix, not only names below PROJECT.SUFFIX. For rights without `projectId`.',
  },
} as const;

const right = {
  name: 'DnsZoneRight',
  description: 'Projects that may create names that end in a suffix. The right with the longest suffix decides.',
  fields: {
    suffix: required(textField('The zone, or a name in it.', 253, 1)),
    projectId: setting(
      {
        ...textField(
          'The only project with this right. Null for every project, for names at or below PROJECT.SUFFIX.',
          255,
          1,
        ),
        type: 'ID',
      },
      {
        shownAs: {
          name: 'project',
          type: 'Project',
          description: 'The only project with this right. Null for every project, or if it was deleted since.',
        },
      },
    ),
    allows: {
      ...listField(
        enumField('Kind of name.', nameKind),
        'Special kinds of names that the right allows as well. Empty for none.',
        4,
      ),
      default: [],
    },
  },
};

export const zone: GslbKind = {
  name: 'DnsZone',
  description: 'A DNS zone in which names may be created, with the rights to do so.',
  words: ['a', 'zone'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: setting(required(textField('Name of the zone, in lower case, without a final dot.', 253, 1)), {
      fixed: true,
    }),
    description: descriptionSetting,
    backend: backendSetting,
    rights: setting(
      listField(
        objectField('Right to create names.', right),
        'Rights to create names in the zone, at most 100. Without rights, nobody may.',
        100,
      ),
      { default: [] },
    ),
    nameServers: setting(
      listField(
        textField('Host name.', 253, 1),
        "NS records, at most 13, if the backend creates the zone: one that was there keeps its own. The installation's name servers publish their own.",
        13,
      ),
      { default: [] },
    ),
    signed: setting(
      booleanField(
        "Whether POWERDNS signs the zone. For the installation's own name servers, the setting gslb.signZones decides.",
      ),
      {
        default: false,
      },
    ),
    secondaries: setting(
      listField(
        textField('ADDRESS:PORT.', 80, 1),
        'POWERDNS: ADDRESS:PORT of servers that get a NOTIFY for each change, at most 13.',
        13,
      ),
      { default: [] },
    ),
  },
  createFields: protectedKind.createFields,
  updateFields: protectedKind.updateFields,
  typeFields: `${protectedKind.typeFields}${backendTypeText}  "Increases with each change of the zone's names."
  generation: Int!
  "DS records that the parent should publish, as text. Empty unless the installation's own name servers sign the zone."
  ds: [String!]!
  "Names in the zone, oldest first."
  gslbs(first: Int = 20, after: String): GslbConnection @semanticNonNull
  "DNSSEC keys. Empty unless the installation's own name servers sign the zone."
  keys: [DnsZoneKey!]! @listSize(assumedSize: 4)
`,
};
