// Looks for TLS certificates that expire soon. They belong to another subgraph, so they are read from the graph as a viewer of each project.
import type { Database } from '../../../../platform/database/database.ts';
import type { AskGraph } from '../../../../platform/graph/ask-graph.ts';
import { checkLease, type HeldLease, type Leases } from '../../../../platform/leases/leases.ts';
import { CountedLine } from '../../../../platform/log/counted-line.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { conditionSpec } from '../../spec/alert-conditions.ts';
import {
  certificateProjects,
  forgetUnwatchedCertificates,
  lockWatch,
  putSignal,
  removeSignal,
  signalsOfProject,
} from '../stores/alert-watch-store.ts';
import { signalsTopic } from './alert-watch.ts';

export interface CertificateExpiryOptions {
  readonly db: Database;
  readonly leases: Leases;
  readonly wake: Wake;
  readonly log: Logger;
  readonly askGraph: AskGraph;
}

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly validUntil: string;
}

/** Wakes the query after a rule of this condition was created or changed. */
export const certificatesTopic = 'alerts/certificates';

const leaseName = 'alert-certificates';
const lookMs = 600_000;
/** The interval while another process does the queries. After a query with missing answers, the interval doubles each time. */
const waitMs = 5_000;
const atOnce = 8;
const pageSize = 100;
/** Limit for one project. The first to expire are read. */
const mostPages = 10;
const condition = 'CERTIFICATE_EXPIRES';

const question = `query ($projectId: ID!, $before: DateTime!, $first: Int!, $after: String) {
  tlsCertificates(projectId: $projectId, expiresBefore: $before, orderBy: EXPIRY, first: $first, after: $after) {
    nodes { id name validUntil }
    pageInfo { hasNextPage endCursor }
  }
}`;

export class CertificateExpiry {
  readonly #options: CertificateExpiryOptions;
  readonly #loop: Loop;
  readonly #unanswered: CountedLine;
  #lease: HeldLease | undefined;
  /** Number of consecutive queries that lacked some project's certificates. */
  #incomplete = 0;
  #stop: (() => void) | undefined;

  constructor(options: CertificateExpiryOptions) {
    this.#options = options;
    this.#unanswered = new CountedLine(options.log, 'the graph did not return certificates that expire soon');
    this.#loop = new Loop({
      ...{ name: 'certificates that expire', log: options.log },
      pauseMs: () => this.#pauseMs(),
      run: async (signal) => {
        await this.look(signal);
        return false;
      },
    });
  }

  start(): void {
    this.#stop = this.#options.wake.on(certificatesTopic, () => this.#loop.trigger());
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#stop?.();
    await this.#loop.stop();
    await this.#lease?.release();
  }

  #pauseMs(): number {
    if (this.#lease === undefined) return waitMs;
    return this.#incomplete === 0 ? lookMs : Math.min(lookMs, waitMs * 2 ** (this.#incomplete - 1));
  }

  async look(signal: AbortSignal): Promise<void> {
    const { leases, db } = this.#options;
    if (this.#lease === undefined || this.#lease.signal.aborted) this.#lease = await leases.acquire(leaseName);
    const lease = this.#lease;
    if (lease === undefined) return;
    await forgetUnwatchedCertificates(db);
    const projects = (await certificateProjects(db)).values();
    const ending = AbortSignal.any([signal, lease.signal]);
    let unanswered = 0;
    const inTurn = async () => {
      for (const project of projects) {
        if (ending.aborted) return;
        if (!(await this.#lookAt(project, lease, ending))) unanswered += 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, inTurn));
    this.#incomplete = unanswered === 0 ? 0 : this.#incomplete + 1;
  }

  /** If the graph does not answer, known certificates stay, and the result is false. */
  async #lookAt(
    project: { readonly id: string; readonly globalId: string },
    lease: HeldLease,
    signal: AbortSignal,
  ): Promise<boolean> {
    const seen = await this.#ask(project, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#unanswered.add({ reason: error instanceof Error ? error.message : String(error) });
      return undefined;
    });
    if (seen === undefined || signal.aborted) return false;
    const { db, wake } = this.#options;
    await db.transaction(async (tx) => {
      const { state } = await lockWatch(tx);
      const found = new Map(seen.flatMap((shown) => entryOf(shown)));
      for (const { subjectType, subjectId } of await signalsOfProject(tx, condition, project.id))
        if (!found.has(subjectId)) await removeSignal(tx, { condition, subjectType, subjectId });
      for (const [subjectId, { name, validUntil }] of found)
        await putSignal(tx, {
          ...{ condition, subjectType: 'TlsCertificate', subjectId, projectId: project.id, status: 'EXPIRES' },
          ...{ reason: `the certificate ${name} is valid until ${validUntil}`, subjectName: name, cmpObject: null },
          ...{ since: new Date(validUntil), sinceMs: state.steadyMs, endsAtMs: Date.parse(validUntil) },
        });
      await checkLease(tx, lease);
    });
    wake.notify(signalsTopic);
    return true;
  }

  async #ask({ globalId, id }: { readonly id: string; readonly globalId: string }, signal: AbortSignal) {
    const { maxMs } = conditionSpec(condition).within ?? { maxMs: 0 };
    // Dates of certificates are compared with the database's clock, as the watch does.
    const [row] = await this.#options.db.query<{ before: Date }>(
      'SELECT NOW(3) + INTERVAL ? * 1000 MICROSECOND AS `before`',
      [maxMs],
    );
    const before = row?.before.toISOString();
    const all: Shown[] = [];
    let after: string | null = null;
    for (let page = 0; page < mostPages; page += 1) {
      const variables = { projectId: globalId, before, first: pageSize, after };
      const data = await this.#options.askGraph({ projectId: id, query: question, variables, signal });
      const { nodes, pageInfo } = data.tlsCertificates as {
        readonly nodes: readonly Shown[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
      };
      all.push(...nodes);
      after = pageInfo.endCursor;
      if (!pageInfo.hasNextPage || after === null) break;
    }
    return all;
  }
}

function entryOf(shown: Shown): readonly (readonly [string, Shown])[] {
  const uuid = decodeUuid('TlsCertificate', shown.id);
  return uuid === undefined ? [] : [[uuid, shown]];
}
