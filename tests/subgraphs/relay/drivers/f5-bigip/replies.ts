import { http, type ReplyRows } from '../../support/replies.ts';

const policyId = 'PW6zgmf9L7C4I8UdUjaWgw';
const imported = (message: string) => {
  const link = `https://localhost/mgmt/tm/asm/policies/${policyId}?ver=16.1.0`;
  return http(200, {
    ...{ kind: 'tm:asm:tasks:import-policy:import-policy-taskstate', id: policyId, status: 'COMPLETED' },
    result: { policyReference: { link }, message },
  });
};
const shop = { name: 'shop', partition: 'Common', file: '<policy></policy>' };
const named = "The security policy name is '/Common/shop'.";
const task = { task: policyId };

export const replies: ReplyRows = {
  unreadable: ({ mapping }) => [
    ['HTML', http(200, '<html><title>Welcome</title></html>')],
    ['half of the JSON', http(200, '{"kind":"tm:ltm:pool:poolstate","fullPath":"/Common/w')],
    ['another object', http(200, '{"kind":"tm:ltm:pool:poolstate","fullPath":"/Common/other"}')],
    ['another kind', http(200, '{"kind":"tm:ltm:node:nodestate","fullPath":"/Common/web"}')],
    ['a list', http(200, '[]')],
    // A deletion has an empty answer.
    ...(mapping === 'deletes' ? [] : [['nothing', http(200)] as const]),
    ['a redirect', http(302, '', { headers: { location: '/tmui/login.jsp' } })],
    ['a refusal in HTML', http(400, '<html><title>Bad Request</title></html>')],
    ['a gateway', http(502, '<html><title>Bad Gateway</title></html>')],
  ],
  jobs: {
    'asmPolicy.import': [
      ['of another policy', imported(named), 'FAILED', { ...shop, policy: 'Xnm5-sgcAnOxSsK2uDZTkQ' }, task],
      ['without a name', imported('The operation was completed successfully.'), 'UNREADABLE', shop, task],
      [
        // The answer of BIG-IP 16.1 (f5devcentral/go-bigip, awaf_test.go).
        ...(['with more words'] as const),
        imported(`The operation was completed successfully. ${named} Policy Template set to API Security.`),
        ...(['SUCCEEDED', shop, task] as const),
      ],
    ],
  },
};
