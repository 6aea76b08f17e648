// The lab of one start: which parts it has, their backends, and the addresses that calls may reach because of them. What was added
// or removed is remembered in the data folder for the next start.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../../embedded/setup-error.ts';
import type { SetupLog } from '../../../embedded/setup-log.ts';
import { plainLabFolder } from '../../../lab/folders.ts';
import { InOrder } from '../../../lab/in-order.ts';
import { type KeptLab, plainKeeper } from '../../../lab/kept-lab.ts';
import { LabHere, type LabSource } from '../../../lab/lab-source.ts';
import {
  backendsOf,
  type DescribedPart,
  type HostAct,
  isPartName,
  type PartBackend,
  type PartHost,
  type PartName,
  partNames,
  type Trouble,
} from '../../../lab/part.ts';
import { parts, runsAsRoot } from '../../../lab/parts.ts';
import { KnownListeners } from '../../../platform/net/egress.ts';
import type { Address } from '../../../platform/net/origin.ts';
import { backendName, LabBackends, type LabBackendsOptions } from './backends.ts';
import type { PartGround } from './part-ground.ts';

export const defaultParts: readonly PartName[] = ['firewall'];

export type PartState = 'STOPPED' | 'STARTING' | 'RUNNING' | 'UNAVAILABLE';

export interface PartRow {
  readonly part: PartName;
  readonly state: PartState;
  readonly backend: string | null;
  readonly driver: string | null;
  readonly address: string | null;
  readonly trouble: Trouble;
  /** What it is, or why it can't start. */
  readonly note: string;
}

export interface HostRow extends PartHost {
  /** `ha`: of the demo of high availability. */
  readonly part: PartName | 'ha';
  /** By what was done to it; of the demo, all that was not taken back, with spaces between. */
  readonly state: string;
}

/** What parts need of the control plane. */
export interface LabServing extends LabBackendsOptions {
  readonly grounds: Readonly<Partial<Record<PartName, PartGround>>>;
}

interface Part {
  readonly state: PartState;
  readonly described?: DescribedPart;
  readonly why?: string;
  readonly trouble?: Trouble;
  /** By name. */
  readonly hosts?: ReadonlyMap<string, HostRow['state']>;
}

const stateAfter = { unplug: 'UNPLUGGED', plug: 'UP', kill: 'KILLED' } as const;

export interface LabOptions {
  readonly dataPath: string;
  /** Undefined: as at the last start, and at first only the firewall. */
  readonly asked: readonly PartName[] | undefined;
  /** Of the parts that need root; default: this process. */
  readonly rootSource?: LabSource | undefined;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

/** A request that can't be carried out, in words for the person who made it. */
export class LabRefusal extends Error {
  override readonly name = 'LabRefusal';
}

/** By name. */
function backendsIn(
  part: PartName,
  { backend, backends = {} }: DescribedPart,
): readonly (readonly [string, PartBackend])[] {
  return backend === undefined ? Object.entries(backends) : [[part, backend]];
}

function joined(words: readonly string[]): string | null {
  return words.length === 0 ? null : words.join(', ');
}

export class Lab {
  /** Addresses of its parts, for the egress policy. */
  readonly places = new KnownListeners();
  readonly #options: LabOptions;
  readonly #rootSource: LabSource;
  readonly #parts = new Map<PartName, Part>();
  readonly #order = new InOrder<PartName | 'file'>();
  #plain: KeptLab | undefined;
  #backends: LabBackends | undefined;
  #serving: LabServing | undefined;
  #remembered: readonly PartName[];

  private constructor(options: LabOptions, remembered: readonly PartName[]) {
    this.#options = options;
    this.#remembered = remembered;
    this.#rootSource = options.rootSource ?? new LabHere(options.dataPath, options.signal);
  }

  static async open(options: LabOptions): Promise<Lab> {
    const lab = new Lab(options, options.asked ?? (await readRemembered(options.dataPath)) ?? defaultParts);
    if (options.asked !== undefined) await lab.#remember((names) => names);
    return lab;
  }

  /** Starts the firewall, if it has one, beside the databases. Resolves when it runs or can't. */
  async begin(): Promise<void> {
    if (this.#remembered.includes('firewall')) await this.#order.run('firewall', () => this.#start('firewall'));
  }

  /** Whether there are parts that run, or may: calls may then reach only these. */
  get hasParts(): boolean {
    return this.#remembered.some((part) => this.#parts.get(part)?.state !== 'UNAVAILABLE');
  }

  /**
   * Starts the others and registers all, one after the other, so that none takes the machine from what runs. Resolves when each runs
   * or can't.
   */
  async serve(options: LabServing): Promise<void> {
    this.#serving = options;
    this.#backends = new LabBackends(options);
    for (const part of this.#remembered) if (!this.#parts.has(part)) this.#parts.set(part, { state: 'STARTING' });
    for (const part of this.#remembered) {
      if (this.#options.signal.aborted || !this.#remembered.includes(part)) continue;
      await this.#order.run(part, async () => {
        if (this.#parts.get(part)?.state === 'STARTING') await this.#start(part);
        await this.#register(part).catch((error: unknown) => this.#failed(part, error));
      });
    }
  }

  described(part: PartName): DescribedPart | undefined {
    return this.#parts.get(part)?.described;
  }

  list(): readonly PartRow[] {
    return partNames.map((part) => {
      const { state, described, why, trouble = 'none' } = this.#parts.get(part) ?? { state: 'STOPPED' as const };
      const known = described === undefined ? [] : backendsIn(part, described);
      const driver = known[0]?.[1].driver ?? null;
      const address = joined(known.map(([, { host, port }]) => `${host}:${port}`));
      const backend = joined(known.map(([name]) => backendName(name)));
      return { part, state, backend, driver, address, trouble, note: why ?? parts[part].summary };
    });
  }

  hosts(): readonly HostRow[] {
    return [...this.#parts].flatMap(([part, { described, hosts }]) =>
      (described?.hosts ?? []).map((host) => ({ part, ...host, state: hosts?.get(host.name) ?? 'UP' })),
    );
  }

  /** `name`: a host, or a node of a load balancer. Throws LabRefusal if there is none. */
  async act(act: HostAct, name: string): Promise<void> {
    const running = [...this.#parts].filter(([, { state, described }]) => state === 'RUNNING' && described?.hosts);
    const isOf = ({ described }: Part) => described?.hosts?.some((host) => host.name === name) === true;
    // What is no host may be a node of a load balancer.
    const [part] =
      running.find(([, each]) => isOf(each)) ?? running.find(([each]) => each === 'balancers') ?? running[0] ?? [];
    if (part === undefined)
      throw new LabRefusal('no part with hosts is running: tidegate lab add balancers, sites or clusters');
    await this.#order.run(part, async () => {
      await this.#sourceOf(part)
        .act(part, act, name)
        .catch((error: unknown) => {
          throw new LabRefusal(error instanceof Error ? error.message : String(error));
        });
      const now = this.#parts.get(part);
      if (now === undefined || !now.described?.hosts?.some((host) => host.name === name)) return;
      this.#parts.set(part, { ...now, hosts: new Map([...(now.hosts ?? []), [name, stateAfter[act]]]) });
    });
  }

  /** Throws LabRefusal if it can't start. */
  async add(part: PartName): Promise<void> {
    await this.#order.run(part, async () => {
      await this.#start(part);
      const { why } = this.#parts.get(part) ?? {};
      if (why !== undefined) {
        if (!this.#remembered.includes(part)) this.#parts.delete(part);
        throw new LabRefusal(`${part} can't start: ${why}`);
      }
      await this.#register(part);
      await this.#remember((names) => [...names, part]);
    });
  }

  /** The backend first: a refusal leaves everything as it was. */
  async remove(part: PartName, orphanMappings: boolean): Promise<void> {
    await this.#order.run(part, async () => {
      const refuse = (error: unknown): never => {
        throw new LabRefusal(error instanceof Error ? error.message : String(error));
      };
      for (const name of backendsOf(part)) await this.#backends?.delete(name, orphanMappings).catch(refuse);
      const ground = this.#serving?.grounds[part];
      const leave = orphanMappings ? undefined : await ground?.removal().catch(refuse);
      await this.#sourceOf(part).remove(part);
      await (leave?.() ?? ground?.stop());
      this.#parts.delete(part);
      this.#showPlaces();
      await this.#remember((names) => names.filter((each) => each !== part));
    });
  }

  /** Until another is set; a restart ends it. */
  async trouble(part: PartName, trouble: Trouble): Promise<void> {
    if (trouble !== 'none' && !parts[part].troubles.includes(trouble))
      throw new LabRefusal(`${part} can't have the trouble ${trouble}, only ${parts[part].troubles.join(', ')}`);
    await this.#order.run(part, async () => {
      const now = this.#parts.get(part);
      if (now?.state !== 'RUNNING') throw new LabRefusal(`${part} is not running: tidegate lab add ${part}`);
      await this.#sourceOf(part).trouble(part, trouble);
      this.#parts.set(part, { ...now, trouble });
    });
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.#rootSource.stop(), this.#plain?.stop()]);
  }

  async #start(part: PartName): Promise<void> {
    if (this.#parts.get(part)?.state === 'RUNNING') return;
    this.#parts.set(part, { state: 'STARTING' });
    try {
      await this.#serving?.grounds[part]?.lay();
      const answer = await this.#sourceOf(part).start(part, this.#options.log);
      if (!answer.available) return this.#failed(part, answer.unavailable);
      this.#parts.set(part, { state: 'RUNNING', described: answer.part });
      this.#showPlaces();
    } catch (error) {
      this.#failed(part, error);
    }
  }

  async #register(part: PartName): Promise<void> {
    const described = this.#parts.get(part)?.described;
    if (described === undefined) return;
    for (const [name, backend] of backendsIn(part, described)) await this.#backends?.register(name, backend);
    await this.#serving?.grounds[part]?.register?.(described);
  }

  #failed(part: PartName, reason: unknown): void {
    if (this.#options.signal.aborted) return;
    const why = reason instanceof Error ? reason.message : String(reason);
    this.#parts.set(part, { state: 'UNAVAILABLE', why: inShort(why) });
    this.#options.log.warn(`the lab's ${part} can't start: ${why}`);
  }

  #showPlaces(): void {
    const reached = [...this.#parts.values()].flatMap(({ described }) => described?.reaches ?? []);
    this.places.replace(reached.map(ruleOf));
  }

  #sourceOf(part: PartName): LabSource {
    return runsAsRoot(part, this.#hasRoot) ? this.#rootSource : this.#plainSource();
  }

  get #hasRoot(): boolean {
    return this.#options.rootSource !== undefined || process.getuid?.() === 0;
  }

  #plainSource(): LabSource {
    if (this.#plain !== undefined && !this.#plain.gone.aborted) return this.#plain;
    const plain = plainKeeper(this.#options.dataPath);
    plain.gone.addEventListener('abort', () => {
      for (const [part, { state }] of this.#parts)
        if (!runsAsRoot(part, this.#hasRoot) && state !== 'UNAVAILABLE')
          this.#failed(part, 'the process that it ran in has ended');
      this.#showPlaces();
    });
    this.#plain = plain;
    return plain;
  }

  #remember(changed: (names: readonly PartName[]) => readonly PartName[]): Promise<void> {
    return this.#order.run('file', async () => {
      const names = changed(this.#remembered);
      this.#remembered = partNames.filter((each) => names.includes(each));
      const folder = join(this.#options.dataPath, plainLabFolder);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, fileName);
      await writeFile(`${path}.new`, `${JSON.stringify(this.#remembered)}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }
}

/** Of the lab of a process that was killed, whether or not there will be a lab again. */
export async function endLeftOver(options: Omit<LabOptions, 'asked'>): Promise<void> {
  const { dataPath, signal, log, rootSource = new LabHere(dataPath, signal) } = options;
  for (const part of partNames.filter((name) => parts[name].loadLeftOver !== undefined))
    await rootSource
      .clear(part)
      .catch((error: unknown) =>
        log.warn(`what an earlier start left of the lab's ${part} is not ended: ${String(error)}`),
      );
}

/** Of the output of a program the first and the last line. */
function inShort(message: string): string {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  return [...new Set([lines[0], lines.at(-1)])].join(' ').slice(0, 500);
}

const fileName = 'parts.json';

async function readRemembered(dataPath: string): Promise<readonly PartName[] | undefined> {
  try {
    const names = JSON.parse(await readFile(join(dataPath, plainLabFolder, fileName), 'utf8')) as unknown;
    return Array.isArray(names) ? names.filter((each) => typeof each === 'string').filter(isPartName) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function ruleOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
