// Requests of an administrator to the cluster of hosts. The hosts decide by themselves whether to grant a request. This service
// records only that it was made.
import type {
  HaHostJoinInput,
  HaPauseInput,
  HaResumeInput,
  HaSwitchoverInput,
} from '../../../../generated/graph/system.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import {
  type MutationCall,
  type MutationOutcome,
  type Mutations,
  uncertain,
} from '../../../../platform/edge/mutation.ts';
import { caller, requireAdmin } from '../../../../platform/input/authorise.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { type HaCluster, haClusterId, refuseNotConfigured } from '../../../../platform/process/ha-cluster.ts';

interface HaServiceOptions {
  /** Undefined if the database has no hosts of its own. */
  readonly cluster: HaCluster | undefined;
  readonly mutations: Mutations;
  readonly log: Logger;
  /** A switchover that has not begun after this time is withdrawn. Default: 30 s. */
  readonly switchoverMs?: number;
}

interface Wanted {
  readonly id: string;
}

/** Its entity is the move. */
export type SwitchoverOutcome = MutationOutcome<Wanted>;

interface Wish extends Pick<MutationCall<Wanted>, 'name' | 'input'> {
  readonly subject: 'HaCluster' | 'HaMove';
  /** A host that the input names, and its field. */
  readonly host?: readonly [field: string, name: string];
  /** Resolves with the id of its subject. */
  grant(cluster: HaCluster): Promise<string>;
}

export class HaService {
  readonly #options: HaServiceOptions;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: HaServiceOptions) {
    this.#options = options;
  }

  switchover(context: RequestContext, input: HaSwitchoverInput): Promise<SwitchoverOutcome> {
    const { to } = input;
    return this.#run(context, {
      ...{ name: 'haSwitchover', input, host: ['to', to], subject: 'HaMove' },
      grant: async (cluster) => {
        const { moveId, isNew } = await cluster.switchover(to);
        if (isNew) this.#takeBackLate(cluster, moveId);
        return moveId;
      },
    });
  }

  rejoin(context: RequestContext, input: HaHostJoinInput): Promise<MutationOutcome<Wanted>> {
    const { host } = input;
    return this.#run(context, {
      ...{ name: 'haHostJoin', input, host: ['host', host], subject: 'HaCluster' },
      grant: (cluster) => ofCluster(cluster.rejoin(host)),
    });
  }

  pause(context: RequestContext, input: HaPauseInput): Promise<MutationOutcome<Wanted>> {
    const grant = (cluster: HaCluster) => ofCluster(cluster.pause());
    return this.#run(context, { name: 'haPause', input, subject: 'HaCluster', grant });
  }

  resume(context: RequestContext, input: HaResumeInput): Promise<MutationOutcome<Wanted>> {
    const grant = (cluster: HaCluster) => ofCluster(cluster.resume());
    return this.#run(context, { name: 'haResume', input, subject: 'HaCluster', grant });
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #run(context: RequestContext, wish: Wish): Promise<MutationOutcome<Wanted>> {
    const { name, input, host, subject } = wish;
    const identity = caller(context);
    let asked: string | undefined;
    const outcome = await this.#options.mutations.run<Wanted>({
      ...{ name, context, input, subject },
      prepare: ({ check }) => {
        requireAdmin(identity);
        if (host !== undefined) check.name(...host);
        const cluster = this.#options.cluster ?? refuseNotConfigured();
        return async () => {
          // The transaction may be repeated, at the requested primary.
          asked ??= await wish.grant(cluster);
          return asked;
        };
      },
      read: async (id) => ({ id }),
    });
    if (outcome.entity === null && asked !== undefined)
      throw uncertain('The hosts got the request, but it could not be recorded: see haStatus');
    return outcome;
  }

  /** The requested host may have fallen behind since, and must not become the primary at an unexpected time. */
  #takeBackLate(cluster: HaCluster, moveId: string): void {
    const { log, switchoverMs = 30_000 } = this.#options;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      cluster
        .takeBackSwitchover(moveId, `it had not begun after ${switchoverMs / 1_000} s, and was taken back`)
        .catch((error: unknown) =>
          log.warn({ err: error, moveId }, 'a switchover that is late could not be taken back'),
        );
    }, switchoverMs);
    this.#timers.add(timer.unref());
  }
}

async function ofCluster(granted: Promise<void>): Promise<string> {
  await granted;
  return haClusterId;
}
