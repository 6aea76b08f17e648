// The product that the files of tests/main-jobs share. Jest's main process starts it before the first of them and stops
// it after the last (runner.js), with its own ports and folder. It dies with the run. Files find it by an environment
// variable (tests/main-jobs/support).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { devices } from '../../../lab/devices.ts';
import { LabHere } from '../../../lab/lab-source.ts';
import { endProcessesOf } from '../machine/left-processes.ts';
import { patience } from '../machine/patience.ts';
import { isRunning, memoryFolder, waitFor } from '../machine/temporary-folder.ts';

export const productVariable = 'TIDEGATE_TEST_PRODUCT';
/** The last line that `tidegate up` prints when it is ready. */
export const readyLine = 'Ctrl-C stops everything.';
export const logOf = (folder: string): string => join(folder, 'log');
export const dataOf = (folder: string): string => join(folder, 'data');

const root = join(import.meta.dirname, '../../..');
const folderPrefix = 'tg-product-';
const parts = ['firewall', 'fortigate', 'balancers', 'sites', 'clusters'];
const neededBytes = 2 * 1024 ** 3;
const readyMs = 120_000 * patience;
const stopMs = 60_000 * patience;

export class ProductProcess {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stopped: Promise<void> | undefined;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
    this.#ended = once(child, 'close');
  }

  static async start(): Promise<ProductProcess> {
    const parent = await memoryFolder(neededBytes);
    await removeLeftOvers(parent);
    // Named after its owner, so that a later run can tell whether it was abandoned.
    const folder = await mkdtemp(join(parent, `${folderPrefix}${process.pid}-`));
    await chmod(folder, 0o711);
    const log = await open(logOf(folder), 'w');
    const words = ['up', '--no-install', '--port', '0', '--data', dataOf(folder), '--log-level', 'warn'];
    const program = [process.execPath, join(root, 'bin', 'tidegate.ts'), ...words, '--lab', parts.join(',')];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...program], {
      ...{ cwd: root, stdio: ['ignore', log.fd, log.fd] },
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' },
    });
    await log.close();
    process.env[productVariable] = folder;
    return new ProductProcess(folder, child);
  }

  /** Also resolves if it does not get ready. Each file then fails with its output. */
  async ready(): Promise<void> {
    const isOver = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    const isReady = async () => (await readFile(logOf(this.#folder), 'utf8')).includes(readyLine);
    await waitFor('the product', async () => isOver() || (await isReady()), readyMs).catch(() => undefined);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMs);
    await this.#ended;
    clearTimeout(timer);
    delete process.env[productVariable];
    await removeFolder(this.#folder);
  }
}

/** Removes the folders of killed runs. */
async function removeLeftOvers(parent: string): Promise<void> {
  for (const name of (await readdir(parent)).filter((each) => each.startsWith(folderPrefix)).slice(0, 100))
    if (!isRunning(Number(name.slice(folderPrefix.length).split('-')[0]))) await removeFolder(join(parent, name));
}

/** Nodes and networks of load balancers outlive a kill. */
async function removeFolder(folder: string): Promise<void> {
  const lab = new LabHere(dataOf(folder), new AbortController().signal);
  for (const name of Object.keys(devices) as (keyof typeof devices)[]) await lab.clear(name);
  await endProcessesOf(`${folder}/`);
  await rm(folder, { recursive: true, force: true });
}
