// The effects of each step and their order: on announcements, the server, etcd, and the state that the agent keeps.
import { beforeEach, expect, test } from '@jest/globals';
import { Actor, type ActorOptions } from '../../../ha/agent/actor.ts';
import type { Step } from '../../../ha/agent/decide.ts';
import { haKeys } from '../../../ha/agent/keys.ts';
import { Admissions } from '../../../ha/agent/state/admissions.ts';
import { type Seen, SyncWriter } from '../../../ha/agent/state/sync-writer.ts';
import type { Change, Condition } from '../../../ha/etcd.ts';

const keys = haKeys('test');
const server = {
  ...{ state: 'up' as const, duty: 'primary' as const, incarnation: 'of-a', writable: true, semiSync: true },
  ...{ aliveAtMs: 0, waitingSinceMs: undefined, position: 1, received: 1, replica: undefined, admissions: [] },
};
const sync = { primary: 'b', epoch: 3, reign: 'q', lossy: false, members: [], revision: 7 };
const seen: Seen = {
  ...{ me: 'a', nowMs: 10_000, strict: false, server, reign: { id: 'r', fenceAtMs: 12_000 }, leaderRevision: 5 },
  ...{ admission: undefined, sealedRevision: undefined, leaderlessSinceMs: undefined, failedAtMs: {} },
  shared: {
    ...{ leader: { host: 'a', reign: 'r' }, sync, reports: {}, clocksAheadMs: {} },
    wishes: { paused: false, switchoverTo: undefined },
  },
};
const underLead: readonly Condition[] = [
  { key: keys.leader, revision: 5 },
  { key: keys.sync, revision: 7 },
];

let nowMs: number;
let did: string[];
let asked: { readonly conditions: readonly Condition[]; readonly changes: readonly Change[] }[];
let lead: { id: string; lease: string; leaseMs: number; fenceAtMs: number } | undefined;
let lateLeads: number;
let proof: PromiseWithResolvers<void>;
let mayOpen: (() => boolean) | undefined;
let haveLeft: boolean;
let admissions: Admissions;
let options: ActorOptions;
let actor: Actor;

beforeEach(() => {
  nowMs = 10_000;
  [did, asked, mayOpen, haveLeft] = [[], [], undefined, false];
  lead = { id: 'r', lease: '1', leaseMs: 3_000, fenceAtMs: 12_000 };
  lateLeads = 0;
  proof = Promise.withResolvers<void>();
  const does = (what: string) => async () => {
    did.push(what);
  };
  const etcd = {
    transact: async (conditions: readonly Condition[], changes: readonly Change[]) => {
      did.push('etcd');
      asked.push({ conditions, changes });
      return { done: true, revision: 8 };
    },
  };
  admissions = new Admissions(['a', 'b', 'c'], () => nowMs);
  options = {
    ...{ me: 'a', leaseMs: 3_000, keys, etcd, admissions, sync: new SyncWriter(etcd, keys), nowMs: () => nowMs },
    server: {
      start: async (role) => void did.push(`start ${role}`),
      kill: () => did.push('kill'),
      follow: async (...all) => void did.push(`follow ${all.join(' ')}`),
      rest: does('rest'),
      stopReceiving: does('stop receiving'),
      endSessions: does('end sessions'),
      applyReceived: async (...all) => void did.push(`apply ${all.join(' ')}`),
      newestEpoch: async () => 8,
      open: async ({ epoch, lossy, fenced, waits, mayOpen: may }) => {
        did.push(`open ${epoch} ${lossy} ${fenced} ${waits}`);
        mayOpen = may;
      },
      closeWrites: does('close writes'),
      allow: async (_id, host) => void did.push(`allow ${host}`),
      bar: does('bar'),
      waitForAcknowledgements: async (on) => void did.push(on ? 'wait for copies' : 'wait for nobody'),
      prove: () => {
        did.push('prove');
        return proof.promise;
      },
    },
    lead: {
      get current() {
        return lead;
      },
      prepare: async (leaseMs = 0) => {
        did.push(`grant ${leaseMs}`);
        return { id: 'new', lease: '2', leaseMs, fenceAtMs: 12_000 };
      },
      giveUp: does('revoke'),
    },
    history: {
      change: async (_seen, epoch, lossy) => [{ put: keys.change(epoch), value: String(lossy) }],
      fencedBy: async () => 'b',
      opened: does('opened'),
      ended: async (reign, why, isLate) => void did.push(`ended ${reign}: ${why}${isLate ? ', late' : ''}`),
      lateLeads: async () => lateLeads,
      save: does('save'),
    },
    staying: { led: does('led'), mayReturn: does('may return') },
    announcing: { lost: () => did.push('lost') },
    copies: { begin: (from) => did.push(`copy ${from}`) },
    clients: { haveLeft: () => haveLeft, handedOver: () => did.push('handed over') },
    onProved: () => did.push('proved'),
  };
  actor = new Actor(options);
});

const invite = () => actor.act({ kind: 'invite', host: 'b', early: false, syncRevision: 7 }, seen);
const arm = () => actor.act({ kind: 'arm', host: 'b', incarnation: 'of-b' }, seen);

test.each<[Step, readonly string[]]>([
  [{ kind: 'wait', why: 'it follows' }, []],
  [{ kind: 'fence', why: 'no commit succeeds' }, ['lost', 'kill', 'ended r: no commit succeeds', 'revoke']],
  [
    { kind: 'fence', why: 'the lease was not renewed in time', isLate: true },
    ['lost', 'kill', 'ended r: the lease was not renewed in time, late', 'revoke'],
  ],
  [{ kind: 'resign', why: 'the lead is lost' }, ['lost', 'ended r: the lead is lost', 'revoke']],
  [
    { kind: 'hand-over', host: 'b', why: 'a switchover to b was requested' },
    ['handed over', 'lost', 'may return', 'kill', 'ended r: a switchover to b was requested', 'revoke'],
  ],
  [{ kind: 'start', role: 'MASTER' }, ['start MASTER']],
  [{ kind: 'start', role: 'SLAVE' }, ['save', 'start SLAVE']],
  [{ kind: 'follow', host: 'b', reign: 'q', admission: '1' }, ['may return', 'follow b q 1']],
  [{ kind: 'rest', why: 'what it has received is applied' }, ['rest']],
  [{ kind: 'clone', host: 'b' }, ['copy b']],
  [{ kind: 'take-lead', syncRevision: 7 }, ['grant 3000', 'etcd']],
  [{ kind: 'stop-receiving', from: 'b' }, ['stop receiving']],
  [{ kind: 'apply-received', from: 'b', reign: 'q' }, ['apply b q']],
  [{ kind: 'open', epoch: 4, lossy: false, waits: true }, ['open 4 false b true', 'opened', 'led']],
  [{ kind: 'bar' }, ['bar']],
  [{ kind: 'invite', host: 'b', early: true, syncRevision: 7 }, ['allow b', 'etcd']],
  [{ kind: 'hold' }, ['wait for copies']],
  [{ kind: 'release' }, ['wait for nobody']],
  [{ kind: 'refuse', yields: false }, []],
])('%j', async (step, effects) => {
  await actor.act(step, seen);
  expect(did).toEqual(effects);
});

test.each([
  [1, 6_000],
  [2, 12_000],
  [9, 12_000],
])('after %i leads that were lost to slowness, the next lease lasts %i ms', async (late, leaseMs) => {
  lateLeads = late;
  await actor.act({ kind: 'take-lead', syncRevision: 7 }, seen);
  expect(did).toEqual([`grant ${leaseMs}`, 'etcd']);
});

test('a host without a lead is fenced without a request to etcd', async () => {
  lead = undefined;
  await actor.act({ kind: 'fence', why: 'it has no lease' }, seen);
  expect(did).toEqual(['lost', 'kill']);
});

test('the admission ends with the lead', async () => {
  await invite();
  await actor.act({ kind: 'resign', why: 'the server has ended' }, seen);
  expect(admissions.current).toBeUndefined();
});

test('writes are closed only after clients have left', async () => {
  await actor.act({ kind: 'close' }, seen);
  expect(did).toEqual([]);
  haveLeft = true;
  await actor.act({ kind: 'close' }, seen);
  expect(did).toEqual(['close writes']);
});

test('a server that ends right after its start is restarted only after a pause', async () => {
  const start: Step = { kind: 'start', role: 'MASTER' };
  await actor.act(start, seen);
  await actor.act(start, { ...seen, nowMs: nowMs + 999 });
  expect(did).toEqual(['start MASTER']);
  await actor.act(start, { ...seen, nowMs: nowMs + 1_000 });
  expect(did).toEqual(['start MASTER', 'start MASTER']);
});

test('the lead is taken only if there is no leader and `sync` has not changed', async () => {
  await actor.act({ kind: 'take-lead', syncRevision: 7 }, seen);
  expect(asked).toEqual([
    {
      conditions: [
        { key: keys.leader, revision: 0 },
        { key: keys.sync, revision: 7 },
      ],
      changes: [{ put: keys.leader, value: JSON.stringify({ host: 'a', reign: 'new' }), lease: '2' }],
    },
  ]);
});

test('a promotion and its history entry are one transaction, with an epoch that is new to the database', async () => {
  await actor.act({ kind: 'take-sync', epoch: 4, lossy: false, syncRevision: 7 }, seen);
  expect(asked).toEqual([
    {
      conditions: underLead,
      changes: [
        {
          put: keys.sync,
          value: JSON.stringify({ primary: 'a', epoch: 9, reign: 'r', lossy: false, members: [] }),
        },
        ...[{ delete: keys.switchover }, { delete: keys.lossy }],
        { put: keys.change(9), value: 'false' },
      ],
    },
  ]);
});

test('writes are opened only under the same lead, and only until its fence', async () => {
  await actor.act({ kind: 'open', epoch: 4, lossy: false, waits: false }, seen);
  expect(mayOpen?.()).toBe(true);
  nowMs = 12_000;
  expect(mayOpen?.()).toBe(false);
  lead = { id: 'r', lease: '1', leaseMs: 3_000, fenceAtMs: 13_000 };
  expect(mayOpen?.()).toBe(true);
  lead = { id: 'another', lease: '2', leaseMs: 3_000, fenceAtMs: 14_000 };
  expect(mayOpen?.()).toBe(false);
  lead = undefined;
  expect(mayOpen?.()).toBe(false);
});

test('without a lead, writes are not opened', async () => {
  lead = undefined;
  await actor.act({ kind: 'open', epoch: 4, lossy: false, waits: false }, seen);
  expect(did).toEqual([]);
});

test.each<[Step, object]>([
  [{ kind: 'seal', syncRevision: 7 }, {}],
  [{ kind: 'detach', host: 'b', why: 'it leaves', syncRevision: 7 }, { members: [] }],
  [{ kind: 'withdraw', syncRevision: 7 }, {}],
  [
    { kind: 'admit', host: 'b', incarnation: 'of-b', syncRevision: 7 },
    { admission: { host: 'b', id: '1' }, members: [{ host: 'b', incarnation: 'of-b' }] },
  ],
])('%j changes `sync` under the lead', async (step, changed) => {
  const { revision: _read, ...plain } = sync;
  const members = [{ host: 'c', incarnation: 'of-c' }];
  const admission = { host: 'b', id: '1' };
  const before = { ...plain, members, admission };
  await actor.act(step, { ...seen, shared: seen.shared && { ...seen.shared, sync: { ...before, revision: 7 } } });
  const kept = step.kind === 'detach' || step.kind === 'withdraw' ? { ...plain, members } : before;
  expect(asked).toHaveLength(1);
  expect(asked[0]?.conditions).toEqual(underLead);
  const [change] = asked[0]?.changes ?? [];
  expect(change).toMatchObject({ put: keys.sync });
  expect(JSON.parse((change as { value: string }).value)).toEqual({ ...kept, ...changed });
});

test('an invited host has its account before etcd names it, and each invitation has another id', async () => {
  await invite();
  const { id } = admissions.current ?? {};
  expect(admissions.current).toMatchObject({ host: 'b', stage: 'invited', early: false });
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  const [change] = asked[0]?.changes ?? [];
  expect(JSON.parse((change as { value: string }).value)).toMatchObject({ admission: { host: 'b', id } });
  await invite();
  expect(admissions.current?.id).not.toBe(id);
});

test('no host is invited if its account cannot be created', async () => {
  const failing = { ...options.server, allow: async () => Promise.reject(new Error('no answer')) };
  const step: Step = { kind: 'invite', host: 'b', early: false, syncRevision: 7 };
  await expect(new Actor({ ...options, server: failing }).act(step, seen)).rejects.toThrow('no answer');
  expect([admissions.current, asked]).toEqual([undefined, []]);
});

test('a host goes through every stage from invitation to admission', async () => {
  await invite();
  await arm();
  expect(admissions.current).toMatchObject({ host: 'b', incarnation: 'of-b', stage: 'armed' });
  await actor.act({ kind: 'prove' }, seen);
  expect(admissions.current?.stage).toBe('proving');
  proof.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(admissions.current?.stage).toBe('proved');
  await actor.act({ kind: 'admit', host: 'b', incarnation: 'of-b', syncRevision: 7 }, seen);
  expect(admissions.current).toBeUndefined();
  expect(options.sync.sealedRevision).toBeUndefined();
  expect(did).toEqual(['allow b', 'etcd', 'wait for copies', 'prove', 'proved', 'etcd']);
});

test('without an admission no commit waits, and no proof is written', async () => {
  await arm();
  await actor.act({ kind: 'prove' }, seen);
  expect(did).toEqual([]);
});

test('after a failed proof, the admission continues until its limit', async () => {
  await invite();
  await actor.act({ kind: 'prove' }, seen);
  proof.reject(new Error('the server has ended'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(admissions.current?.stage).toBe('proving');
  expect(did).not.toContain('proved');
});

test('when waiting commits are released, the host that they waited for counts as failed', async () => {
  await actor.act({ kind: 'detach', host: 'c', why: 'it does not acknowledge', syncRevision: 7 }, seen);
  await actor.act({ kind: 'release' }, seen);
  expect(admissions.failedAtMs).toEqual({ c: 10_000 });
});

test('a server whose writes are closed has released no client commit', async () => {
  await invite();
  await arm();
  await actor.act({ kind: 'release' }, { ...seen, server: { ...server, writable: false } });
  expect([admissions.current, admissions.failedAtMs]).toEqual([undefined, {}]);
});

test('a refused host counts as failed, and one that yields does not', async () => {
  await invite();
  await actor.act({ kind: 'refuse', yields: true }, seen);
  expect([admissions.current, admissions.failedAtMs]).toEqual([undefined, {}]);
  await invite();
  await actor.act({ kind: 'refuse', yields: false }, seen);
  expect([admissions.current, admissions.failedAtMs]).toEqual([undefined, { b: 10_000 }]);
});
