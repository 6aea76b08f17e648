// What an administrator wants of the cluster of hosts. The hosts grant a wish by themselves; what is recorded here is that it was asked for.
import type { HaPauseInput, HaRejoinInput, HaResumeInput, HaSwitchoverInput } from '../../../generated/graph/system.ts';
import { caller, requireAdmin } from '../../../platform/authorise.ts';
import { userError } from '../../../platform/errors.ts';
import { type HaCluster, haClusterId, refuseNotConfigured } from '../../../platform/ha-cluster.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { Logger } from '../../../platform/log.ts';
import type { MutationCall, MutationOutcome, Mutations } from '../../../platform/mutation.ts';

export interface HaServiceOptions {
  /** Undefined: the database has no hosts of its own. */
  readonly cluster: HaCluster | undefined;
  readonly mutations: Mutations;
  readonly log: Logger;
  /** A switchover that is not begun after so long is taken back; default 30 s. */
  readonly switchoverMs?: number;
}

interface Wanted {
  readonly id: string;
}

interface Wish extends Pick<MutationCall<Wanted>, 'name' | 'input'> {
  /** A host that the input names, and its field. */
  readonly host?: readonly [field: string, name: string];
  grant(cluster: HaCluster): Promise<void>;
}

const notRecorded = userError(
  'OUTCOME_UNCERTAIN',
  'the hosts were asked for it, but that could not be recorded: look at haStatus, or send the request again',
);

export class HaService {
  readonly #options: HaServiceOptions;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: HaServiceOptions) {
    this.#options = options;
  }

  switchover(context: RequestContext, input: HaSwitchoverInput): Promise<MutationOutcome<Wanted>> {
    const { to } = input;
    return this.#run(context, {
      ...{ name: 'haSwitchover', input, host: ['to', to] },
      grant: async (cluster) => {
        if (await cluster.switchover(to)) this.#takeBackLate(cluster, to);
      },
    });
  }

  rejoin(context: RequestContext, input: HaRejoinInput): Promise<MutationOutcome<Wanted>> {
    const { host } = input;
    return this.#run(context, {
      ...{ name: 'haRejoin', input, host: ['host', host] },
      grant: (cluster) => cluster.rejoin(host),
    });
  }

  pause(context: RequestContext, input: HaPauseInput): Promise<MutationOutcome<Wanted>> {
    return this.#run(context, { name: 'haPause', input, grant: (cluster) => cluster.pause() });
  }

  resume(context: RequestContext, input: HaResumeInput): Promise<MutationOutcome<Wanted>> {
    return this.#run(context, { name: 'haResume', input, grant: (cluster) => cluster.resume() });
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #run(context: RequestContext, wish: Wish): Promise<MutationOutcome<Wanted>> {
    const { name, input, host } = wish;
    const identity = caller(context);
    let isAsked = false;
    const outcome = await this.#options.mutations.run<Wanted>({
      ...{ name, context, input, subject: 'HaCluster' },
      prepare: ({ check }) => {
        requireAdmin(identity);
        if (host !== undefined) check.name(...host);
        const cluster = this.#options.cluster ?? refuseNotConfigured();
        return async () => {
          // The transaction may run again, at the primary that was asked for.
          if (!isAsked) await wish.grant(cluster);
          isAsked = true;
          return haClusterId;
        };
      },
      read: async (id) => ({ id }),
    });
    return outcome.entity === null && isAsked ? { ...outcome, userErrors: [notRecorded] } : outcome;
  }

  /** The host that is wanted may have fallen behind since: it shall not become the primary at a time that nobody expects. */
  #takeBackLate(cluster: HaCluster, to: string): void {
    const { log, switchoverMs = 30_000 } = this.#options;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      cluster
        .takeBackSwitchover(to)
        .catch((error: unknown) => log.warn({ err: error, to }, 'a switchover that is late could not be taken back'));
    }, switchoverMs);
    this.#timers.add(timer.unref());
  }
}
