// What administrators have: flavors, vantage points and zones.
import { hostField, objectField } from '../../../platform/graph/described/fields.ts';
import type { DescribedFault } from '../../../platform/graph/described/kind.ts';
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
import { policyType } from './gslb.ts';
import { descriptionSetting, type GslbKind, nameSetting, regionField, setting } from './kind.ts';

const backendSetting = setting(
  { ...textField('The DNS backend that answers. Null: our own name servers.', 255), type: 'DnsBackend' },
  { fixed: true, refersTo: 'DnsBackend' },
);
const backendTypeText = `  "The kind of its backend."
  backendType: DnsBackendType!
`;

export const flavor: GslbKind = {
  name: 'GslbFlavor',
  description: 'What names of a kind may have.',
  words: ['a', 'flavor'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique. ${nameSetting.description}` },
    description: descriptionSetting,
    backend: backendSetting,
    policies: setting(listField(enumField('A policy.', policyType), 'Policies that names may have. Default: all.', 8), {
      default: [],
    }),
    vantagePoints: setting(
      listField(textField('A name.', 63, 1), 'Names of the vantage points that check its members. Default: all.', 100),
      { default: [], fixed: true },
    ),
    shortestDelayMs: setting(
      integerField('Monitors of its members have no shorter delay, in milliseconds, 100 to 3600000.', 100, 3_600_000),
      { default: 1_000 },
    ),
    shortestTtlSeconds: setting(integerField('Names have no shorter TTL, 0 to 604800 seconds.', 0, 604_800), {
      default: 1,
    }),
    longestTtlSeconds: setting(integerField('Names have no longer TTL, 0 to 604800 seconds.', 0, 604_800), {
      default: 86_400,
    }),
    mostNames: setting(
      integerField('Names of this flavor in one project, 0 to 1000000. Default: as its quota says.', 0, 1_000_000),
    ),
    mostMembers: setting(integerField('Members of one name, in all its pools, 1 to 1000.', 1, 1_000), {
      default: 1_000,
    }),
  },
  typeFields: backendTypeText,
  refine(spec) {
    const faults: DescribedFault[] = [];
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
  description: 'A place that a vantage point must reach by TCP.',
  fields: { host: required(hostField('Its address or host name.')), port: required(portField('Its port.')) },
};

export const vantagePoint: GslbKind = {
  name: 'GslbVantagePoint',
  description: 'A place from which members are checked. Its checkers are one voter.',
  words: ['a', 'vantage point'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: { ...nameSetting, description: `Unique. ${nameSetting.description}` },
    description: descriptionSetting,
    region: setting(required(regionField('Its region.'))),
    latitude: setting(required(numberField('Degrees, -90 to 90.', -90, 90))),
    longitude: setting(required(numberField('Degrees, -180 to 180.', -180, 180))),
    allowedBlocks: setting(
      listField(addressBlockField('A block.'), 'Addresses that it may check, at most 100 blocks. Default: all.', 100),
      { default: [] },
    ),
    deniedBlocks: setting(
      listField(addressBlockField('A block.'), 'Addresses that it may not check, at most 100 blocks.', 100),
      { default: [] },
    ),
    beacons: setting(
      listField(
        objectField('A beacon.', beacon),
        'Places of which it must reach half, else it abstains; at most 16.',
        16,
      ),
      { default: [] },
    ),
  },
  typeFields: `  "Rises when who shares its targets changes."
  epoch: Int!
`,
};

const right = {
  name: 'DnsZoneRight',
  description: 'Who may create names that end in a suffix.',
  fields: {
    suffix: required(textField('The zone, or a name in it.', 253, 1)),
    projectId: { ...textField('Only this project. Default: all projects.', 255, 1), type: 'ID' },
  },
};

export const zone: GslbKind = {
  name: 'DnsZone',
  description: 'A zone in which names may be created.',
  words: ['a', 'zone'],
  owner: 'ADMINISTRATOR',
  uniqueFields: ['name'],
  unique: ({ name }) => String(name),
  fields: {
    name: setting(required(textField('The zone, in lower case, without a dot at the end.', 253, 1)), { fixed: true }),
    description: descriptionSetting,
    backend: backendSetting,
    rights: setting(
      listField(objectField('A right.', right), 'Who may create names in it, at most 100. None: nobody.', 100),
      { default: [] },
    ),
    nameServers: setting(
      listField(
        textField('A host name.', 253, 1),
        'Its NS records, at most 13, where the backend makes the zone. Our own name servers name themselves.',
        13,
      ),
      { default: [] },
    ),
    signed: setting(
      booleanField('Whether POWERDNS signs it. Our own name servers sign by the setting gslb.signZones.'),
      {
        default: false,
      },
    ),
    secondaries: setting(
      listField(
        textField('ADDRESS:PORT.', 80, 1),
        'POWERDNS: ADDRESS:PORT of servers that are told of each change, at most 13.',
        13,
      ),
      { default: [] },
    ),
  },
  typeFields: `${backendTypeText}  "Rises with each change of its names."
  generation: Int!
  "DS records that its parent is to have, as text; empty: our own name servers do not sign it."
  ds: [String!]!
  "Its DNSSEC keys; empty: our own name servers do not sign it."
  keys: [DnsZoneKey!]!
`,
};
