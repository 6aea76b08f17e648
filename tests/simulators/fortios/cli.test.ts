// The command line over SSH: tree, quoting, errors on standard output, paging, VDOMs.

import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { cli, startGate, useGates, withToken } from './support/gates.ts';

useGates();

const apiUsers = [{ token: 'token' }];

test('creates an address that REST shows, and shows one that REST created', async () => {
  const gate = await startGate({ apiUsers });
  const api = withToken(gate);
  const shell = await cli(gate);
  expect(await shell.type('config firewall address')).toBe('config firewall address\n\nfgt (address) # ');
  expect(await shell.type('edit "web server"')).toContain("new entry 'web server' added\n\nfgt (web server) # ");
  await shell.type('set subnet 10.1.2.3 255.255.255.255');
  await shell.type('set comment "a \\"quoted\\" word"');
  expect((await api('GET', '/cmdb/firewall/address/web%20server')).status).toBe(404);
  expect(await shell.type('next')).toBe('next\n\nfgt (address) # ');
  const { body } = await api('GET', '/cmdb/firewall/address/web%20server');
  expect(body.results[0]).toMatchObject({ subnet: '10.1.2.3 255.255.255.255', comment: 'a "quoted" word' });
  expect(gate.log.entries.at(-1)).toMatchObject({ via: 'CLI', action: 'root: create firewall/address web server' });
  await shell.type('end');
  await api('POST', '/cmdb/firewall/address', { name: 'rest', type: 'fqdn', fqdn: 'example.com' });
  expect(await shell.type('show firewall address rest')).toMatch(
    /config firewall address\n {4}edit "rest"\n {8}set uuid "[-0-9a-f]{36}"\n {8}set type fqdn\n {8}set fqdn "example.com"\n {4}next\nend\n\nfgt # $/,
  );
  expect(await shell.type('get firewall address rest')).toContain('\nfqdn                : example.com \n');
});

test('errors are text on standard output', async () => {
  const gate = await startGate({ apiUsers });
  const shell = await cli(gate);
  const says = async (line: string) => (await shell.type(line)).split('\n').slice(1, -1).filter(Boolean).join('|');
  expect(await says('nonsense')).toBe('Unknown action 0|Command fail. Return code -1');
  expect(await says('config firewall nonsense')).toBe(
    "command parse error before 'nonsense'|Command fail. Return code 1",
  );
  await says('config firewall address');
  await says('edit a');
  expect(await says('set nonsense 1')).toBe("command parse error before 'nonsense'|Command fail. Return code -61");
  expect(await says('set subnet 1.2.3')).toBe(
    "node_check_object fail! for subnet 1.2.3|value parse error before '1.2.3'|Command fail. Return code -651",
  );
  await says('end');
  await says('config firewall addrgrp');
  await says('edit g');
  expect(await says('set member "no such"')).toBe(
    "entry not found in datasource|value parse error before 'no such'|Command fail. Return code -3",
  );
  expect(await says('next')).toBe('object check operator error, -56|Command fail. Return code 1');
  expect(await says('edit g')).toBe("new entry 'g' added");
  await says('set member a');
  await says('end');
  await says('config firewall address');
  expect(await says('delete a')).toBe('The entry is used by other 1 entries|Command fail. Return code -23');
  expect(await says('delete b')).toBe('entry not found in table|Command fail. Return code -3');
  expect(await says('edit "<b>"')).toBe(
    "The string contains XSS vulnerability characters|value parse error before '<b>'|Command fail. Return code -173",
  );
  expect(await says('abort')).toBe('');
  expect(gate.log.entries.map((entry) => entry.action)).toEqual([
    'root: create firewall/address a',
    'root: create firewall/addrgrp g',
  ]);
});

test('an open quote continues on the next line, and a question mark shows help without running anything', async () => {
  const gate = await startGate();
  const shell = await cli(gate);
  await shell.type('config firewall address');
  await shell.type('edit a');
  expect(await shell.press('set comment "one\n', /> $/)).toBe('set comment "one\n> ');
  await shell.type('two"');
  const help = await shell.press('set fqdn ?', /\) # set fqdn $/);
  expect(help).toBe('set fqdn ?\n<Enter>\nfgt (a) # set fqdn ');
  await shell.type('example.com');
  expect(await shell.type('show')).toMatch(/set fqdn "example.com"\n {8}set comment "one\ntwo"/);
  await shell.type('abort');
  expect(gate.log.entries).toEqual([]);
});

test('policies: set, unset, append, move', async () => {
  const gate = await startGate({ apiUsers });
  const shell = await cli(gate);
  await shell.type('config firewall policy');
  for (const name of ['one', 'two']) {
    await shell.type('edit 0');
    for (const line of [
      `set name ${name}`,
      'set srcintf any',
      'set dstintf any',
      'set srcaddr all',
      'set dstaddr all',
    ]) {
      await shell.type(line);
    }
    for (const line of [
      'set service HTTP',
      'append service HTTPS',
      'set schedule always',
      'set nat enable',
      'unset nat',
    ]) {
      await shell.type(line);
    }
    expect(await shell.type('next')).toBe('next\n\nfgt (policy) # ');
  }
  await shell.type('move 2 before 1');
  const { body } = await withToken(gate)('GET', '/cmdb/firewall/policy');
  const seen = body.results.map(
    (each: { policyid: number; name: string; nat: string; service: { name: string }[] }) => [
      each.policyid,
      each.name,
      each.nat,
      each.service.map((service) => service.name).join('+'),
    ],
  );
  expect(seen).toEqual([
    [2, 'two', 'disable', 'HTTP+HTTPS'],
    [1, 'one', 'disable', 'HTTP+HTTPS'],
  ]);
});

test('output is paged until the console is configured otherwise', async () => {
  const gate = await startGate();
  const shell = await cli(gate, { rows: 16 });
  await shell.press('get system status\n', /--More-- $/);
  await shell.press(' ', /# $/);
  for (const line of ['config system console', 'set output standard', 'end']) await shell.type(line);
  expect(await shell.type('get system console')).toContain('output              : standard \n');
  expect(await shell.type('get system status')).not.toContain('--More--');
  expect(await shell.type('get system status | grep Serial')).toBe(
    'get system status | grep Serial\nSerial-Number: FGVM01TM00000001\n\nfgt # ',
  );
});

test('virtual domains are chosen first, created and deleted', async () => {
  const gate = await startGate({ version: '6.4.9', multiVdom: true });
  const shell = await cli(gate);
  expect(await shell.type('config firewall address')).toContain('Unknown action 0');
  expect(await shell.type('config vdom')).toContain('fgt (vdom) # ');
  expect(await shell.type('edit tenant')).toBe('edit tenant\ncurrent vf=tenant:1\n\nfgt (tenant) # ');
  await shell.type('config firewall address');
  await shell.type('edit a');
  await shell.type('end');
  expect(await shell.type('show firewall address a')).toContain('edit "a"');
  await shell.type('next');
  await shell.type('edit root');
  expect(await shell.type('show firewall address a')).toContain("command parse error before 'a'");
  expect(await shell.type('end')).toContain('fgt # ');
  expect(await shell.type('get system status')).toContain('Virtual domain configuration: multiple');
  await shell.type('config vdom');
  expect(await shell.type('delete tenant')).toBe('delete tenant\n\nfgt (vdom) # ');
  expect(gate.device.cmdb.vdoms).toEqual(['root']);
});

test('saves the configuration, with output only when it has an effect', async () => {
  const gate = await startGate();
  gate.device.settings.set('system global', 'cfg-save', 'manual');
  const shell = await cli(gate);
  expect(await shell.type('execute cfg save')).toContain('config saved.');
  expect(gate.device.saves).toHaveLength(1);
  const many = await startGate({ multiVdom: true });
  const other = await cli(many);
  expect(await other.type('execute cfg save')).toContain('Unknown action 0');
  await other.type('config global');
  expect(await other.type('execute cfg save')).not.toContain('Command fail');
  expect(many.device.saves).toHaveLength(1);
});

test('a connection can break in the middle of a block, before or after it is written', async () => {
  const gate = await startGate();
  for (const [name, fault, made] of [
    ['before', 'DROP_BEFORE_APPLYING', false],
    ['after', 'DROP_AFTER_APPLYING', true],
  ] as const) {
    const shell = await cli(gate);
    await shell.type('config firewall address');
    await shell.type(`edit ${name}`);
    gate.device.faults.plan(fault);
    const closed = once(shell.client, 'close');
    shell.channel.write('end\n');
    await closed;
    expect(gate.log.entries.some((entry) => entry.action.endsWith(name))).toBe(made);
  }
});

test('runs one command without a shell, with a meaningless exit status', async () => {
  const gate = await startGate();
  const { client } = await cli(gate);
  const run = (command: string) =>
    new Promise<string>((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let text = '';
        channel.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        channel.on('close', (code: number) => resolve(`${code} ${text}`));
      });
    });
  expect(await run('get system status')).toMatch(/^0 Version: FortiGate-VM64 v7.4.5,build2702,/);
  expect(await run('nonsense')).toMatch(/^0 Unknown action 0/);
});
