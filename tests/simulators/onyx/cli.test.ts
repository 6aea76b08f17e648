import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CliSession } from '../../../simulators/onyx/cli.ts';
import { OnyxSwitch } from '../../../simulators/onyx/switch.ts';
import { formatVlans, parseVlans } from '../../../simulators/onyx/vlan-ranges.ts';
import { match, splitWords } from '../../../simulators/onyx/words.ts';

let device: OnyxSwitch;
let cli: CliSession;
beforeAll(async () => {
  device = await OnyxSwitch.start();
});
afterAll(() => device.stop());
beforeEach(() => {
  device.reload();
  device.log.clear();
  cli = new CliSession(device, 'CLI');
  for (const line of ['enable', 'configure terminal']) cli.execute(line);
});

/** The outputs of lines typed one after the other. */
const type = (...lines: string[]) => lines.map((line) => cli.execute(line).output);
const shown = (line: string) => JSON.parse(cli.execute(`${line} | json-print`).output) as Record<string, never>;

test('prompts show the mode, and exit goes up one level', () => {
  const start = new CliSession(device, 'CLI');
  const prompts = [start.prompt];
  for (const line of ['ena', 'conf t', 'vlan 10', 'exit', 'interface ethernet 1/1', 'exit', 'exit', 'disable']) {
    expect(start.execute(line).output).toBe('');
    prompts.push(start.prompt);
  }
  expect(prompts).toEqual([
    'switch-1 [standalone: master] > ',
    'switch-1 [standalone: master] # ',
    'switch-1 [standalone: master] (config) # ',
    'switch-1 [standalone: master] (config vlan 10) # ',
    'switch-1 [standalone: master] (config) # ',
    'switch-1 [standalone: master] (config interface ethernet 1/1) # ',
    'switch-1 [standalone: master] (config) # ',
    'switch-1 [standalone: master] # ',
    'switch-1 [standalone: master] > ',
  ]);
  expect(start.execute('exit').ended).toBe(true);
});

test('unknown commands, and commands of another mode, are refused with %', () => {
  expect(type('flap 1/1')).toEqual(['% Unrecognized command "flap".\nType "?" for help.\n']);
  // Configuration mode has no command to enter itself.
  expect(type('configure terminal')[0]).toMatch(/^% Unrecognized command/);
  expect(new CliSession(device, 'CLI').execute('vlan 10').output).toMatch(/^% Unrecognized command/);
  expect(type('vlan 10', 'name "no end')[1]).toBe('% Unbalanced quotes\n');
});

describe('VLANs', () => {
  test('are created, named, listed and deleted', () => {
    expect(type('vlan 10', 'name "tenant 42"', 'exit', 'vlan 20-21', 'exit', 'vlan 20 name x')).toEqual(
      Array(6).fill(''),
    );
    expect(shown('show vlan')).toMatchObject({
      '10': [{ Name: 'tenant 42', Ports: '' }],
      '20': [{ Name: 'x' }],
      '21': [{ Name: '' }],
    });
    expect(shown('show vlan id 10')).toEqual({ '10': [{ Name: 'tenant 42', Ports: '' }] });
    expect(type('no vlan 10', 'no vlan 10', 'no vlan 1', 'vlan 4095', 'show vlan id 10')).toEqual([
      '',
      '% VLAN 10 does not exist\n',
      '% Default VLAN can not be deleted\n',
      '% Invalid vlan 4095\n',
      '% VLAN 10 does not exist\n',
    ]);
    expect(device.log.entries.map(({ action }) => action)).toEqual([
      'vlan 10',
      'name "tenant 42"',
      'vlan 20-21',
      'vlan 20 name x',
      'no vlan 10',
    ]);
  });

  test('the ports of a VLAN are printed five per line', () => {
    const ports = (shown('show vlan') as Record<string, [{ Ports: string }]>)['1']?.[0].Ports;
    expect(ports).toMatch(/^Eth1\/1, Eth1\/2, Eth1\/3, Eth1\/4, Eth1\/5,\nEth1\/6, .*,\nEth1\/16$/s);
  });
});

describe('switchports', () => {
  test('access ports', () => {
    type('vlan 10', 'exit');
    expect(
      type('interface ethernet 1/1 switchport access vlan 10', 'interface ethernet 1/1 switchport access vlan 11'),
    ).toEqual(['', '% VLAN 11 does not exist\n']);
    expect(shown('show interfaces ethernet 1/1 switchport')).toEqual({
      'Eth1/1': [{ Mode: 'access', 'Access vlan': '10', 'Allowed vlans': '' }],
    });
    expect(type('no interface ethernet 1/1 switchport access vlan')).toEqual(['']);
    expect(shown('show interfaces switchport')).toMatchObject({ 'Eth1/1': [{ 'Access vlan': '1' }] });
  });

  test('a trunk begins with all VLANs, then carries the configured ones', () => {
    type('vlan 10-12', 'exit', 'interface ethernet 1/1', 'switchport mode trunk');
    const allowed = () => shown('show interfaces ethernet 1/1 switchport');
    expect(allowed()).toEqual({ 'Eth1/1': [{ Mode: 'trunk', 'Access vlan': 'N/A', 'Allowed vlans': '1, 10-12' }] });
    type(
      'switchport trunk allowed-vlan none',
      'switchport trunk allowed-vlan add 10',
      'switchport trunk allowed-vlan add 12',
    );
    expect(allowed()).toMatchObject({ 'Eth1/1': [{ 'Allowed vlans': '10, 12' }] });
    type('switchport trunk allowed-vlan remove 10');
    expect(allowed()).toMatchObject({ 'Eth1/1': [{ 'Allowed vlans': '12' }] });
    expect(type('switchport trunk allowed-vlan add 13', 'switchport hybrid allowed-vlan add 10')).toEqual([
      '% VLAN 13 does not exist\n',
      '% Interface is not in hybrid mode\n',
    ]);
  });

  test('a hybrid port has both', () => {
    type('vlan 10-12', 'exit', 'interface ethernet 1/1 switchport mode hybrid');
    type(
      'interface ethernet 1/1 switchport hybrid allowed-vlan add 10-11',
      'interface ethernet 1/1 switchport access vlan 12',
    );
    expect(shown('show interfaces ethernet 1/1 switchport')).toEqual({
      'Eth1/1': [{ Mode: 'hybrid', 'Access vlan': '12', 'Allowed vlans': '10-11' }],
    });
  });
});

test('link aggregation: static and LACP, members, removal', () => {
  type('interface port-channel 22', 'exit');
  expect(
    type(
      'interface ethernet 1/7 channel-group 22 mode active',
      'lacp',
      'interface ethernet 1/7 channel-group 22 mode active',
      'interface ethernet 1/8 channel-group 22 mode on',
      'interface ethernet 1/8 channel-group 23 mode active',
      'interface ethernet 1/7 switchport access vlan 1',
      'no lacp',
    ),
  ).toEqual([
    '% LACP is not enabled\n',
    '',
    '',
    '% Static and LACP members can not be in one port-channel\n',
    '% Port-channel 23 does not exist\n',
    '% Interface is a member of a port-channel\n',
    '% LACP has members\n',
  ]);
  expect(shown('show interfaces port-channel summary')).toMatchObject({
    '1 Po22(D)': [{ Type: 'LACP', 'Member Ports': 'Eth1/7(D)' }],
  });
  expect(
    type('interface ethernet 1/7 no channel-group', 'no interface port-channel 22', 'no interface port-channel 22'),
  ).toEqual(['', '', '% Port-channel 22 does not exist\n']);
});

test('MLAG: protocol, address, inter-peer link', () => {
  expect(type('mlag-vip group1 ip 192.0.2.1 /24 force')).toEqual(['% Protocol MLAG is not enabled\n']);
  const lines = [
    'protocol mlag',
    'mlag-vip group1 ip 192.0.2.1 /24 force',
    'no mlag shutdown',
    'mlag system-mac 00:11:12:23:34:45',
    ...[
      'vlan 4000',
      'exit',
      'interface vlan 4000',
      'ip address 192.0.2.129 /30',
      'ipl 1 peer-address 192.0.2.130',
      'exit',
    ],
    ...['interface port-channel 1 ', 'ipl 1', 'exit'],
  ];
  expect(type(...lines)).toEqual(lines.map(() => ''));
  expect(shown('show mlag-vip')).toMatchObject({
    'MLAG-VIP': { 'MLAG VIP address': '192.0.2.1/24', 'MLAG group name': 'group1' },
  });
  expect(shown('show mlag')).toMatchObject({ 'Admin status': 'Enabled', 'System-mac': '00:11:12:23:34:45' });
  expect(type('no mlag-vip', 'no mlag-vip')).toEqual(['', '% MLAG VIP does not exist\n']);
});

test('unsaved changes do not survive a reload', () => {
  type('vlan 10', 'exit', 'configuration write', 'vlan 11', 'exit');
  device.reload();
  expect([...device.config.vlans.keys()]).toEqual([1, 10]);
  device.config.vlans.delete(10);
  device.save();
});

test('older versions have other formats', async () => {
  const old = await OnyxSwitch.start({ version: '3.6.5000' });
  const session = new CliSession(old, 'CLI');
  session.execute('enable');
  expect(session.execute('show vlan | json-print').output).toMatch(/^\n\{\n/);
  expect(JSON.parse(session.execute('show vlan | json-print').output)).toMatchObject({ '1': { Name: 'default' } });
  expect(session.execute('show version').output).toContain('MLNX-OS');
  expect(new CliSession(device, 'CLI').execute('show version').output).toMatch(/Product name: +Onyx\n/);
  await old.stop();
});

test('the running configuration reproduces itself', () => {
  type('vlan 10 ', 'name "a b"', 'exit', 'interface ethernet 1/1 switchport mode trunk');
  const config = cli.execute('show running-config').output;
  expect(config).toContain('   vlan 10 name "a b"\n');
  expect(config).toContain('   interface ethernet 1/1 switchport trunk allowed-vlan add 10\n');
  expect(cli.execute('show hosts | include Hostname').output).toMatch(/^Hostname: +switch-1\n$/);
});

test.each([
  ['a  b', ['a', 'b']],
  ['a "b c" d', ['a', 'b c', 'd']],
  ['a \\"b\\ c', ['a', '"b c']],
  ['""', ['']],
  ['a "b', undefined],
])('the line %j splits into the words %j', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test('keywords can be abbreviated, and values cannot', () => {
  expect(match(['conf', 'term'], 'configure terminal')).toEqual([]);
  expect(match(['', 'terminal'], 'configure terminal')).toBeUndefined();
  expect(match(['configured', 'terminal'], 'configure terminal')).toBeUndefined();
  expect(match(['vlan', '10', 'na', 'x'], 'vlan ID name NAME')).toEqual(['10', 'x']);
});

test('lists of VLANs', () => {
  expect(formatVlans([4, 2, 3, 10, 12])).toBe('2-4, 10, 12');
  expect(parseVlans('2-4,10')).toEqual([2, 3, 4, 10]);
  for (const bad of ['', '0', '4095', '5-3', 'a', '1-2-3', '1 2']) expect(parseVlans(bad)).toBeUndefined();
});
