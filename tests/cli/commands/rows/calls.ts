// Backends, the operations that are relayed to them, drivers, and the objects that they created.
import { expect } from '@jest/globals';
import { shortId } from '../../../../cli/short-id.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { byId, done, list, type Row, refused, type Scenes } from '../command-table.ts';

const at = '2026-01-31T12:00:00.000Z';
const aKey = expect.stringMatching(/^[0-9a-f-]{36}$/);
export const backend = (name: string, more: object = {}) => ({
  ...{ __typename: 'Backend', id: `id-${name}`, version: 1, name, family: 'FIREWALL', ordinal: 1 },
  ...{ driverName: 'linux-nftables', site: 'lab', host: '192.0.2.1', port: 22, enabled: true },
  ...{ operatingStatus: 'ONLINE', hostKeySha256: 'SHA256:abc', certificateSha256: null, presented: null },
  ...{ labels: [{ name: 'rack', value: 'b12' }], circuit: { state: 'CLOSED', reason: null }, replayUncertain: false },
  queue: { waiting: 2, inFlight: 1, holder: 'relay-1' },
  health: { checkedAt: null, latencyMs: 3, softwareVersion: 'nftables 1.0.6', message: null },
  ...more,
});
export const operation = (state: string, more: object = {}) => ({
  ...{ __typename: 'RelayOperation', id: 'op-1', name: 'rule.create', state, reason: null, createdAt: at },
  ...{ finishedAt: null, quietUntil: null, stateSource: null, settledBy: null, requestId: 'r-1' },
  ...{ requestedBy: { name: 'cmp', kind: 'API_TOKEN' }, wireCall: 'nft -j -f -', backend: { name: 'fw' } },
  cmpObject: { namespace: 'default', type: 'tenant', externalId: '42' },
  deviceError: { code: 'NO_REPLY', message: 'the device hung up' },
  evidence: [{ recordedAt: '2026-01-31T12:00:01.000Z', source: 'PROBE', finding: 'ABSENT_SO_FAR', note: null }],
  ...more,
});
const three = [backend('fw'), backend('fw', { id: 'id-2' }), backend('other')];
const fw = { backends: list(backend('fw')) };
const ofFw = done({ backend: backend('fw') });
const secondFault = { code: 'NOT_FOUND', message: 'no such backend', field: [] };
const operatorsOnly = refused('FORBIDDEN', 'operators only');

export const backends: Scenes = {
  'list reads every page': {
    answers: { backends: list(...Array.from({ length: 250 }, (_, index) => backend(`fw-${index}`))) },
    rows: [
      {
        run: 'backends list',
        out: 'fw-249 linux-nftables 192.0.2.1:22 lab yes ONLINE CLOSED 2 1',
        also: ({ stdout, requests }) => expect([stdout.split('\n').length, requests.length]).toEqual([252, 3]),
      },
    ],
  },
  'show finds by name or id; two with the same name must be distinguished': {
    answers: { backends: list(...three), backend: byId(...three) },
    rows: [
      { run: 'backends show other', out: ['Host key SHA256:abc', 'Labels rack=b12'] },
      { run: 'backends show id-2 --json', json: { id: 'id-2', name: 'fw' }, out: '…' },
      { run: 'backends show fw', exit: 1, err: 'id-fw, id-2' },
      { run: 'backends show nobody', exit: 1, err: "tidegate: there is no backend 'nobody'\n" },
    ],
  },
  'create sends the secret from its file, and its own key': {
    answers: { backendCreate: ofFw },
    rows: [
      {
        files: { id_ed25519: 'PRIVATE\n' },
        run: 'backends create fw --driver linux-nftables --host 192.0.2.1 --username tidegate --private-key-file DIR/id_ed25519 --label rack=b12 --port 2222 --host-key SHA256:abc',
        whole: {
          input: {
            ...{ idempotencyKey: aKey, name: 'fw', driver: 'linux-nftables', host: '192.0.2.1', port: 2222 },
            ...{ labels: [{ name: 'rack', value: 'b12' }], allowInit: false, separateObjects: false },
            ...{ hostKeySha256: 'SHA256:abc', credentials: { username: 'tidegate', privateKey: 'PRIVATE\n' } },
          },
        },
      },
    ],
  },
  'a refusal: exit code 1, with code, message and field': {
    answers: {
      ...fw,
      backendDelete: refused('HAS_MAPPINGS', 'has 3 live mappings', 'input', 'id'),
      backendHostKeyAccept: ofFw,
    },
    rows: [
      { run: 'backends delete fw --yes', exit: 1, err: 'tidegate: HAS_MAPPINGS: has 3 live mappings (NAME)\n' },
      { run: 'backends accept-host-key fw SHA256:abc', out: '…' },
    ],
  },
  'close-circuit closes the circuit of the named backend, and says why it was refused': {
    answers: { backends: list(backend('fw'), backend('other')), backendCircuitClose: ofFw },
    rows: [
      {
        run: 'backends close-circuit fw',
        ...{ out: 'Circuit CLOSED', whole: { input: { idempotencyKey: aKey, id: 'id-fw' } } },
      },
      {
        run: 'backends close-circuit other',
        answers: { backendCircuitClose: operatorsOnly },
        ...{ input: { id: 'id-other' }, exit: 1, err: 'tidegate: FORBIDDEN: operators only\n' },
      },
      {
        run: 'backends close-circuit other',
        answers: {
          backendCircuitClose: () => ({ userErrors: [...operatorsOnly().userErrors, secondFault], commit: null }),
        },
        exit: 1,
        err: 'tidegate: FORBIDDEN: operators only\ntidegate: NOT_FOUND: no such backend\n',
      },
    ],
  },
};

const inTurn = (...answers: readonly unknown[]) => {
  const left = [...answers];
  return () => (left.length > 1 ? left.shift() : left[0]);
};

export const operations: Scenes = {
  'list, show and settle': {
    answers: {
      relayOperations: list(operation('UNKNOWN')),
      relayOperation: () => operation('UNKNOWN'),
      relayOperationSettle: done({ operation: operation('FAILED') }),
    },
    rows: [
      {
        run: 'operations list --state unknown',
        out: `…op-1 ${at} fw rule.create UNKNOWN tenant/42 cmp (API token)`,
        sent: { states: ['UNKNOWN'], first: 20 },
      },
      {
        run: 'operations show op-1',
        out: [
          ...['Device error NO_REPLY: the device hung up', '…PROBE ABSENT_SO_FAR…', 'Requested by cmp (API token)'],
          'Audit trail tidegate audit list --subject op-1',
        ],
        also: ({ stdout }) => expect(stdout).toMatch(/^Requested by +cmp \(API token\)\nRequest +r-1\n/m),
      },
      {
        run: ['operations', 'settle', 'op-1', '--verdict', 'failed', '--note', 'looked at it'],
        ...{ out: '…', input: { id: 'op-1', verdict: 'FAILED', note: 'looked at it' } },
      },
    ],
  },
  'list passes its filters on, and continues after an empty page': {
    answers: {
      relayOperations: inTurn(
        { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'further' } },
        { nodes: [operation('FAILED')], pageInfo: { hasNextPage: false, endCursor: null } },
      ),
    },
    rows: [
      {
        run: [
          ...'operations list --cmp-object tenant/42 --name rule.create --created-from 2026-01-31T00:00:00Z'.split(' '),
          ...['--created-before', '2026-02-01T00:00:00Z', '--text', 'hung up'],
        ],
        out: 'op-1 …',
        sent: {
          cmpObject: { type: 'tenant', externalId: '42' },
          ...{ names: ['rule.create'], text: 'hung up', after: 'further' },
          ...{ createdFrom: '2026-01-31T00:00:00.000Z', createdBefore: '2026-02-01T00:00:00.000Z' },
        },
      },
    ],
  },
  'a missing operation; one that is waited for until its state is final': {
    answers: { relayOperation: () => null },
    rows: [
      { run: 'operations show op-9', exit: 1, err: "tidegate: there is no operation 'op-9'\n" },
      {
        run: 'operations show op-1 --wait 20',
        answers: { relayOperation: inTurn(operation('ACCEPTED'), operation('SUCCEEDED')) },
        out: 'State SUCCEEDED',
      },
    ],
  },
};

const schema = {
  properties: { set: { type: 'string', description: 'The set.' }, action: { enum: ['DROP', 'ACCEPT'] } },
  required: ['set'],
};
const driverOperation = (name: string) => ({
  ...{ name, summary: 'Adds it.', category: 'USER', effect: 'IDEMPOTENT', argumentsSchema: schema, checks: null },
  example: { set: 'x' },
});
const driver = {
  ...{ name: 'linux-nftables', family: 'FIREWALL', summary: 'nftables', credentialFields: ['username'] },
  ...{ optionsSchema: {}, typedMutations: [] },
  operations: [driverOperation('setElement.add'), driverOperation('rule.create')],
};

export const drivers: Scenes = {
  'are listed, and shown with the arguments of their operations; a name that is nearly one is told': {
    answers: { relayDrivers: () => [driver] },
    rows: [
      { run: 'drivers list', out: 'linux-nftables FIREWALL 2 nftables' },
      { run: 'drivers show linux-nftables', out: 'rule.create IDEMPOTENT set [action] Adds it.' },
      {
        run: 'drivers show linux-nftables --operation rule.create',
        out: ['Example {"set":"x"}', 'set yes string The set.', 'action no DROP | ACCEPT'],
      },
      { run: 'drivers show linux-nftable', exit: 1, err: "'linux-nftables' is near" },
      { run: 'drivers show linux-nftables --operation rule.crate', exit: 1, err: "'rule.create' is near" },
    ],
  },
};

const entry = (more: object) => ({
  ...{ recordedAt: at, actor: { name: 'ada', kind: 'USER' }, action: 'backendCreate', outcome: 'ACCEPTED' },
  ...{ code: null, subjectId: 'B1', requestId: 'r1', callerRequestId: null, project: null, details: { name: 'fw-1' } },
  ...more,
});
const byToken = { actor: { name: 'ci', kind: 'API_TOKEN' }, action: 'poolDelete', outcome: 'REFUSED', code: 'IN_USE' };
const verification = { intact: true, checked: 7, unsealed: 1, firstBrokenPosition: null, reason: null, cuts: [] };

export const audit: Scenes = {
  'list says who asked for what, of the entries that are asked for': {
    answers: {
      auditEntries: list(
        entry({}),
        entry({ ...byToken, details: null, callerRequestId: 'mine' }),
        entry({ actor: null }),
      ),
    },
    rows: [
      {
        run: 'audit list',
        also: ({ stdout }) =>
          expect(stdout.replaceAll(/ {2,}/g, '|')).toBe(
            `AT|WHO|MUTATION|OBJECT|RESULT|REQUEST
${at}|ada (user)|backendCreate|fw-1|ACCEPTED|r1
${at}|ci (API token)|poolDelete|B1|REFUSED IN_USE|mine
${at}|nobody|backendCreate|fw-1|ACCEPTED|r1
`,
          ),
      },
      {
        run: 'audit list --actor ada --outcome refused --limit 1',
        ...{ out: '…', sent: { actorName: 'ada', outcomes: ['REFUSED'], first: 1 } },
      },
    ],
  },
  'verify continues where a round ended; a broken trail is exit code 1': {
    answers: { auditVerification: inTurn({ ...verification, checked: 100_000 }, verification) },
    rows: [
      {
        run: 'audit verify',
        ...{ out: '100007 entries checked, 1 not sealed yet\n' },
        ...{ whole: { limit: 100_000, from: expect.any(String) }, requests: [{}, {}] },
      },
      {
        run: 'audit verify --json',
        answers: {
          auditVerification: () => ({
            ...{ ...verification, intact: false, firstBrokenPosition: '5', reason: 'hash differs' },
          }),
        },
        ...{ exit: 1, err: 'tidegate: the audit trail is broken at 5: hash differs\n', json: { intact: false } },
      },
    ],
  },
};

const change = (kind: string, subjectType: string, subjectId: string, from: string | null, to: string) => ({
  ...{ changedAt: at, kind, subjectType, subjectId, subjectVersion: 1, from, to, reason: 'no answer', requestId: null },
});
const settled = { ...change('relayOperation.state', 'RelayOperation', 'op-1', 'SENT', 'SUCCEEDED'), reason: null };
const broken = (type: string, id: string) => change('x.state', type, id, null, 'ERROR');
const web = { loadBalancer: { name: 'web' } };
const all = [
  ...[broken('LoadBalancerNode', 'N1'), broken('PoolMember', 'M1'), broken('AutoscalingPolicy', 'A1')],
  ...[broken('Backend', 'B1'), broken('LoadBalancer', 'gone'), broken('RelayOperation', 'O1')],
];

export const events: Scenes = {
  'the newest are printed': {
    answers: { statusHistory: list(settled, settled) },
    rows: [
      {
        run: 'events list --kind relayOperation.state',
        sent: { kinds: ['relayOperation.state'] },
        also: ({ stdout, requests }) => {
          expect(stdout.split('\n')[0]).toBe(`${at}  relayOperation.state  op-1  SENT → SUCCEEDED`);
          expect(requests[0]).toMatchObject({ kinds: ['relayOperation.state'], first: 20 });
        },
        out: '…',
      },
    ],
  },
  'events name their subjects; what can not be read keeps its id': {
    answers: {
      statusHistory: list(...all, ...all.slice(0, 1)),
      node: byId(
        { __typename: 'LoadBalancerNode', id: 'N1', name: 'n1', ...web },
        { __typename: 'PoolMember', id: 'M1', name: '', host: '192.0.2.1', port: 80, ...web },
        { __typename: 'AutoscalingPolicy', id: 'A1', ...web },
        { __typename: 'Backend', id: 'B1', name: 'fw' },
      ),
    },
    rows: [
      {
        run: 'events list',
        out: '…',
        also: ({ stdout, requests }) => {
          const told = stdout.split('\n').map((line) => line.split('  ')[2]);
          expect(told.slice(0, -1)).toEqual([
            ...['n1 of web', '192.0.2.1:80 of web', 'web', 'fw', 'gone', 'O1', 'n1 of web'],
          ]);
          // Each subject was requested once.
          expect(requests.filter(({ id }) => id === 'N1')).toHaveLength(1);
        },
      },
    ],
  },
};

const edgeId = encodeId('Backend', newUuid());
const edge = backend('edge', { id: edgeId, operatingStatus: 'OFFLINE' });
const payload = (state: string, more: object = {}) =>
  done({
    operation: operation(state, { deviceError: { code: 'DEVICE_REFUSED', message: 'no such chain' }, ...more }),
    ...{ mapping: null, deviceCheck: null, wireCall: 'nft add rule' },
  });
const well = { deviceError: null };
const checked = (deviceCheck: object | null) =>
  done({ operation: null, mapping: null, deviceCheck, wireCall: 'nft add rule' });
const cmpObject = { namespace: 'default', type: 'tenant', externalId: '42' };
const ofEdge = { backends: list(edge) };

const blocked = '{"set": "blocked"}';

export const calls: Scenes = {
  'a call, with arguments from the line, a file or nothing, for a CMP object': {
    answers: { ...ofEdge, relayCall: payload('SUCCEEDED', well) },
    rows: [
      ...[['--arguments', blocked], ['--arguments', 'DIR/arguments.json'], []].map(
        (given): Row => ({
          files: { 'arguments.json': blocked },
          run: ['call', 'edge', 'setElement.add', ...given, '--cmp-object', 'tenant/42'],
          out: 'State SUCCEEDED',
          requests: [
            {
              input: {
                ...{ backend: { name: 'edge' }, operation: 'setElement.add', dryRun: false, cmpObject },
                arguments: given.length === 0 ? {} : { set: 'blocked' },
              },
            },
          ],
        }),
      ),
      {
        run: `call ${shortId(edgeId)} setElement.add --idempotency-key k`,
        ...{ out: '…', requests: [{ input: { backend: { id: edgeId }, idempotencyKey: 'k' } }] },
      },
    ],
  },
  'a call that fails, or whose end is unknown, is no success': {
    answers: { ...ofEdge, relayCall: payload('FAILED') },
    rows: [
      { run: 'call edge rule.create', exit: 1, err: 'the call is FAILED: DEVICE_REFUSED: no such chain' },
      {
        run: 'call edge rule.create',
        ...{ answers: { relayCall: payload('UNKNOWN') }, exit: 1, err: 'tidegate operations settle' },
      },
    ],
  },
  '--wait reads the call until it has ended': {
    answers: {
      ...ofEdge,
      relayCall: payload('SENT'),
      relayOperation: inTurn(operation('ACCEPTED', well), operation('SUCCEEDED', well)),
    },
    rows: [{ run: 'call edge rule.create --wait 20', out: 'State SUCCEEDED', requests: [{}, {}, {}] }],
  },
  '--check-only prints what would be sent, and fails if the device would refuse it': {
    answers: { ...ofEdge, relayCall: checked(null) },
    rows: [
      {
        run: 'call edge rule.create --check-only',
        ...{ out: 'Wire call  nft add rule\n', requests: [{ input: { dryRun: true } }] },
      },
      {
        run: 'call edge rule.create --check-only',
        ...{ answers: { relayCall: checked({ code: 'X', message: 'no' }) }, exit: 1 },
      },
    ],
  },
  'a read prints its result; arguments that are none are refused': {
    answers: {
      ...ofEdge,
      relayRead: () => ({ result: { rules: 3 }, wireCall: '', deviceError: null, userErrors: [] }),
    },
    rows: [
      { run: 'read edge rules.list', also: ({ stdout }) => expect(JSON.parse(stdout)).toEqual({ rules: 3 }) },
      {
        run: 'read edge rules.list',
        answers: {
          relayRead: () => ({ result: null, wireCall: '', deviceError: { code: 'X', message: 'no' }, userErrors: [] }),
        },
        ...{ exit: 1, err: 'X: no' },
      },
      { run: ['read', 'edge', 'x', '--arguments', '{"a":'], exit: 64, err: '--arguments must be a JSON object' },
      { run: 'read edge x --arguments /nowhere/arguments', exit: 1, err: "/nowhere/arguments can't be read" },
    ],
  },
};

export const mapping = (id: string, more: object = {}) => ({
  ...{ id, mappingState: 'ACTIVE', mappingRole: '', resource: 'rule', scope: 'inet filter forward', cmpObject },
  ...{ objectKey: `key-${id}`, uuid: null, shared: false, wantedSettings: [{ name: 'action', value: 'ACCEPT' }] },
  ...{ createdAt: at, updatedAt: at, backend: { id: 'id-fw', name: 'fw' }, lastVerification: null, ...more },
});
const verified = (result: string, ...differences: object[]) => ({
  lastVerification: { verifiedAt: '2026-01-31T13:00:00.000Z', result, differences },
});
const several = (count: number) => Array.from({ length: count }, (_, index) => mapping(`m${index}`));
const found = {
  m3: verified('DRIFTED', { path: 'source.address', wanted: '192.0.2.0/24', found: null }),
  m5: verified('MISSING'),
};
/** Four requests are answered once all of them have arrived, after a delay in which a fifth could arrive. */
const fourAtOnce = { under: 0, most: 0, four: Promise.withResolvers<void>() };
async function verify({ input: { id } }: { input: { id: string } }): Promise<unknown> {
  fourAtOnce.under += 1;
  fourAtOnce.most = Math.max(fourAtOnce.most, fourAtOnce.under);
  if (fourAtOnce.under === 4) setTimeout(fourAtOnce.four.resolve, 20);
  await fourAtOnce.four.promise;
  fourAtOnce.under -= 1;
  if (id === 'm7') return refused('OBJECT_BUSY', 'a call is under way')();
  return done({ mapping: mapping(id, found[id as 'm3'] ?? verified('MATCHES')) })();
}
const verifiedAs = (result: string) => ({ mappingVerify: done({ mapping: mapping('m1', verified(result)) }) });
const ofCmpObject = '--cmp-object east:tenant/a/42';
const drifted = (id: string, more: object) => mapping(id, { ...verified('DRIFTED'), ...more });

const uuidOf = (call: number) => `00000000-0000-4000-8000-00000000000${call}`;
const callIdOf = (call: number) => encodeId('RelayOperation', uuidOf(call));
/** The mapping's own, by its mark and by its id on the device; a known call's, a lost call's, and somebody else's. */
const markedRules = [
  { name: 'one', operationId: uuidOf(1) },
  { handle: 7, operationId: uuidOf(3) },
  { name: 'two', operationId: uuidOf(2) },
  { comment: `tg:${uuidOf(9)} lost` },
  { comment: 'by hand', operationId: null },
];

export const mappings: Scenes = {
  'list sends the filters, and reads page by page up to its limit': {
    answers: { ...fw, mappings: list(...several(250)) },
    rows: [
      {
        run: 'mappings list --backend fw --state active --verification DRIFTED --verification missing --updated-from 2026-01-31 --limit 150',
        out: 'm149 tenant/42 fw rule inet filter forward key-m149 ACTIVE - 2026…',
        also: ({ stdout, requests }) => {
          expect(stdout.trim().split('\n')).toHaveLength(151);
          expect(requests.slice(1)).toEqual([
            {
              ...{ backendId: 'id-fw', states: ['ACTIVE'], verification: ['DRIFTED', 'MISSING'] },
              ...{ updatedFrom: '2026-01-31T00:00:00.000Z', first: 100, after: null },
            },
            expect.objectContaining({ first: 50, after: '100' }),
          ]);
        },
      },
    ],
  },
  'list of one CMP object; the other filters apply to it too': {
    answers: {
      ...fw,
      cmpObject: () => ({
        mappings: list(
          drifted('drifted', { mappingRole: 'front' }),
          drifted('elsewhere', { backend: { id: 'id-2', name: 'other' } }),
          drifted('old', { updatedAt: '2025-01-01T00:00:00.000Z' }),
          mapping('fine', verified('MATCHES')),
        ),
      }),
    },
    rows: [
      {
        run: `mappings list ${ofCmpObject} --backend fw --verification DRIFTED --updated-from 2026-01-01 --json`,
        ...{ out: '…', json: [{ id: 'drifted' }], sent: { namespace: 'east', type: 'tenant', externalId: 'a/42' } },
      },
      { run: `mappings list ${ofCmpObject} --limit 2`, out: '…tenant/42 (front)…' },
      { run: `mappings list ${ofCmpObject}`, answers: { cmpObject: () => null }, out: 'ID…' },
    ],
  },
  'verify of a backend: four at once, differences are shown, and the exit code reflects them': {
    answers: { ...fw, mappings: list(...several(12)), mappingVerify: verify },
    rows: [
      {
        run: 'mappings verify --backend fw',
        ...{ exit: 1, err: 'tidegate: 3 of 12 objects do not match\n' },
        out: `DRIFTED  fw rule inet filter forward key-m3  tenant/42  m3
  source.address: wanted 192.0.2.0/24, found none
MISSING  fw rule inet filter forward key-m5  tenant/42  m5
NOT_SEEN  fw rule inet filter forward key-m7  tenant/42  m7
  OBJECT_BUSY: a call is under way
9 MATCHES, 1 DRIFTED, 1 MISSING, 1 NOT_SEEN
`,
        also: ({ requests }) => {
          expect(fourAtOnce.most).toBe(4);
          expect(requests[1]).toMatchObject({ backendId: 'id-fw', states: ['ACTIVE', 'UNVERIFIED'] });
        },
      },
      {
        run: 'mappings verify --backend fw --json',
        exit: 1,
        json: {
          ...{ MATCHES: 9, DRIFTED: 1, MISSING: 1, NOT_SEEN: 1 },
          mappings: [
            ...[{ id: 'm3', result: 'DRIFTED' }, { id: 'm5' }, { id: 'm7', why: 'OBJECT_BUSY: a call is under way' }],
          ],
        },
      },
    ],
  },
  'verify with --unmapped also finds marked objects without a mapping, in every place of a recorded call': {
    answers: {
      ...fw,
      ...verifiedAs('MATCHES'),
      mappings: list({ ...mapping('m1'), uuid: '7', operation: { id: callIdOf(1) } }),
      backend: () => ({
        ...backend('fw'),
        driverOperations: [
          { name: 'rule.list', effect: 'READ', argumentsSchema: { properties: { chain: {} }, required: ['chain'] } },
          { name: 'rule.create', effect: 'NON_IDEMPOTENT', argumentsSchema: {} },
          { name: 'table.list', effect: 'READ', argumentsSchema: {} },
        ],
      }),
      relayOperations: list(
        { id: callIdOf(1), arguments: { chain: 'forward', name: 'one' } },
        { id: callIdOf(2), arguments: { chain: 'forward', name: 'two' } },
        { id: callIdOf(3), arguments: { other: true } },
      ),
      relayRead: ({ input: { operation } }: { input: { operation: string } }) =>
        operation === 'rule.list'
          ? { deviceError: null, userErrors: [], result: { rules: markedRules } }
          : { deviceError: null, userErrors: [{ code: 'BUSY', message: 'full', field: [] }], result: null },
    },
    rows: [
      {
        run: 'mappings verify --backend fw --unmapped',
        exit: 1,
        err: 'tidegate: 0 of 1 objects do not match, 2 have no mapping, and 1 lists could not be read\n',
        out: `1 MATCHES, 0 DRIFTED, 0 MISSING
UNMAPPED  rule.list  call ${uuidOf(2)}  {"name":"two","operationId":"${uuidOf(2)}"}
UNMAPPED  rule.list  call ${uuidOf(9)} (not recorded)  {"comment":"tg:${uuidOf(9)} lost"}
not read: table.list {}: BUSY: full
2 UNMAPPED
`,
        also: ({ requests }) => {
          const reads = requests.filter((each) => 'input' in each && 'operation' in (each.input as object));
          expect(reads.map(({ input }) => (input as { arguments: object }).arguments)).toEqual([
            { chain: 'forward' },
            {},
          ]);
        },
      },
      { run: 'mappings verify --cmp tenant/42 --unmapped', exit: 64, err: '…--unmapped needs --backend NAME…' },
    ],
  },
  'verify of all matching mappings, and of one': {
    answers: { ...fw, mappings: list(mapping('m1')), ...verifiedAs('MATCHES') },
    rows: [
      { run: 'mappings verify --backend fw', out: '1 MATCHES, 0 DRIFTED, 0 MISSING\n' },
      { run: 'mappings verify m1', out: 'Found MATCHES' },
      {
        run: 'mappings verify m1',
        ...{ answers: verifiedAs('MISSING'), exit: 1, err: 'tidegate: the backend object is MISSING\n' },
      },
    ],
  },
  'adopt and forget': {
    answers: {
      ...fw,
      mappingAdopt: done({ mapping: mapping('m1') }),
      mappingForget: done({ mapping: mapping('m1', { mappingState: 'DELETED' }) }),
    },
    rows: [
      {
        run: [
          ...'mappings adopt --cmp tenant/42 --backend fw --resource rule --key web --uuid 7 --shared --role x'.split(
            ' ',
          ),
          ...['--scope', 'inet filter forward'],
        ],
        out: 'Wanted action=ACCEPT',
        whole: {
          input: {
            ...{ idempotencyKey: aKey, backend: { id: 'id-fw' }, cmpObject: { ...cmpObject, mappingRole: 'x' } },
            ...{ resource: 'rule', scope: 'inet filter forward', objectKey: 'web', uuid: '7', shared: true },
          },
        },
      },
      { run: 'mappings forget m1', out: '…the object is still on the backend…' },
    ],
  },
  'wrong use': {
    rows: Object.entries({
      'list --cmp 42': 'is not TYPE/ID',
      'list --verification BROKEN': '--verification must be one of MATCHES, DRIFTED, MISSING',
      'list --state GONE': '--state must be one of ACTIVE',
      'list --updated-from yesterday': 'is not a time',
      verify: 'give a mapping, --backend or --cmp',
      'adopt --backend fw --resource rule --key k': 'give --cmp TYPE/ID',
      'export all': 'too many arguments',
    }).map(([line, err]) => ({ run: `mappings ${line}`, exit: 64, err })),
  },
};

const became = (more: Readonly<Record<string, readonly object[]>> = {}) => ({
  cmpObject: () => ({
    mappings: list(...(more.mappings ?? [])),
    relayOperations: () => ({ nodes: more.relayOperations ?? [] }),
    ...{ loadBalancers: list(...(more.loadBalancers ?? [])), gslbs: list(...(more.gslbs ?? [])) },
    objectContainers: list(...(more.objectContainers ?? [])),
  }),
});
const failing = (code: string) => ({
  cmpObject: () => {
    throw Object.assign(new Error('the relay is away'), { extensions: { code } });
  },
});
const active = { provisioningStatus: 'ACTIVE' };
const container = {
  id: 'c',
  name: 'photos',
  option: { name: 'standard' },
  createdAt: at,
  project: { name: 'default' },
};

export const cmpObjects: Scenes = {
  'show has everything that it became, and the newest calls for it': {
    answers: became({
      mappings: several(150),
      relayOperations: [operation('SUCCEEDED')],
      loadBalancers: [{ ...active, id: 'lb', name: 'web', urls: ['http://web.test/'], operatingStatus: 'ONLINE' }],
      gslbs: [{ ...active, id: 'g', fqdn: 'shop.test', policy: 'GEO', operatingStatus: 'UNKNOWN' }],
      objectContainers: [container],
    }),
    rows: [
      {
        run: 'cmp-objects show tenant/42',
        out: [
          'm149 tenant/42 fw rule inet filter forward key-m149 ACTIVE…',
          'op-1 2026… fw rule.create SUCCEEDED tenant/42 cmp (API token)',
        ],
        also: ({ stdout }) => {
          expect(stdout).toMatch(/^tenant\/42\n.*\nrelay\n {2}ID +FOR +BACKEND/);
          for (const line of [/^ {2}m149 /m, /^ {2}op-1 /m]) expect(stdout).toMatch(line);
          expect(stdout).toMatch(/^loadbalancer\n {2}NAME .*\n {2}web +ACTIVE +ONLINE +http:\/\/web\.test\/$/m);
          expect(stdout).toMatch(/^gslb\n {2}NAME .*\n {2}shop\.test +GEO +ACTIVE +UNKNOWN$/m);
          expect(stdout).toMatch(/^object-storage\n {2}CONTAINER .*\n {2}photos +default +standard +2026\S+$/m);
        },
      },
      {
        run: 'cmp-objects show tenant/42 --json',
        ...{ out: '…', json: { ...cmpObject, relay: { operations: [{ id: 'op-1' }] } } },
        also: ({ stdout }) => expect(JSON.parse(stdout).relay.mappings).toHaveLength(150),
      },
    ],
  },
  "another CMP's object, and one that has become nothing yet": {
    answers: became(),
    rows: [
      {
        run: 'cmp-objects show east:tenant/a/42',
        out: 'east:tenant/a/42\n\nrelay\n  no backend object\n\nloadbalancer\n  no load balancer\n\ngslb\n  no GSLB\n\nobject-storage\n  no container\n',
        also: ({ requests }) =>
          expect(requests[0]).toMatchObject({ namespace: 'east', type: 'tenant', externalId: 'a/42' }),
      },
    ],
  },
  'an unavailable subgraph is reported with exit code 1; one that is not in the graph is not a failure': {
    rows: [
      {
        run: 'cmp-objects show tenant/42',
        ...{ answers: { cmpObject: () => null }, exit: 1 },
        err: 'tidegate: incomplete: relay, loadbalancer, gslb, object-storage gave no answer\n',
        also: ({ stdout }) => expect(stdout).toContain('relay\n  no answer'),
      },
      {
        run: 'cmp-objects show tenant/42',
        ...{ answers: failing('SUBGRAPH_UNAVAILABLE'), exit: 1 },
        also: ({ stdout }) => expect(stdout).toContain('relay\n  SUBGRAPH_UNAVAILABLE: the relay is away'),
      },
      {
        run: 'cmp-objects show tenant/42',
        ...{ answers: failing('GRAPHQL_VALIDATION_FAILED'), out: '…not part of this deployment…' },
      },
      { run: 'cmp-objects show tenant/42', answers: failing('FORBIDDEN'), exit: 1 },
    ],
  },
};
