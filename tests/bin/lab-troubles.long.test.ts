// The troubles of the lab's parts: what a call then comes to, and how it is settled.
// needs: procps
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { type Device, devices, here, LabSystem, simulators } from './support/lab-system.ts';

const run = promisify(execFile);
let system: LabSystem;

beforeAll(async () => {
  const names = devices.filter((part) => here[part] && part !== 'neutron');
  system = await LabSystem.start(['--lab', names.join(',')]);
  await system.started();
}, 120_000);
afterAll(() => system?.stop());

describe('troubles', () => {
  const misbehaving: readonly Device[] = [...simulators, ...(here.firewall ? (['firewall'] as const) : [])];
  test.concurrent.each(misbehaving)(
    '%s: hang and drop leave a call UNKNOWN that a look settles, late one that takes effect after it, refuse a FAILED one',
    async (part) => {
      for (const trouble of ['hang', 'drop'] as const) {
        const call = await system.inTrouble(part, trouble);
        expect([trouble, call.operation?.state]).toEqual([trouble, 'UNKNOWN']);
        await system.lab('trouble', part, 'none');
        await system.settledByLook(`a look after ${trouble}`, part, call);
      }
      const late = await system.inTrouble(part, 'late');
      expect(late.operation?.state).toBe('UNKNOWN');
      expect((await system.settle(late))?.state).toBe('UNKNOWN');
      await system.lab('trouble', part, 'none');
      await system.settledByLook('its effect', part, late);
      const refused = await system.inTrouble(part, 'refuse');
      expect([refused.userErrors, refused.operation?.state]).toEqual([[], 'FAILED']);
      await system.over(part);
      await system.done(part);
    },
    120_000,
  );

  (here.openvswitch ? test.concurrent : test.skip)(
    'openvswitch: its line hangs, drops, delivers late, refuses',
    () => system.lineTroubles('openvswitch', ['hang', 'drop', 'late']),
    200_000,
  );

  (here.apache ? test.concurrent : test.skip)(
    'apache: its line refuses',
    () => system.lineTroubles('apache', []),
    120_000,
  );
});

describe('full', () => {
  test.concurrent.each(['bigip', 'onyx'] as const)(
    '%s: gives no session, so nothing is sent',
    async (part) => {
      const call = await system.inTrouble(part, 'full');
      const { state, deviceError } = call.operation ?? {};
      // The first, if a session was open before.
      expect(['FAILED NOT_SENT', 'REJECTED SESSION_REFUSED']).toContain(`${state} ${deviceError?.code}`);
      await system.lab('trouble', part, 'none');
      await waitFor(
        'a session',
        async () => (await system.write(part)).operation?.state.match(/SUCCEEDED|ACCEPTED/) !== null,
      );
    },
    120_000,
  );
});

test('when the process of the simulators ends, they are UNAVAILABLE until they are added again', async () => {
  const { stdout } = await run('pgrep', ['--full', `lab-server-process.ts ${system.data}$`]);
  process.kill(Number(stdout.trim()), 'SIGKILL');
  const row = async () => (await system.lab('list')).find((each) => each.part === 'bigip');
  await waitFor('its end to be noticed', async () => (await row())?.state === 'UNAVAILABLE');
  expect((await row())?.note).toContain('has ended');
  await system.lab('add', 'bigip');
  await system.online('bigip');
  await system.done('bigip');
  for (const part of simulators) await system.lab('add', part);
}, 120_000);
