// The trial of changes: handmade cases for its judges, a short run in which everything must be fine, and one with
// sabotage that it must detect.
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Changes, then } from '../../trials/lb-changes/changes.ts';
import { driftOf, type Seen } from '../../trials/lb-changes/drift.ts';
import { type Outcome, type Pool, type Serves, Timeline } from '../../trials/lb-changes/expectations.ts';
import { type ListenerState, MemberState, newExpected, type PoolState } from '../../trials/lb-changes/model.ts';
import type { Place } from '../../trials/lb-changes/place.ts';
import { saw } from '../../trials/lb-changes/shared.ts';
import { faultOf, handshakeFaultOf } from '../../trials/lb-changes/verdict.ts';
import { LbChanges, type LbChangesOptions } from '../../trials/lb-changes.ts';
import { TestServers } from '../support/stores/servers.ts';

const logged = { route: 0, fromMs: 1, untilMs: 2, address: '127.0.0.1' };

test('until a change is in effect, both the old and the new state are right', () => {
  const timeline = new Timeline('old');
  const settle = timeline.change('new', 100);
  expect(timeline.during(50, 90)).toEqual(['old']);
  expect(timeline.during(150, 160)).toEqual(['old', 'new']);
  settle(200);
  expect(timeline.during(150, 160)).toEqual(['old', 'new']);
  expect(timeline.during(201, 210)).toEqual(['new']);
  timeline.forget(300);
  expect(timeline.during(0, 400)).toEqual(['new']);
});

test('an answer by a member outside all pools of its path is misrouted; a missing or wrong answer has failed', () => {
  const member = new Timeline<Serves>('NOBODY');
  member.change('ALL', 100)(150);
  const pool: Pool = { name: 'pool', members: new Map([[7, member]]), sticky: new Timeline(false) };
  const outcome = new Timeline<Outcome>({ pool });
  outcome.change('DENIED', 300)(350);
  const judged = (fromMs: number, untilMs: number, seen: number) =>
    faultOf({ ...logged, fromMs, untilMs, saw: seen }, { name: 'path', outcome })?.figure;
  expect(judged(120, 130, 7)).toBeUndefined();
  expect(judged(50, 90, 7)).toBe('misrouted');
  expect(judged(120, 130, 8)).toBe('misrouted');
  expect(judged(120, 130, saw.closed)).toBe('failed');
  expect(judged(120, 130, saw.failed)).toBe('failed');
  expect(judged(310, 320, saw.denied)).toBeUndefined();
  expect(judged(310, 320, 7)).toBeUndefined();
  expect(judged(360, 370, 7)).toBe('misrouted');
  expect(judged(200, 210, saw.denied)).toBe('misrouted');
});

test('a client with a cookie stays with its member, even when it is drained; no other client reaches it then', () => {
  const [one, other] = [new Timeline<Serves>('SURE'), new Timeline<Serves>('ALL')];
  const members = new Map([
    [1, one],
    [2, other],
  ]);
  const pool: Pool = { name: 'pool', members, sticky: new Timeline(true) };
  const route = { name: 'path', outcome: new Timeline<Outcome>({ pool }) };
  const judged = (ms: number, seen: number, cookieOf?: number) =>
    faultOf({ ...logged, fromMs: ms, untilMs: ms + 10, saw: seen, ...(cookieOf && { cookieOf }) }, route)?.figure;
  expect(judged(100, 1, 1)).toBeUndefined();
  expect(judged(100, 2, 1)).toBe('misrouted');
  expect(judged(100, 2)).toBeUndefined();
  one.change('ITS_OWN', 200)(210);
  expect(judged(300, 1, 1)).toBeUndefined();
  expect(judged(300, 1)).toBe('misrouted');
  expect(judged(300, 2, 1)).toBeUndefined();
  one.change('ALL', 400)(410);
  // Its first check may not be over yet.
  expect(judged(500, 2, 1)).toBeUndefined();
  one.change('SURE', 600)(600);
  expect(judged(700, 2, 1)).toBe('misrouted');
  pool.sticky.change(false, 800)(810);
  expect(judged(900, 2, 1)).toBeUndefined();
});

test('a disabled listener answers no client', () => {
  const route = { name: 'path', outcome: new Timeline<Outcome>('OFF') };
  const judged = (seen: number) => faultOf({ ...logged, saw: seen }, route)?.figure;
  expect(judged(saw.closed)).toBeUndefined();
  expect(judged(3)).toBe('lockedOut');
});

test('an unwanted certificate for a name is misrouted', () => {
  const names = new Map([['a.test', new Timeline('one')]]);
  const handshake = { address: '127.0.0.1', port: 443, serverName: 'a.test', fromMs: 1, untilMs: 2 };
  expect(handshakeFaultOf({ ...handshake, certificate: 'one' }, names)).toBeUndefined();
  expect(handshakeFaultOf({ ...handshake, certificate: 'two' }, names)?.figure).toBe('misrouted');
});

test('a change that is refused, or not in effect on every node in time, is locked out', async () => {
  const balancer = { generation: 2, provisioningStatus: 'PENDING_UPDATE', provisioningReason: null };
  const nodes = [2, 1].map((appliedGeneration) => ({ state: 'SERVING', operatingStatus: 'ONLINE', appliedGeneration }));
  const place = { nodes: async () => nodes, balancerId: '', world: { balancer: async () => balancer } };
  const changes = new Changes(place as unknown as Place, 0);
  const effective: number[] = [];
  const send = async () => ({ entity: {}, userErrors: [] }) as never;
  await changes.make('poolMemberUpdate', send, [then((at) => effective.push(at))]);
  // Its limit is 0 ms.
  await sleep(5);
  await changes.look();
  expect([changes.lockedOut, effective.length]).toEqual([1, 1]);
  await changes.make('poolMemberUpdate', async () => ({ entity: null, userErrors: [{ code: 'CONFLICT' }] }) as never);
  expect(changes.findings).toEqual([
    expect.stringContaining('poolMemberUpdate (generation 2) is not in effect'),
    expect.stringContaining('poolMemberUpdate was refused'),
  ]);
  nodes.splice(1);
  await changes.make('poolMemberUpdate', send);
  await changes.look();
  expect([changes.lockedOut, changes.inFlight]).toEqual([2, 0]);
});

test('drift is detected in servers, weights, states, listeners, blocks and the configuration', () => {
  const member = Object.assign(new MemberState(0, 5), { id: 'one' });
  const expected = newExpected('pool', false);
  const members = new Map([[0, member]]);
  const pool: PoolState = { id: 'a', protocol: 'HTTP', expected, members, monitorId: undefined };
  const listener: ListenerState = {
    ...{ id: 'x', port: 80, protocol: 'HTTP', pool, enabled: true, allowsOutsiders: true, allowed: ['127.0.0.1/32'] },
    ...{ certificates: [], names: new Map() },
  };
  const wanted = { pools: [pool], listeners: [listener], ports: [8_080], nowMs: 0 };
  const columns = '# be_id be_name srv_id srv_name srv_addr srv_admin_state srv_uweight srv_port';
  const seen: Seen = {
    states: `1\n${columns}\n1 p_a 1 m_one 127.0.0.1 0 5 8080\n`,
    info: 'description: abc',
    configuration:
      'global\n  description abc\nfrontend l_x\n  bind 127.80.0.1:80\nbackend p_a\n  server m_one 127.0.0.1:8080 check weight 5\n',
    reloads: 0,
    allowed: new Map([['x', ['0x5 127.0.0.1', '127.0.0.1/32\n'] as const]]),
  };
  expect(driftOf(wanted, seen)).toEqual([]);
  const wrong: readonly Partial<Seen>[] = [
    { states: seen.states.replace(' 0 5 ', ' 0 6 ') },
    { states: seen.states.replace(' 0 5 ', ' 8 5 ') },
    { states: seen.states.replace('m_one', 'm_two') },
    { info: 'description: abd' },
    { configuration: seen.configuration.replace('weight 5', 'weight 5 disabled') },
    { configuration: seen.configuration.replace(':80\n', ':81\n') },
    { configuration: seen.configuration.replace('l_x', 'l_y') },
    { allowed: new Map([['x', ['', '127.0.0.1/32\n'] as const]]) },
    { allowed: new Map([['x', ['0x5 127.0.0.1', ''] as const]]) },
  ];
  for (const each of wrong) expect(driftOf(wanted, { ...seen, ...each })).not.toEqual([]);
  member.weight = 7;
  expect(driftOf(wanted, seen)).toHaveLength(2);
});

describe('runs', () => {
  let servers: TestServers;
  beforeAll(async () => {
    servers = await TestServers.start();
    servers.publish(undefined);
  });
  afterAll(() => servers.stop());

  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
  const told: string[] = [];
  const usual: LbChangesOptions = {
    ...{ seed, requests: 1_500, changes: 45, lanes: 4, timeIsUp: () => false, signal: new AbortController().signal },
    progress: (line) => void told.push(line),
  };

  test('a short run loses nothing', async () => {
    const { failed, doubledWrites, misrouted, lockedOut, drift, findings } = await LbChanges.run(usual);
    expect({ seed, failed, doubledWrites, misrouted, lockedOut, drift, findings }).toEqual({
      ...{ seed, failed: 0, doubledWrites: 0, misrouted: 0, lockedOut: 0, drift: 0, findings: [] },
    });
  }, 600_000);

  test('with sabotage it detects doubled writes, misrouted requests and drift', async () => {
    const result = await LbChanges.run({
      ...{ ...usual, changesPerRound: 15, lateMs: 10_000, settleMs: 3_000, repeatEvery: 3 },
      // After each round, on each node, because the next change may undo it.
      async sabotage(trial) {
        const { id, members } = trial.defaultPool;
        const own = new Set([...members.values()].map(({ server }) => server));
        const stranger = trial.traffic.memberPorts.find((_, server) => !own.has(server));
        for (const node of (await trial.place.nodes()).filter(({ state }) => state === 'SERVING')) {
          const folder = trial.place.folderOf(node);
          // Members of the default pool use another pool's server, and the file has a wrong weight.
          for (const member of members.values())
            await command(
              join(folder, 'run.sock'),
              `set server p_${id}/m_${member.id} addr 127.0.0.1 port ${stranger}`,
            );
          const file = join(folder, 'haproxy.cfg');
          await writeFile(file, (await readFile(file, 'utf8')).replace(/weight \d+/, 'weight 255'));
        }
      },
    });
    // Separate tests prove `failed` and `lockedOut`.
    const { doubledWrites, misrouted, drift } = result;
    const figures = { doubledWrites, misrouted, drift };
    for (const [name, figure] of Object.entries(figures))
      expect([name, figure > 0, told.slice(-30)]).toEqual([name, true, expect.anything()]);
  }, 600_000);
});

function command(path: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${text}\n`));
    socket.on('error', reject).on('close', () => resolve());
    socket.resume();
  });
}
