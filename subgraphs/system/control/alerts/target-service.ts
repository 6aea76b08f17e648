// Tries a destination before a channel has it: sends one message, and says whether its receiver took it. Nothing of the target is kept.
import type { AlertTargetTestInput } from '../../../../generated/graph/system.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { TokenBuckets } from '../../../../platform/edge/token-buckets.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { scopeOf } from '../stores/alert-scope.ts';
import { checkTarget } from './channel-input.ts';
import { requireRoleIn, scopeOfNew } from './scope.ts';
import { sendMessage } from './send-message.ts';

interface TargetServiceOptions {
  readonly mutations: Mutations;
  readonly egress: EgressPolicy;
}

const longestMs = 30_000;
const message = {
  kind: 'TEST',
  channelName: 'a new channel',
  firing: 0,
  resolved: 0,
  alerts: [],
  cursor: null,
} as const;

export class AlertTargetService {
  readonly #options: TargetServiceOptions;
  /** Each message goes to an address that the caller chooses. */
  readonly #allowance = new TokenBuckets({ burst: 10, perSecond: 1 / 60 });

  constructor(options: TargetServiceOptions) {
    this.#options = options;
  }

  test(context: RequestContext, input: AlertTargetTestInput): Promise<MutationOutcome<null>> {
    const identity = caller(context);
    const { egress, mutations } = this.#options;
    const { target, ...audited } = input;
    return mutations.run<null>({
      ...{ name: 'alertTargetTest', context, input, subject: 'AlertDelivery' },
      audited: { ...audited, target: Object.keys(target)[0] },
      prepare: async (attempt) => {
        const { check } = attempt;
        check.idempotencyKey(input.idempotencyKey, { required: true });
        const projectId = scopeOfNew(identity, input.projectId);
        attempt.projectId = projectId;
        requireRoleIn(identity, { projectId }, 'OPERATOR', 'alertTargetTest');
        const caCertificates = input.caCertificates ?? null;
        const { kind, secret, made: _, ...place } = checkTarget(check, target, { caCertificates, egress });
        check.throwIfAny();
        const scope = scopeOf(projectId);
        await attempt.inTurn(`alert-target ${scope}`);
        return {
          look: async () => {
            if (this.#allowance.take(scope) === undefined)
              refuse('RATE_LIMITED', 'too many destinations were tried: try again later', {
                retryAfterMs: Math.max(1_000, this.#allowance.waitMs(scope)),
              });
            const id = newUuid();
            const spec = { ...place, quietHours: [], timeZone: 'UTC', groupMs: 0 };
            const signal = AbortSignal.timeout(longestMs);
            const outcome = await sendMessage({ channel: { kind, spec }, secret, id, message, egress, signal });
            if (!outcome.ok)
              refuse('NOT_DELIVERED', `the message was not delivered: ${outcome.error}`, {
                field: ['input', 'target'],
              });
            return async () => id;
          },
        };
      },
      read: async () => null,
    });
  }
}
