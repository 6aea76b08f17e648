// Permanent removal of hosts, with real HAProxies, checks and name server.
import { rm } from 'node:fs/promises';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../../platform/values/ids.ts';
import type { NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LbWorld, type WorldHost } from '../../support/lb-world.ts';

const world = forFile(() => LbWorld.open({ dns: true, settings: { nodeDrainMs: 500 } }));
let balancerId: string;
let nodes: readonly NodeRow[];
let count = 0;

beforeAll(async () => {
  for (const name of ['host-1', 'host-2', 'host-3']) await world.addHost(name);
  await waitFor('hosts', () => world.link.connected === 3);
}, 60_000);

afterEach(async () => {
  await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', balancerId) });
  await waitFor('DELETED', async () => (await world.balancer(balancerId)).provisioningStatus === 'DELETED');
  for (const { name, host } of [...world.hosts.values()]) if (host === undefined) await world.addHost(name);
  await waitFor('hosts', () => world.link.connected === 3);
}, 60_000);

async function make(): Promise<WorldHost> {
  count += 1;
  balancerId = await world.create(`web${count}`, 2, await freePort());
  await world.untilActive(balancerId);
  nodes = await world.nodes(balancerId);
  return world.hostOf(nodes[0] as NodeRow);
}

const idOf = ({ machine }: WorldHost) => encodeId('LoadBalancerHost', machine.id);
const remove = (host: WorldHost) => world.hostService.remove(world.context, { id: idOf(host) });
const codes = async (host: WorldHost) => (await remove(host)).userErrors.map(({ code }) => code);

const rows = ({ machine }: WorldHost) =>
  world.ground.db.query<{ presence: string; epoch: number }>('SELECT presence, epoch FROM lb_host WHERE id = ?', [
    machine.id,
  ]);
const isGone = async (host: WorldHost) => (await rows(host)).length === 0;
const isAbsent = async (host: WorldHost) => (await rows(host))[0]?.presence === 'ABSENT';

/** Two nodes serve, none of them on this host, and none of its addresses is in use. */
async function expectHealed(host: WorldHost): Promise<void> {
  await world.untilActive(balancerId);
  const now = await world.nodes(balancerId);
  expect(now.map(({ state }) => state)).toEqual(['SERVING', 'SERVING']);
  expect(now.map(({ hostId }) => hostId)).not.toContain(host.machine.id);
  expect(await world.answer(balancerId)).toEqual(now.map(({ address }) => address).sort());
  const taken = await world.ground.db.query('SELECT 1 FROM lb_address WHERE scope = ? AND freed_at IS NULL', [
    host.machine.id,
  ]);
  expect(taken).toEqual([]);
}

test("a lost host's nodes, which would be awaited for ten minutes, are removed at once", async () => {
  const host = await make();
  expect(await codes(host)).toEqual(['WRONG_STATE']);
  await world.loseHost(host);
  await waitFor('the replacement', async () =>
    (await world.nodes(balancerId)).some(({ state }) => state === 'REPLACED'),
  );
  await waitFor('the lost connection', () => isAbsent(host));
  const [{ epoch } = { epoch: 0 }] = await rows(host);
  expect(await codes(host)).toEqual([]);
  await waitFor('the end of the host', () => isGone(host));
  await expectHealed(host);
  expect(await codes(host)).toEqual(['NOT_FOUND']);
  // Its machine may connect as a new host.
  await world.addHost(host.name);
  await waitFor('the new host', async () => (await rows(host))[0]?.presence === 'PRESENT');
  await waitFor('nothing of its nodes is left', () => host.host?.nodeCount === 0);
  expect((await rows(host))[0]?.epoch).toBeGreaterThan(epoch);
}, 60_000);

test('when nodes serve on a host without a connection, it is evacuated first, and then forgotten at once', async () => {
  const host = await make();
  await world.stopHost(host);
  await waitFor('the lost connection', () => isAbsent(host));
  expect(await codes(host)).toEqual(['IN_USE']);
  const cordon = { id: idOf(host), evacuate: true };
  expect((await world.hostService.setCordon(world.context, cordon)).userErrors).toEqual([]);
  await waitFor('the evacuation', async () =>
    (await world.nodes(balancerId)).every(({ hostId, state }) => hostId !== host.machine.id || state !== 'SERVING'),
  );
  expect(await codes(host)).toEqual([]);
  const released = await world.hostService.liftCordon(world.context, { id: idOf(host) });
  expect(released.userErrors.map(({ code }) => code).join()).toMatch(/WRONG_STATE|NOT_FOUND/);
  await waitFor('the end of the host', () => isGone(host));
  await expectHealed(host);
}, 60_000);

test('another machine can take the name of a host only after its removal', async () => {
  await make();
  const old = [...world.hosts.values()].at(-1) as WorldHost;
  await world.loseHost(old);
  await waitFor('the lost connection', () => isAbsent(old));
  world.hosts.delete(old.name);
  await rm(old.folder, { recursive: true, force: true });
  const other = await world.addHost(old.name);
  expect(other.machine.id).not.toBe(old.machine.id);
  await waitFor('healing', async () =>
    (await world.nodes(balancerId)).every(({ hostId, state }) => hostId !== old.machine.id || state === 'REPLACED'),
  );
  expect([await rows(other), await isAbsent(old)]).toEqual([[], true]);
  expect(await codes(old)).toEqual([]);
  await waitFor('the other host', async () => (await rows(other))[0]?.presence === 'PRESENT');
  expect(await isGone(old)).toBe(true);
}, 60_000);
