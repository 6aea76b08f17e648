// Mappings for readers that keep a copy of all of them: first the current state in pages, then the changes since, in order and
// without gaps. One opaque position covers both, so that a reader only ever asks for what follows the last answer.
import type { QueryRelayMappingChangesArgs } from '../../../generated/graph/relay.ts';
import { projectsFor } from '../../../platform/authorise.ts';
import { CodedError } from '../../../platform/errors.ts';
import type { StatusFeed } from '../../../platform/events/feed.ts';
import type { Identity } from '../../../platform/identity.ts';
import type { MappingRow } from './mapping.ts';
import type { MappingReads } from './mapping-reads.ts';

export interface MappingChanges {
  /** In their current state, at least as new as the change; each once. */
  readonly mappings: readonly MappingRow[];
  readonly after: string;
  readonly upToDate: boolean;
}

/** `lastId`: the snapshot has been read up to it; absent: the snapshot is complete, and changes follow after `cursor`. */
interface Position {
  readonly cursor: string;
  readonly lastId?: string;
}

const mostAtOnce = 1_000;
/** How long one page follows the stream. */
const patienceMs = 2_000;

export class MappingChangeFeed {
  readonly #reads: MappingReads;
  readonly #feed: StatusFeed;

  constructor(options: { readonly reads: MappingReads; readonly feed: StatusFeed }) {
    this.#reads = options.reads;
    this.#feed = options.feed;
  }

  /** Throws CodedError INVALID_INPUT, INVALID_CURSOR, CURSOR_EXPIRED or RESYNC_REQUIRED. */
  async page(identity: Identity | null, args: Partial<QueryRelayMappingChangesArgs>): Promise<MappingChanges> {
    const take = args.limit ?? mostAtOnce;
    if (!Number.isInteger(take) || take < 1 || take > mostAtOnce)
      throw new CodedError('INVALID_INPUT', `limit: ${take} is out of range; give 1 to ${mostAtOnce}.`);
    const projects = projectsFor(identity, args.projectId);
    const position = args.after == null ? { cursor: await this.#feed.currentCursor(), lastId: '' } : decode(args.after);
    return position.lastId === undefined
      ? this.#changes(projects, position.cursor, take)
      : this.#snapshot(projects, { ...position, lastId: position.lastId }, take);
  }

  async #snapshot(
    projects: 'all' | readonly string[],
    { cursor, lastId }: Required<Position>,
    take: number,
  ): Promise<MappingChanges> {
    const mappings = await this.#reads.livesAfter({ projects, afterId: lastId, take });
    const last = mappings.at(-1);
    const more = last !== undefined && mappings.length === take;
    return { mappings, after: encode(more ? { cursor, lastId: last.id } : { cursor }), upToDate: false };
  }

  async #changes(projects: 'all' | readonly string[], from: string, take: number): Promise<MappingChanges> {
    const events = this.#feed.subscribe({
      after: from,
      filter: { projects, subjectTypes: ['Mapping'] },
      signal: AbortSignal.timeout(patienceMs),
    });
    const ids = new Set<string>();
    let after = from;
    let upToDate = false;
    for await (const { cursor, event } of events) {
      after = cursor;
      // A checkpoint means that everything present was seen.
      if (event === null) upToDate = true;
      else ids.add(event.subjectId);
      if (upToDate || ids.size >= take) break;
    }
    const rows = await this.#reads.byIds([...ids]);
    const mappings = [...ids].flatMap((id) => rows.get(id) ?? []);
    return { mappings, after: encode({ cursor: after }), upToDate };
  }
}

function encode(position: Position): string {
  return Buffer.from(JSON.stringify([position.cursor, position.lastId ?? null])).toString('base64url');
}

function decode(text: string): Position {
  try {
    const [cursor, lastId] = JSON.parse(Buffer.from(text.slice(0, 1_024), 'base64url').toString()) as unknown[];
    if (typeof cursor === 'string' && lastId === null) return { cursor };
    if (typeof cursor === 'string' && typeof lastId === 'string') return { cursor, lastId };
  } catch {
    // Malformed: reported below.
  }
  throw new CodedError('INVALID_CURSOR', 'after: this is not an `after` of relayMappingChanges; omit it to begin.');
}
