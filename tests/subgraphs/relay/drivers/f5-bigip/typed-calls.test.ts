// The typed mutations of web application firewalls at a simulated BIG-IP.

import { expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { wafMutations } from '../../../../../subgraphs/relay/spec/waf.ts';
import { DriverCaller, faultsOf } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { typedInputs } from '../../support/typed-inputs.ts';

const typed = (name: string, input: JsonObject) => f5BigIp.typed[name]?.(input);

test('each one of the family is an operation with valid arguments', () => {
  for (const { name } of wafMutations) {
    const input = { ...typedInputs[name], ...(name === 'wafModeSet' ? { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ' } : {}) };
    const call = typed(name, input);
    expect([name, faultsOf(f5BigIp, call?.operation ?? '', call?.arguments ?? {})]).toEqual([name, []]);
  }
});

test('they have their documented effects', async () => {
  const device = await BigIp.start();
  const driver = new DriverCaller(f5BigIp, webEndpoint(device.server));
  try {
    const run = async (name: string, input: JsonObject) => {
      const call = typed(name, input);
      return driver.done(call?.operation ?? '', call?.arguments ?? {});
    };
    await run('wafPoolCreate', { name: 'web', scope: 'Common', monitor: 'http' });
    const member = await run('wafPoolMemberAdd', { pool: 'web', address: '10.0.0.1', port: 80, ratio: 2 });
    expect(member).toMatchObject({ pool: 'web', address: '10.0.0.1', port: 80, ratio: 2 });
    device.asm.tasks.knobs.taskMs = 0;
    const args = { name: 'shop', file: '<policy></policy>' };
    const job = await driver.job('asmPolicy.import', args, await driver.accepted('asmPolicy.import', args));
    const policy = job.finding === 'SUCCEEDED' ? (job.uuid ?? '') : '';
    expect(await run('wafModeSet', { policy, mode: 'BLOCKING' })).toMatchObject({ mode: 'blocking' });
    expect(await run('wafModeSet', { policy, mode: 'DETECTION' })).toMatchObject({ mode: 'transparent' });
  } finally {
    await driver.stop();
    await device.stop();
  }
});

test('unsupported mutations are not offered, and an unsupported value is a fault of its field', () => {
  expect(typed('wafModeSet', { policy: 'Xnm5-sgcAnOxSsK2uDZTkQ', mode: 'OFF' })).toBeUndefined();
  const call = typed('wafModeSet', { policy: 'shop', mode: 'BLOCKING' });
  expect(faultsOf(f5BigIp, call?.operation ?? '', call?.arguments ?? {})).toEqual([
    expect.stringMatching(/^policy: does not fit: The policy's id/),
  ]);
});
