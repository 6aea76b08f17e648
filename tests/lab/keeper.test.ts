// The keeper of the lab, over its pipe: two words and no more, for any client.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { LabAnswer } from '../../lab/described-lab.ts';
import { LabKeeper } from '../../lab/keeper.ts';
import { KeptLab } from '../../lab/kept-lab.ts';
import type { LabSource } from '../../lab/lab-source.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/temporary-folder.ts';

const none: LabAnswer = { available: false, unavailable: 'this is a test' };

/** Records its calls. */
class Source implements LabSource {
  readonly asked: string[] = [];

  start(log: SetupLog): Promise<LabAnswer> {
    this.asked.push('start');
    log.info('starting');
    return Promise.resolve(none);
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

/** Over a Unix socket, which is what Node makes for a pipe between processes. */
async function keeper(source: LabSource = new Source()): Promise<{ readonly far: Socket; readonly keeper: LabKeeper }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect(join(folder.path, 'pipe'));
  const [near] = await accepted;
  sockets.push(near, far);
  return { far, keeper: new LabKeeper(near, source) };
}

test('starts and stops the lab for the other end, with its log', async () => {
  const source = new Source();
  const { far } = await keeper(source);
  const kept = new KeptLab(far);
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  expect(await kept.start({ debug: write, info: write, warn: write, error: write })).toEqual(none);
  expect(lines).toEqual(['starting']);
  await kept.stop();
  expect(source.asked).toEqual(['start', 'stop']);
});

test('a failed start gives the reason', async () => {
  const { far } = await keeper({ start: () => Promise.reject(new Error('no space')), stop: () => Promise.resolve() });
  await expect(new KeptLab(far).start({} as SetupLog)).rejects.toThrow('no space');
});

test.each([
  ['another word', 'shell\n'],
  ['a word with an argument', 'start /etc\n'],
  ['a line without an end', 'x'.repeat(17)],
  ['more words than it waits for', 'start\n'.repeat(5)],
])('%s ends the connection and the lab', async (_, said) => {
  const source = new Source();
  const { far } = await keeper(source);
  far.on('error', () => {}).resume();
  far.write(said);
  await once(far, 'close');
  await waitFor('its end', () => source.asked.at(-1) === 'stop');
  expect(source.asked).not.toContain('start');
});

test('its waiters learn that it has ended', async () => {
  const { far, keeper: gone } = await keeper({ start: () => new Promise(() => {}), stop: () => Promise.resolve() });
  const kept = new KeptLab(far);
  const started = kept.start({} as SetupLog);
  void gone.end();
  await expect(started).rejects.toThrow('keeper has ended');
  expect(kept.gone.aborted).toBe(true);
});
