// Alerts with their own database: the graph, the watch with a clock that the test sets, and the delivery as workers run
// it.
import type { Identity } from '../../../../platform/caller/identity.ts';
import type { AskGraph } from '../../../../platform/graph/ask-graph.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { AlertWatch, type AlertWatchOptions } from '../../../../subgraphs/system/control/alerts/alert-watch.ts';
import { createDeliveryQueue } from '../../../../subgraphs/system/control/alerts/delivery-queue.ts';
import { AlertRuleStore } from '../../../../subgraphs/system/control/stores/alert-rule-store.ts';
import { asTheGraph } from '../../../support/product/graph-question.ts';
import { OwedRunner } from '../../../support/product/owed-runner.ts';
import { makeUser, type SystemBench, systemBench } from './system-bench.ts';

const errors = 'userErrors { code message field retry }';

export const never: AskGraph = async () => {
  throw new Error('the graph is not asked in this test');
};

/** Each subject has a name. */
export const namesAll: AskGraph = async ({ variables }) =>
  Object.fromEntries(Object.keys(variables ?? {}).map((key) => [key, { name: 'its name' }]));

interface ShownAlert {
  readonly id: string;
  readonly alertState: string;
  readonly status: string;
  readonly reason: string | null;
  readonly subjectName: string | null;
  readonly cursor: string;
  readonly lastNotifiedAt: string | null;
}

export class AlertBench {
  readonly system: SystemBench;
  readonly admin: Identity;
  readonly operator: Identity;
  /** UUID. */
  readonly projectId: string;
  /** The monotonic clock of the watch, with an arbitrary start. */
  monotonicMs = 0;
  /** The time for quiet hours. */
  now: Date | undefined;
  askGraph: AskGraph = namesAll;
  watch: AlertWatch;
  readonly delivery: OwedRunner;
  #count = 0;

  constructor(system: SystemBench, who: { admin: Identity; operator: Identity; projectId: string }) {
    this.system = system;
    this.admin = who.admin;
    this.operator = who.operator;
    this.projectId = who.projectId;
    this.watch = this.newWatch();
    const { db, log, egress, sealer } = system;
    const queue = createDeliveryQueue({
      ...{ db, log, egress, sealer: async () => sealer, dashboardUrl: 'https://tidegate.example' },
      ...{ now: () => this.now ?? new Date(), timeoutMs: 1_500 },
    });
    this.delivery = new OwedRunner(db, [queue]);
  }

  /** Removes all rules and alerts, and stops answering the graph. */
  async reset(): Promise<void> {
    this.askGraph = never;
    await this.system.db.execute('DELETE FROM alert_rule');
    await this.look();
    await this.system.db.execute('DELETE FROM alert');
    await this.system.db.execute('DELETE FROM alert_signal');
  }

  static async open(): Promise<AlertBench> {
    const system = await systemBench();
    const projectId = await system.system.firstStart.ensureProject('alpha');
    const admin = await makeUser(system, 'admin', { admin: true });
    const operator = await makeUser(system, 'alice', { projects: { [projectId]: 'OPERATOR' } });
    return new AlertBench(system, { admin, operator, projectId });
  }

  /** `others`: options that replace the bench's own. */
  newWatch(others: Pick<Partial<AlertWatchOptions>, 'leases'> = {}): AlertWatch {
    return new AlertWatch({
      ...this.system,
      ...others,
      rules: new AlertRuleStore(this.system.db),
      askGraph: asTheGraph((question) => this.askGraph(question)),
      monotonicMs: () => this.monotonicMs,
    });
  }

  async stop(): Promise<void> {
    await this.watch.stop();
    await this.system.stop();
  }

  /** Writes a status event of a GSLB of the project. */
  async nameIs(subjectId: string, to: string, reason: string | null = null, projectId = this.projectId): Promise<void> {
    await this.system.append({
      ...{ kind: 'gslb.operatingStatus', subjectType: 'Gslb', subjectId, projectId, to, reason },
    });
  }

  /** Sequences the written events, advances the watch's clock, and lets it poll until there is nothing left to do. */
  async look(afterMs = 0): Promise<void> {
    await this.system.sequence();
    this.monotonicMs += afterMs;
    while (await this.watch.look(new AbortController().signal));
    await this.system.sequence();
    while (await this.watch.look(new AbortController().signal));
  }

  async mutate<Payload extends { readonly userErrors: readonly unknown[] }>(
    name: string,
    selection: string,
    input: object,
    who: Identity = this.operator,
  ): Promise<Payload> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} ${errors} } }`;
    const { data, errors: faults } = await this.system.ask(who, document, { input });
    if (faults !== undefined) throw new Error(JSON.stringify(faults));
    return (data as unknown as Record<string, Payload>)[name] as Payload;
  }

  /** Creates a rule, and returns its global ID. */
  async rule(input: object = {}, who: Identity = this.operator): Promise<string> {
    this.#count += 1;
    const given = { name: `rule-${this.#count}`, condition: 'NAME_DEGRADED', ...input };
    const { alertRule, userErrors } = await this.mutate<{
      readonly alertRule: { readonly id: string } | null;
      readonly userErrors: readonly unknown[];
    }>('alertRuleCreate', 'alertRule { id }', given, who);
    if (alertRule === null) throw new Error(JSON.stringify(userErrors));
    return alertRule.id;
  }

  /** Creates a channel. Returns its global ID, and the secret if one was made. */
  async channel(
    input: object,
    who: Identity = this.operator,
  ): Promise<{ readonly id: string; readonly secret: string | null }> {
    this.#count += 1;
    const given = { name: `channel-${this.#count}`, groupMs: 0, ...input };
    const { alertChannel, secret, userErrors } = await this.mutate<{
      readonly alertChannel: { readonly id: string } | null;
      readonly secret: string | null;
      readonly userErrors: readonly unknown[];
    }>('alertChannelCreate', 'alertChannel { id } secret', given, who);
    if (alertChannel === null) throw new Error(JSON.stringify(userErrors));
    return { id: alertChannel.id, secret };
  }

  async alerts(states?: readonly string[], who: Identity = this.operator): Promise<readonly ShownAlert[]> {
    const document =
      'query ($states: [AlertState!]) { alerts(states: $states, orderBy: OLDEST) { nodes { id alertState status reason subjectName cursor lastNotifiedAt } } }';
    const { data, errors: faults } = await this.system.ask(who, document, { states });
    if (faults !== undefined) throw new Error(JSON.stringify(faults));
    return data.alerts.nodes as unknown as readonly ShownAlert[];
  }

  async deliveries(channelId: string, who: Identity = this.operator) {
    const fields = 'id test deliveryState alertCount attempts lastError nextAttemptAt finishedAt';
    const document = `query ($id: ID!) { alertChannel(id: $id) { deliveries { nodes { ${fields} } } } }`;
    const { data } = await this.system.ask(who, document, { id: channelId });
    const channel = data.alertChannel as unknown as {
      readonly deliveries: {
        readonly nodes: readonly {
          readonly id: string;
          readonly test: boolean;
          readonly deliveryState: string;
          readonly alertCount: number;
          readonly attempts: number;
          readonly lastError: string | null;
        }[];
      };
    };
    return channel.deliveries.nodes;
  }

  /** Makes everything that waits for a retry due now. */
  async hurry(): Promise<void> {
    await this.system.db.execute("UPDATE alert_notification SET next_at = NOW(3) WHERE state = 'WAITING'");
    await this.system.db.execute(
      "UPDATE owed_work SET due_at = NOW(3) WHERE kind = 'alert-delivery' AND due_at > NOW(3)",
    );
  }
}

export const subject = (): string => newUuid();
