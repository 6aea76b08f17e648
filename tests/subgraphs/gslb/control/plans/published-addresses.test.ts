// The addresses that zones publish for a name server. Its reports narrow its machine's record, and never extend it.
import { expect, test } from '@jest/globals';
import { publishedAddresses } from '../../../../../subgraphs/gslb/control/plans/published-addresses.ts';

const at = (...addresses: string[]) => ({ addresses: addresses.map((address) => ({ address, port: 53 })) });
const [v4, other, v6] = ['198.51.100.53', '198.51.100.54', '2001:db8::53'];
const set = 'tidegate machines update ns1 --address IP';

test.each([
  ['the same', [v4, v6], at(v4, v6), [v4, v6]],
  ['less', [v4, v6], at(v4), [v4]],
  ['more', [v4], at(v4, other, v6), [v4]],
  ['all of IPv4', [v4, v6], at('0.0.0.0'), [v4]],
  ['all of IPv6', [v4, v6], at('::'), [v6]],
  ['everything', [v4, v6], at('0.0.0.0', '::'), [v4, v6]],
  ['another spelling', [v6], at('2001:DB8:0::53'), [v6]],
])('the server reports %s', (_what, record, reported, addresses) => {
  expect(publishedAddresses('ns1', { addresses: record }, reported)).toEqual({ addresses, reason: null });
});

test('without a record or a common address it has no addresses, and the reason names the remedy', () => {
  const none = { addresses: [], reason: `its record has no addresses: ${set}` };
  expect(publishedAddresses('ns1', undefined, at(v4))).toEqual(none);
  expect(publishedAddresses('ns1', { addresses: [] }, at('0.0.0.0', '::'))).toEqual(none);
  expect(publishedAddresses('ns1', { addresses: [v4] }, at(other))).toEqual({
    addresses: [],
    reason: `it answers at ${other}, and its record has ${v4}: correct its setting nameserver.listen, or ${set}`,
  });
  expect(publishedAddresses('ns1', { addresses: [v4] }, {}).reason).toContain('it answers at no address');
});
