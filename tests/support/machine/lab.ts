// A lab for one test file. Without root it can't run: its tests are then skipped, and their name gives the reason.
// needs: iproute2, root

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { Client } from 'ssh2';
import { silentLog } from '../../../embedded/setup-log.ts';
import { type RunningLab, startLab } from '../../../lab/lab.ts';
import { labFolder } from './lab-folders.ts';

interface TestLab {
  readonly lab: RunningLab;
  readonly folder: string;
  stop(): Promise<void>;
}

/** The reason why the lab can't run here, or undefined. Known before tests are collected. */
export function labUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `tg-probe-${randomBytes(3).toString('hex')}`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return "network namespaces can't be made here";
  spawnSync('ip', ['netns', 'delete', probe]);
  return undefined;
}

export async function testLab(): Promise<TestLab> {
  const folder = await labFolder();
  const lab = await startLab({ folder, log: silentLog });
  if (!lab.available) throw new Error(`There is no lab: ${lab.unavailable}`);
  return {
    lab,
    folder,
    async stop() {
      await lab.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Like `describe`, with one lab for all tests inside; `lab()` may be called only in tests and hooks. */
export function describeWithLab(name: string, body: (lab: () => RunningLab) => void): void {
  const obstacle = labUnavailable();
  if (obstacle !== undefined) {
    describe.skip(`${name} (skipped: ${obstacle})`, () => body(() => never()));
    return;
  }
  describe(name, () => {
    let running: TestLab | undefined;
    beforeAll(async () => {
      running = await testLab();
    });
    afterAll(() => running?.stop());
    body(() => running?.lab ?? never());
  });
}

function never(): never {
  throw new Error('The lab is not running outside tests.');
}

interface SshReply {
  /** undefined when the connection ended without one. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface SshPlace {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKeyPath: string;
}

/** An SSH subsystem: its output so far, and its exit code (undefined without one). */
interface SshTalk {
  say(text: string): void;
  said(): string;
  end(): void;
  readonly ended: Promise<number | undefined>;
}

interface PlainSsh {
  exec(command: string, input?: string): Promise<SshReply>;
  subsystem(name: string): Promise<SshTalk>;
  close(): void;
}

/** A plain SSH login to the lab's firewall, to inspect it independently of the code under test. */
export function openSsh(lab: RunningLab): Promise<PlainSsh> {
  return openSshTo(lab.firewall);
}

/** A plain SSH login to any device of the lab. */
export async function openSshTo({ host, port, username, privateKeyPath }: SshPlace): Promise<PlainSsh> {
  const privateKey = await readFile(privateKeyPath);
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ sock: connect({ host, port, noDelay: true }), username, privateKey });
  });
  client.on('error', () => {});
  return {
    exec: (command, input = '') => execute(client, command, input),
    subsystem: (name) => talkTo(client, name),
    close: () => client.end(),
  };
}

function talkTo(client: Client, name: string): Promise<SshTalk> {
  return new Promise((resolve, reject) => {
    client.subsys(name, (error, channel) => {
      if (error !== undefined) return reject(error);
      let said = '';
      let exitCode: number | undefined;
      channel.on('data', (data: Buffer) => {
        said += data.toString();
      });
      channel.on('exit', (code: number | null) => {
        exitCode = code ?? undefined;
      });
      const ended = new Promise<number | undefined>((end) => channel.once('close', () => end(exitCode)));
      resolve({ say: (text) => channel.write(text), said: () => said, end: () => channel.end(), ended });
    });
  });
}

function execute(client: Client, command: string, input: string): Promise<SshReply> {
  return new Promise((resolve, reject) => {
    client.once('close', () => resolve({ exitCode: undefined, stdout, stderr }));
    let stdout = '';
    let stderr = '';
    let exitCode: number | undefined;
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      channel.on('data', (data: Buffer) => {
        stdout += data.toString();
      });
      channel.stderr.on('data', (data: Buffer) => {
        stderr += data.toString();
      });
      channel.on('exit', (code: number | null) => {
        exitCode = code ?? undefined;
      });
      channel.on('close', () => resolve({ exitCode, stdout, stderr }));
      channel.end(input);
    });
  });
}
