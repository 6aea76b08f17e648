// An independent client: netmiko's driver for Mellanox switches (Debian package python3-netmiko, 2.4) logs in, configures, saves
// and reads back. Without the package the test is skipped.
// needs: python3, python3-netmiko

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { OnyxSwitch } from '../../../simulators/onyx/switch.ts';
import { patience } from '../../support/machine/patience.ts';

const isThere = existsSync('/usr/lib/python3/dist-packages/netmiko');
const whenThere = isThere ? test : test.skip;

const program = `
import json, sys
from netmiko import ConnectHandler
port, lines = json.loads(sys.argv[1])
switch = ConnectHandler(device_type='mellanox_mlnxos', host='127.0.0.1', port=port, username='admin', password='secret',
                        fast_cli=True, global_delay_factor=0.3)
first = switch.find_prompt()
switch.enable()
sent = switch.send_config_set(lines)
switch.save_config()
print(json.dumps({'first': first, 'after': switch.find_prompt(), 'sent': sent,
                  'vlans': switch.send_command('show vlan | json-print'), 'wrong': switch.send_command('show nothing'),
                  'long': switch.send_command('show running-config')}))
switch.disconnect()
`;

whenThere('netmiko logs in, makes VLANs, saves and reads back', async () => {
  // Both the SSH library of Debian 12's netmiko and ssh2 support these.
  const device = await OnyxSwitch.start({ sshAlgorithms: { kex: ['diffie-hellman-group14-sha256'] } });
  const many = Array.from({ length: 40 }, (_, index) => `vlan ${100 + index} name many-${index}`);
  const made = ['vlan 100-139', 'exit', ...many];
  const lines = ['vlan 42', 'name "from netmiko"', 'exit', 'interface ethernet 1/3 switchport access vlan 42', ...made];
  const args = JSON.stringify([device.ssh.port, lines]);
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', program, args], {
    timeout: 90_000 * patience,
  });
  const seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, string>;
  expect(seen.first).toBe('switch-1 [standalone: master] >');
  expect(seen.after).toBe('switch-1 [standalone: master] #');
  expect(seen.sent).toContain('(config vlan 42) # ');
  expect(JSON.parse(seen.vlans ?? '')).toMatchObject({ '42': [{ Name: 'from netmiko', Ports: 'Eth1/3' }] });
  expect(seen.wrong).toContain('% Unrecognized command "show".');
  // netmiko has switched paging off.
  expect(seen.long).toContain('vlan 139 name "many-39"');
  expect(seen.long).not.toContain('lines 1-23');
  device.reload();
  expect(device.config.vlans.get(42)).toEqual({ name: 'from netmiko' });
  await device.stop();
});
