// Acknowledging alerts, and ending them by hand.
import type { AlertAcknowledgeInput, AlertEndInput } from '../../../../generated/graph/system.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { systemEvents } from '../events.ts';
import type { Alert } from '../stores/alert.ts';
import type { AlertStore } from '../stores/alert-store.ts';
import { markEnded, removeSignal } from '../stores/alert-watch-store.ts';
import { endAlerts, tellChannels } from './apply-actions.ts';
import { requireRoleIn, requireSeen } from './scope.ts';

interface AlertServiceOptions {
  readonly alerts: AlertStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

export class AlertService {
  readonly #alerts: AlertStore;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor({ alerts, mutations, wake }: AlertServiceOptions) {
    this.#alerts = alerts;
    this.#mutations = mutations;
    this.#wake = wake;
  }

  acknowledge(context: RequestContext, input: AlertAcknowledgeInput): Promise<MutationOutcome<Alert>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'alertAcknowledge',
      context,
      input,
      subject: 'Alert',
      prepare: async (attempt) => {
        const { id } = await this.#named(identity, attempt, input.id, 'alertAcknowledge');
        return async (tx) => {
          const alert = (await this.#alerts.lock(tx, id)) ?? refuseUnknown('Alert', 'id', input.id);
          if (alert.state === 'RESOLVED')
            refuse('WRONG_STATE', 'the alert is resolved: there is nothing to acknowledge', {
              field: ['input', 'id'],
            });
          if (alert.state === 'ACKNOWLEDGED') return id;
          await this.#alerts.acknowledge(tx, id, identity);
          const { projectId, cmpObject } = alert;
          const event = { projectId, subjectId: id, subjectVersion: alert.version + 1, cmpObject };
          const what = { from: 'FIRING', to: 'ACKNOWLEDGED', reason: `${identity.name} acknowledged it` } as const;
          await appendStatus(tx, systemEvents, [{ ...event, ...what, kind: 'alert.state' }], this.#wake);
          return id;
        };
      },
      read: (id) => this.#read(id),
    });
  }

  end(context: RequestContext, input: AlertEndInput): Promise<MutationOutcome<Alert>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'alertEnd',
      context,
      input,
      subject: 'Alert',
      prepare: async (attempt) => {
        const alert = await this.#named(identity, attempt, input.id, 'alertEnd');
        return async (tx) => {
          const { state } = (await this.#alerts.lock(tx, alert.id)) ?? alert;
          if (state === 'RESOLVED') return alert.id;
          // Only the rule itself watches its check-in, and the wait for the next check-in begins now.
          if (alert.condition === 'CHECK_IN_LATE') await removeSignal(tx, alert);
          else await markEnded(tx, alert);
          const notices = await endAlerts(tx, this.#wake, [alert.id], () => `${identity.name} ended it`);
          await tellChannels(tx, this.#wake, notices);
          return alert.id;
        };
      },
      read: (id) => this.#read(id),
    });
  }

  async #named(identity: Identity, attempt: Attempt, globalId: string, what: string): Promise<Alert> {
    const id = attempt.check.id('id', globalId, 'Alert');
    attempt.check.throwIfAny();
    const row = id === undefined ? undefined : await this.#read(id);
    const alert = requireSeen(identity, attempt.check, { type: 'Alert', id: globalId }, row);
    attempt.projectId = alert.projectId;
    requireRoleIn(identity, alert, 'MEMBER', what);
    return alert;
  }

  async #read(id: string): Promise<Alert | undefined> {
    return (await this.#alerts.byIds([id])).get(id);
  }
}
