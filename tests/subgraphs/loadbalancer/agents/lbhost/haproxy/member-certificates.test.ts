// A member with several certificates. Checks use the same server name as requests do.
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { readServerStates } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/server-states.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, type TestMember, webMember } from '../../../support/members.ts';

let node: HaproxyNode;
let web: TestMember;
let authorities: string;

beforeEach(async () => {
  node = await HaproxyNode.make();
  const authority = await makeCertificate({ commonName: 'Members', use: 'authority' });
  const wanted = await makeCertificate({ commonName: 'wanted', names: ['in.example'], issuer: authority });
  const usual = await makeCertificate({ commonName: 'usual', names: ['other.example'] });
  authorities = authority.cert;
  web = await webMember('web', {
    tls: {
      ...{ cert: usual.cert, key: usual.key },
      SNICallback: (name, answer) =>
        name === 'in.example'
          ? answer(null, createSecureContext({ cert: wanted.cert, key: wanted.key }))
          : answer(null),
    },
  });
});
afterEach(async () => {
  await node.stop();
  await web.stop();
});

test.each([
  { monitorType: 'HTTP', path: '/health' },
  { monitorType: 'HTTPS', path: '/health' },
  { monitorType: 'TLS_HELLO' },
  { monitorType: 'TCP' },
])(
  'it is healthy: %j',
  async (monitor) => {
    const pool = node.pool({ tls: true, tlsServerName: 'in.example', authorities });
    node.monitor(pool, monitor);
    const member = node.member(pool, web.port);
    const listener = await node.listener({ defaultPool: pool.id });
    await node.start();
    await waitFor('its first checks', async () => {
      const states = await readServerStates(node.haproxy.runtime);
      return states.get(`p_${pool.id}`)?.get(`m_${member.id}`)?.check !== 'NONE';
    });
    expect(await ask(listener.port)).toMatchObject({ status: 200, text: 'web' });
  },
  30_000,
);
