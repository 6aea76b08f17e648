// Publishing and removing operations. Adding the same text again is not an error.
import type { PublishedOperationAddInput, PublishedOperationRemoveInput } from '../../../../generated/graph/system.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { quoted, refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { systemEvents } from '../events.ts';
import type { PublishedOperation } from '../stores/published-operation.ts';
import type { NewPublishedOperation, PublishedOperationStore } from '../stores/published-operation-store.ts';
import { hashOf, readText } from './published-text.ts';

interface PublishedServiceOptions {
  readonly published: PublishedOperationStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

type Wish = Omit<NewPublishedOperation, 'id'>;

const mostOfRequest = 100;
const mostOperations = 10_000;
const mostBytes = 8 * 1024 * 1024;

export class PublishedService {
  readonly #published: PublishedOperationStore;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor({ published, mutations, wake }: PublishedServiceOptions) {
    this.#published = published;
    this.#mutations = mutations;
    this.#wake = wake;
  }

  add(
    context: RequestContext,
    input: PublishedOperationAddInput,
  ): Promise<MutationOutcome<readonly PublishedOperation[]>> {
    const identity = caller(context);
    let wishes: readonly Wish[] = [];
    return this.#mutations.run({
      name: 'publishedOperationAdd',
      context,
      input,
      audited: {
        idempotencyKey: input.idempotencyKey ?? null,
        operations: input.operations.slice(0, mostOfRequest).map(audited),
      },
      subject: 'PublishedOperation',
      prepare: ({ check }) => {
        requireAdmin(identity);
        check.count('operations', input.operations, { min: 1, max: mostOfRequest });
        check.throwIfAny();
        wishes = wishesOf(check, input);
        check.throwIfAny();
        return (tx) => this.#insert(tx, wishes);
      },
      read: async () => {
        const found = await this.#published.byHashes(wishes.map(({ hash }) => hash));
        return wishes.flatMap(({ hash }) => found.get(hash) ?? []);
      },
    });
  }

  remove(context: RequestContext, input: PublishedOperationRemoveInput): Promise<MutationOutcome<null>> {
    const identity = caller(context);
    return this.#mutations.run<null>({
      name: 'publishedOperationRemove',
      context,
      input,
      subject: 'PublishedOperation',
      prepare: ({ check }) => {
        requireAdmin(identity);
        const id = check.id('id', input.id, 'PublishedOperation') ?? '';
        check.throwIfAny();
        return async (tx) => {
          await this.#published.lock(tx);
          const removed = await this.#published.remove(tx, id);
          if (removed === undefined) refuseUnknown('PublishedOperation', 'id', input.id);
          const { name } = removed;
          const what = { from: 'PUBLISHED', to: 'REMOVED', subjectName: name, reason: name } as const;
          const event = { ...eventOf(id), kind: 'publishedOperation.removed', ...what } as const;
          await appendStatus(tx, systemEvents, [event], this.#wake);
          return id;
        };
      },
      read: async () => null,
    });
  }

  /** Returns the UUID of the first. */
  async #insert(tx: Transaction, wishes: readonly Wish[]): Promise<string> {
    const { count, bytes } = await this.#published.lock(tx);
    const hashes = wishes.map(({ hash }) => hash);
    const known = await this.#published.known(tx, hashes);
    const added = wishes.filter(({ hash }) => !known.has(hash)).map((wish) => ({ id: newUuid(), ...wish }));
    const addedBytes = added.reduce((sum, { textBytes }) => sum + textBytes, 0);
    if (added.length > 0) refuseMany(count + added.length, bytes + addedBytes);
    await this.#published.insert(tx, added);
    const events = added.map(({ id, name }) => {
      const what = { from: null, to: 'PUBLISHED', reason: name } as const;
      return { ...eventOf(id), kind: 'publishedOperation.added', ...what } as const;
    });
    await appendStatus(tx, systemEvents, events, this.#wake);
    return known.get(hashes[0] ?? '') ?? added[0]?.id ?? '';
  }
}

function refuseMany(count: number, bytes: number): void {
  const field = ['input', 'operations'];
  if (count > mostOperations)
    refuse('LIMIT_REACHED', `${count} operations would be published; at most ${mostOperations} may be: remove some`, {
      field,
    });
  if (bytes > mostBytes)
    refuse(
      'LIMIT_REACHED',
      `the published operations would have ${bytes} bytes of text; at most ${mostBytes} are allowed: remove some`,
      { field },
    );
}

/** Removes duplicate texts. */
function wishesOf(check: InputCheck, { operations }: PublishedOperationAddInput): readonly Wish[] {
  const wishes = new Map<string, Wish>();
  for (const [index, { text, hash }] of operations.entries()) {
    const read = readText(text);
    if (typeof read === 'string') {
      check.fault(`operations.${index}.text`, `text ${read}`);
      continue;
    }
    if (hash != null && hash !== read.hash)
      check.fault(
        `operations.${index}.hash`,
        `hash is ${quoted(hash)}, but the SHA-256 of the text is ${read.hash}: give that one, or none`,
      );
    wishes.set(read.hash, { ...read, text });
  }
  return [...wishes.values()];
}

/** The audit trail keeps no texts, because published operations are stored in their table. */
function audited({ text }: PublishedOperationAddInput['operations'][number]): object {
  return { hash: hashOf(text) };
}

function eventOf(subjectId: string) {
  return { projectId: null, subjectId, subjectVersion: 1 };
}
