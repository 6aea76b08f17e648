// The factory entries of every virtual domain, as far as rules need something to refer to.

import { randomUUID } from 'node:crypto';
import type { TablePath } from './tables.ts';
import type { Entry } from './values.ts';

const service = (name: string, values: Entry): readonly [TablePath, string, Entry] => [
  'firewall.service/custom',
  name,
  values,
];

export const factoryEntries: readonly (readonly [TablePath, string, Entry])[] = [
  ['firewall/address', 'all', { uuid: randomUUID() }],
  ['firewall/address', 'none', { uuid: randomUUID(), subnet: '0.0.0.0 255.255.255.255' }],
  ['firewall.schedule/recurring', 'always', { day: 'sunday monday tuesday wednesday thursday friday saturday' }],
  ['firewall.schedule/recurring', 'none', { day: 'none' }],
  ['firewall.service/category', 'General', {}],
  ['firewall.service/category', 'Web Access', {}],
  service('ALL', { category: 'General', protocol: 'IP' }),
  service('HTTP', { category: 'Web Access', 'tcp-portrange': '80' }),
  service('HTTPS', { category: 'Web Access', 'tcp-portrange': '443' }),
  service('SSH', { 'tcp-portrange': '22' }),
  service('PING', { protocol: 'ICMP', icmptype: 8 }),
];
