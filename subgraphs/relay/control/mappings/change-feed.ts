// Mappings for readers that keep a full copy. A reader first gets the current state in pages, then all changes since, in order and
// without gaps. One opaque position covers both, so a reader always continues after its last answer.
import { createHash } from 'node:crypto';
import type { QueryRelayMappingChangesArgs } from '../../../../generated/graph/relay.ts';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import type { StatusFeed } from '../../../../platform/events/feed.ts';
import { expired } from '../../../../platform/events/resume.ts';
import { projectsFor } from '../../../../platform/input/authorise.ts';
import type { MappingRow } from './mapping.ts';
import type { MappingReads } from './mapping-reads.ts';

interface MappingChanges {
  /** The mappings in their current state, which is at least as new as the change. Each appears once. */
  readonly mappings: readonly MappingRow[];
  readonly after: string;
  readonly upToDate: boolean;
}

type Projects = 'all' | readonly string[];

interface Position {
  readonly cursor: string;
  /** The snapshot has been read up to this id. Null if it is complete and changes follow after `cursor`. */
  readonly lastId: string | null;
  /** Digest of the projects of the snapshot. The reader has no mappings of other projects yet. */
  readonly digest: string;
}

const mostAtOnce = 1_000;
/** How long one page follows the stream. */
const defaultPatienceMs = 2_000;

export class MappingChangeFeed {
  readonly #reads: MappingReads;
  readonly #feed: StatusFeed;
  readonly #patienceMs: number;

  constructor(options: { readonly reads: MappingReads; readonly feed: StatusFeed; readonly patienceMs?: number }) {
    this.#reads = options.reads;
    this.#feed = options.feed;
    this.#patienceMs = options.patienceMs ?? defaultPatienceMs;
  }

  /** Throws CodedError INVALID_INPUT, INVALID_CURSOR, CURSOR_EXPIRED or RESYNC_REQUIRED. */
  async page(identity: Identity | null, args: Partial<QueryRelayMappingChangesArgs>): Promise<MappingChanges> {
    const take = args.limit ?? mostAtOnce;
    if (!Number.isInteger(take) || take < 1 || take > mostAtOnce)
      throw new CodedError('INVALID_INPUT', `limit: ${take} is out of range; give 1 to ${mostAtOnce}.`);
    const projects = projectsFor(identity, args.projectId);
    const position = await this.#position(args.after, digestOf(projects));
    return position.lastId === null
      ? this.#changes(projects, position, take)
      : this.#snapshot(projects, { ...position, lastId: position.lastId }, take);
  }

  /**
   * If the projects differ from the position's, the snapshot begins again. The cursor stays, because no snapshot shows a deletion
   * after it.
   */
  async #position(after: string | null | undefined, digest: string): Promise<Position> {
    if (after == null) return { cursor: await this.#feed.currentCursor(), lastId: '', digest };
    const given = decode(after);
    return given.digest === digest ? given : { cursor: given.cursor, lastId: '', digest };
  }

  async #snapshot(
    projects: Projects,
    { lastId, ...position }: Position & { readonly lastId: string },
    take: number,
  ): Promise<MappingChanges> {
    const mappings = await this.#reads.livesAfter({ projects, afterId: lastId, take });
    const next = mappings.length === take ? mappings.at(-1)?.id : undefined;
    return { mappings, after: encode({ ...position, lastId: next ?? null }), upToDate: false };
  }

  async #changes(projects: Projects, position: Position, take: number): Promise<MappingChanges> {
    const { events, cursor, upToDate } = await this.#feed.page({
      after: position.cursor,
      filter: { projects, subjectTypes: ['Mapping'] },
      limit: take,
      patienceMs: this.#patienceMs,
    });
    const ids = new Set(events.map((event) => event.subjectId));
    const rows = await this.#reads.byIds([...ids]);
    // Retention has just removed a deleted mapping, and its events before that, so the deletion can't be reported any more.
    if (rows.size < ids.size) throw expired();
    const mappings = [...ids].flatMap((id) => rows.get(id) ?? []);
    return { mappings, after: encode({ ...position, cursor }), upToDate };
  }
}

function digestOf(projects: Projects): string {
  const text = projects === 'all' ? projects : [...projects].sort().join();
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}

function encode({ cursor, lastId, digest }: Position): string {
  return Buffer.from(JSON.stringify([cursor, lastId, digest])).toString('base64url');
}

/** A position of an earlier version has no digest. */
function decode(text: string): Position {
  try {
    const parts = JSON.parse(Buffer.from(text.slice(0, 1_024), 'base64url').toString()) as unknown[];
    const [cursor, lastId, digest = ''] = parts;
    if (typeof cursor === 'string' && (lastId === null || typeof lastId === 'string') && typeof digest === 'string')
      return { cursor, lastId, digest };
  } catch {
    // Malformed: reported below.
  }
  throw new CodedError('INVALID_CURSOR', 'after: this is not an `after` of relayMappingChanges; omit it to begin.');
}
