// The client address of a request, behind trusted proxies and others.
import { expect, test } from '@jest/globals';
import { ClientAddresses } from '../../../gateway/http/client-address.ts';
import { ConfigError } from '../../../platform/errors/config-error.ts';
import { readConfig } from '../../../platform/process/config.ts';

const trusted = ['10.0.0.0/24', '2001:db8:1::/48'];
const from = (remoteAddress: string, forwarded?: string | string[]) =>
  new ClientAddresses(trusted).of({
    socket: { remoteAddress, remotePort: 1 },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded as string },
  });

test.each([
  { what: 'no proxy', remote: '192.0.2.1', client: '192.0.2.1' },
  { what: 'no proxy, invented header', remote: '192.0.2.1', forwarded: '198.51.100.9', client: '192.0.2.1' },
  { what: 'a proxy', remote: '10.0.0.5', forwarded: '192.0.2.1', client: '192.0.2.1' },
  { what: 'a proxy seen over IPv6', remote: '::ffff:10.0.0.5', forwarded: '192.0.2.1', client: '192.0.2.1' },
  { what: 'an IPv6 proxy', remote: '2001:db8:1::2', forwarded: '2001:db8:9::1', client: '2001:db8:9::1' },
  {
    what: 'a proxy, with more invented by the client',
    remote: '10.0.0.5',
    forwarded: '1.1.1.1, 192.0.2.1',
    client: '192.0.2.1',
  },
  { what: 'two proxies', remote: '10.0.0.5', forwarded: '9.9.9.9, 192.0.2.1, 10.0.0.6', client: '192.0.2.1' },
  { what: 'a proxy without the header', remote: '10.0.0.5', client: '10.0.0.5' },
  { what: 'a proxy with an invalid header', remote: '10.0.0.5', forwarded: 'unknown', client: '10.0.0.5' },
])('$what: $client', ({ remote, forwarded, client }) => {
  expect(from(remote, forwarded)).toBe(client);
});

test('listen.trustedProxies accepts addresses and blocks, and its refusal names any other entry', () => {
  const read = (value: string) => readConfig({ flags: { 'listen.trustedProxies': value, roles: 'gateway' } }, []);
  expect(read('10.0.0.1, 2001:DB8::/32')['listen.trustedProxies']).toEqual(['10.0.0.1', '2001:db8::/32']);
  expect(() => read('10.0.0.1,nonsense')).toThrow(ConfigError);
  expect(() => read('10.0.0.1,nonsense')).toThrow('nonsense is not an address or CIDR block');
});
