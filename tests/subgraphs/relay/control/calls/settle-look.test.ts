// A call that changes only the order of a list is not done while the device still has the old order.
import { expect, test } from '@jest/globals';
import { outcomeProbe } from '../../../../../subgraphs/relay/control/calls/outcome-probe.ts';
import type { OperationRow } from '../../../../../subgraphs/relay/control/model/operation.ts';
import type { HttpReply } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { renderContext } from '../../support/render-context.ts';

const id = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
const row = {
  ...{ id, name: 'subnet.update', state: 'UNKNOWN', resource: 'subnet', scope: id, objectKey: 'a' },
  arguments: JSON.stringify({ id, network: id, name: 'a', dnsServers: ['9.9.9.9', '1.1.1.1'] }),
} as OperationRow;

test.each([
  [['9.9.9.9', '1.1.1.1'], 'DONE'],
  [['1.1.1.1', '9.9.9.9'], 'NOT_DONE'],
])('a subnet with the servers %j', (servers, is) => {
  const body = JSON.stringify({ subnet: { id, network_id: id, name: 'a', dns_nameservers: servers } });
  const reply: HttpReply = { kind: 'http', status: 200, headers: {}, body, truncated: false };
  const found = outcomeProbe(neutron, row, id)?.interpret(reply, renderContext(neutron));
  expect(found).toMatchObject({ is, proven: false });
});
