// The server of the lab, over its pipe. It has a few commands and no others, for any client.
// needs: processes
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { DeviceName, HostAct, StartAnswer, Trouble } from '../../lab/device.ts';
import { LabServer } from '../../lab/lab-server.ts';
import type { LabSource } from '../../lab/lab-source.ts';
import { RemoteLab } from '../../lab/remote-lab.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

const none: StartAnswer = { available: false, unavailable: 'this is a test' };

/** Records its calls. */
class Source implements LabSource {
  readonly asked: string[] = [];

  start(name: DeviceName, log: SetupLog): Promise<StartAnswer> {
    this.asked.push(`start ${name}`);
    log.info('starting');
    return Promise.resolve(none);
  }

  trouble(name: DeviceName, trouble: Trouble): Promise<void> {
    this.asked.push(`trouble ${name} ${trouble}`);
    return Promise.resolve();
  }

  act(name: DeviceName, act: HostAct, host: string): Promise<void> {
    this.asked.push(`${act} ${name} ${host}`);
    return Promise.resolve();
  }

  clear(name: DeviceName): Promise<void> {
    this.asked.push(`clear ${name}`);
    return Promise.resolve();
  }

  remove(name: DeviceName): Promise<void> {
    this.asked.push(`remove ${name}`);
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.asked.push('stop');
    return Promise.resolve();
  }
}

let folder: TemporaryFolder;
let server: Server;
const sockets: Socket[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  server = createServer().listen(join(folder.path, 'pipe'));
  await once(server, 'listening');
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await folder.remove();
});

/** Uses a Unix socket, because Node makes one for a pipe between processes. */
async function labServer(
  source: LabSource = new Source(),
): Promise<{ readonly far: Socket; readonly server: LabServer }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect(join(folder.path, 'pipe'));
  const [near] = await accepted;
  sockets.push(near, far);
  return { far, server: new LabServer(near, source, (name) => name !== 'neo') };
}

test('the server starts, troubles, unplugs, removes and stops parts for the other end, with its log', async () => {
  const source = new Source();
  const { far } = await labServer(source);
  const kept = new RemoteLab(far);
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  expect(await kept.start('firewall', { debug: write, info: write, warn: write, error: write })).toEqual(none);
  expect(lines).toEqual(['starting']);
  await kept.trouble('firewall', 'hang');
  await kept.act('balancers', 'unplug', 'host1');
  await kept.clear('balancers');
  await kept.remove('firewall');
  await kept.stop();
  const asked = ['start firewall', 'trouble firewall hang', 'unplug balancers host1'];
  expect(source.asked).toEqual([...asked, 'clear balancers', 'remove firewall', 'stop']);
});

test('a pending answer keeps the process running, and the pipe alone does not', async () => {
  const module = JSON.stringify(join(import.meta.dirname, '..', '..', 'lab', 'remote-lab.ts'));
  const code = `const { inheritedLab } = await import(${module}); await inheritedLab(process.env).clear('balancers'); console.log('answered');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
    env: { ...process.env, LAB_SERVER_FD: '3' },
  });
  const pipe = child.stdio[3] as Duplex;
  // This is long after everything else in the process has ended.
  pipe.once('data', () => setTimeout(() => pipe.write('{"say":"done","to":1}\n'), 200));
  const [said] = await Promise.all([text(child.stdout as Readable), once(child, 'exit')]);
  expect([said, child.exitCode]).toEqual(['answered\n', 0]);
});

test('a failed start gives the reason', async () => {
  const { far } = await labServer(Object.assign(new Source(), { start: () => Promise.reject(new Error('no space')) }));
  await expect(new RemoteLab(far).start('firewall', {} as SetupLog)).rejects.toThrow('no space');
});

test.each([
  ['another verb', '1 shell firewall\n'],
  ['a path', '1 start /etc\n'],
  ['a part of another server', '1 start neo\n'],
  ['a trouble that is none', '1 trouble firewall fire\n'],
  ['a host with another name than hosts have', '1 unplug balancers ../host1\n'],
  ['one word too many', '1 trouble firewall hang now\n'],
  ['a request without a number', 'start firewall\n'],
  ['a line without an end', 'x'.repeat(129)],
])('%s ends the connection and the lab', async (_, said) => {
  const source = new Source();
  const { far } = await labServer(source);
  far.on('error', () => {}).resume();
  far.write(said);
  await once(far, 'close');
  await waitFor('its end', () => source.asked.at(-1) === 'stop');
  expect(source.asked).toEqual(['stop']);
});

test('more concurrent requests than the limit end the connection', async () => {
  const source = Object.assign(new Source(), { trouble: () => new Promise<void>((done) => setTimeout(done, 50)) });
  const { far } = await labServer(source);
  far.on('error', () => {}).resume();
  far.write(Array.from({ length: 33 }, (_, number) => `${number} trouble firewall hang\n`).join(''));
  await once(far, 'close');
  await waitFor('its end', () => source.asked.at(-1) === 'stop');
});

test('waiting requests learn that the server has ended', async () => {
  const { far, server: gone } = await labServer(Object.assign(new Source(), { start: () => new Promise(() => {}) }));
  const kept = new RemoteLab(far);
  const started = kept.start('firewall', {} as SetupLog);
  void gone.end();
  await expect(started).rejects.toThrow('lab server has ended');
  expect(kept.gone.aborted).toBe(true);
});
