// A CMP that follows docs/retries.md: each write has a key, and is repeated with it until there is an answer. One client adds an address to the
// firewall, shares the mapping, unshares it, and removes the address: two calls of a device and two writes of the database alone.
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type GraphEndpoint } from '../../../../clients/typescript/graph-request.ts';
import { carryOut } from '../../../../clients/typescript/relay-client.ts';
import type { MappingShareInput, MappingUnshareInput } from '../../../../generated/cli/graphql.ts';
import { graphql } from '../../../../generated/cli/index.ts';
import type { Tally } from './tally.ts';

export interface ClientOptions {
  readonly endpoint: GraphEndpoint;
  readonly tally: Tally;
  /** Stops further writes. */
  readonly stopping: AbortSignal;
  /** Ends all requests. */
  readonly ending: AbortSignal;
}

interface Mapping {
  readonly id: string;
  readonly version: number;
}

const backend = { name: 'lab-firewall' };
const set = 'blocked';
/** A CMP's task stays open so long. */
const taskMs = 120_000;
const pauseMs = 100;
const againMs = 250;
/** Limit of one client's tasks that wait for a probe of the device. */
const mostUnsettled = 8;
const settleMs = 1_000;
const settleTries = 60;
/** Limit after the load has ended, so that it does not run for another minute. */
const lateSettleTries = 10;
const shareDocument = graphql(`
  mutation LoadShare($input: MappingShareInput!) {
    root: mappingShare(input: $input) { mapping { id version } userErrors { code message field retry retryAfterMs } }
  }
`);
const unshareDocument = graphql(`
  mutation LoadUnshare($input: MappingUnshareInput!) {
    root: mappingUnshare(input: $input) { mapping { id version } userErrors { code message field retry retryAfterMs } }
  }
`);
const settleDocument = graphql(`
  mutation LoadSettle($input: RelayOperationSettleInput!) {
    root: relayOperationSettle(input: $input) { operation { state } userErrors { code message } }
  }
`);
const readDocument = graphql(`
  query LoadRead($id: ID!) { root: mapping(id: $id) { id version } }
`);

/** A task whose call has an unknown outcome continues in parallel, because a probe of the device can take a minute. */
export async function runWriter(options: ClientOptions): Promise<void> {
  const unsettled = new Set<Promise<void>>();
  while (!options.stopping.aborted) {
    const unsettledCall = Promise.withResolvers<void>();
    const task = runTask(options, unsettledCall.resolve);
    unsettled.add(task);
    // A failed task stays, and ends the load.
    const ended = task.then(() => void unsettled.delete(task));
    await Promise.race([ended, unsettledCall.promise]);
    if (unsettled.size >= mostUnsettled) await Promise.race(unsettled);
    await pause(options);
  }
  await Promise.all(unsettled);
}

async function runTask(options: ClientOptions, onUnsettled: () => void): Promise<void> {
  const address = newAddress();
  const cmpObject = { type: 'load', externalId: randomUUID() };
  const made = await call(options, 'add', { backend, cmpObject, set, address }, onUnsettled);
  if (made === undefined) return;
  for (const shared of [true, false]) {
    await pause(options);
    await share(options, made, shared);
  }
  await pause(options);
  await call(options, 'delete', { backend, cmpObject, set, address }, onUnsettled);
}

/** Reads mappings through the address, and checks that they are recent enough. */
export async function runReader({ endpoint, tally, stopping, ending }: ClientOptions): Promise<void> {
  while (!stopping.aborted) {
    const known = tally.acknowledged.findLast((each) => each.kind === 'plain');
    if (known?.kind === 'plain') {
      const found = await read(endpoint, known.mappingId, tally, ending);
      if (found !== undefined && found.version < known.version)
        tally.stale(`mapping ${known.mappingId} was read with version ${found.version}, after ${known.version}`);
    }
    await sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** Undefined if there was no answer within the time of a task. Such failures are counted. */
async function read(
  endpoint: GraphEndpoint,
  id: string,
  tally: Tally,
  ending: AbortSignal,
): Promise<Mapping | undefined> {
  const deadline = AbortSignal.timeout(taskMs);
  for (;;) {
    const reply = await ask(endpoint, readDocument.toString(), { id }, AbortSignal.any([ending, deadline]));
    if (ending.aborted) return undefined;
    if (reply.kind === 'answer') {
      tally.read();
      return 'version' in reply.value ? (reply.value as unknown as Mapping) : { id, version: 0 };
    }
    if (reply.kind === 'refused' && reply.code !== 'RATE_LIMITED') tally.readFailed(`a read: ${reply.code}`);
    if (deadline.aborted) tally.readFailed('a read: no answer');
    if ((reply.kind === 'refused' && reply.code !== 'RATE_LIMITED') || deadline.aborted) return undefined;
    tally.again += 1;
    await sleep(againMs, undefined, { signal: ending }).catch(() => undefined);
  }
}

/** The id of the mapping. Undefined if the call failed, which is counted. */
async function call(
  options: ClientOptions,
  act: 'add' | 'delete',
  input: { readonly address: string; readonly [name: string]: unknown },
  onUnsettled: () => void,
): Promise<string | undefined> {
  const { endpoint, tally, ending } = options;
  const mutation = act === 'add' ? 'firewallAddressSetElementAdd' : 'firewallAddressSetElementRemove';
  const outcome = await carryOut(
    endpoint,
    { mutation, idempotencyKey: randomUUID(), input },
    {
      ...{ deadlineMs: taskMs, signal: ending },
      onAgain: ({ request }) => {
        tally.again += 1;
        // The operation is known, and may end only after a probe of the device.
        if (request !== 'send') onUnsettled();
      },
    },
  );
  const { kind, operation, refusals } = outcome;
  const done = () => {
    if (operation === null) return undefined;
    tally.acknowledge({ kind: 'call', operationId: operation.id, address: input.address, act });
    return operation.changedMappings[0]?.id;
  };
  if (kind === 'SUCCEEDED') return done();
  if (ending.aborted) return undefined;
  if (kind === 'UNKNOWN' && operation !== null) {
    onUnsettled();
    const state = await settle(options, operation.id);
    if (state === 'SUCCEEDED') return done();
    if (state === undefined) tally.unsettled(`${act} ${input.address}: UNKNOWN, and no look settled it`);
    else tally.failCall(act, input.address, `UNKNOWN, then ${state}`);
    return undefined;
  }
  const why = operation?.deviceError?.code ?? refusals.map(({ code }) => code).join(', ');
  tally.failCall(act, input.address, `${kind} ${why}`);
  return undefined;
}

/** Probes the device, like a CMP with an unknown outcome. Undefined if it stays unknown. */
async function settle(options: ClientOptions, id: string): Promise<string | undefined> {
  const { endpoint, stopping, ending } = options;
  for (let tries = settleTries; tries > 0 && !ending.aborted; tries -= 1) {
    if (stopping.aborted) tries = Math.min(tries, lateSettleTries);
    const reply = await ask(endpoint, settleDocument.toString(), { input: { id } }, ending);
    const state = reply.kind === 'answer' ? (reply.value.operation as { state?: string } | null)?.state : undefined;
    if (state !== undefined && state !== 'UNKNOWN') return state;
    await sleep(settleMs, undefined, { signal: ending }).catch(() => undefined);
  }
  return undefined;
}

async function share({ endpoint, tally, ending }: ClientOptions, id: string, shared: boolean): Promise<void> {
  const input: MappingShareInput & MappingUnshareInput = { idempotencyKey: randomUUID(), id };
  const document = (shared ? shareDocument : unshareDocument).toString();
  const deadline = AbortSignal.timeout(taskMs);
  for (;;) {
    const reply = await ask(endpoint, document, { input }, AbortSignal.any([ending, deadline]));
    if (ending.aborted) return;
    const errors =
      reply.kind === 'answer' ? (reply.value.userErrors as readonly { code: string; retry: string }[]) : [];
    const mapping = reply.kind === 'answer' ? (reply.value.mapping as Mapping | null) : null;
    if (mapping !== null) return tally.acknowledge({ kind: 'plain', mappingId: id, version: mapping.version });
    const refusal = reply.kind === 'refused' ? { code: reply.code, retry: '' } : errors[0];
    const mayRepeat = refusal === undefined || refusal.retry === 'SAME_KEY' || refusal.code === 'RATE_LIMITED';
    if (!mayRepeat || deadline.aborted) return tally.fail(`share ${id}: ${refusal?.code ?? 'no answer'}`);
    tally.again += 1;
    await sleep(againMs, undefined, { signal: ending }).catch(() => undefined);
  }
}

function pause({ stopping }: ClientOptions): Promise<void> {
  return sleep(pauseMs, undefined, { signal: stopping }).catch(() => undefined);
}

/** An even address of 10.0.0.0/8, because neighbours would be one interval to the firewall. */
function newAddress(): string {
  return `10.${randomInt(256)}.${randomInt(256)}.${randomInt(127) * 2}`;
}
