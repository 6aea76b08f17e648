// An independent client: netmiko's driver for Fortinet (Debian package python3-netmiko, 2.4) logs in, configures and reads back.
// Without the package the tests are skipped.
// needs: python3, python3-netmiko

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { FortiGate, FortiGateOptions } from '../../../simulators/fortios/fortigate.ts';
import { patience } from '../../support/machine/patience.ts';
import { startGate, useGates, withToken } from './support/gates.ts';

const isThere = existsSync('/usr/lib/python3/dist-packages/netmiko');

const program = `
import json, sys
from netmiko import ConnectHandler
port, lines, read = json.loads(sys.argv[1])
gate = ConnectHandler(device_type='fortinet', host='127.0.0.1', port=port, username='admin', password='secret',
                      fast_cli=True, global_delay_factor=0.3)
sent = gate.send_config_set(lines)
print(json.dumps({'prompt': gate.find_prompt(), 'vdoms': gate.vdoms, 'sent': sent, 'read': gate.send_command(read)}))
gate.disconnect()
`;

useGates();

interface Seen {
  readonly prompt: string;
  readonly vdoms: boolean;
  readonly sent: string;
  readonly read: string;
}

async function netmiko(gate: FortiGate, lines: readonly string[], read: string): Promise<Seen> {
  const args = JSON.stringify([gate.ssh.port, lines, read]);
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', program, args], {
    timeout: 60_000 * patience,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Seen;
}

// The newest algorithms that netmiko 2.4 offers for this device type.
const sshAlgorithms: FortiGateOptions['sshAlgorithms'] = { kex: ['diffie-hellman-group14-sha1'] };

const whenThere = isThere ? test : test.skip;

whenThere('logs in, makes an address and reads it back', async () => {
  const gate = await startGate({ sshAlgorithms, apiUsers: [{ token: 'token' }] });
  const lines = ['config firewall address', 'edit "from netmiko"', 'set subnet 10.9.0.0 255.255.0.0', 'next', 'end'];
  const seen = await netmiko(gate, lines, 'show firewall address "from netmiko"');
  expect(seen).toMatchObject({ prompt: 'fgt #', vdoms: false });
  expect(seen.sent).toContain('fgt (address) # ');
  expect(seen.read).toContain('set subnet 10.9.0.0 255.255.0.0');
  const { body } = await withToken(gate)('GET', '/cmdb/firewall/address/from%20netmiko');
  expect(body.results[0].subnet).toBe('10.9.0.0 255.255.0.0');
  // netmiko switches paging off for its session and then restores the setting.
  expect(gate.device.settings.get('system console', 'output')).toBe('more');
});

whenThere('finds its way through virtual domains', async () => {
  // netmiko 2.4 knows virtual domains only by the output of FortiOS before 6.2.
  const gate = await startGate({ sshAlgorithms, version: '5.6.14', multiVdom: true });
  const lines = ['config vdom', 'edit tenant', 'config firewall address', 'edit a', 'end', 'end'];
  const seen = await netmiko(gate, lines, 'get system status');
  expect(seen.vdoms).toBe(true);
  expect(seen.sent).toContain('current vf=tenant:1');
  expect(seen.read).toContain('Virtual domain configuration: enable');
  expect(gate.log.entries.map((entry) => entry.action)).toEqual([
    'create system/vdom tenant',
    'tenant: create firewall/address a',
  ]);
});
