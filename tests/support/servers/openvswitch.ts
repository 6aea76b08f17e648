// A private Open vSwitch for one test file. If it can't run here, the tests are skipped, and their name gives the reason.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { Client } from 'ssh2';
import { silentLog } from '../../../embedded/setup-log.ts';
import { type RunningOpenVswitch, startOpenVswitch } from '../../../lab/openvswitch.ts';
import { temporaryFolder } from '../machine/temporary-folder.ts';

interface TestOpenVswitch {
  readonly ovs: RunningOpenVswitch;
  readonly folder: string;
  stop(): Promise<void>;
}

/** The reason why it can't run here, or undefined. Known before tests are collected. */
export function openVswitchUnavailable(): string | undefined {
  if (process.getuid?.() !== 0) return 'its namespaces need root';
  if (!existsSync('/usr/sbin/ovsdb-server')) return 'openvswitch-switch is missing';
  if (spawnSync('unshare', ['--net', 'true']).status !== 0) return "network namespaces can't be made here";
  return undefined;
}

export async function testOpenVswitch(): Promise<TestOpenVswitch> {
  const folder = await temporaryFolder();
  const ovs = await startOpenVswitch({ folder: folder.path, log: silentLog });
  if (!ovs.available) throw new Error(`There is no Open vSwitch: ${ovs.unavailable}`);
  return {
    ovs,
    folder: folder.path,
    async stop() {
      await ovs.stop();
      await folder.remove();
    },
  };
}

/** Like `describe`, with one switch for all tests inside; `ovs()` may be called only in tests and hooks. */
export function describeWithOpenVswitch(name: string, body: (ovs: () => RunningOpenVswitch) => void): void {
  const obstacle = openVswitchUnavailable();
  if (obstacle !== undefined) {
    describe.skip(`${name} (skipped: ${obstacle})`, () => body(() => never()));
    return;
  }
  describe(name, () => {
    let running: TestOpenVswitch | undefined;
    beforeAll(async () => {
      running = await testOpenVswitch();
    });
    afterAll(() => running?.stop());
    body(() => running?.ovs ?? never());
  });
}

function never(): never {
  throw new Error('The switch is not running outside tests.');
}

/** One command on a plain SSH login; rejects when the login is refused. */
export async function sshOnce(
  target: RunningOpenVswitch['ssh'],
  command: string,
  input = '',
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const client = new Client();
  const privateKey = await readFile(target.privateKeyPath);
  const { host, port, username } = target;
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({ sock: connect({ host, port, noDelay: true }), username, privateKey });
    });
    return await new Promise((resolve, reject) => {
      const reply = { exitCode: undefined as number | undefined, stdout: '', stderr: '' };
      client.exec(command, (error, channel) => {
        if (error !== undefined) return reject(error);
        channel.on('data', (data: Buffer) => {
          reply.stdout += data.toString();
        });
        channel.stderr.on('data', (data: Buffer) => {
          reply.stderr += data.toString();
        });
        channel.on('exit', (code: number | null) => {
          reply.exitCode = code ?? undefined;
        });
        channel.on('close', () => resolve(reply));
        channel.end(input);
      });
    });
  } finally {
    client.end();
  }
}
