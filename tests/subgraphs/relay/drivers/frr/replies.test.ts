// What each reply of a router becomes: only a configuration that was read back says anything.
import { expect, test } from '@jest/globals';
import type { ExecReply, JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { frr } from '../../../../../subgraphs/relay/drivers/frr/driver.ts';
import { faultsOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

const operationId = '01900000-0000-7000-8000-000000000001';
/** Its verdict has the id of the call. */
const reply = (stdout: string, more: Partial<ExecReply> = {}): ExecReply => ({
  ...{ kind: 'exec', exitCode: 0, stderr: '', truncated: false },
  stdout: stdout.replace(/^frr .+$/m, `$& ${operationId}`),
  ...more,
});
const route = { destination: '10.0.0.0/8', nextHop: '192.0.2.1' };
const line = 'ip route 10.0.0.0/8 192.0.2.1';
const outcome = (operation: string, args: JsonObject, given: ExecReply) =>
  frr.operations.get(operation)?.interpret(given, args, renderContext(frr, { operationId }));

test.each<[string, ExecReply, object]>([
  ['the route is there', reply(`have \t${line}\nfrr done\n`), { state: 'SUCCEEDED' }],
  [
    'it is there, although something was said',
    reply(`said % well\nhave \t${line}\nfrr done\n`),
    { state: 'SUCCEEDED', result: { said: '% well' } },
  ],
  ['it is not there', reply('said % no\nfrr done\n'), { state: 'FAILED', code: 'DEVICE_REFUSED' }],
  ['it is not there, and nothing was said', reply('frr done\n'), { state: 'FAILED', code: 'NOT_TAKEN' }],
  ['it is there otherwise', reply(`have \t${line} 9\nfrr done\n`), { state: 'UNKNOWN', code: 'NOT_AS_WANTED' }],
  ['it is in another VRF', reply(`have vrf red\t ${line}\nfrr done\n`), { state: 'FAILED' }],
  [
    'the configuration could not be read',
    reply('said fine\nfrr unread\n'),
    { state: 'UNKNOWN', code: 'UNREADABLE_REPLY' },
  ],
  ['no daemon', reply('said Exiting: failed to connect to any daemons.\nfrr unread\n'), { state: 'FAILED' }],
  ['the input was cut', reply('frr refused CUT_SHORT\n'), { state: 'FAILED' }],
  ['an unknown refusal', reply('frr refused ELSE\n'), { state: 'UNKNOWN' }],
  ['no verdict', reply(`have \t${line}\n`), { state: 'UNKNOWN' }],
  ['a verdict without its end', reply(`have \t${line}\nfrr done`), { state: 'UNKNOWN' }],
  ['text after the verdict', reply(`have \t${line}\nfrr done\nx\n`), { state: 'UNKNOWN' }],
  ['another exit code', reply(`have \t${line}\nfrr done\n`, { exitCode: 1 }), { state: 'UNKNOWN' }],
  ['killed', reply('', { exitCode: null }), { state: 'UNKNOWN' }],
  ['cut off', reply(`have \t${line}\nfrr done\n`, { truncated: true }), { state: 'UNKNOWN' }],
  ['nothing', reply(''), { state: 'UNKNOWN' }],
  ['a page', reply('<html>login</html>\n'), { state: 'UNKNOWN' }],
  ['rubbish', reply('\u0000have\t\t\nhave\nsaid\nfrr\n'), { state: 'UNKNOWN' }],
])('a write: %s', (_what, given, wanted) => {
  expect(outcome('staticRoute.create', route, given)).toMatchObject(wanted);
});

test.each<[string, ExecReply, object]>([
  ['gone', reply('frr done\n'), { state: 'SUCCEEDED' }],
  [
    'it was not there',
    reply('said % Refusing to remove a non-existent route\nfrr done\n'),
    { state: 'SUCCEEDED', result: { said: expect.any(String) } },
  ],
  ['still there', reply(`have \t${line}\nfrr done\n`), { state: 'FAILED' }],
  ['unread', reply('frr unread\n'), { state: 'UNKNOWN' }],
])('a deletion: %s', (_what, given, wanted) => {
  expect(outcome('staticRoute.delete', route, given)).toMatchObject(wanted);
});

test.each<[string, ExecReply, object]>([
  ['JSON', reply('{"a":1}\nfrr done\n'), { state: 'SUCCEEDED', result: { a: 1 } }],
  ['a refusal', reply('% BGP instance not found\nfrr done\n'), { state: 'FAILED', code: 'DEVICE_REFUSED' }],
  ['text', reply('hello\nfrr done\n'), { state: 'FAILED', code: 'UNREADABLE_REPLY' }],
  ['half of it', reply('{"a":\nfrr done\n'), { state: 'FAILED', code: 'UNREADABLE_REPLY' }],
])('a read: %s', (_what, given, wanted) => {
  expect(outcome('bgpSession.list', {}, given)).toMatchObject(wanted);
});

test('a saved configuration is one of which the router says so', () => {
  const saved = (said: string) => outcome('config.save', {}, reply(`${said}\nfrr done\n`));
  expect(saved('Building Configuration...\nIntegrated configuration saved to /etc/frr/frr.conf\n[OK]')).toEqual({
    ...{ state: 'SUCCEEDED', result: null },
  });
  expect(saved("Can't open configuration file /etc/frr/frr.conf\n[OK]")).toMatchObject({ state: 'UNKNOWN' });
  expect(saved('Building Configuration...')).toMatchObject({ state: 'UNKNOWN', code: 'NOT_SAVED' });
});

test('a reply that can not be read quotes no password of the configuration', () => {
  const have = 'have router bgp 65001\t neighbor 10.0.0.1 password hunter2 and more\n';
  const args = { asNumber: 65_001, address: '10.0.0.1', remoteAs: 65_002 };
  const reader = frr.resources?.get('bgp-neighbor');
  const object = { scope: '65001 default', key: '10.0.0.1', uuid: null };
  for (const given of [
    reply(have),
    reply(`${have}frr done\n`, { exitCode: 1 }),
    reply(`said line 3: neighbor 10.0.0.1 password hunter2\n${have}frr unread\n`),
    reply(`said % no: neighbor 10.0.0.1 password hunter2\nfrr done\n`),
    reply('', { exitCode: 2, stderr: 'neighbor 10.0.0.1 password hunter2' }),
  ])
    for (const said of [outcome('bgpNeighbor.create', args, given), reader?.interpret(given, object)])
      expect(JSON.stringify(said)).not.toContain('hunter2');
  const unsaved = reply('neighbor x password hunter2\nfrr done\n');
  expect(JSON.stringify(outcome('config.save', {}, unsaved))).not.toContain('hunter2');
  expect(
    JSON.stringify(outcome('bgpSession.list', {}, reply(`neighbor x password hunter2\nfrr done\n`))),
  ).not.toContain('hunter2');
});

test.each(['\0', '\n', '\r'])('a text of the router with %j is refused by name', (character) => {
  const was = { remoteAs: '65002', description: `a${character}b` };
  const faults = faultsOf(frr, 'bgpNeighbor.delete', { asNumber: 65_001, address: '198.51.100.2', was });
  expect(JSON.stringify(faults)).toContain('description');
  expect(
    faultsOf(frr, 'bgpNeighbor.delete', { asNumber: 65_001, address: '198.51.100.2', was: { description: 'ab' } }),
  ).toEqual([]);
});
