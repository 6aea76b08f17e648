import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { labUnavailable, openSshTo } from '../support/machine/lab.ts';
import { RunningDevice } from '../support/machine/running-device.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

const obstacle = labUnavailable();
const describeHere = obstacle === undefined ? describe : describe.skip;

const definition = (name: string): string => join(import.meta.dirname, 'devices', `${name}.sh`);

describeHere(`a device with a conversation${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  let device: RunningDevice;
  beforeAll(async () => {
    device = await RunningDevice.start(definition('lines'), 'talker');
  });
  afterAll(() => device.stop());
  beforeEach(() => device.faults.clear());

  const applied = async (text: string) => {
    const log = await device.log();
    const ids = log.filter((entry) => entry.phase === 'received' && entry.stdin === text).map(({ id }) => id);
    return log.filter((entry) => entry.phase === 'applied' && ids.includes(entry.id));
  };

  test('logs each request with its answer, and logs greetings as neither', async () => {
    const ssh = await openSshTo(device.place);
    expect((await ssh.exec('cat /run/begun')).stdout).toBe('begun\n');
    const talk = await ssh.subsystem('lines');
    // Pieces that are not whole requests, and two requests at once.
    for (const piece of ['hel', 'lo\nget ', 'a\nset b\n', 'set bad\n']) talk.say(piece);
    await waitFor('four answers', () => talk.said().split('\n').length === 5);
    expect(talk.said()).toBe('got-hello\ngot-get a\ngot-set b\ngot-set bad\n');
    talk.end();
    expect(await talk.ended).toBe(0);
    ssh.close();
    const log = (await device.log()).filter(({ program }) => program === 'sed');
    expect(log.map((entry) => `${entry.phase} ${entry.kind} ${'exit' in entry ? entry.exit : ''}`.trim())).toEqual([
      ...['received read', 'applied read 0', 'received apply', 'applied apply 0', 'received apply', 'applied apply 1'],
    ]);
    expect(log[0]).toMatchObject({ program: 'sed', args: ['-u', 's/^/got-/'], stdin: 'get a\n' });
    expect(new Set(log.map(({ id }) => id)).size).toBe(3);
  });

  test('a greeting that arrives in pieces while a request is already there does not count as an answer', async () => {
    const ssh = await openSshTo(device.place);
    const talk = await ssh.subsystem('frames');
    talk.say('<hello/>]]>]]>\n#13\n<edit-config/\n#1\n>\n##\n');
    const greeted = '<hello><capabilities/></hello>]]>]]>';
    await waitFor('the first answer', () => talk.said() === `${greeted}\n#5\n<ok/>\n##\n`);
    talk.say('\n#5\n<bad>\n##\n');
    await waitFor('the second one', () => talk.said().endsWith('\n#12\n<rpc-error/>\n##\n'));
    talk.end();
    expect(await talk.ended).toBe(0);
    ssh.close();
    const log = (await device.log()).filter(({ program }) => program === 'frames');
    expect(log.map((entry) => `${entry.phase} ${entry.kind} ${'exit' in entry ? entry.exit : ''}`.trim())).toEqual([
      ...['received apply', 'applied apply 0', 'received read', 'applied read 1'],
    ]);
  });

  test('an execution of the same program is one request', async () => {
    const ssh = await openSshTo(device.place);
    expect((await ssh.exec('sed s/a/b/', 'set a\nset a\n')).stdout).toBe('set b\nset b\n');
    ssh.close();
    expect((await device.log()).at(-2)).toMatchObject({ phase: 'received', args: ['s/a/b/'], stdin: 'set a\nset a\n' });
  });

  test.each([
    ['before', 0, ''],
    ['late', 1, ''],
    ['after', 1, ''],
    ['mid-reply', 1, 'got-se'],
  ] as const)('a connection closed %s: carried out %d times, and the caller has %j', async (drop, times, said) => {
    await device.faults.set({ drop, matching: drop, times: 1, ...(drop === 'late' ? { delayBeforeMs: 300 } : {}) });
    const ssh = await openSshTo(device.place);
    const talk = await ssh.subsystem('lines');
    talk.say('set first\n');
    await waitFor('the first answer', () => talk.said() === 'got-set first\n');
    talk.say(`set ${drop}\n`);
    expect(await talk.ended).toBeUndefined();
    expect(talk.said().slice('got-set first\n'.length)).toBe(
      said === '' ? '' : `got-set ${drop}\n`.slice(0, (9 + drop.length) / 2),
    );
    if (times > 0) await waitFor('it to be carried out', async () => (await applied(`set ${drop}\n`)).length > 0);
    expect(await applied(`set ${drop}\n`)).toHaveLength(times);
  });

  test('refuses with its own message, and continues', async () => {
    await device.faults.set({ refuse: 'yes', matching: 'never' });
    const ssh = await openSshTo(device.place);
    const talk = await ssh.subsystem('lines');
    talk.say('set never\nset other\n');
    await waitFor('both answers', () => talk.said() === 'no-set never\ngot-set other\n');
    expect(await applied('set never\n')).toHaveLength(0);
    ssh.close();
  });

  test('hangs after it has executed the command', async () => {
    await device.faults.set({ hang: 'after', matching: 'hung' });
    const ssh = await openSshTo(device.place);
    const talk = await ssh.subsystem('lines');
    talk.say('set hung\n');
    await waitFor('it to be carried out', async () => (await applied('set hung\n')).length > 0);
    expect(talk.said()).toBe('');
    ssh.close();
  });
});

describeHere(`a device with a program as a shell${obstacle === undefined ? '' : ` (skipped: ${obstacle})`}`, () => {
  test('the program gets the command, and both are in the log', async () => {
    const device = await RunningDevice.start(definition('spoken'), 'caller');
    const ssh = await openSshTo(device.place);
    const commands = ['show it', 'set "it"; reboot'];
    for (const command of commands) expect((await ssh.exec(command)).stdout).toBe(`-c ${command}\n`);
    const received = (await device.log()).filter((entry) => entry.phase === 'received');
    expect(received).toMatchObject([
      { kind: 'read', program: 'echo', args: ['-c', 'show it'] },
      { kind: 'apply', args: ['-c', 'set "it"; reboot'] },
    ]);
    ssh.close();
    await device.stop();
  });
});

const testHere = obstacle === undefined ? test : test.skip;

testHere('a device that has a logged program twice does not start: the other one would leave no trace', async () => {
  const started = RunningDevice.start(definition('twin'), 'talker');
  await expect(started).rejects.toThrow('/usr/sbin/ip is there too, and is not in logged');
});
