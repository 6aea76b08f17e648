// What a refused lock says of a call: nothing of it was sent.
import { expect, test } from '@jest/globals';
import type { NetconfReply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { netconf } from '../../../../../subgraphs/relay/drivers/netconf/driver.ts';
import { operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

test.each([
  ['lock-denied', 'DEVICE_BUSY'],
  ['in-use', 'DEVICE_BUSY'],
  ['resource-denied', 'DEVICE_BUSY'],
  ['access-denied', 'DEVICE_REFUSED'],
  ['operation-not-supported', 'DEVICE_REFUSED'],
])('a lock that is refused with %s: FAILED %s', (tag, code) => {
  const reply: NetconfReply = {
    ...{ kind: 'netconf', step: 'lock', errors: [{ tag, message: 'no', path: '' }] },
    ...{ data: null, modules: {}, truncated: false },
  };
  const { interpret, example } = operationOf(netconf, 'entry.create');
  expect(interpret(reply, example, renderContext(netconf))).toMatchObject({ state: 'FAILED', code });
});
