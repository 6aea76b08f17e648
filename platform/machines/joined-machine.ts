// This process as a machine, in one role: its certificate for mutual TLS, the peers it refuses, and the upkeep of both. It reads
// the list of revocations every two seconds, and renews its credentials after half of their lifetime.
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../log/log.ts';
import { Loop } from '../work/loop.ts';
import { machineDays } from './authority.ts';
import { MachineEndpoint } from './endpoint.ts';
import { type MachineFile, machineFilePath, readMachineFile, writeMachineFile } from './machine-file.ts';
import { newMachineKeys } from './machine-keys.ts';
import { Peers } from './peers.ts';
import type { MutualTls } from './tls.ts';

/** Together with the deadline of a request, this is less than the five seconds within which a revocation is known everywhere. */
const revocationsMs = 2_000;
const renewAgainMs = 15_000;
/** In a first start the endpoint comes after the processes behind it. */
const mayFailMs = 30_000;
const dayMs = 86_400_000;

interface JoinedMachineOptions {
  readonly folder: string;
  readonly role: string;
  /** URLs of public endpoints. If empty, the URL in the file is used. */
  readonly urls: readonly string[];
  readonly log: Logger;
}

export class JoinedMachine implements MutualTls {
  readonly peers: Peers;
  readonly #folder: string;
  readonly #urls: readonly string[];
  readonly #log: Logger;
  readonly #loop: Loop;
  readonly #changed: (() => void)[] = [];
  #file: MachineFile;
  #endpoint: MachineEndpoint;
  /** Version of the file when it was last read or written. */
  #version: string;
  #renewNotBeforeMs = 0;

  private constructor({ folder, urls, log }: JoinedMachineOptions, file: MachineFile, version: string) {
    this.#folder = folder;
    this.#urls = urls;
    this.#log = log;
    this.#file = file;
    this.#version = version;
    this.#endpoint = new MachineEndpoint(file, urls);
    this.peers = new Peers(log);
    this.#loop = new Loop({
      name: `machine ${file.name} (${file.role})`,
      log,
      pauseMs: () => revocationsMs,
      mayFailMs,
      run: async () => {
        await this.#readAgain();
        await this.#renewInTime();
        this.peers.revoke(await this.#endpoint.revocations());
        return false;
      },
    });
  }

  /** Throws when the folder has no credentials for the role, or they do not match. */
  static async open(options: JoinedMachineOptions): Promise<JoinedMachine> {
    const { folder, role } = options;
    const version = await versionOf(folder, role);
    return new JoinedMachine(options, await read(folder, role), version);
  }

  get cert(): string {
    return this.#file.certificate;
  }

  get key(): string {
    return this.#file.key;
  }

  get ca(): string {
    return this.#file.authority;
  }

  onChange(changed: () => void): void {
    this.#changed.push(changed);
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#endpoint.close();
  }

  /** Reads a file that was replaced, as after joining again. */
  async #readAgain(): Promise<void> {
    const { role } = this.#file;
    const version = await versionOf(this.#folder, role).catch(() => this.#version);
    if (version === this.#version) return;
    await this.#take(await read(this.#folder, role));
    this.#version = version;
    this.#log.info({ role }, 'the credentials of the machine were read again');
  }

  async #renewInTime(): Promise<void> {
    const { role, expiresAt } = this.#file;
    const leftMs = Date.parse(expiresAt) - Date.now();
    if (leftMs > (machineDays / 2) * dayMs || performance.now() < this.#renewNotBeforeMs) return;
    this.#renewNotBeforeMs = performance.now() + renewAgainMs;
    try {
      const { publicKey, privateKey } = await newMachineKeys();
      const renewed = await this.#endpoint.renew({ publicKey });
      await this.#take({ ...this.#file, ...renewed, key: privateKey });
      await writeMachineFile(this.#folder, this.#file);
      this.#version = await versionOf(this.#folder, role);
      this.#log.info({ role, expiresAt: renewed.expiresAt }, 'the credentials of the machine were renewed');
    } catch (error) {
      // The current credentials are valid for days: renewal is tried again, and peers are checked all the same.
      this.#log.error({ err: error, role, expiresAt }, 'the credentials of the machine were not renewed');
    }
  }

  async #take(file: MachineFile): Promise<void> {
    const before = this.#endpoint;
    this.#file = file;
    this.#endpoint = new MachineEndpoint(file, this.#urls);
    for (const each of this.#changed) each();
    await before.close();
  }
}

async function read(folder: string, role: string): Promise<MachineFile> {
  const path = machineFilePath(folder, role);
  const file = await readMachineFile(folder, role);
  if (file.role !== role) throw new Error(`${path} is for the role ${file.role}`);
  try {
    createSecureContext({ cert: file.certificate, key: file.key, ca: file.authority });
  } catch (error) {
    throw new Error(`${path}: certificate and key do not match: ${String(error)}`);
  }
  return file;
}

async function versionOf(folder: string, role: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(machineFilePath(folder, role));
  return `${ino}/${mtimeMs}/${size}`;
}
