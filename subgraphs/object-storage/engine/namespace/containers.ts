// Containers. A container's name is a register of its account in the core ring. Its state is a gate beside its objects, which every replica
// checks before it accepts a change. So a container can be deleted only while it is empty, whatever is written elsewhere at the same time.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { ClosedError, ContendedError, FateUnknownError } from '../../../../platform/registers/errors.ts';
import type { Written } from '../../../../platform/registers/rules.ts';
import { ObjectError } from '../../wire/object-error.ts';
import { gateOf } from '../store/gate.ts';
import type { RegisterKey, StoredValue } from '../store/register.ts';
import { asObjectError } from './failures.ts';
import type { Names } from './names.ts';
import type { Caller, ContainerQuery, ContainerStat } from './namespace.ts';
import { coreRing, type StorageOption, type Topology } from './topology.ts';
import {
  afterHidden,
  type ContainerValue,
  type GateValue,
  gateState,
  gateValue,
  jsonValue,
  readJson,
} from './values.ts';

/** A container and the place of its objects. */
export interface Container {
  readonly account: string;
  readonly name: string;
  /** The scope of its objects. */
  readonly id: string;
  readonly ring: number;
  readonly createdAt: Date;
}

const mostKept = 10_000;
/** Rows of a page of names. */
const rowsAtLeast = 100;
const mostRows = 1_000;
const mostTries = 8;
/** A sealed container is decided within this time. After it, a waiting request opens the container again. */
const sealedMs = 1_000;
const lookMs = 50;
/** S3's rule: each name can be part of a host name too. */
const containerNames = /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/;

export class Containers {
  readonly #names: Names;
  readonly #topology: Topology;
  /** Caching a deleted container is safe: its gate refuses reads and writes. */
  readonly #known = new LRUCache<string, Container>({ max: mostKept });

  constructor({ names, topology }: { readonly names: Names; readonly topology: Topology }) {
    this.#names = names;
    this.#topology = topology;
  }

  async list(caller: Caller, { prefix, after: first, limit }: ContainerQuery): Promise<readonly ContainerStat[]> {
    const found: ContainerStat[] = [];
    for (let after = first; ; ) {
      const rows = Math.min(mostRows, Math.max(rowsAtLeast, limit - found.length));
      const page = await this.#names.page({ ring: coreRing, scope: caller.accountId, prefix, after, limit: rows });
      for (const { name, head } of page.rows) found.push(this.#statOf(containerOf(caller, name, { head })));
      if (page.next === undefined || found.length >= limit) return found.slice(0, limit);
      after = page.next;
    }
  }

  async stat(caller: Caller, name: string): Promise<ContainerStat> {
    return this.#statOf(await this.#fresh(caller, name));
  }

  async create(
    caller: Caller,
    name: string,
    { option: optionName, id }: { readonly option?: string | undefined; readonly id?: string | undefined },
  ): Promise<ContainerStat> {
    if (!containerNames.test(name) || /\.\.|\.-|-\./.test(name) || /^\d+\.\d+\.\d+\.\d+$/.test(name))
      throw new ObjectError(
        'INVALID_NAME',
        `"${name.slice(0, 80)}" is not a valid container name: use 3 to 63 lower-case letters, digits, dots and hyphens`,
      );
    const option = optionNamed(this.#topology, optionName);
    const key = containerKey(caller, name);
    const { value: before } = await this.#names.read(key);
    if (before !== undefined) {
      const known = containerOf(caller, name, before);
      if (known.id === id) return this.#statOf(this.#keep(known));
      const { value: gate } = await this.#names.read(gateOf({ ring: known.ring, scope: known.id }));
      if (stateOf(gate) !== 'DELETED') throw exists(name);
      // The process that deleted it died before it released the name.
      await this.#forget(known);
    }
    const value: ContainerValue = {
      ...{ id: id ?? randomBytes(16).toString('hex'), option: option.number, createdAtMs: Date.now() },
    };
    const gate = gateOf({ ring: option.number, scope: value.id });
    const open: GateValue = { state: 'OPEN', account: caller.accountId, container: name };
    if (id === undefined) await this.#names.write(gate, gateValue(open));
    else await this.#openOnce(gate, open);
    // Checked afterwards: either a replica that knows of the option's end has refused the gate, or this cluster knows of it by now.
    if (this.#topology.isEnding(option.number)) {
      await this.#names.write(gate, gateValue({ ...open, state: 'DELETED' }));
      throw isBeingDeleted(option);
    }
    const { result } = await this.#names.update(key, ({ value: found }) =>
      found === undefined
        ? { keeps: false, value: jsonValue(value), result: true }
        : { keeps: true, result: readJson<ContainerValue>(found).id === value.id },
    );
    if (result) {
      const made = containerOf(caller, name, jsonValue(value));
      if (stateOf((await this.#names.read(gate)).value) !== 'OPEN') await this.#mustStay(made);
      return this.#statOf(this.#keep(made));
    }
    await this.#names.write(gate, gateValue({ ...open, state: 'DELETED' }));
    throw exists(name);
  }

  /** It was sealed before it got its name. @throws ObjectError if it is closed by now */
  async #mustStay(container: Container): Promise<void> {
    await this.settle(container);
    if (!(await this.#isNamed(container)))
      throw new ObjectError('NO_QUORUM', `${container.name} was deleted while it was created: create it again`);
  }

  /** An id is used only once: a process about to release the name of the old container must not find another container with its id. */
  async #openOnce(gate: RegisterKey, open: GateValue): Promise<void> {
    const { result: state } = await this.#names.update(gate, ({ value }) =>
      value === undefined
        ? { keeps: false, value: gateValue(open), result: 'OPEN' }
        : { keeps: true, result: stateOf(value) },
    );
    if (state !== 'OPEN')
      throw new ObjectError('NO_CONTAINER', `the container ${open.container} with this id was deleted: use another id`);
  }

  async delete(caller: Caller, name: string): Promise<void> {
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const container = await this.#fresh(caller, name);
      try {
        if (await this.#tryDelete(container)) return;
      } catch (error) {
        if (!(error instanceof ClosedError)) throw error;
      }
      await sleep(lookMs * Math.random());
    }
    throw new ObjectError('NO_QUORUM', `${name} keeps changing: try again`);
  }

  /** Runs a read or write in a container. Runs it again if the container was closed in the meantime. */
  async run<Result>(caller: Caller, name: string, act: (container: Container) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const known = attempt === 1 ? this.#known.get(cacheKey(caller.accountId, name)) : undefined;
      const container = known ?? (await this.#fresh(caller, name));
      try {
        return await act(container);
      } catch (error) {
        const mayBeClosed = error instanceof ClosedError || error instanceof ContendedError;
        if (!mayBeClosed || attempt === mostTries) throw asObjectError(error);
        await this.settle(container);
      }
    }
  }

  /** False if another process sealed or opened it in between. */
  async #tryDelete(container: Container): Promise<boolean> {
    const gate = gateOf({ ring: container.ring, scope: container.id });
    const told = { account: container.account, container: container.name };
    const { written, result: state } = await this.#names.update<GateValue['state']>(gate, ({ value }) =>
      stateOf(value) === 'DELETED'
        ? { keeps: true, result: 'DELETED' }
        : { keeps: false, value: gateValue({ state: 'SEALED', ...told }), result: 'SEALED' },
    );
    if (state === 'SEALED') {
      const { version } = written;
      const isEmpty = await this.#names
        .isEmpty({ ring: container.ring, scope: container.id, after: afterHidden }, version)
        .catch(async (error: unknown) => {
          await this.#turn(gate, version, gateValue({ state: 'OPEN', ...told })).catch(() => false);
          throw error;
        });
      const next = isEmpty ? 'DELETED' : 'OPEN';
      if (!(await this.#turn(gate, version, gateValue({ state: next, ...told })))) return false;
      if (!isEmpty)
        throw new ObjectError('CONTAINER_NOT_EMPTY', `${container.name} is not empty: delete its objects first`);
    }
    await this.#forget(container);
    return true;
  }

  /** False if the gate has another version. */
  async #turn(gate: RegisterKey, from: Written<StoredValue>['version'], value: StoredValue): Promise<boolean> {
    const { result } = await this.#names.update(gate, ({ version }) =>
      version === from ? { keeps: false, value, result: true } : { keeps: true, result: false },
    );
    return result;
  }

  /** Releases the name after its gate was deleted. If another process releases it too, the slower one checks again. */
  async #forget({ account, name, id }: Pick<Container, 'account' | 'name' | 'id'>): Promise<void> {
    this.#known.delete(cacheKey(account, name));
    const key = { ring: coreRing, scope: account, name };
    for (let attempt = 1; ; attempt += 1)
      try {
        await this.#names.update(key, ({ value }) =>
          value !== undefined && readJson<ContainerValue>(value).id === id
            ? { keeps: false, value: undefined, result: undefined }
            : { keeps: true, result: undefined },
        );
        return;
      } catch (error) {
        if (!(error instanceof FateUnknownError) || attempt === mostTries) throw error;
      }
  }

  /** Waits until the gate is decided. Does not wait for a process that sealed it and died. */
  async settle(container: Pick<Container, 'account' | 'name' | 'id' | 'ring'>): Promise<void> {
    this.#known.delete(cacheKey(container.account, container.name));
    const gate = gateOf({ ring: container.ring, scope: container.id });
    const untilMs = performance.now() + sealedMs;
    const first = await this.#names.read(gate);
    for (let found = first; ; found = await this.#names.read(gate)) {
      const state = stateOf(found.value);
      if (state === 'DELETED') return this.#forget(container);
      if (state === 'OPEN' || found.version !== first.version) return;
      if (performance.now() > untilMs) {
        const open = gateValue({ state: 'OPEN', account: container.account, container: container.name });
        await this.#turn(gate, first.version, open);
        return;
      }
      await sleep(lookMs);
    }
  }

  /** False if the container exists. True if its gate is closed; if nobody had named the container, this call closed it. */
  async endUnnamed(container: Pick<Container, 'account' | 'name' | 'id' | 'ring'>): Promise<boolean> {
    const gate = gateOf({ ring: container.ring, scope: container.id });
    const told = { account: container.account, container: container.name };
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const { version, value } = await this.#names.read(gate);
      const state = stateOf(value);
      if (state === 'DELETED') return true;
      if (state === 'SEALED') {
        await this.settle(container);
        continue;
      }
      if (await this.#isNamed(container)) return false;
      const { written, result: isSealed } = await this.#names.update(gate, (found) =>
        found.version === version
          ? { keeps: false, value: gateValue({ state: 'SEALED', ...told }), result: true }
          : { keeps: true, result: false },
      );
      if (!isSealed) continue;
      // A process that names it checks the gate afterwards: either its name is visible here, or the seal there.
      const isNamed = await this.#isNamed(container);
      if (await this.#turn(gate, written.version, gateValue({ state: isNamed ? 'OPEN' : 'DELETED', ...told })))
        return !isNamed;
    }
    throw new ObjectError('NO_QUORUM', `${container.name} keeps changing: try again`);
  }

  async #isNamed({ account, name, id }: Pick<Container, 'account' | 'name' | 'id'>): Promise<boolean> {
    const { value } = await this.#names.read({ ring: coreRing, scope: account, name });
    return value !== undefined && readJson<ContainerValue>(value).id === id;
  }

  async #fresh(caller: Caller, name: string): Promise<Container> {
    const { value } = await this.#names.read(containerKey(caller, name));
    if (value === undefined) {
      this.#known.delete(cacheKey(caller.accountId, name));
      throw noContainer(name);
    }
    return this.#keep(containerOf(caller, name, value));
  }

  #keep(container: Container): Container {
    this.#known.set(cacheKey(container.account, container.name), container);
    return container;
  }

  #statOf(container: Container): ContainerStat {
    return statOfContainer(this.#topology, container);
  }
}

/** The default option if undefined. @throws ObjectError NO_OPTION, NO_QUORUM */
export function optionNamed(topology: Topology, name: string | undefined): StorageOption {
  const option = name === undefined ? topology.defaultOption() : topology.optionByName(name);
  if (option !== undefined && topology.awaits(option.number))
    throw new ObjectError('NO_QUORUM', `the option ${option.name} is new and its ring has not come yet: try again`);
  if (option !== undefined && topology.isEnding(option.number)) throw isBeingDeleted(option);
  if (option !== undefined) return option;
  const wrong = name === undefined ? 'there is no default option' : `there is no option ${name.slice(0, 80)}`;
  throw new ObjectError('NO_OPTION', `${wrong}: name one that an administrator has created`);
}

function isBeingDeleted({ name }: StorageOption): ObjectError {
  return new ObjectError('NO_OPTION', `the option ${name} is being deleted: name another one`);
}

const cacheKey = (account: string, name: string) => `${account}/${name}`;

export function containerKey(caller: Caller, name: string): RegisterKey {
  return { ring: coreRing, scope: caller.accountId, name };
}

export function containerOf({ accountId }: Caller, name: string, value: Pick<StoredValue, 'head'>): Container {
  const { id, option, createdAtMs } = readJson<ContainerValue>(value);
  return { account: accountId, name, id, ring: option, createdAt: new Date(createdAtMs) };
}

export function statOfContainer(topology: Topology, { name, id, ring, createdAt }: Container): ContainerStat {
  return { name, id, option: topology.optionByNumber(ring)?.name ?? String(ring), createdAt };
}

/** A missing gate is open: closing it writes one. */
function stateOf(value: StoredValue | undefined): GateValue['state'] {
  return value === undefined ? 'OPEN' : gateState(value);
}

export function noContainer(name: string): ObjectError {
  return new ObjectError('NO_CONTAINER', `there is no container ${name.slice(0, 80)}`);
}

function exists(name: string): ObjectError {
  return new ObjectError('CONTAINER_EXISTS', `there is a container ${name} already`);
}
