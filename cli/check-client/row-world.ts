// The state that one row of the table plays: calls, sessions and events as in the product, with the row's failures in between.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FailureRow, FollowStep, Opening, Play, WorkState } from '../../clients/failure-table/row.ts';
import type { Asked } from './played-graph.ts';

export type Step = FailureRow['steps'][number];
export type SeenKind = 'send' | 'read' | 'look' | 'cursor' | 'snapshot' | 'subscribe' | 'login' | 'refresh';

/** One request, as it arrived. */
export interface Seen {
  readonly kind: SeenKind;
  readonly atMs: number;
  readonly args: Readonly<Record<string, unknown>>;
  readonly play: Play['kind'];
  /** Time of the answer, and the wait that it required. */
  answeredAtMs: number;
  retryAfterMs: number;
}

/** Work in the graph: a relayed call. */
interface Work {
  readonly id: string;
  readonly states: readonly WorkState[];
  shown: number;
}

export const taskMutation = 'firewallAddressSetElementAdd';
export const callInput = { backend: { name: 'edge-fw-1' }, set: 'blocked', address: '192.0.2.7' } as const;
export const backendId = 'QmFja2VuZDo3';
const password = 'open-sesame';

const kinds: Readonly<Record<string, SeenKind>> = {
  [taskMutation]: 'send',
  ...{ relayOperationSettle: 'look', relayOperation: 'read', node: 'read' },
  ...{ statusCursor: 'cursor', backend: 'snapshot', statusChanges: 'subscribe' },
  ...{ login: 'login', sessionRefresh: 'refresh' },
};

export class RowWorld {
  readonly row: FailureRow;
  readonly idempotencyKey = `task-${randomUUID()}`;
  /** Violations that were seen immediately. The judge finds the rest. */
  readonly faults: string[] = [];
  seen: Seen[] = [];
  /** Bytes of events that the client took before it wanted the second one, while its consumer paused. */
  takenEarlyBytes = 0;
  #step: Step;
  readonly #works = new Map<string, Work>();
  readonly #token = `tg_${randomUUID()}`;
  #access = new Set<string>([this.#token]);
  #refresh = new Set<string>();
  /** Number of events so far, and the first valid cursor. */
  #happened = 0;
  #keptFrom = 0;
  readonly #sealedAs = randomUUID().slice(0, 8);

  constructor(row: FailureRow) {
    this.row = row;
    const [first] = row.steps;
    if (first === undefined) throw new Error(`the row ${row.name} has no steps`);
    this.#step = first;
    if (row.login !== undefined) this.#access.clear();
  }

  begin(step: Step): void {
    this.#step = step;
    this.seen = [];
    if (step.before !== undefined) for (const [key, work] of this.#works) this.#works.set(key, settled(work));
    if (step.do === 'wait') this.#works.set('', { id: newId(), states: step.states, shown: 0 });
  }

  get login(): object {
    const { login } = this.row;
    if (login === undefined) return { token: this.#token };
    return { name: 'cmp', password: login === 'password' ? password : 'open-barley' };
  }

  /** The work to wait for. */
  get workId(): string {
    return this.#works.get('')?.id ?? '';
  }

  get carriedOutKeys(): readonly string[] {
    return [...this.#works].filter(([, work]) => stateOf(work) !== 'NOT_SENT').map(([key]) => key);
  }

  isKnown(token: string | undefined): boolean {
    return token !== undefined && this.#access.has(token);
  }

  /** The kind of request. Undefined if the check does not play it. */
  kindOf({ fields }: Asked): SeenKind | undefined {
    const [first, ...others] = fields.map(({ name }) => kinds[name]);
    if (fields.some(({ name }) => name === 'statusCursor') && others.length > 0)
      this.faults.push('read the cursor and the snapshot in one request: the order of the two reads is undefined');
    return [first, ...others].includes(undefined) ? undefined : first;
  }

  /** Notes a request, and returns the play for it. */
  note(kind: SeenKind, { fields }: Asked): { readonly seen: Seen; readonly play: Play; readonly opening?: Opening } {
    const args = fields[0]?.args ?? {};
    const opening = kind === 'subscribe' ? this.#opening() : undefined;
    const play = (opening === undefined ? this.#play(kind) : opening.play) ?? { kind: 'answer' };
    const seen = { kind, args, play: play.kind, atMs: performance.now(), answeredAtMs: 0, retryAfterMs: 0 };
    this.seen.push(seen);
    this.#happened += opening?.away ?? 0;
    return { seen, play, ...(opening === undefined ? {} : { opening }) };
  }

  #play(kind: SeenKind): Play | undefined {
    const step = this.#step;
    const played: SeenKind = step.do === 'call' ? 'send' : 'read';
    if (step.do === 'follow' || kind !== played) return undefined;
    return step.plays?.[this.count(kind)];
  }

  #opening(): Opening {
    const openings = this.#step.do === 'follow' ? this.#step.openings : [];
    return openings[Math.min(this.count('subscribe'), openings.length - 1)] ?? {};
  }

  count(kind: SeenKind): number {
    return this.seen.filter((each) => each.kind === kind).length;
  }

  expire(what: 'access token' | 'session'): void {
    this.#access.clear();
    if (what === 'session') this.#refresh.clear();
  }

  /** The values of the root fields of a request. */
  valuesOf({ fields }: Asked): object {
    const values = fields.map(({ name, args }) => [name, this.#valueOf(name, args)] as const);
    return Object.fromEntries(values);
  }

  #valueOf(name: string, args: Readonly<Record<string, unknown>>): unknown {
    const input = (args.input ?? {}) as Readonly<Record<string, unknown>>;
    switch (name) {
      case taskMutation:
        return this.#carryOut(input);
      case 'relayOperationSettle':
        return this.#look(input);
      case 'relayOperation':
      case 'node':
        return this.#read(args.id);
      case 'statusCursor':
        return this.#withEvent(this.cursorAt(this.#happened));
      case 'backend': {
        const version = this.#happened;
        return this.#withEvent({ id: backendId, name: 'edge-fw-1', version, operatingStatus: statusAt(version) });
      }
      case 'login':
        return input.name === 'cmp' && input.password === password ? this.#session() : badCredentials;
      case 'sessionRefresh':
        return this.#refresh.delete(String(input.refreshToken)) ? this.#session() : badCredentials;
      default:
        return null;
    }
  }

  /** The same key is the same call. */
  #carryOut(input: Readonly<Record<string, unknown>>): object {
    const key = String(input.idempotencyKey);
    const states = (this.#step.do === 'call' ? this.#step.states : undefined) ?? ['SUCCEEDED'];
    const known = this.#works.get(key);
    const work = known ?? { id: newId(), states, shown: 0 };
    this.#works.set(key, work);
    // Nothing was sent, and the key is free, so this request counts as a new one.
    if (known !== undefined && stateOf(known) === 'NOT_SENT') known.shown += 1;
    return { operation: shown(work), userErrors: [] };
  }

  #look(input: Readonly<Record<string, unknown>>): object {
    if (input.verdict != null) this.faults.push('gave a verdict: only a person may');
    const work = this.#work(input.id);
    if (work === undefined) return refused('NOT_FOUND', 'NEVER');
    if (stateOf(work) !== 'ACCEPTED') return refused('WRONG_STATE', 'NEVER');
    return { operation: shown(work), userErrors: [] };
  }

  #read(id: unknown): object | null {
    const work = this.#work(id);
    if (work === undefined) return null;
    // The relay checks a job only on request.
    return stateOf(work) === 'ACCEPTED' ? operationOf(work) : shown(work);
  }

  #work(id: unknown): Work | undefined {
    return [...this.#works.values()].find((each) => each.id === id);
  }

  #session(): object {
    const [accessToken, refreshToken] = [randomUUID(), randomUUID()];
    this.#access.add(accessToken);
    this.#refresh.add(refreshToken);
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    return {
      ...{ accessToken, refreshToken, userErrors: [] },
      ...{ accessTokenExpiresAt: inAnHour, refreshTokenExpiresAt: inAnHour },
    };
  }

  /** Makes an event right after the first read of cursor and snapshot. */
  #withEvent<Value>(value: Value): Value {
    const step = this.#step;
    if (step.do === 'follow' && step.hasEventAtSnapshot && this.#happened === 0) this.#happened = 1;
    return value;
  }

  /** Opaque, and a different text each time. */
  cursorAt(position: number): string {
    return Buffer.from(`${this.#sealedAs}/${position}/${randomUUID()}`).toString('base64url');
  }

  /** The events after a cursor, as they happen. `after`: the client's cursor. */
  begins(after: unknown): number | 'INVALID_CURSOR' | 'CURSOR_EXPIRED' {
    if (after == null) return this.#happened;
    const [sealedAs, position] = Buffer.from(String(after), 'base64url').toString().split('/');
    if (sealedAs !== this.#sealedAs) return 'INVALID_CURSOR';
    return Number(position) < this.#keptFrom ? 'CURSOR_EXPIRED' : Number(position);
  }

  /** Numbers of the events to send, beginning at a position. */
  *events(position: number, { live = 0, items }: Opening): Generator<StreamedItem> {
    if (items === 'the first one was sent before') yield this.#item(position, 'change');
    const first = this.#happened + 1;
    for (let number = position + 1; number < first; number += 1) yield this.#item(number, 'change');
    this.#happened += live;
    const last = this.#happened;
    for (let number = first; number <= last; number += 1) yield this.#item(number, itemKind(items, number === last));
    if (items === 'the last one is only a checkpoint') this.#keptFrom = last;
  }

  #item(number: number, kind: StreamedItem['kind']): StreamedItem {
    const change = {
      ...{ id: `event ${number}`, changedAt: '2026-01-31T00:00:00.000Z', kind: 'backend.operatingStatus' },
      ...{ subjectType: 'Backend', subjectId: backendId, subjectVersion: number },
      ...{ from: statusAt(number - 1), to: statusAt(number) },
    };
    const cursor = this.cursorAt(number);
    if (kind === 'checkpoint') return { kind, cursor, value: { cursor, kind: 'CHECKPOINT' } };
    return { kind, cursor, value: { cursor, kind: 'UPDATED', subjectId: backendId, change } };
  }

  get step(): Step {
    return this.#step;
  }

  /** Whether an input is the task's, whatever the client states about waiting. */
  isTaskInput(input: unknown): boolean {
    const { waitMs: _waitMs, idempotencyKey: _key, ...rest } = input as Record<string, unknown>;
    const defaults = { dryRun: false, force: false, shared: false };
    return isDeepStrictEqual(plain({ ...defaults, ...rest }), plain({ ...defaults, ...callInput }));
  }
}

export interface StreamedItem {
  readonly kind: 'change' | 'checkpoint' | 'broken' | 'large';
  readonly cursor: string;
  readonly value: object;
}

function itemKind(items: Opening['items'], isLast: boolean): StreamedItem['kind'] {
  if (items === 'large') return 'large';
  if (isLast && items === 'the last one is only a checkpoint') return 'checkpoint';
  return isLast && items === 'the last one can not be read' ? 'broken' : 'change';
}

/** The event after which a client has followed the stream long enough. */
export function lastEventOf({ expects }: FollowStep): string | null {
  return expects.saw.findLast((each) => each.startsWith('event')) ?? null;
}

/** Without prototypes and undefined members. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function newId(): string {
  return Buffer.from(`RelayOperation:${randomUUID()}`).toString('base64url');
}

function stateOf({ states, shown }: Work): WorkState {
  return states[Math.min(shown, states.length - 1)] ?? 'SUCCEEDED';
}

/** Its present state. The next poll may find another one. */
function shown(work: Work): object {
  const operation = operationOf(work);
  if (stateOf(work) !== 'NOT_SENT') work.shown += 1;
  return operation;
}

function settled({ id }: Work): Work {
  return { id, states: ['SUCCEEDED'], shown: 0 };
}

function operationOf(work: Work): object {
  const state = stateOf(work);
  const hasEnded = ['SUCCEEDED', 'FAILED', 'NOT_SENT', 'UNKNOWN'].includes(state);
  return {
    ...{ __typename: 'RelayOperation', id: work.id, name: 'firewallAddressSetElementAdd', effect: 'IDEMPOTENT' },
    state: state === 'NOT_SENT' ? 'FAILED' : state,
    finishedAt: hasEnded ? '2026-01-31T00:00:00.000Z' : null,
    deviceError:
      state === 'FAILED' || state === 'NOT_SENT'
        ? { code: state === 'NOT_SENT' ? 'NOT_SENT' : 'DEVICE_ERROR', message: 'The device said no.' }
        : null,
  };
}

function statusAt(version: number): string {
  return version % 2 === 0 ? 'ONLINE' : 'OFFLINE';
}

function refused(code: string, retry: string): object {
  return { userErrors: [{ code, message: `The check plays ${code}.`, field: [], retry }] };
}

const badCredentials = refused('BAD_CREDENTIALS', 'NEVER');
