// A real OpenSSH server on the loopback that accepts no login and logs what reached it. It plays an attacker who lures
// others into logging in.
// needs: openssh-server, openssh-client
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostKeyOf } from '../../../subgraphs/relay/transports/host-key.ts';
import { freePort } from '../machine/free-port.ts';
import { temporaryFolder, waitFor } from '../machine/temporary-folder.ts';

const run = promisify(execFile);

export class RealSshd {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly hostKeySha256: string;
  readonly #process: ChildProcess;
  readonly #remove: () => Promise<void>;
  #log = '';

  private constructor(port: number, hostKeySha256: string, process: ChildProcess, remove: () => Promise<void>) {
    this.port = port;
    this.hostKeySha256 = hostKeySha256;
    this.#process = process;
    this.#remove = remove;
    process.stderr?.on('data', (text: Buffer) => {
      this.#log += text.toString();
    });
  }

  /** `more`: lines for its configuration; `moduli`: the groups of its group exchange (moduli(5)). */
  static async start(more: readonly string[] = [], moduli?: string): Promise<RealSshd> {
    const folder = await temporaryFolder();
    const key = join(folder.path, 'host_key');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    // OpenSSH's own fixed folder when run by root.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    const config = join(folder.path, 'sshd_config');
    const lines = [
      ...[`HostKey ${key}`, 'PasswordAuthentication yes', 'KbdInteractiveAuthentication no', 'UsePAM no', 'UseDNS no'],
      ...['PidFile none', 'StrictModes no', 'LogLevel VERBOSE', `AuthorizedKeysFile ${join(folder.path, 'none')}`],
    ];
    if (moduli !== undefined) {
      await writeFile(join(folder.path, 'moduli'), moduli);
      lines.push(`ModuliFile ${join(folder.path, 'moduli')}`);
    }
    await writeFile(config, `${[...lines, ...more].join('\n')}\n`);
    const port = await freePort();
    const [, blob = ''] = (await readFile(`${key}.pub`, 'utf8')).split(' ');
    const listen = ['-o', `ListenAddress=127.0.0.1:${port}`];
    const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config, ...listen], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const { sha256 } = hostKeyOf(Buffer.from(blob, 'base64'));
    const started = new RealSshd(port, sha256, child, folder.remove);
    await waitFor('sshd to listen', () => answers(port));
    return started;
  }

  /** Log lines of logins tried with a secret: a password that the server read, or a key that signed for it. */
  get secretsTried(): string[] {
    return this.#log.split('\n').filter((line) => /(Failed|Accepted) (password|publickey)/.test(line));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill();
    await ended;
    await this.#remove();
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const end = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
