// Clusters of object storage, their options, rings and access keys.
import { expect } from '@jest/globals';
import { byId, done, list, refused, type Scenes } from '../command-table.ts';

const at = '2026-01-31T12:00:00.000Z';
const service = (role: string, name: string, more: object = {}) => ({
  ...{ role, name, ready: true, drained: false, message: null, version: '0.1.0', ...more },
});
const cluster = (name: string, number: number, clusterState = 'ACTIVE') => ({
  ...{ __typename: 'ObjectCluster', id: `C${number}`, name, number, zone: name, weight: 100, site: null, version: 1 },
  ...{ clusterState, presence: number === 0 ? 'PRESENT' : 'ABSENT', createdAt: at, controllerUrls: [] },
  ...{ peerUrls: ['https://n.example:7443'], s3Urls: ['https://s3.n.example'] },
  controllers: [
    {
      ...{ name: `${name}-1`, presence: 'PRESENT', heardAt: at, version: '0.1.0' },
      ...{ behindDocuments: 2, clockAheadMs: 12, rings: [{ number: 0, epoch: 3 }] },
      links: [{ number: 1, connected: true, behindPartitions: 7, lagMs: 250, cluster: { name: 'south' } }],
      services: [
        service('objectserver', 's1', { ready: false, message: 'no database' }),
        service('objectserver', 's2', { ready: false, drained: true, message: 'it is drained, and serves no users' }),
        service('objectcontroller', 's2'),
      ],
      disk: { usedBytes: 1.5e9, totalBytes: 4e9 },
    },
  ],
});
const all = [cluster('north', 0), cluster('south', 1)];
const here = { objectClusters: list(...all), objectCluster: byId(...all) };
const given = '--zone attic --weight 50 --peer-url https://a.example --peer-url https://b.example';
const ofNorth = done({ objectCluster: all[0] });

export const clusters: Scenes = {
  'clusters are listed, and shown with what their controllers see': {
    answers: here,
    rows: [
      {
        run: 'clusters list',
        out: ['north 0 ACTIVE north 100 https://s3.n.example -', 'south 1 ACTIVE not heard…'],
      },
      {
        run: 'clusters show north',
        out: [
          ...['Cluster north (number 0)', 'Controller north-1', 'Lacks 2 documents', 'Clock 12 ms ahead', 'Rings 0:3'],
          ...['Disk 1.5 of 4.0 GB', 'south connected 7 250 ms', 'objectserver s1 not ready: no database 0.1.0'],
          'objectserver s2 drained: it is drained, and serves no users 0.1.0',
          'objectcontroller s2 ready 0.1.0',
        ],
      },
      { run: 'clusters lag', out: 'north south connected 7 250 ms' },
      { run: 'clusters show west', exit: 1, err: "tidegate: there is no cluster 'west'\n" },
    ],
  },
  'a cluster is added with a token for its controller, changed and removed': {
    answers: {
      ...here,
      objectClusterCreate: done({ objectCluster: cluster('west', 2) }),
      machineCreate: done({ joinToken: 'tgj_token', joinTokenExpiresAt: at }),
      objectClusterUpdate: ofNorth,
      objectClusterDelete: done({ deletedId: 'C1' }),
      objectRings: list(),
    },
    rows: [
      {
        run: `clusters add west ${given}`,
        ...{ out: 'tgj_token\n', err: 'west is cluster 2.' },
        inputs: [
          { name: 'west', zone: 'attic', weight: 50, peerUrls: ['https://a.example', 'https://b.example'] },
          { name: 'west', machineRole: 'OBJECTCONTROLLER' },
        ],
        also: ({ requests }) => expect(requests[0]?.input).not.toHaveProperty('s3Urls'),
      },
      {
        run: 'clusters update north --state draining --rename nord',
        ...{ out: '…', inputs: [{ id: 'C0', name: 'nord', clusterState: 'DRAINING' }] },
      },
      { run: 'clusters remove south', out: '…south is removed…', inputs: [{ id: 'C1' }] },
      {
        run: 'clusters add west',
        answers: { machineCreate: refused('INVALID_INPUT', 'no authority') },
        ...{ exit: 1, out: '' },
        err: [
          'the cluster west is added, but no token was made',
          'tidegate machines create west-1 --role objectcontroller',
        ],
      },
    ],
  },
  'a service is drained, serves again and is forgotten, by its name and, where several have it, its role': {
    answers: { ...here, objectServiceDrain: ofNorth, objectServiceUndrain: ofNorth, objectServiceRemove: ofNorth },
    rows: [
      {
        run: 'clusters drain-service north s1',
        out: 'objectserver s1 is drained: users are served by the others\n',
        inputs: [{ clusterId: 'C0', role: 'objectserver', name: 's1' }],
      },
      {
        run: 'clusters drain-service north s2 --role objectcontroller --undo',
        out: 'objectcontroller s2 serves users again\n',
        inputs: [{ clusterId: 'C0', role: 'objectcontroller', name: 's2' }],
      },
      {
        run: 'clusters remove-service north s1',
        out: 'objectserver s1 is forgotten\n',
        inputs: [{ clusterId: 'C0', role: 'objectserver', name: 's1' }],
      },
      { run: 'clusters drain-service north s2', exit: 64, err: '--role objectserver or objectcontroller' },
      { run: 'clusters remove-service north s3', exit: 1, err: "no such service 's3'" },
    ],
  },
};

const option = {
  ...{ __typename: 'ObjectOption', id: 'O1', number: 1, name: 'usual', replicas: 3, default: true },
  ...{ nearestReads: false, clusters: [], ring: { epoch: 2, replicas: 2 }, ending: false, endingReason: null },
};
const ending = { ...option, id: 'O3', name: 'o3', ending: true, endingReason: 'north is not heard' };
const kept = { ...ending, ending: false, endingReason: 'the container a/b has it' };
const thereAre = (...options: readonly object[]) => ({
  objectOptions: list(...options),
  objectOption: byId(...options),
});
const two = [option, { ...option, id: 'O2', name: 'o2', clusters: null, ring: null }];
const ofOption = done({ objectOption: option });
/** The deletion begins, and then these objects exist. */
const deletion = (...left: readonly object[]) => {
  let now: readonly object[] = [...two, ending];
  return {
    objectOptions: (args: never) => list(...now)(args),
    objectOption: (args: never) => byId(...now)(args),
    objectOptionDelete: () => {
      now = left;
      return done({ objectOption: ending })();
    },
  };
};
const accessKey = {
  ...{ __typename: 'ObjectAccessKey', id: 'K1', accessKeyId: 'TGAAAA', name: 'backup', canWrite: false },
  ...{ createdAt: at, revokedAt: null, project: { name: 'default' } },
};

export const storageOptions: Scenes = {
  'options are listed and changed, with clusters by name; a deletion goes on until nothing has the option': {
    answers: {
      ...{ ...here, ...thereAre(...two, ending) },
      ...{ objectOptionCreate: ofOption, objectOptionUpdate: ofOption, objectOptionDeleteCancel: ofOption },
      objectOptionDelete: done({ objectOption: null, deletedId: 'O1' }),
    },
    rows: [
      {
        run: 'options list',
        out: [
          ...['usual 1 3 default newest all epoch 2, 2 replicas', 'o2 … - -'],
          'o3 … 2 replicas; is being deleted: north is not heard',
        ],
      },
      {
        run: 'options create small --replicas 2 --cluster south --nearest-reads',
        out: 'usual has ring 1\n',
        inputs: [{ name: 'small', replicas: 2, clusterIds: ['C1'], nearestReads: true }],
      },
      { run: 'options update usual --as-default', out: '…', inputs: [{ id: 'O1', default: true }] },
      { run: 'options keep o3', out: 'o3 is kept\n', inputs: [{ id: 'O3' }] },
      { run: 'options delete usual', out: 'usual is deleted\n', inputs: [{ id: 'O1' }] },
      { run: 'options create x --cluster west', exit: 1, err: "there is no cluster 'west'" },
      { run: 'options delete o3', answers: deletion(...two, ending), out: '…o3 is being deleted…' },
      {
        run: 'options delete o3 --wait 1',
        ...{ answers: deletion(...two, ending), exit: 4, err: 'north is not heard' },
      },
      {
        run: 'options delete o3 --wait 5',
        ...{ answers: deletion(option, kept), exit: 1, err: 'the container a/b has it' },
      },
      { run: 'options delete o3 --wait 5', answers: deletion(option), out: 'o3 is deleted\n' },
    ],
  },
  'a preset is read in capitals and small letters': {
    answers: { objectOptionCreate: ofOption },
    rows: ['optimize_big', 'ECONOMY_SMALL'].map((preset) => ({
      run: `options create fast --preset ${preset}`,
      ...{ out: '…', requests: [{ input: { name: 'fast', preset: preset.toUpperCase() } }] },
    })),
  },
  'an access key is printed once as clients read it, and revoked by its own name': {
    answers: {
      projects: list({ id: 'P1', name: 'default' }),
      objectAccessKeys: list(accessKey),
      objectAccessKeyCreate: done({ objectAccessKey: accessKey, secret: 'shown once' }),
      objectAccessKeyRevoke: done({ objectAccessKey: accessKey }),
    },
    rows: [
      {
        run: 'access-keys create backup --read-only --project default',
        out: 'AWS_ACCESS_KEY_ID=TGAAAA\nAWS_SECRET_ACCESS_KEY=shown once\n',
        err: [],
        inputs: [{ name: 'backup', canWrite: false, projectId: 'P1' }],
      },
      { run: 'access-keys list', out: 'TGAAAA backup default read 2026… works' },
      { run: 'access-keys revoke TGAAAA', out: 'TGAAAA is revoked\n', inputs: [{ id: 'K1' }] },
      { run: 'access-keys revoke TGB', exit: 1, err: "there is no access key 'TGB'" },
    ],
  },
};

const south = { name: 'south' };
const ring = (number: number, partitions: number) => ({
  ...{ __typename: 'ObjectRing', id: `R${number}`, number, epoch: 3, replicas: 3, createdAt: at },
  clusters: [
    { number: 0, weight: 100, zone: 'a', partitions: 4096, cluster: { name: 'north' } },
    { number: 1, weight: 100, zone: 'b', partitions, cluster: south },
  ],
});
const progress = {
  number: 1,
  partitions: 100,
  left: 7,
  movedBytes: 12,
  message: 'cluster 0: it is away',
  cluster: south,
};
const change = (state: string) => ({
  ...{ __typename: 'ObjectRingChange', id: 'H1', number: 1, version: 1, state, stepCount: 2, stepsDone: 1 },
  ...{ movedPercent: 25, recoveredNumber: null, createdAt: at, finishedAt: state === 'RUNNING' ? null : at },
  gaining: state === 'RUNNING' ? [progress] : [],
});
const changed = (state: string) => done({ objectRingChange: change(state) });
const ofRings = {
  ...here,
  objectOptions: list({ __typename: 'ObjectOption', id: 'O1', number: 1, name: 'usual' }),
  objectRings: list(ring(0, 0), ring(1, 100)),
  objectRingChanges: list(),
  objectRingChangePreview: ({ number }: { number: number }) => ({
    ...{ stepCount: number, movedPercent: number * 12.5, ring: ring(1, 100) },
    shares: [{ number: 1, partitionsNow: 100, partitionsThen: 1024, cluster: south }],
  }),
  objectRingChangeStart: changed('RUNNING'),
  objectRingChange: () => change('SUCCEEDED'),
};
const drains = [{ id: 'C1', clusterState: 'DRAINING' }, { number: 1 }];

export const rings: Scenes = {
  'rings are listed, and what a change would move': {
    answers: ofRings,
    rows: [
      { run: 'rings list', out: ['core 0 3 3 north:4096 south:0', 'usual 1 3 3 north:4096 south:100'] },
      {
        run: 'rings preview usual',
        out: ['…ring usual: 1 step, 12.5 % of the replicas move…', 'south 100 1024'],
      },
      { run: 'rings preview core', out: '…nothing would move…' },
      {
        run: 'rings preview other',
        exit: 1,
        err: "tidegate: there is no ring 'other': it is core, or the name of an option (tidegate rings list)\n",
      },
    ],
  },
  'all that are not as wanted are changed; one is watched, paused and cancelled': {
    answers: ofRings,
    rows: [
      { run: 'rings change', out: 'ring usual changes: tidegate rings changes\n', inputs: [{ number: 1 }] },
      { run: 'rings change usual --wait 5', out: 'ring usual is changed\n', inputs: [{ number: 1 }] },
      {
        run: 'rings change core --recover south',
        ...{ out: '…', inputs: [{ number: 0, recoveredClusterId: 'C1' }] },
      },
      { run: 'rings pause usual', exit: 1, err: 'ring usual does not change' },
      {
        run: 'rings changes',
        answers: {
          objectRingChanges: list(change('RUNNING'), change('SUCCEEDED')),
          objectRingChangePause: changed('PAUSED'),
          objectRingChangeCancel: changed('CANCELLED'),
        },
        out: '…1 of 2 steps; south lacks 7 partitions (cluster 0: it is away)…',
      },
      { run: 'rings pause usual', out: 'the change of ring usual is paused\n' },
      { run: 'rings cancel 1', out: 'the change of ring 1 is cancelled\n' },
      {
        run: 'rings change usual --wait 1',
        answers: { objectRingChange: () => change('RUNNING') },
        ...{ exit: 4, err: 'south lacks 7 partitions' },
      },
    ],
  },
  'a cluster that holds something is emptied first': {
    answers: {
      ...ofRings,
      objectClusterUpdate: done({ objectCluster: cluster('south', 1, 'DRAINING') }),
      objectClusterDelete: done({ deletedId: 'C1' }),
    },
    rows: [
      { run: 'clusters remove south', out: '…south is being emptied…', inputs: drains },
      { run: 'clusters remove south --wait 5', out: '…south is removed…', inputs: [...drains, { id: 'C1' }] },
    ],
  },
};
