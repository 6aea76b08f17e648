// A Docker daemon of the trial's own, with its folders in one scratch folder and no rule in the machine's firewall, and the base image of our
// Dockerfile, made from the machine's own package mirror.
// needs: docker.io, docker-compose, debootstrap
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../embedded/run-program.ts';
import { untilTrue } from '../until.ts';

const minutesMs = 60_000;

export class Docker implements AsyncDisposable {
  readonly folder: string;
  readonly #daemon: ChildProcess;
  /** The Compose projects that are up: the file by the project's name. */
  readonly #up = new Map<string, string>();

  private constructor(folder: string, daemon: ChildProcess) {
    this.folder = folder;
    this.#daemon = daemon;
  }

  static async start(): Promise<Docker> {
    // overlayfs needs a real disk below it.
    const folder = await mkdtemp(join(tmpdir(), 'tg-docker-'));
    const places = [
      ...['--data-root', `${folder}/data`, '--exec-root', `${folder}/exec`, '--pidfile', `${folder}/pid`],
      ...['--host', `unix://${folder}/sock`, '--default-address-pool', 'base=172.29.0.0/16,size=24'],
    ];
    const daemon = spawn('/usr/sbin/dockerd', [...places, '--iptables=false', '--ip-masq=false', '--bridge=none'], {
      stdio: 'ignore',
    });
    const docker = new Docker(folder, daemon);
    if (await untilTrue(minutesMs, async () => (await docker.try('info')).exitCode === 0)) return docker;
    await docker[Symbol.asyncDispose]();
    throw new Error('the Docker daemon does not answer: it needs root and overlayfs');
  }

  try(...words: readonly string[]) {
    return runProgram('/usr/bin/docker', words, { env: this.#env, timeoutMs: 8 * minutesMs });
  }

  async run(...words: readonly string[]): Promise<string> {
    return checked('docker', words, await this.try(...words));
  }

  async compose(project: string, file: string, port: number, ...words: readonly string[]): Promise<string> {
    this.#up.set(project, file);
    const given = ['-p', project, '-f', file, ...words];
    const env = { ...this.#env, TIDEGATE_PORT: String(port) };
    return checked('compose', given, await runProgram('/usr/bin/docker-compose', given, { env, timeoutMs: minutesMs }));
  }

  async down(project: string): Promise<void> {
    const file = this.#up.get(project);
    this.#up.delete(project);
    const words = ['-p', project, '-f', file ?? '', 'down', '--volumes', '--timeout', '20'];
    if (file !== undefined)
      await runProgram('/usr/bin/docker-compose', words, { env: this.#env, timeoutMs: minutesMs });
  }

  /** The base of docker/Dockerfile: what `debootstrap` makes, with the machine's package sources and certificates. */
  async importBase(): Promise<void> {
    const root = join(this.folder, 'base');
    const sources = await readFile('/etc/apt/sources.list.d/debian.sources', 'utf8').catch(() => '');
    const mirror = /^URIs: (\S+)/m.exec(sources)?.[1] ?? 'http://deb.debian.org/debian';
    const words = ['--variant=minbase', 'bookworm', root, mirror];
    checked('debootstrap', words, await runProgram('/usr/sbin/debootstrap', words, { timeoutMs: 5 * minutesMs }));
    for (const path of ['/etc/apt/apt.conf.d', '/etc/ssl/certs', '/usr/local/share/ca-certificates'])
      await cp(path, join(root, path), { recursive: true, dereference: true, force: false }).catch(() => undefined);
    await writeFile(join(root, 'etc/apt/sources.list'), `deb ${mirror} bookworm main\n`);
    const script = 'tar -C "$1" -c . | docker import - debian:bookworm-slim';
    const imported = ['-c', script, 'sh', root];
    checked('import', imported, await runProgram('/bin/sh', imported, { env: this.#env, timeoutMs: 2 * minutesMs }));
    await rm(root, { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const project of [...this.#up.keys()]) await this.down(project);
    this.#daemon.kill('SIGTERM');
    if (this.#daemon.exitCode === null) await once(this.#daemon, 'exit');
    // It leaves the mount of its own network namespace.
    for (const mount of (await readFile('/proc/mounts', 'utf8')).split('\n').reverse()) {
      const [, path = ''] = mount.split(' ');
      if (path.startsWith(`${this.folder}/`)) await runProgram('/usr/bin/umount', [path]);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  get #env(): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, DOCKER_HOST: `unix://${this.folder}/sock`, DOCKER_BUILDKIT: '0' };
  }
}

function checked(
  what: string,
  words: readonly string[],
  { exitCode, stdout, stderr }: { exitCode: number | null; stdout: string; stderr: string },
): string {
  if (exitCode === 0) return stdout;
  throw new Error(`${what} ${words.join(' ')} ended with ${exitCode}:\n${`${stdout}\n${stderr}`.slice(-3_000)}`);
}
