// The answers to bad input, for every mutation of GSLB.
import { expect, test } from '@jest/globals';
import { badInput } from '../support/bad-input.ts';
import { type GslbWorld, gslb, owner, stack } from './contract.ts';
import type { Input } from './support/gslb-graph.ts';

const run = badInput(gslb);
const graph = () => (run.world as GslbWorld).graph;

test.each([{}, { poolId: 'a', memberId: 'b' }])('a monitor can be attached to one thing only: %j', async (target) => {
  const attach = graph().mutate('gslbPoolMonitorAttach', { monitorId: run.world.names.monitor, target }, owner);
  await expect(attach).rejects.toThrow(/xactly one/);
});

test('a share of two kinds, or of none, is refused', async () => {
  const quorum = (upAtLeast: object) => ({ name: 'new', quorum: { upAtLeast } });
  for (const share of [{}, { count: 1, percent: 1 }, { count: null }])
    await expect(graph().mutate('gslbPoolCreate', quorum(share), owner)).rejects.toThrow(/OneOf|must be non-null/);
});

test('votes stay fresh for at least two heartbeats of a checker', async () => {
  const quorum = (freshMs: number) => ({ quorum: { freshMs } });
  const refused = ['INVALID_INPUT input.quorum.freshMs'];
  expect((await graph().mutate('gslbPoolCreate', { name: 'stale', ...quorum(1_199) }, owner)).faults).toEqual(refused);
  const id = await graph().make('gslbPoolCreate', { name: 'stale', ...quorum(1_200) }, owner);
  expect((await graph().mutate('gslbPoolUpdate', { id, ...quorum(1_000) }, owner)).faults).toEqual(refused);
});

test('only a caller who knows an OpenStack account can change where it is sent', async () => {
  const auth = { username: 'ann', password: 'a-password-of-the-test' };
  const given = { name: 'octavia', checkType: 'NEUTRON_LBAAS_V2', parameters: { neutronLbaasV2: stack }, auth };
  const id = await graph().make('gslbMonitorCreate', given, owner);
  const faults = async (input: Input) => (await graph().mutate('gslbMonitorUpdate', { id, ...input }, owner)).faults;
  for (const field of ['url', 'authUrl']) {
    const parameters = { neutronLbaasV2: { ...stack, [field]: 'https://192.0.2.66' } };
    expect(await faults({ parameters })).toEqual(['CREDENTIALS_REQUIRED input.auth']);
    expect(await faults({ parameters, auth })).toEqual([]);
    expect(await faults({ parameters: { neutronLbaasV2: stack }, auth })).toEqual([]);
  }
  expect(await faults({ fall: 3 })).toEqual([]);
});
