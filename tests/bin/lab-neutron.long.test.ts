// A real Neutron as a part of the lab: a call of its driver, its faults, and its networks over a restart.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { here, LabSystem } from './support/lab-system.ts';

// It runs as root, so that it finds the packages that other tests have unpacked.
const args = ['--lab', 'neutron', '--as-root'];

(here.neutron ? describe : describe.skip)('neutron', () => {
  let system: LabSystem;

  beforeAll(async () => {
    system = await LabSystem.start(args);
  }, 120_000);
  afterAll(() => system?.stop());

  test('ONLINE, a call SUCCEEDED, and its networks over a restart', async () => {
    const rows = await system.lab('add', 'neutron');
    expect(rows.find(({ part }) => part === 'neutron')).toMatchObject({ state: 'RUNNING' });
    await system.online('neutron');
    const { mapping } = await system.done('neutron');
    await system.lineTroubles('neutron', ['hang', 'drop', 'late']);
    await system.restart('SIGKILL', args);
    await waitFor('neutron', async () => (await system.running()).includes('neutron'));
    await system.online('neutron');
    expect(await system.verified(mapping?.id)).toBe('MATCHES');
  }, 300_000);
});
