// What every reply becomes that is not the one hoped for.
import { describe, expect, test } from '@jest/globals';
import type { ExecReply, Outcome } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { linuxIproute2 } from '../../../../../subgraphs/relay/drivers/linux-iproute2/driver.ts';
import { checkedFor, operationOf } from '../../support/driver-caller.ts';
import { renderContext } from '../../support/render-context.ts';

const route = { type: 'unicast', dst: '192.0.2.0/24', dev: 'lan0', protocol: 'static', metric: 1, flags: [] };

const operationId = '01900000-0000-7000-8000-000000000001';

function reply(stdout: string, more: Partial<ExecReply> = {}): ExecReply {
  return { kind: 'exec', exitCode: 0, stdout, stderr: '', truncated: false, ...more };
}

/** Of a call whose id the verdict repeats. */
function outcome(name: string, said: ExecReply): Outcome {
  const operation = operationOf(linuxIproute2, name);
  const args = ['staticRoute.list', 'system.get'].includes(name) ? {} : { destination: '192.0.2.0/24' };
  const target = ['staticRoute.create', 'staticRoute.delete'].includes(name) ? { discard: true } : {};
  return operation.interpret(
    { ...said, stdout: said.stdout.replace(/^iproute2 .+$/m, `$& ${operationId}`) },
    checkedFor(linuxIproute2, name, { ...args, ...target }),
    renderContext(linuxIproute2, { operationId }),
  );
}

const look = (said: ExecReply) =>
  linuxIproute2.resources
    ?.get('static-route')
    ?.interpret(said, { scope: 'table 254', key: '192.0.2.0/24 metric 1', uuid: null });

/** None of them says what has happened. */
const unreadable: readonly (readonly [what: string, reply: ExecReply])[] = [
  ['nothing', reply('')],
  ['no verdict', reply('[]\n\nexit 0\n')],
  ['half of a verdict', reply('iproute2 exit')],
  ['a verdict without its end', reply('iproute2 exit 0')],
  ['text after the verdict', reply('iproute2 exit 0\nbye\n')],
  ['another verdict', reply('iproute2 maybe\n')],
  ['an unknown refusal', reply('iproute2 refused ELSE\n')],
  ['too long', reply('iproute2 exit 0\n', { truncated: true })],
  ['a signal', reply('iproute2 exit 0\n', { exitCode: null })],
  ['a shell that failed', reply('iproute2 exit 0\n', { exitCode: 1 })],
  ['ip failed without a word', reply('iproute2 exit 2\n')],
  ['ip was killed', reply('iproute2 exit 137\n', { stderr: 'RTNETLINK answers: File exists\n' })],
  ['ip failed with other words', reply('iproute2 exit 1\n', { stderr: 'EOF on netlink\n' })],
  ['a page', reply('<html>not here</html>')],
];

describe.each(unreadable)('%s', (_what, said) => {
  test.each(['staticRoute.create', 'staticRoute.delete'])('leaves %s unknown', (name) => {
    expect(outcome(name, said)).toMatchObject({ state: 'UNKNOWN', code: 'UNREADABLE_REPLY' });
  });

  test.each(['staticRoute.get', 'staticRoute.list', 'system.get'])('fails %s', (name) => {
    expect(outcome(name, said)).toMatchObject({ state: 'FAILED', code: 'UNREADABLE_REPLY' });
  });

  test('is no finding and not healthy', () => {
    expect(look(said)).toMatchObject({ finding: 'UNREADABLE' });
    expect(linuxIproute2.health.interpret(said)).toBeUndefined();
  });
});

test.each([
  ['no JSON', '\nexit 0\n'],
  ['half of the JSON', `${JSON.stringify([route]).slice(0, -3)}\nexit 0\n`],
  ['an object', '{}\nexit 0\n'],
  ['other things than routes', '[1]\nexit 0\n'],
  ['JSON of an ip that failed', '[]\nexit 1\n'],
  ['no exit code', '[]\n'],
  ['more than was asked for', '[]\nexit 0\n[]\nexit 0\n'],
])('%s is neither a route nor the absence of one', (_what, said) => {
  expect(look(reply(`${said}iproute2 done\n`))).toMatchObject({ finding: 'UNREADABLE' });
});

test('absence is proved by an empty list, or by the words of the kernel', () => {
  expect(look(reply('[]\n\nexit 0\niproute2 done\n'))).toEqual({ finding: 'ABSENT' });
  const stderr = 'Error: ipv4: FIB table does not exist.\nDump terminated\n';
  expect(look(reply('[\nexit 2\niproute2 done\n', { stderr }))).toEqual({ finding: 'ABSENT' });
  const ofOther = stderr.replace('ipv4', 'ipv6');
  expect(look(reply('[\nexit 2\niproute2 done\n', { stderr: ofOther }))).toMatchObject({ finding: 'UNREADABLE' });
});

test.each([
  { ...route, metric: 2 },
  { ...route, protocol: 'boot' },
])('a route of another metric or protocol is another one: %j', (other) => {
  expect(look(reply(`${JSON.stringify([other])}\nexit 0\niproute2 done\n`))).toEqual({ finding: 'ABSENT' });
});

test.each(['BAD_INPUT', 'CUT_SHORT', 'NO_IP', 'UNREADABLE', 'SEVERAL', 'ALREADY_EXISTS', 'CHANGED', 'NO_INTERFACE'])(
  'a refusal by the script has changed nothing: %s',
  (code) => {
    const said = reply(`iproute2 refused ${code}\n`, { stderr: 'words\n' });
    const refused = outcome('staticRoute.create', said);
    expect(refused).toEqual({ state: 'FAILED', code, message: expect.stringMatching(/\. words$/) });
  },
);

test('a deletion that comes too late has what it wanted', () => {
  const said = reply('iproute2 exit 1\n', { stderr: 'RTNETLINK answers: No such process\nCommand failed -:1\n' });
  expect(outcome('staticRoute.delete', said)).toEqual({
    ...{ state: 'FAILED', code: 'NOT_FOUND', absent: true },
    message: 'RTNETLINK answers: No such process',
  });
});

test('a creation where another program was quicker is refused', () => {
  const said = reply('iproute2 exit 1\n', { stderr: 'RTNETLINK answers: File exists\nCommand failed -:1\n' });
  expect(outcome('staticRoute.create', said)).toMatchObject({
    ...{ state: 'FAILED', code: 'ALREADY_EXISTS', message: expect.stringContaining('File exists') },
  });
});

test('what the device says is bounded', () => {
  const stderr = `Error: ${'x'.repeat(100_000)}`;
  for (const stdout of ['iproute2 exit 2\n', 'iproute2 refused UNREADABLE\n', 'nothing\n'])
    expect(JSON.stringify(outcome('staticRoute.create', reply(stdout, { stderr }))).length).toBeLessThan(4_300);
});

test.each([
  ['b08dfa6083e7567a1921a715000001fb', 'b08dfa6083e7567a1921a715000001fb'],
  // machine-id(5): an image before its first start. Two of them are not one device.
  ['uninitialized', null],
  ['', null],
])('the machine id %j is the serial %j', (machine, serial) => {
  const said = `version ip utility, iproute2-6.1.0, libbpf 1.1.0\nmachine ${machine}\niproute2 done\n`;
  expect(linuxIproute2.health.interpret(reply(said))).toEqual({ softwareVersion: '6.1.0', serial });
});
