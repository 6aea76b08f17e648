// Lines that are pasted into a table of parts.
import { expect, test } from '@jest/globals';
import { linesOf, readDraft, readDraftOf } from '../../../dashboard/src/forms/draft.ts';
import { hostAndPort, lineWords, mostOf, readLines } from '../../../dashboard/src/forms/lines.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import type { InputField } from '../../../schema/kinds/kind.ts';

const fieldOf = (input: string, name: string): InputField => {
  const field = registry.inputs[input]?.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${input} has no ${name}`);
  return field;
};
const members = fieldOf('PoolTreeInput', 'members');
const read = (text: string, field = members, before = 0) => readLines(field, text, before, readDraftOf);

test('the contents of a line', () => {
  expect(['PoolMemberTreeInput', 'GslbPoolMemberTreeInput', 'GslbClientBlockInput'].map(lineWords)).toEqual([
    'HOST:PORT WEIGHT BACKUP',
    'NAME ADDRESS:PORT REGION WEIGHT',
    'CIDR REGION',
  ]);
  expect([mostOf(members), mostOf(fieldOf('GslbPoolTreeInput', 'members'))]).toEqual([1_000, 100]);
});

test('host and port, with a weight, of IPv4, IPv6 and names', () => {
  const text = '192.0.2.1:80\n\n# spare\n[2001:db8::1]:8080 5\r\nweb.example.com, 443\nweb2.example.com\t80\t1\ttrue';
  expect(read(text)).toEqual({
    items: [
      { host: '192.0.2.1', port: '80' },
      { host: '2001:db8::1', port: '8080', weight: '5' },
      { host: 'web.example.com', port: '443' },
      { host: 'web2.example.com', port: '80', weight: '1', backup: 'true' },
    ],
    faults: [],
  });
  expect(hostAndPort('2001:db8::1')).toBeUndefined();
});

test('of 500 lines three are wrong, and each is reported by its number', () => {
  const lines = Array.from({ length: 500 }, (_, at) => `10.0.${Math.floor(at / 250)}.${(at % 250) + 1}:80`);
  lines[16] = '10.0.0.300:80';
  lines[99] = '10.0.0.100';
  lines[499] = '10.0.1.250:http';
  expect(read(lines.join('\n')).faults).toEqual([
    { line: 17, message: "'10.0.0.300' is no host name or address" },
    { line: 100, message: 'port is missing' },
    { line: 500, message: "port 'http': Write a number." },
  ]);
});

test.each([
  ['192.0.2.1:70000', "port '70000': Write a number from 1 to 65535."],
  ['192.0.2.1:80 5 true x', "'x' is too much: give Host, Port, Weight, Backup"],
  ['192.0.2.1:80 heavy', "weight 'heavy': Write a number."],
  ['-x:80', "'-x' is no host name or address"],
  ['192.0.2.1:80\n192.0.2.1:80', 'the same as line 1'],
  ['192.0.2.1:80 1 perhaps', "backup 'perhaps': Write true or false."],
  ['javascript:alert(1)', "port 'alert(1)': Write a number."],
])('%j is refused', (text, message) => {
  expect(read(text).faults.map((each) => each.message)).toEqual([message]);
});

test('more lines than the graph accepts are refused, counting existing ones', () => {
  const text = Array.from({ length: 3 }, (_, at) => `192.0.2.${at + 1}:80`).join('\n');
  expect(read(text, members, 998).faults).toEqual([
    { line: 3, message: 'there would be 1001 entries; at most 1000 are allowed' },
  ]);
  expect(read(text, members, 997).faults).toEqual([]);
});

test('members of names in DNS: name, address with a port, region', () => {
  const field = fieldOf('GslbPoolTreeInput', 'members');
  expect(read('east 192.0.2.1:443 eu\nwest 192.0.2.2 80 us 3\nsix 2001:db8::1', field)).toEqual({
    items: [
      { name: 'east', addresses: ['192.0.2.1'], servicePort: '443', memberRegion: 'eu' },
      { name: 'west', addresses: ['192.0.2.2'], servicePort: '80', memberRegion: 'us', weight: '3' },
      { name: 'six', addresses: ['2001:db8::1'] },
    ],
    faults: [],
  });
  expect(read('east 192.0.2', field).faults).toEqual([{ line: 1, message: "'192.0.2' is no IP address" }]);
});

test('lines that are not added yet are a fault of the form', () => {
  const pool = { name: 'p', memberProtocol: 'HTTP', members: [{}], [linesOf('members')]: '192.0.2.1:80' };
  const { faults } = readDraft('LoadBalancerCreateInput', { name: 'web', pools: [pool] });
  expect(faults).toEqual([
    { path: ['pools', '0', 'members', linesOf('')], message: 'Add these lines, or empty the box.' },
  ]);
});
