// How objects are found: by their names and ids, by the verbs for all kinds, and in the options of others.
import { expect } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { shortId } from '../../../../cli/short-id.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { byId, done, list, type Row, type Scenes } from '../command-table.ts';
import type { Answers } from '../graph-server.ts';
import { backend, operation } from './calls.ts';

const at = '2026-01-31T12:00:00.000Z';
type Text = { readonly first: number; readonly after: string | null; readonly text?: string | null };
/** The items that contain the requested text. */
const containing =
  (...nodes: readonly { readonly id?: string; readonly name: string; readonly project?: object }[]) =>
  (args: Text) =>
    list(...nodes.filter(({ name }) => name.includes(args.text ?? '')))(args);
/** Every list that is not mentioned is empty. */
export const emptyBeside = (answers: Answers): Answers => {
  const known = answers as Readonly<Record<string, unknown>>;
  return new Proxy(answers, {
    get: (_, field) => known[String(field)] ?? list(),
    ownKeys: () => Reflect.ownKeys(known),
  });
};

const id = encodeId('Backend', newUuid());
const edge = backend('edge', { id, operatingStatus: 'OFFLINE' });
const operationId = encodeId('RelayOperation', newUuid());
const failed = operation('FAILED', {
  ...{ id: operationId, backend: edge },
  deviceError: { code: 'DEVICE_REFUSED', message: 'no such chain' },
});
const nothing = { totalCount: 0, counts: [], needs: [], notShown: [] };
const well = Object.fromEntries(
  ['alerts', 'database', 'relay', 'loadBalancing', 'gslb', 'objectStorage'].map((domain) => [domain, nothing]),
);
const silentServer = {
  ...{ kind: 'NAME_SERVER_ABSENT', severity: 'CRITICAL', subjectType: 'GslbNameServer', subjectId: 'n3' },
  ...{ subjectName: 'ns3', status: 'ABSENT', reason: null, since: null, endsAt: null },
};
const needed = { ...well, gslb: { ...nothing, totalCount: 1, needs: [silentServer] } };
const edges = {
  attention: () => well,
  backends: containing(edge, backend('edge-2', { id: encodeId('Backend', newUuid()), operatingStatus: 'OFFLINE' })),
};
const settled = {
  ...{ changedAt: at, kind: 'relayOperation.state', subjectType: 'RelayOperation', subjectId: operationId },
  ...{ subjectVersion: 2, from: 'SENT', to: 'FAILED', reason: null, requestId: null },
};
const unwell = {
  ...{ ...edge, circuit: { state: 'OPEN', reason: 'refused' }, queue: { waiting: 1, inFlight: 0, holder: null } },
  health: { checkedAt: null, message: 'connection refused' },
};

export const find: Scenes = {
  'objects of all kinds with the word in their name; nothing is a failure': {
    answers: emptyBeside({ ...edges, objectClusters: containing({ id: 'c', name: 'edge-north' }) }),
    rows: [
      { run: 'find edge', out: [`edge backend OFFLINE ${shortId(id)}`, 'edge-north cluster - c'] },
      { run: 'find edge -o json', out: '…', json: [{}, {}, {}] },
      { run: 'find zzz', exit: 1, out: '', err: "'zzz'" },
      { run: ['find', ' '], exit: 64 },
    ],
  },
  'what a subgraph does not answer is told, and is no success': {
    answers: emptyBeside({
      ...edges,
      gslbs: () => {
        throw new Error('Subgraph gslb is not available');
      },
    }),
    rows: [{ run: 'find edge', exit: 1, err: 'incomplete: GSLB', out: '…edge-2…' }],
  },
  'a machine that needs attention is found, although no list of kinds has it': {
    answers: emptyBeside({ ...edges, attention: () => needed }),
    rows: [{ run: 'find ns3', out: 'ns3 GslbNameServer name server not connected n3' }],
  },
  'an unknown domain is no success': {
    answers: emptyBeside({ ...edges, attention: () => ({ ...needed, relay: null }) }),
    rows: [{ run: 'find ns3', exit: 1, err: 'backends' }],
  },
};

export const why: Scenes = {
  'a backend, named by its name, its short and its whole id': {
    answers: emptyBeside({
      ...{ ...edges, node: () => unwell },
      ...{ relayOperations: list(failed), statusHistory: list(settled) },
    }),
    rows: ['edge', shortId(id), id].map((given) => ({
      run: `why ${given}`,
      out: [
        ...['Operating status OFFLINE', 'Circuit state OPEN, reason refused', 'Health message connection refused'],
        ...['LAST EVENTS', `${shortId(operationId)} …rule.create FAILED…`],
      ],
    })),
  },
  'an operation shows what the device said; a name of nothing names what is like it': {
    answers: emptyBeside({ ...edges, node: byId(edge, failed) }),
    rows: [
      { run: `why ${operationId}`, out: 'Device error code DEVICE_REFUSED, message no such chain' },
      { run: 'why edg', exit: 1, err: 'found were backend edge' },
    ],
  },
  'an id of nothing is said to be none': {
    answers: emptyBeside({ ...edges, node: () => null }),
    rows: [{ run: `why ${id}`, exit: 1, err: 'there is no Backend' }],
  },
};

const project = { __typename: 'Project', id: 'P1', name: 'mine' };
const things = [
  ...Array.from({ length: 150 }, (_, index) => ({ id: `T${index}`, name: `other-${index}`, project })),
  ...['A', 'B', 'Z'].map((id) => ({ id, name: id === 'Z' ? 'wanted' : 'both', project })),
];
const projects = list({ id: 'P1', name: 'mine' }, { id: 'P2', name: 'theirs' });
/** A noun with a verb that names one object: its call, its list, its field, and the mutation. */
const nouns = [
  ['hosts release', 'host', 'loadBalancerHosts', 'loadBalancerHost', 'loadBalancerHostCordonLift'],
  ['certificates delete', 'certificate', 'tlsCertificates', 'tlsCertificate', 'tlsCertificateDelete'],
  ['subnets delete', 'subnet', 'projectSubnets', 'projectSubnet', 'projectSubnetDelete'],
  ['clusters update', 'cluster', 'objectClusters', 'objectCluster', 'objectClusterUpdate'],
  ['options keep', 'option', 'objectOptions', 'objectOption', 'objectOptionDeleteCancel'],
] as const;
const inProject = ['certificate', 'subnet'];
const missing = (what: string, name: string) => ({ exit: 1, err: `tidegate: there is no ${what} '${name}'\n` });

const manyThings = Array.from({ length: 1_000 }, (_, index) => ({ id: `T${index}`, name: `other-${index}`, project }));
const almost = [
  ['backend', 'operations list --backend', 'backends'],
  ['project', 'backends list --project', 'projects'],
  ['load balancer', 'loadbalancers show', 'loadBalancers'],
] as const;
const named = (objectId: string) => list({ id: objectId, name: 'web', operatingStatus: 'ONLINE' });
const auditEntry = { recordedAt: at, actor: null, action: 'x', outcome: 'ACCEPTED', details: null };

export const byName: Scenes = {
  ...Object.fromEntries(
    nouns.map(([verb, what, all, one, mutation]) => [
      `a ${what} is found by name or id in one request`,
      {
        answers: {
          ...{ projects, [all]: list(...things), [one]: byId(...things) },
          node: byId(...things.map((each) => ({ __typename: 'ProjectSubnet', ...each }))),
          [mutation]: done({ [one]: null }),
        },
        rows: [
          ...['wanted', 'Z'].map(
            (given): Row => ({
              run: `${verb} ${given}`,
              also: ({ requests }) =>
                expect(requests).toEqual([
                  { id: given, names: [given], first: 100, after: null },
                  { input: expect.objectContaining({ id: 'Z' }) },
                ]),
            }),
          ),
          { run: `${verb} none`, ...missing(what, 'none') },
          {
            run: `${verb} both`,
            exit: 1,
            err: `tidegate: several ${what}s have the name 'both'; use one of these ids: A, B\n`,
          },
          // By id, it is found only in the named project.
          ...(inProject.includes(what)
            ? [{ run: `${verb} Z --project mine` }, { run: `${verb} Z --project theirs`, ...missing(what, 'Z') }]
            : []),
        ],
      },
    ]),
  ),
  ...Object.fromEntries(
    almost.map(([what, verb, all]) => {
      const asked: (string | null)[] = [];
      const answer = (args: Text) => {
        asked.push(args.text ?? null);
        return containing(...manyThings, { id: 'F', name: 'lab-firewall', project })(args);
      };
      const row = {
        run: `${verb} lab-firewal`,
        ...{ exit: 1, err: `tidegate: there is no ${what} 'lab-firewal'; 'lab-firewall' is near\n` },
        // One query by name, and some short ones for similar names.
        also: () => expect(asked).toEqual([null, 'lab', 'wal', '']),
      };
      return [
        `a ${what} with a name that is nearly one: the message has that one`,
        { answers: { [all]: answer }, rows: [row] },
      ];
    }),
  ),
  'a name that objects of several kinds have is told apart by the kind': {
    answers: emptyBeside({ loadBalancers: named('LB'), gslbPools: named('GP'), auditEntries: list(auditEntry) }),
    rows: [
      {
        run: 'audit list --subject web',
        exit: 1,
        err: "several objects have the name 'web'; name one of loadbalancers/web, gslb-pools/web",
      },
      ...Object.entries({ 'loadbalancers/web': 'LB', 'lb/web': 'LB', 'gslb-pool/web': 'GP' }).map(
        ([given, subjectId]): Row => ({ run: `audit list --subject ${given}`, out: '…', sent: { subjectId } }),
      ),
      {
        run: 'audit list --subject n06f30a90b1',
        ...{ exit: 1, err: '"tidegate loadbalancers decisions NAME" shows why a node was removed' },
      },
    ],
  },
};

export const forAdministrators: Scenes = {
  'what is for administrators says how to be one': {
    answers: {
      haMoves: () => {
        throw new GraphQLError('Only administrators may do this.', { extensions: { code: 'FORBIDDEN' } });
      },
    },
    rows: [
      {
        run: 'ha moves --data DIR',
        exit: 1,
        err: 'tidegate: FORBIDDEN: Only administrators may do this. Give --user and --password-file of one, or log in with "tidegate login".\n',
      },
      {
        ...{ files: { 'admin.password': 'x' }, run: 'ha moves --data DIR' },
        ...{ exit: 1, err: 'Give --user admin --password-file DIR/admin.password, or' },
      },
    ],
  },
};
