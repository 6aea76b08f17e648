// DNS names that follow live servers, their zones, and the machines that check and answer.
import { expect } from '@jest/globals';
import { byId, done, each, list, type Row, refused, type Scenes } from '../command-table.ts';

const at = '2026-01-31T12:00:00.000Z';
const vote = (vantagePointName: string, verdict: string | null) => ({
  ...{ vantagePointName, region: vantagePointName, verdict, verdictAt: at, latencyMs: verdict === 'UP' ? 12 : null },
  ...{ message: verdict === 'DOWN' ? 'connection refused' : null, monitor: { name: 'web' } },
});
const member = (name: string, verdict: string) => ({
  ...{ __typename: 'GslbPoolMember', id: `M-${name}`, name, memberType: 'IP', addresses: ['192.0.2.1'], cname: null },
  ...{ memberRegion: 'eu', weight: 1, priority: 0, adminState: 'AUTO', adminUntil: null, adminReason: null },
  ...{ verdict, verdictAt: at, undecidedAt: null, serving: verdict === 'UP', operatingReason: null },
  ...{ operatingStatus: verdict === 'UP' ? 'ONLINE' : 'OFFLINE', votes: [vote('eu', verdict), vote('ap', null)] },
});
const gslb = {
  ...{ __typename: 'Gslb', id: 'G1', fqdn: 'shop.gslb.test', description: '', zoneName: 'gslb.test' },
  ...{ applianceId: null, policy: 'GEO', ttlSeconds: 30, degradedTtlSeconds: 5, noneUp: 'ALL' },
  ...{ provisioningStatus: 'ACTIVE', provisioningReason: null, operatingStatus: 'UNKNOWN', operatingReason: null },
  ...{ frozenAt: null, frozenUntil: null, frozenReason: null, generation: 3, createdAt: at },
  ...{ flavor: { name: 'usual' }, project: { name: 'default' } },
  cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
  pools: [{ id: 'P1', name: 'web', minUp: 1 }],
};
const here = (members: readonly object[], pools: readonly object[] = gslb.pools) => ({
  gslbs: list({ ...gslb, pools }),
  node: ({ id }: { id: string }) =>
    id.startsWith('P') ? { __typename: 'GslbPool', members: list(...members) } : byId(gslb)({ id }),
});
const ballot = (vantagePointName: string, verdict: string | null, count: string) => ({
  ...{ vantagePointName, region: 'r', verdict, ageMs: 10, count, latencyMs: null, message: null },
});
const flip = {
  ...{ id: 'F1', changedAt: at, member: { name: 'eu', pool: { name: 'web' } }, region: null },
  ...{ verdictBefore: 'UP', verdictAfter: 'DOWN', reason: '2 of 3 say so', late: false },
  ballots: [ballot('eu', 'DOWN', 'COUNTED'), ballot('us', 'DOWN', 'COUNTED'), ballot('ap', 'UP', 'ABSENT')],
};
const answer = (...data: string[]) => ({
  outcome: data.length === 0 ? 'SERVFAIL' : 'RECORDS',
  scopeBits: 24,
  records: data.map((each) => ({ type: 'A', data: each, ttlSeconds: 5 })),
});
const explained = (name: string, reason: string | null = null) => ({ id: `M-${name}`, member: { name }, reason });
const nameServer = {
  heardAt: at,
  planned: null,
  answered: answer('192.0.2.1'),
  behind: 0,
  message: null,
  latencyMs: 3,
};
const silent = { heardAt: null, answered: null, behind: 1, message: 'no answer within 2 s', latencyMs: null };
const explanation = {
  ...{ gslb, askedAt: null, generation: 7, clientRegion: 'eu', clientCountry: null, clientContinent: 'EU' },
  ...{ flip: { changedAt: at, reason: '2 of 3 say so' }, answer: answer('192.0.2.1') },
  steps: [
    { step: 'UP', kept: [explained('eu'), explained('us')], left: [explained('ap', 'it is down')] },
    { step: 'GEO', kept: [explained('eu')], left: [{ id: 'M-gone', member: null, reason: 'another region' }] },
  ],
  servers: [
    { ...nameServer, name: 'ns1', address: '192.0.2.53' },
    { ...nameServer, ...silent, name: 'ns2', address: '192.0.2.54' },
  ],
};
const many = Array.from({ length: 120 }, (_, index) => member(`m${index}`, index === 119 ? 'DOWN' : 'UP'));
const until = '2026-02-01T00:00:00.000Z';
const forced = ({ input }: { input: { state: string; until: string | null } }) =>
  done({ gslbPoolMember: { ...member('eu', 'UP'), adminState: input.state, adminUntil: input.until } })();
const cmpObject = { namespace: 'east', type: 'tenant', externalId: 'a/42' };

export const gslbs: Scenes = {
  'list shows what is frozen, and what has no verdict yet': {
    answers: { gslbs: list(gslb, { ...gslb, fqdn: '*.test', operatingStatus: 'OFFLINE', frozenAt: at }) },
    rows: [
      {
        run: 'gslbs list',
        out: ['shop.gslb.test GEO ACTIVE UNKNOWN web', '*.test GEO ACTIVE OFFLINE web FROZEN'],
      },
    ],
  },
  'show has all members, more than a page of them, and the vote of each vantage point': {
    answers: here(many),
    rows: [
      ...each(['gslbs show shop.gslb.test', 'gslbs show Shop.gslb.test.', 'gslbs show G1'], {
        out: [
          ...['For tenant/42', 'Operating UNKNOWN', 'web/m119 192.0.2.1 eu AUTO DOWN OFFLINE'],
          ...[`web/m0 web eu UP ${at} 12 ms`, `web/m119 web eu DOWN ${at} - connection refused`],
          'web/m119 web ap - 2026…',
        ],
      }),
      {
        run: 'gslbs show G1 --json',
        also: ({ stdout }) => expect(JSON.parse(stdout).pools[0]?.members).toHaveLength(120),
      },
      {
        run: 'gslbs show other.gslb.test',
        ...{ exit: 1, err: "tidegate: there is no GSLB 'other.gslb.test'; 'shop.gslb.test' is near\n" },
      },
    ],
  },
  'history has every vote; one that did not count, with the reason': {
    answers: {
      ...here([member('eu', 'DOWN')]),
      gslbHistory: list(flip, { ...flip, member: null, late: true, region: 'us' }),
    },
    rows: [
      {
        run: 'gslbs history shop.gslb.test',
        out: ['2026… web/eu UP → DOWN all eu DOWN, us DOWN, ap ABSENT 2 of 3 say so', '2026… - UP → DOWN (late) us …'],
        sent: { gslbId: 'G1' },
      },
      { run: 'gslbs history shop.gslb.test web/eu --limit 5', sent: { memberId: 'M-eu', first: 5 }, out: '2026…' },
      {
        run: 'gslbs history shop.gslb.test',
        answers: { ...here([]), gslbHistory: list() },
        out: 'no verdict has changed yet\n',
      },
    ],
  },
  'force says what was asked of a member; one of two with a name is named with its pool': {
    answers: { ...here([member('eu', 'UP')]), gslbPoolMemberAdminStateSet: forced },
    rows: [
      {
        run: `gslbs force shop.gslb.test eu --state down --until ${until} --reason repair`,
        out: `eu is FORCED_DOWN until ${until}\n`,
        input: { id: 'M-eu', state: 'FORCED_DOWN', until, reason: 'repair' },
      },
      { run: 'gslbs force G1 web/eu --state auto', out: 'web/eu is AUTO\n' },
      { run: 'gslbs force G1 us --state up', exit: 1, err: "no member 'us' in the pools of shop" },
      { run: 'gslbs force G1 eu --state sideways', exit: 64, err: 'UP, DOWN, DRAIN, AUTO' },
      {
        run: 'gslbs force shop.gslb.test eu --state up',
        answers: here([member('eu', 'UP')], [...gslb.pools, { id: 'P2', name: 'spare', minUp: 1 }]),
        ...{ exit: 1, err: 'name one of web/eu, spare/eu' },
      },
    ],
  },
  'freeze keeps the answer, and releases it': {
    answers: {
      ...here([]),
      gslbFreeze: ({ input }: { input: { until: string | null } }) =>
        done({ gslb: { ...gslb, frozenAt: at, frozenUntil: input.until } })(),
      gslbUnfreeze: done({ gslb }),
    },
    rows: [
      {
        run: `gslbs freeze shop.gslb.test --until ${at} --reason maintenance`,
        out: `the answer of shop.gslb.test is frozen until ${at}\n`,
        input: { id: 'G1', reason: 'maintenance' },
      },
      { run: 'gslbs freeze G1 --release', out: 'shop.gslb.test follows its members again\n', input: { id: 'G1' } },
      { run: `gslbs freeze G1 --release --until ${at}`, exit: 64, err: '--release takes no --until' },
    ],
  },
  'explain shows each step with who was left out and why, and what each name server answers': {
    answers: { gslbExplain: () => explanation },
    rows: [
      {
        run: 'gslbs explain shop.gslb.test --client 192.0.2.0/24 --record a',
        sent: { name: 'shop.gslb.test', client: '192.0.2.0/24', type: 'A' },
        out: [
          ...[`Because of ${at} 2 of 3 say so`, 'Client in eu, EU', 'Answer 192.0.2.1', 'TTL 5 s', 'Scope /24'],
          ...['UP eu us ap (it is down)', 'GEO eu M-gone (another region)', 'ns1 192.0.2.53 192.0.2.1 0 3 ms'],
          'ns2 192.0.2.54 no answer within 2 s 1 -',
        ],
      },
      {
        run: `gslbs explain shop.gslb.test --at ${at}`,
        answers: { gslbExplain: () => ({ ...explanation, answer: answer(), servers: [], askedAt: at, flip: null }) },
        ...{ out: 'Answer SERVFAIL', sent: { at } },
      },
      {
        run: `gslbs explain shop.gslb.test --at ${at}`,
        answers: { ...here([]), gslbExplain: () => null },
        ...{ exit: 1, err: "no answer to 'shop.gslb.test'" },
      },
      { run: 'gslbs explain other.gslb.test', exit: 1, err: "there is no GSLB 'other.gslb.test'" },
    ],
  },
  'create takes its CMP object as one option or as three, and a refusal names those that were given': {
    answers: { gslbCreate: refused('ALREADY_EXISTS', 'there is one', 'input', 'cmpObject') },
    rows: [
      ['--cmp east:tenant/a/42', '--cmp'],
      [
        '--cmp-object-namespace east --cmp-object-type tenant --cmp-object-external-id a/42',
        '--cmp-object-namespace, --cmp-object-type, --cmp-object-external-id',
      ],
    ].map(([words, options]) => ({
      run: `gslbs create new.gslb.test ${words}`,
      input: { fqdn: 'new.gslb.test', cmpObject },
      ...{ exit: 1, err: `ALREADY_EXISTS: there is one (${options})` },
    })),
  },
};

const key = (keyTag: number, use: string, keyState: string) => ({ keyTag, use, keyState, since: at, namedSince: null });
const zone = (name: string, ...keys: readonly object[]) => ({
  ...{ __typename: 'DnsZone', id: `Z-${name.replaceAll('.', '-')}`, name, description: '', backend: null },
  ...{ backendType: 'ANSWERER', generation: 7, createdAt: at, rights: [{ suffix: name, project: null }], keys },
  ds: keys.length === 0 ? [] : [`${name}. IN DS 12345 13 2 AB`],
});
const allZones = [zone('gslb.test', key(12_345, 'ENTRY', 'ACTIVE')), zone('plain.test')];
const ofZones = { dnsZones: list(...allZones), node: byId(...allZones) };
const noAnswer = () => null;
const dnsZone = done({ dnsZone: allZones[0] });

export const zones: Scenes = {
  'list and show tell which zones are signed, and what the parent is to name': {
    answers: ofZones,
    rows: [
      { run: 'zones list', out: ['gslb.test - ANSWERER 7 SIGNED', 'plain.test - ANSWERER 7'] },
      ...each(['zones show GSLB.test.', 'zones show Z-gslb-test'], {
        out: [
          'DS for its parent gslb.test. IN DS 12345 13 2 AB',
          ...['gslb.test every project', '12345 ENTRY ACTIVE …'],
        ],
      }),
      { run: 'zones show none.test', exit: 1, err: 'none.test' },
    ],
  },
  'roll-key begins, is taken back, and is told what the parent names': {
    answers: ofZones,
    // Each verb of the graph has an answer only in its own row.
    rows: [
      {
        ...{ run: 'zones roll-key gslb.test', out: '…' },
        ...{ answers: { dnsZoneKeyRollBegin: dnsZone }, asked: [{ id: 'Z-gslb-test' }] },
      },
      {
        ...{ run: 'zones roll-key gslb.test --cancel', out: '…' },
        ...{
          answers: { ...ofZones, dnsZoneKeyRollBegin: noAnswer, dnsZoneKeyRollCancel: dnsZone },
          asked: [{ id: 'Z-gslb-test' }],
        },
      },
      {
        ...{ run: 'zones roll-key gslb.test --confirm 12345', out: '…' },
        ...{ answers: { dnsZoneKeyRollCancel: noAnswer, dnsZoneKeyRollConfirm: dnsZone } },
        asked: [{ id: 'Z-gslb-test', keyTag: 12_345 }],
      },
      { run: 'zones roll-key gslb.test --cancel --confirm 1', exit: 64, err: 'not both' },
    ],
  },
};

const machine = (name: string, machineRole: string) => ({
  ...{ __typename: 'Machine', id: `M-${name}`, name, machineRole, machineState: 'JOINED', version: 1, createdAt: at },
  ...{ joinedAt: at, expiresAt: at, revokedAt: null, copyRefusedAt: null },
});
const all = [
  { ...machine('eu-1', 'CHECKER'), id: 'M-revoked', machineState: 'REVOKED' },
  ...[machine('eu-1', 'CHECKER'), machine('ns1', 'DNS')],
];
const ofMachines = {
  machines: list(...all),
  node: byId(...all),
  machineCreate: done({ machine: all[0], joinToken: 'tgj_token', joinTokenExpiresAt: at }),
  gslbNameServerRecordSet: done({ gslbNameServerRecord: { machine: { id: 'M-ns1' }, addresses: [] } }),
  gslbCheckerRecordSet: done({ gslbCheckerRecord: { machine: { id: 'M-eu-1' }, vantagePointName: 'us' } }),
};
/** A token is shown once, with a warning. */
const made = { out: 'tgj_token\n', err: [] };
const [one, other] = ['198.51.100.53', '2001:db8::53'];

export const machines: Scenes = {
  'a machine is created with what it is for, and gets another place': {
    answers: ofMachines,
    rows: [
      {
        run: 'machines create eu-1 --role checker --vantage-point eu',
        ...{ ...made, asked: [{ name: 'eu-1', machineRole: 'CHECKER', gslbChecker: { vantagePoint: 'eu' } }] },
      },
      {
        run: 'machines update eu-1 --vantage-point us',
        out: 'eu-1 votes for us once its setting checker.vantagePoint has the same value\n',
        asked: [{ machineId: 'M-eu-1', vantagePoint: 'us' }],
      },
      ...each(['machines update eu-1', 'machines update eu-1 --vantage-point us --address 198.51.100.53'], {
        ...{ exit: 64, err: 'either --vantage-point' },
      }),
      {
        run: `machines create ns1 --role dns --address ${one} --address ${other}`,
        ...{ ...made, asked: [{ name: 'ns1', machineRole: 'DNS', gslbNameServer: { addresses: [one, other] } }] },
      },
      {
        run: `machines update ns1 --address ${other}`,
        out: `zones publish the addresses among ${other} at which ns1 answers\n`,
        asked: [{ machineId: 'M-ns1', addresses: [other] }],
      },
      {
        run: 'machines create rack-1 --role subgraph --subgraph inventory',
        ...{ ...made, asked: [{ name: 'rack-1', machineRole: 'SUBGRAPH', outsideSubgraph: { name: 'inventory' } }] },
      },
    ],
  },
  'a machine is found by its name, unless it is revoked, or by its id, in one request': {
    answers: ofMachines,
    rows: [
      ['eu-1', 'M-eu-1'],
      ['M-ns1', 'M-ns1'],
      ['M-revoked', 'M-revoked'],
      ['us-1', undefined],
    ].map(([given, id]) => ({
      run: `machines show ${given} --json`,
      ...(id === undefined ? { exit: 1, err: `tidegate: there is no machine '${given}'\n` } : { json: { id } }),
      // The last one searches for similar names, too.
      also: ({ requests }) =>
        expect(requests.filter(({ names }) => names !== undefined)).toEqual([
          { id: given, names: [given], first: 100, after: null },
        ]),
    })) satisfies readonly Row[],
  },
};
