import { http, type ReplyRows, type Verdict } from '../../support/replies.ts';
import { someId } from './support.ts';

const error = (status: number, type: string) => http(status, { NeutronError: { type, message: 'no', detail: '' } });
const groups = [someId, someId.replace('2f', '3f')];
const chain = { id: someId, name: 'web', portPairGroups: groups };
const webPage = '<html><title>404</title></html>';

export const replies: ReplyRows = {
  unreadable: [
    ['500', error(500, 'HTTPInternalServerError')],
    ['502 of a proxy', http(502, '<html><title>502 Bad Gateway</title></html>')],
    ['503 of a load balancer', http(503, '<html><title>503 Service Unavailable</title></html>')],
    ['504', http(504)],
    ['408', http(408)],
    ['a redirect', http(302)],
    ['no JSON', http(201, 'Created')],
    ['JSON that is not an object', http(201, '[]')],
    ['a truncated reply', http(201, { network: { id: someId } }, { truncated: true })],
  ],
  changes: ({ name, mapping }) => {
    const absent = mapping === 'deletes' ? ' absent' : '';
    const made = /\.(create|add|update)$/.test(name) ? [{}, { network: null }, { network: {} }, { thing: {} }] : [];
    return [
      ...made.map((body): Verdict => [`success with ${JSON.stringify(body)}`, http(201, body), 'UNKNOWN']),
      ['400', error(400, 'HTTPBadRequest'), 'FAILED DEVICE_REFUSED'],
      ['401', http(401, 'no'), 'FAILED SESSION_REFUSED'],
      ['403', error(403, 'PolicyNotAuthorized'), 'FAILED NOT_ALLOWED'],
      ['404 of the object', error(404, 'NetworkNotFound'), `FAILED NOT_FOUND${absent}`],
      // Only an object that Neutron itself reports missing is absent.
      ['404 of the URL', error(404, 'HTTPNotFound'), 'FAILED'],
      ['404 of a page', http(404, webPage), 'FAILED'],
      ['404 of nothing', http(404), 'FAILED'],
      ['409: quota', error(409, 'OverQuota'), 'FAILED QUOTA_EXCEEDED'],
      ['409: in use', error(409, 'NetworkInUse'), 'FAILED IN_USE'],
      ['409: taken', error(409, 'IpAddressAlreadyAllocated'), 'FAILED ALREADY_EXISTS'],
      ['409: conflict', error(409, 'GatewayConflictWithAllocationPools'), 'FAILED CONFLICT'],
      ['412', error(412, 'RevisionNumberConstraintFailed'), 'FAILED DEVICE_REFUSED'],
      ['413', http(413, 'no'), 'FAILED DEVICE_REFUSED'],
      ['503 with its reason', error(503, 'MacAddressGenerationFailure'), 'FAILED DEVICE_BUSY'],
    ];
  },
  operations: {
    // An object that a chain or graph uses is in use.
    'portChain.create': ['InvalidPortPairGroups', 'ServiceGraphInvalidPortChains', 'PortPairInUse'].map((type) => [
      ...([type, error(409, type), 'FAILED IN_USE'] as const),
    ]),
  },
  objects: {
    network: [
      ['404 of the URL', error(404, 'HTTPNotFound'), 'UNREADABLE'],
      ['404 of a page', http(404, webPage), 'UNREADABLE'],
      ['404 of nothing', http(404), 'UNREADABLE'],
    ],
  },
  jobs: {
    // The driver reads the chain again.
    'portChain.update': [
      ...[
        ...[error(503, 'ServiceUnavailable'), error(401, 'Unauthorized'), error(403, 'PolicyNotAuthorized')],
        ...[error(429, 'OverLimit'), error(404, 'HTTPNotFound'), http(502)],
        // A different object.
        http(200, { port_pair: { id: someId } }),
      ].map((reply) => [`${reply.status}`, reply, 'UNREADABLE', chain, { id: someId }] as const),
      ['404 of the chain', error(404, 'PortChainNotFound'), 'FAILED NOT_FOUND', chain, { id: someId }],
    ],
  },
};
