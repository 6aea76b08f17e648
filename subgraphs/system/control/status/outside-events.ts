// Status events of another team's subgraph, which a machine of the role subgraph sends in batches. A batch is one transaction with its
// idempotency key. Subjects are Nodes of that subgraph, kinds begin with its name, and its rate is bounded, so its events neither
// pass for others nor crowd them out.
import type { StatusEventsAddInput } from '../../../../generated/graph/system.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { holdProject } from '../../../../platform/edge/projects.ts';
import { TokenBuckets } from '../../../../platform/edge/token-buckets.ts';
import { quoted, refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { EventKinds, StatusEvent } from '../../../../platform/events/kinds.ts';
import { machineCaller } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { subgraphRecordOf, subgraphRole } from '../../../../platform/machines/subgraph-record.ts';
import type { OutsideNodes } from '../../../../platform/process/subgraph-row.ts';
import { decodeId, decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { MachineStore } from '../stores/machine-store.ts';
import { kindWord, longestKind, outsideKind } from './outside-kinds.ts';

interface OutsideEventsOptions {
  readonly db: Database;
  readonly machines: MachineStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
  readonly nodes: OutsideNodes;
  /** The largest number of events from one subgraph in a minute, in this process. They may all arrive at once. */
  readonly perMinute: number;
}

const mostEvents = 100;
/** Limit of the column. */
const mostVersion = 2_147_483_647;
const statusWord = /^[A-Z][A-Z0-9_]{0,31}$/;

/** Events and their kinds, ready to be written. */
interface Batch {
  readonly kinds: EventKinds;
  readonly events: readonly (StatusEvent & { readonly projectId: string })[];
}

export class OutsideEvents {
  readonly #options: OutsideEventsOptions;
  /** Keyed by subgraph. */
  readonly #allowance: TokenBuckets;

  constructor(options: OutsideEventsOptions) {
    this.#options = options;
    this.#allowance = new TokenBuckets({ burst: options.perMinute, perSecond: options.perMinute / 60 });
  }

  add(context: RequestContext, input: StatusEventsAddInput): Promise<MutationOutcome<number>> {
    const identity = machineCaller(context);
    const { events } = input;
    return this.#options.mutations.run({
      name: 'statusEventsAdd',
      context,
      input,
      // The events have a history of their own.
      audited: { idempotencyKey: input.idempotencyKey, eventCount: events.length },
      subject: 'Machine',
      prepare: async ({ check, inTurn }) => {
        check.count('events', events, { min: 1, max: mostEvents });
        check.throwIfAny();
        const subgraph = await this.#subgraphOf(identity);
        const batch = readBatch(check, events, subgraph);
        check.throwIfAny();
        this.#requireAllowance(subgraph.name, events.length);
        // A subgraph may have one batch in progress, so that it uses one connection and its allowance is exact.
        await inTurn(`status events of ${subgraph.name}`);
        this.#requireAllowance(subgraph.name, events.length);
        return async (tx) => {
          await this.#requireMachine(tx, identity.id);
          await holdProjects(tx, batch);
          await appendStatus(tx, batch.kinds, batch.events, this.#options.wake);
          tx.afterCommit(() => this.#allowance.spend(subgraph.name, events.length));
          return identity.id;
        };
      },
      // A repetition has the same events.
      read: async () => events.length,
    });
  }

  async #subgraphOf({ id, name, machineRole }: Identity): Promise<Subgraph> {
    const record = machineRole === subgraphRole ? await subgraphRecordOf(this.#options.db, id) : undefined;
    if (record === undefined)
      refuse('FORBIDDEN', `${name} has the role ${machineRole}; only machines of the role ${subgraphRole} send events`);
    const types = this.#options.nodes.get(record.name);
    if (types === undefined)
      refuse(
        'WRONG_STATE',
        `the settings of this process with the role system have no subgraphs.${record.name}: add it there, as in the gateways`,
      );
    return { name: record.name, types };
  }

  #requireAllowance(subgraph: string, count: number): void {
    const retryAfterMs = this.#allowance.waitMs(subgraph, count);
    if (retryAfterMs === 0) return;
    const message = `${subgraph} has sent more than ${this.#options.perMinute} events a minute: send the batch again later`;
    refuse('RATE_LIMITED', message, { retryAfterMs });
  }

  /** Its token was valid, but it may have been revoked since. */
  async #requireMachine(tx: Transaction, id: string): Promise<void> {
    const machine = await this.#options.machines.lock(tx, id);
    if (machine === undefined || machine.revokedAt !== null) refuse('BAD_CREDENTIALS', 'the machine was revoked');
  }
}

interface Subgraph {
  readonly name: string;
  readonly types: readonly string[];
}

/** Adds a fault for each invalid field. */
function readBatch(check: InputCheck, given: StatusEventsAddInput['events'], subgraph: Subgraph): Batch {
  const kinds: Record<string, EventKinds[string]> = {};
  const events = given.map((event, index) => {
    const at = `events.${index}`;
    const projectId = check.id(`${at}.projectId`, event.projectId, 'Project') ?? '';
    const subject = readSubject(check, `${at}.subjectId`, event.subjectId, subgraph);
    const wants = 'a word such as power: a lower-case letter, then letters and digits, 32 at most';
    check.text(`${at}.kind`, event.kind, { required: true, max: 32, pattern: kindWord, wants });
    const kind = outsideKind(subgraph.name, subject.type, event.kind);
    if (kind.length > longestKind && event.kind.length <= 32)
      check.fault(`${at}.kind`, `the kind ${quoted(kind)} is longer than ${longestKind} characters`, 'TOO_LONG');
    const status = { max: 32, pattern: statusWord, wants: 'a word such as ON: upper-case letters, digits and _' };
    check.text(`${at}.from`, event.from, status);
    check.text(`${at}.to`, event.to, { ...status, required: true });
    check.text(`${at}.reason`, event.reason, { max: 1024 });
    check.integer(`${at}.subjectVersion`, event.subjectVersion, { min: 0, max: mostVersion });
    kinds[kind] = { subject: subject.type, values: [], meaning: '' };
    const { from = null, to, reason = null, subjectVersion } = event;
    return { projectId, kind, subjectId: subject.key, subjectVersion, from, to, reason };
  });
  return { kinds, events: events as unknown as Batch['events'] };
}

function readSubject(check: InputCheck, field: string, id: string, { name, types }: Subgraph) {
  const decoded = decodeId(id);
  if (decoded !== undefined && types.includes(decoded.type) && decodeUuid(decoded.type, id) !== undefined)
    return decoded;
  const known = types.length === 0 ? 'of which it has none' : types.join(', ');
  const wants = `base64url of TYPE:UUID for a type of ${name} that implements Node (${known}), with a lower-case UUID`;
  check.fault(field, `${field} is ${quoted(id)}; give ${wants}`);
  return { type: '', key: '' };
}

/** Refuses NOT_FOUND for each event whose project does not exist. The other projects stay until the transaction ends. */
async function holdProjects(tx: Transaction, { events }: Batch): Promise<void> {
  const check = new InputCheck();
  const found = new Set<string>();
  for (const id of new Set(events.map(({ projectId }) => projectId)))
    if ((await holdProject(tx, id)) != null) found.add(id);
  for (const [index, { projectId }] of events.entries())
    if (!found.has(projectId))
      check.fault(`events.${index}.projectId`, unknownId('Project', encodeId('Project', projectId)), 'NOT_FOUND');
  check.throwIfAny();
}
