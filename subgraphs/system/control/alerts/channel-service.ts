// Creating, changing, deleting and trying alert channels.
import { isDeepStrictEqual } from 'node:util';
import type {
  AlertChannelCreateInput,
  AlertChannelDeleteInput,
  AlertChannelTestInput,
  AlertChannelUpdateInput,
} from '../../../../generated/graph/system.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuseDeletedProject } from '../../../../platform/edge/projects.ts';
import { ConfigError } from '../../../../platform/errors/config-error.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../../../../platform/input/refusals.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import {
  criticalNotificationsPerHour,
  mostAlertChannels,
  mostNotificationsPerHour,
} from '../../spec/alert-conditions.ts';
import { systemEvents } from '../events.ts';
import type { AlertChannel, ChannelSpec } from '../stores/alert-channel.ts';
import { type AlertChannelStore, lockChannel } from '../stores/alert-channel-store.ts';
import {
  type Delivery,
  type DeliveryStore,
  deliveryKind,
  hastenDeliveries,
  insertDelivery,
  madeInHour,
} from '../stores/alert-delivery-store.ts';
import { lockScope, scopeOf } from '../stores/alert-scope.ts';
import { checkTarget, checkTimes, quietHoursOf } from './channel-input.ts';
import { sealChannelSecret } from './channel-secret.ts';
import { requireRoleIn, requireSeen, scopeOfNew } from './scope.ts';

interface ChannelServiceOptions {
  readonly channels: AlertChannelStore;
  readonly deliveries: DeliveryStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
  readonly egress: EgressPolicy;
  readonly sealer: () => Promise<Sealer>;
}

type ChannelOutcome = MutationOutcome<AlertChannel> & { readonly secret: string | null };

const hourMs = 3_600_000;
/** There is still room for critical alerts. */
const mostTriedPerHour = mostNotificationsPerHour - criticalNotificationsPerHour;

export class AlertChannelService {
  readonly #options: ChannelServiceOptions;

  constructor(options: ChannelServiceOptions) {
    this.#options = options;
  }

  /** `secret` is null when the request was repeated: it is not shown again. */
  async create(context: RequestContext, input: AlertChannelCreateInput): Promise<ChannelOutcome> {
    const identity = caller(context);
    const { channels, egress, mutations } = this.#options;
    let made: string | null = null;
    const outcome = await mutations.run({
      name: 'alertChannelCreate',
      context,
      input,
      audited: withoutTarget(input),
      subject: 'AlertChannel',
      prepare: async (attempt) => {
        const { check } = attempt;
        const projectId = scopeOfNew(identity, input.projectId);
        attempt.projectId = projectId;
        requireRoleIn(identity, { projectId }, 'OPERATOR', 'alertChannelCreate');
        check.name('name', input.name);
        const caCertificates = input.caCertificates ?? null;
        const { kind, secret, made: shown, ...target } = checkTarget(check, input.target, { caCertificates, egress });
        checkTimes(check, input);
        check.throwIfAny();
        const sealer = await this.#sealer();
        made = shown;
        return async (tx) => {
          if (projectId !== null) await refuseDeletedProject(tx, projectId);
          await lockScope(tx, projectId);
          if ((await channels.count(tx, projectId)) >= mostAlertChannels)
            refuse('LIMIT_REACHED', `there are ${mostAlertChannels} alert channels, the most: delete one first`);
          const id = newUuid();
          const {
            name,
            enabled = true,
            default: isDefault = false,
            quietTimes = [],
            timeZone = 'UTC',
            groupMs = 10_000,
          } = input;
          const spec: ChannelSpec = { ...target, quietHours: quietHoursOf(quietTimes), timeZone, groupMs };
          const sealed = sealChannelSecret(sealer, id, spec.place, secret);
          const channel = { id, projectId, name, kind, enabled, isDefault, spec, sealed };
          if (isDefault) await this.#replaceDefault(tx, projectId);
          await refuseTaken('alert channel', name, channels.insert(tx, channel));
          await this.#tell(tx, { ...channel, version: 1 }, null, stateOf(enabled));
          return id;
        };
      },
      read: (id) => this.#read(id),
    });
    return { ...outcome, secret: outcome.commit === null || outcome.replayed ? null : made };
  }

  async update(context: RequestContext, input: AlertChannelUpdateInput): Promise<ChannelOutcome> {
    const identity = caller(context);
    const { channels, egress, mutations, wake } = this.#options;
    let made: string | null = null;
    const outcome = await mutations.run({
      name: 'alertChannelUpdate',
      context,
      input,
      audited: withoutTarget(input),
      subject: 'AlertChannel',
      prepare: async (attempt) => {
        const { check } = attempt;
        const named = await this.#named(identity, attempt, input.id, 'alertChannelUpdate');
        const { id } = named;
        if (input.caCertificates !== undefined && input.target == null)
          check.fault('target', 'target is missing: the stored secrets are for the present certificate authorities');
        const caCertificates = input.caCertificates ?? null;
        const given = input.target == null ? undefined : checkTarget(check, input.target, { caCertificates, egress });
        if (given !== undefined && given.kind !== named.kind)
          check.fault(
            'target',
            `target is a ${given.kind}, but the channel is a ${named.kind}: create another channel`,
          );
        checkTimes(check, input);
        check.throwIfAny();
        const sealer = given === undefined ? undefined : await this.#sealer();
        made = given?.made ?? null;
        return async (tx) => {
          await lockScope(tx, named.projectId);
          const channel = (await lockChannel(tx, id)) ?? refuseUnknown('AlertChannel', 'id', input.id);
          refuseStale(input.expectedVersion, channel);
          if (input.default === true && !channel.isDefault) await this.#replaceDefault(tx, channel.projectId);
          const { kind: _kind, secret = {}, made: _made, ...target } = given ?? {};
          const spec: ChannelSpec = {
            ...channel.spec,
            ...target,
            quietHours: input.quietTimes == null ? channel.spec.quietHours : quietHoursOf(input.quietTimes),
            ...{ timeZone: input.timeZone ?? channel.spec.timeZone, groupMs: input.groupMs ?? channel.spec.groupMs },
          };
          const sealed = sealer === undefined ? channel.sealed : sealChannelSecret(sealer, id, spec.place, secret);
          const changed = {
            ...{ ...channel, spec, sealed, enabled: input.enabled ?? channel.enabled },
            isDefault: input.default ?? channel.isDefault,
          };
          if (given === undefined && isDeepStrictEqual(changed, channel)) return id;
          await channels.update(tx, changed);
          const next = { ...channel, version: channel.version + 1 };
          await this.#tell(tx, next, stateOf(channel.enabled), stateOf(changed.enabled));
          await hastenDeliveries(tx, id, wake);
          return id;
        };
      },
      read: (id) => this.#read(id),
    });
    return { ...outcome, secret: outcome.commit === null || outcome.replayed ? null : made };
  }

  delete(context: RequestContext, input: AlertChannelDeleteInput): Promise<MutationOutcome<null>> {
    const identity = caller(context);
    const { channels, mutations } = this.#options;
    return mutations.run<null>({
      name: 'alertChannelDelete',
      context,
      input,
      subject: 'AlertChannel',
      prepare: async (attempt) => {
        const { id } = await this.#named(identity, attempt, input.id, 'alertChannelDelete');
        return async (tx) => {
          const channel = (await lockChannel(tx, id)) ?? refuseUnknown('AlertChannel', 'id', input.id);
          refuseStale(input.expectedVersion, channel);
          const user = await channels.userOf(tx, id);
          if (user !== undefined)
            refuse('IN_USE', `the alert rule ${user} uses the channel: take it out of its channels first`, {
              field: ['input', 'id'],
            });
          await channels.delete(tx, id);
          const next = { ...channel, version: channel.version + 1 };
          await this.#tell(tx, next, stateOf(channel.enabled), 'DELETED');
          return id;
        };
      },
      read: async () => null,
    });
  }

  test(context: RequestContext, input: AlertChannelTestInput): Promise<MutationOutcome<Delivery>> {
    const identity = caller(context);
    const { deliveries, mutations, wake } = this.#options;
    return mutations.run({
      name: 'alertChannelTest',
      context,
      input,
      subject: 'AlertDelivery',
      prepare: async (attempt) => {
        attempt.check.idempotencyKey(input.idempotencyKey, { required: true });
        const { id: channelId, projectId } = await this.#named(identity, attempt, input.id, 'alertChannelTest');
        return async (tx) => {
          await lockScope(tx, projectId);
          const channel = (await lockChannel(tx, channelId)) ?? refuseUnknown('AlertChannel', 'id', input.id);
          const scope = scopeOf(channel.projectId);
          const { count, oldestAgeMs } = await madeInHour(tx, scope);
          if (count >= mostTriedPerHour)
            refuse('RATE_LIMITED', `${count} messages were sent in the last hour: try again later`, {
              retryAfterMs: Math.max(1_000, hourMs - oldestAgeMs),
            });
          const id = newUuid();
          const { name: channelName } = channel;
          const message = { kind: 'TEST', channelName, firing: 0, resolved: 0, alerts: [], cursor: null } as const;
          await insertDelivery(tx, { id, channelId, scope, message, alertCount: 0 });
          await owe(tx, deliveryKind, channelId, {}, wake);
          return id;
        };
      },
      read: async (id) => (await deliveries.byIds([id])).get(id),
    });
  }

  /** The scope must be locked. */
  async #replaceDefault(tx: Transaction, projectId: string | null): Promise<void> {
    const former = await this.#options.channels.unsetDefault(tx, projectId);
    if (former !== undefined) await this.#tell(tx, former, stateOf(former.enabled), stateOf(former.enabled));
  }

  async #named(identity: Identity, attempt: Attempt, globalId: string, what: string): Promise<AlertChannel> {
    const id = attempt.check.id('id', globalId, 'AlertChannel');
    attempt.check.throwIfAny();
    const named = { type: 'AlertChannel', id: globalId };
    const row = id === undefined ? undefined : await this.#read(id);
    const channel = requireSeen(identity, attempt.check, named, row);
    attempt.projectId = channel.projectId;
    requireRoleIn(identity, channel, 'OPERATOR', what);
    return channel;
  }

  async #read(id: string): Promise<AlertChannel | undefined> {
    return (await this.#options.channels.byIds([id])).get(id);
  }

  /** Refuses WRONG_STATE. */
  async #sealer(): Promise<Sealer> {
    try {
      return await this.#options.sealer();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return refuse(
        'WRONG_STATE',
        "the role system has no key file for secrets: have the installation's operator set sealing.keys for it and for the role worker",
      );
    }
  }

  async #tell(
    tx: Transaction,
    { id, projectId, name, version }: Pick<AlertChannel, 'id' | 'projectId' | 'name' | 'version'>,
    from: ChannelState | null,
    to: ChannelState | 'DELETED',
  ): Promise<void> {
    const event = { projectId, subjectId: id, subjectName: name, subjectVersion: version, reason: name };
    await appendStatus(tx, systemEvents, [{ ...event, kind: 'alertChannel.state', from, to }], this.#options.wake);
  }
}

type ChannelState = 'ENABLED' | 'DISABLED';

function stateOf(enabled: boolean): ChannelState {
  return enabled ? 'ENABLED' : 'DISABLED';
}

/** For the audit trail: a URL may have a secret in its path. */
function withoutTarget<Input extends AlertChannelCreateInput | AlertChannelUpdateInput>({
  target,
  ...input
}: Input): object {
  return { ...input, ...(target == null ? {} : { target: Object.keys(target).find((kind) => kind in target) }) };
}
