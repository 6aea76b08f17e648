// Calls of the graph, with the checks that hold for every driver. A created object is mapped, found as set, found to
// have drifted, and deleted by its mapping. A probe settles a call without an answer, and a refused call maps nothing.
import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { type CallShape, call, type RelayNode, settle, verify } from './relay-system.ts';

/** A typed mutation and its input, or an operation of `relayCall` and its arguments. `more`: further input. */
type Make = readonly [name: string, args: object, more?: object];

/** Calls to one backend for one CMP object, each with its own key. */
export class GraphCalls {
  readonly node: RelayNode;
  readonly #common: object;

  constructor(node: RelayNode, backend: string, cmpObject: object = { type: 'tenant', externalId: '42' }) {
    this.node = node;
    this.#common = { backend: { name: backend }, cmpObject };
  }

  make(...[name, args, more]: Make): Promise<CallShape> {
    const common = { ...this.#common, idempotencyKey: randomUUID() };
    return name.includes('.')
      ? call(this.node, 'relayCall', { ...common, operation: name, arguments: args, ...more })
      : this.node.mutate(name, { ...common, ...args, ...more });
  }

  remove({ mapping }: Pick<CallShape, 'mapping'>, more: object = {}): Promise<CallShape> {
    return call(this.node, 'delete', { idempotencyKey: randomUUID(), mappingId: mapping?.id, ...more });
  }

  async settled({ operation }: CallShape) {
    return (await settle(this.node, { idempotencyKey: randomUUID(), id: operation?.id })).operation;
  }
}

interface MappedLife {
  readonly make: Make;
  /** Expected fields of the mapping. */
  readonly mapping: object;
  readonly result?: object;
  /** Someone else's change, the paths that it changes, and the step that follows. */
  readonly drift?: readonly [change: () => unknown, paths: readonly string[], after?: (made: CallShape) => unknown];
  /** Expected fields of the deletion. */
  readonly removal?: object;
  /** Extra checks without the relay after the object was created, and after it was deleted. */
  readonly made?: (made: CallShape) => unknown;
  readonly gone?: () => unknown;
}

export async function mappedLife(calls: GraphCalls, life: MappedLife): Promise<void> {
  const made = await calls.make(...life.make);
  expect(made).toMatchObject({
    userErrors: [],
    operation: { state: 'SUCCEEDED', ...(life.result ? { result: life.result } : {}) },
    mapping: { mappingState: 'ACTIVE', ...life.mapping },
  });
  const verified = () => verify(calls.node, made.mapping?.id);
  expect(await verified()).toEqual(['MATCHES']);
  await life.made?.(made);
  const [change, paths = [], after] = life.drift ?? [];
  if (change !== undefined) {
    await change();
    const [result, ...differences] = await verified();
    expect([result, ...differences.sort()]).toEqual(['DRIFTED', ...paths.toSorted()]);
    await after?.(made);
  }
  expect(await calls.remove(made, life.removal)).toMatchObject({
    userErrors: [],
    operation: { state: 'SUCCEEDED', changedMappings: [{ mappingState: 'DELETED' }] },
    mapping: { mappingState: 'DELETED' },
  });
  await life.gone?.();
}

/** Without an answer a call is UNKNOWN. Its mark, or the object itself, shows whether it was carried out. */
export async function lostCall(calls: GraphCalls, make: Make, finding: 'PRESENT' | 'ABSENT'): Promise<void> {
  const made = await calls.make(...make);
  expect(made.operation).toMatchObject({ state: 'UNKNOWN', changedMappings: [{ mappingState: 'UNVERIFIED' }] });
  expect(await calls.settled(made)).toMatchObject(
    finding === 'PRESENT'
      ? { state: 'SUCCEEDED', stateSource: 'PROBE', changedMappings: [{ mappingState: 'ACTIVE' }] }
      : // The call may still take effect until its quiet time is over.
        { state: 'UNKNOWN', evidence: [{ finding: 'ABSENT_SO_FAR' }] },
  );
}

export async function refusedCall(calls: GraphCalls, make: Make, deviceError: object): Promise<void> {
  expect(await calls.make(...make)).toMatchObject({
    ...{ userErrors: [], operation: { state: 'FAILED', deviceError, changedMappings: [] }, mapping: null },
  });
}
