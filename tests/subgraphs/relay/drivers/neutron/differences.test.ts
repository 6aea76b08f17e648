import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { unlike } from '../../support/unlike.ts';
import { someId } from './support.ts';

test('manual additions to an empty group or chain are differences', () => {
  const group = { name: 'a' };
  const chain = { name: 'a', portPairGroups: [someId] };
  for (const [operation, wanted, found, path] of [
    ['portPairGroup.create', group, { ...group, portPairs: [someId], lbFields: [], tap: false }, 'portPairs'],
    ['portPairGroup.create', group, { ...group, portPairs: [], lbFields: ['ip_src'], tap: false }, 'lbFields'],
    ['portChain.create', chain, { ...chain, flowClassifiers: [someId], chainId: 1 }, 'flowClassifiers'],
  ] as const)
    expect(unlike(neutron, operation, wanted as JsonObject, found as unknown as JsonObject)).toMatchObject([{ path }]);
});
