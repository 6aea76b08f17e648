// Generated texts, compared with the simulated device's own parsing of paths and filters.
import { expect, test } from '@jest/globals';
import { tableOf } from '../../../../../simulators/fortios/tables.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { pieces, random, seed, text } from '../../support/generated-texts.ts';
import { faultsOf, RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const tame = ['a', 'Z', '0', '_', '-', '.', ' ', '..'];
const wild = pieces.wild(['\t', 'all', 'none', 'tg:', '%2e', '%2F', '==']);
const factory = ['all', 'none'];

test(`generated names and comments are each one value (seed ${seed})`, async () => {
  const relayed = await RelayedGate.start();
  const names = () => relayed.gate.device.cmdb.list('root', tableOf('firewall/address')).map(([name]) => name);
  const wanted = new Map<string, string>();
  let refused = 0;
  for (let index = 0; index < 1_500; index += 1) {
    const name = text(random.pick([tame, wild]), 8);
    const comment = text(random.pick([tame, wild]), 8);
    const args: JsonObject = { name, address: '192.0.2.1', comment };
    if (faultsOf('address.create', args).length > 0 || factory.includes(name) || wanted.has(name)) refused += 1;
    else {
      await relayed.done('address.create', args);
      wanted.set(name, comment);
    }
  }
  // Otherwise the test proves nothing.
  expect(refused).toBeGreaterThan(200);
  expect(wanted.size).toBeGreaterThan(100);
  for (const [name, comment] of wanted)
    expect(await relayed.look('address', { key: name })).toMatchObject({
      ...{ finding: 'PRESENT', values: { name, comment } },
    });
  expect(names()).toEqual([...factory, ...wanted.keys()]);
  for (const name of wanted.keys()) await relayed.done('address.delete', { name });
  expect(names()).toEqual(factory);
});
