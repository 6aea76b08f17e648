// `npm run trials -- lb-config`: the trial that a value stays a value. It passes hostile values through every field of every part of a load
// balancer. Each must be refused with the name of its field. Otherwise, the rendered configuration must have the same lines with the same
// words as for a plain value. A real HAProxy must accept it (with many parts in a file), and its runtime socket must take each value as one
// server.
// needs: haproxy

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { givenFields } from '../platform/graph/described/input.ts';
import { readSpec } from '../platform/graph/described/spec.ts';
import { idFieldOf } from '../platform/graph/described/text.ts';
import { InputCheck } from '../platform/input/input.ts';
import { makeCertificate } from '../platform/net/certificates.ts';
import { encodeId, newUuid } from '../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../platform/values/json.ts';
import { plainCell } from '../subgraphs/loadbalancer/agents/lbhost/confinement/cell.ts';
import { Haproxy } from '../subgraphs/loadbalancer/agents/lbhost/haproxy/haproxy.ts';
import { configurationText, type HaproxyModel } from '../subgraphs/loadbalancer/rules/haproxy/model.ts';
import { renderNode } from '../subgraphs/loadbalancer/rules/haproxy/render.ts';
import type { PartField, PartName, PartSpec } from '../subgraphs/loadbalancer/spec/part-kind.ts';
import { partKinds } from '../subgraphs/loadbalancer/spec/parts.ts';
import type { WantedNode, WantedPart } from '../subgraphs/loadbalancer/wire/wanted-node.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Case, casesOf } from './lb-config/cases.ts';
import { HostileValues } from './lb-config/hostile-values.ts';
import { sampleRevocations } from './lb-config/revocations.ts';
import { patternsOf, wordsOf } from './lb-config/words.ts';
import { seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';

const run = promisify(execFile);

interface LbConfigOptions extends Required<TrialRun> {
  readonly inputs: number;
  /** An empty folder for HAProxy's files. */
  readonly folder: string;
}

interface LbConfigResult {
  readonly inputs: number;
  readonly refused: number;
  readonly rendered: number;
  /** Rendered values that became something other than one word. */
  readonly escaped: number;
  /** Configurations that the real HAProxy read, and servers that were added to a running one. */
  readonly files: number;
  readonly servers: number;
  readonly findings: readonly string[];
}

export const trialLbConfig = defineTrial({
  counts: { inputs: { help: 'values', usual: 100_000 } },
  options: { folder: folderOption("HAProxy's files") },
  run: runLbConfig,
  mustBeZero: ['escaped'],
});

interface Accepted {
  readonly tried: Case;
  readonly value: JsonValue;
  readonly parts: readonly WantedPart[];
}

const perFile = 200;
const mostFindings = 20;
const balancerId = newUuid();

export async function runLbConfig(options: LbConfigOptions): Promise<LbConfigResult> {
  const { seed, inputs, folder, timeIsUp, progress, signal } = options;
  const values = new HostileValues(seededRandom(seed));
  const certificate = { id: newUuid(), version: 1, pem: '' };
  const made = await makeCertificate({ commonName: 'web', names: ['web.example'] });
  const authority = await makeCertificate({ commonName: 'Clients', use: 'authority' });
  const node = nodeWith([{ ...certificate, pem: `${made.cert}${made.key}` }]);
  const cases = casesOf({
    ...{
      certificate: encodeId('TlsCertificate', certificate.id),
      certificateUuid: certificate.id,
      authorities: authority.cert,
    },
    revocations: await sampleRevocations(authority, join(folder, 'authority')),
  });
  const findings: string[] = [];
  const figures = { inputs: 0, refused: 0, rendered: 0, escaped: 0, files: 0, servers: 0 };
  const escaped = (what: string, { tried, value }: Pick<Accepted, 'tried' | 'value'>) => {
    figures.escaped += 1;
    if (findings.length < mostFindings)
      findings.push(`${tried.kind}.${tried.field} = ${shown(value)}: ${what.slice(0, 300)}`);
  };
  const shapes = new Map<Case, readonly (readonly string[])[]>();
  for (const each of cases) {
    const spec = specOf(each, each.plain);
    if (spec === undefined) continue;
    shapes.set(each, wordsOf(configurationText(modelOf(node, partsWith(each.kind, spec), folder))));
  }
  const places = new Places(folder, node);
  await places.start();
  let waiting: Accepted[] = [];
  try {
    while (figures.inputs < inputs && !timeIsUp()) {
      signal.throwIfAborted();
      const tried = cases[figures.inputs % cases.length];
      if (tried === undefined) break;
      const value = values.next(tried.plain);
      figures.inputs += 1;
      const spec = specOf(tried, value);
      if (spec === undefined) figures.refused += 1;
      else {
        figures.rendered += 1;
        const parts = partsWith(tried.kind, spec);
        const fault = shapeFault(shapes.get(tried), () => modelOf(node, parts, folder), tried, spec);
        if (fault !== undefined) escaped(fault, { tried, value });
        waiting.push({ tried, value, parts });
      }
      if (waiting.length === perFile || figures.inputs === inputs) {
        figures.files += await places.check(waiting, escaped);
        figures.servers += await places.addAll(waiting, escaped);
        waiting = [];
        if (figures.files % 20 === 0) progress(`${figures.inputs} inputs, ${figures.escaped} escaped`);
      }
    }
  } finally {
    await places.stop();
  }
  return { ...figures, findings };
}

function nodeWith(certificates: WantedNode['certificates']): WantedNode {
  return {
    history: newUuid(),
    ...{ id: newUuid(), name: 'web-1', generation: 1, state: 'RUN', subnet: null, floating: null },
    loadBalancer: { id: balancerId, name: 'web', generation: 1 },
    ...{
      address: '127.0.0.1',
      managementAddress: '127.0.0.1',
      size: { connections: 100, threads: 1 },
      cookieKey: 'key',
    },
    ...{ parts: [], certificates },
  };
}

/** Undefined if refused. */
function specOf({ kind, field, given }: Case, value: JsonValue): PartSpec | undefined {
  const described = partKinds[kind];
  const { refersTo } = described.fields[field] ?? {};
  // References are ids of the graph.
  if (refersTo !== undefined) {
    const check = new InputCheck();
    const input = { [idFieldOf(field, described.fields[field] as PartField)]: value };
    const read = givenFields(described, input, check);
    if (check.errors.length > 0) return undefined;
    value = read[field] ?? null;
  }
  const read = readSpec(described, given(value));
  return read.ok ? read.spec : undefined;
}

/** The part, with other parts that it needs to have an effect. */
function partsWith(kind: PartName, spec: PartSpec): WantedPart[] {
  const make = (name: PartName, parentId: string, given: JsonObject): WantedPart => {
    const read = readSpec(partKinds[name], given);
    if (!read.ok) throw new Error(`${name}: ${JSON.stringify(read.faults)}`);
    return { id: newUuid(), kind: name, parentId, spec: read.spec, drainUntil: null };
  };
  const part = (parentId: string): WantedPart => ({ id: newUuid(), kind, parentId, spec, drainUntil: null });
  const member = { host: '192.0.2.1', port: 80 };
  switch (kind) {
    case 'Listener':
      return [part(balancerId)];
    case 'Pool': {
      const pool = part(balancerId);
      return [pool, make('PoolMember', pool.id, member)];
    }
    case 'PoolMember': {
      const pool = make('Pool', balancerId, { memberProtocol: 'HTTP' });
      return [pool, part(pool.id), make('PoolHealthMonitor', pool.id, { monitorType: 'TCP' })];
    }
    case 'PoolHealthMonitor': {
      const pool = make('Pool', balancerId, { memberProtocol: 'HTTP' });
      return [pool, make('PoolMember', pool.id, member), part(pool.id)];
    }
    case 'L7Policy': {
      const listener = make('Listener', balancerId, { protocol: 'HTTP', port: 8080 });
      const policy = part(listener.id);
      return [listener, policy, make('L7Rule', policy.id, { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/' })];
    }
    case 'L7Rule': {
      const listener = make('Listener', balancerId, { protocol: 'HTTP', port: 8080 });
      const policy = make('L7Policy', listener.id, { action: 'REJECT' });
      return [listener, policy, part(policy.id)];
    }
  }
}

function modelOf(node: WantedNode, parts: readonly WantedPart[], folder: string): HaproxyModel {
  return renderNode(
    { ...node, parts },
    {
      ...{
        folder,
        runtimeSocket: join(folder, 'run.sock'),
        healthPort: 9_000,
        incarnation: node.id,
        now: Date.now(),
        uid: null,
      },
      addressesOf: () => ['192.0.2.7'],
    },
  );
}

/** Numbers, enums and booleans may add lines of our own, but texts must not. */
function shapeFault(
  plain: readonly (readonly string[])[] | undefined,
  render: () => HaproxyModel,
  { kind, field, plain: sample }: Case,
  spec: PartSpec,
): string | undefined {
  let words: readonly (readonly string[])[];
  try {
    const model = render();
    words = wordsOf(configurationText(model));
    const fault = patternFault(model, spec);
    if (fault !== undefined) return fault;
  } catch (error) {
    return (error as Error).message;
  }
  const isText =
    typeof sample === 'string' &&
    typeof (kind === 'Pool' && field === 'persistence' ? sample : spec[field]) === 'string';
  const isEnum = isText && /^[A-Z0-9_]+$/.test(sample) && field !== 'persistence';
  // A host name in place of an address changes the server's name, but not the words.
  if (plain === undefined || !isText || isEnum) return undefined;
  const shape = (lines: readonly (readonly string[])[]) => lines.map((line) => line.length).join(' ');
  return shape(words) === shape(plain) ? undefined : 'it has other lines or words than a plain value';
}

/** In a file, the value of an L7 rule must be exactly one pattern. */
function patternFault({ files }: HaproxyModel, { value }: PartSpec): string | undefined {
  for (const { path, content } of files.values()) {
    if (typeof value !== 'string' || !path.includes('/rule-')) continue;
    const patterns = patternsOf(content);
    if (patterns.length !== 1 || ![value, `.${value}`].includes(patterns[0] ?? ''))
      return `its file has ${patterns.length} patterns, or another one than the value`;
  }
  return undefined;
}

/** The real HAProxy, which reads files and accepts servers on its runtime socket. */
class Places {
  readonly #folder: string;
  readonly #node: WantedNode;
  readonly #haproxy: Haproxy;
  readonly #running: HaproxyModel;

  constructor(folder: string, node: WantedNode) {
    this.#folder = join(folder, 'checked');
    this.#node = node;
    const own = join(folder, 'running');
    this.#haproxy = new Haproxy({
      program: '/usr/sbin/haproxy',
      folder: own,
      cell: () => plainCell(own),
      reloadPauseMs: 0,
    });
    const canary = {
      name: 'canary',
      address: '192.0.2.99',
      port: 80,
      keywords: [],
      weight: 7,
      state: 'READY',
      checked: false,
    } as const;
    const model = modelOf(node, [], own);
    const backend = {
      name: 'p',
      lines: ['mode http'],
      dynamicCookie: false,
      drainMs: 0,
      servers: new Map([['canary', canary]]),
    };
    this.#running = { ...model, frontends: new Map(), backends: new Map([['p', backend]]) };
  }

  start(): Promise<void> {
    return this.#haproxy.start(this.#running);
  }

  stop(): Promise<void> {
    return this.#haproxy.stop();
  }

  /** Writes all configurations into one file. If the file is refused, it checks each one alone. Returns the number of files. */
  async check(all: readonly Accepted[], escaped: (what: string, one: Accepted) => void): Promise<number> {
    if (all.length === 0 || (await this.#fault(all)) === undefined) return 1;
    let files = 1;
    if (all.length === 1) {
      const [one] = all;
      if (one !== undefined) escaped(`HAProxy refuses it: ${await this.#fault(all)}`, one);
      return files + 1;
    }
    const middle = Math.ceil(all.length / 2);
    for (const half of [all.slice(0, middle), all.slice(middle)]) files += await this.check(half, escaped);
    return files;
  }

  async #fault(all: readonly Accepted[]): Promise<string | undefined> {
    const model = modelOf(
      this.#node,
      all.flatMap(({ parts }) => parts),
      this.#folder,
    );
    // Separate ports are not needed, because nothing listens during a check.
    for (const { path, content } of model.files.values()) await write(path, content);
    for (const { path, pem } of model.certificates.values()) await write(path, pem);
    await write(join(this.#folder, 'servers.state'), '1\n');
    const path = join(this.#folder, 'haproxy.cfg');
    await write(path, configurationText(model));
    try {
      await run('/usr/sbin/haproxy', ['-c', '-f', path], { maxBuffer: 64 * 1024 * 1024 });
      return undefined;
    } catch (error) {
      return String((error as { stderr?: string }).stderr ?? error);
    }
  }

  /** Adds each server to a running HAProxy, which must then have exactly that server. Returns their number. */
  async addAll(all: readonly Accepted[], escaped: (what: string, one: Accepted) => void): Promise<number> {
    let count = 0;
    for (const one of all) {
      const model = modelOf(this.#node, one.parts, this.#folder);
      const servers = [...model.backends.values()].flatMap((backend) => [...backend.servers.values()]);
      const [server] = servers;
      if (server === undefined || !['Pool', 'PoolMember', 'PoolHealthMonitor'].includes(one.tried.kind)) continue;
      count += 1;
      const backend = this.#running.backends.get('p');
      if (backend === undefined) continue;
      const wanted = {
        ...this.#running,
        certificates: model.certificates,
        // Files that a server refers to. Maps and patterns belong to lines that are not in this configuration.
        files: new Map([...model.files].filter(([, { kind: each }]) => each === 'AUTHORITIES')),
        backends: new Map([
          [
            'p',
            {
              ...backend,
              servers: new Map([...backend.servers, [server.name, { ...server, state: 'MAINT' } as const]]),
            },
          ],
        ]),
      };
      try {
        await this.#haproxy.apply(wanted);
        const found = await this.#haproxy.disagreements();
        if (found.length > 0) escaped(`at the runtime socket: ${found.join('; ')}`, one);
      } catch (error) {
        escaped(`at the runtime socket: ${(error as Error).message}`, one);
      }
      await this.#haproxy.apply(this.#running).catch((error: unknown) => escaped(`afterwards: ${String(error)}`, one));
    }
    await this.#haproxy.settled();
    return count;
  }
}

/** Both ends of a long text. */
function shown(value: JsonValue): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 1_000 ? `${text.slice(0, 300)} … ${text.slice(-700)}` : text;
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode: 0o600 });
}
