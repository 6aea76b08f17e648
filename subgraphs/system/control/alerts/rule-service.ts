// Creating, changing and deleting alert rules, and check-ins. The watch follows their status events.
import { isDeepStrictEqual } from 'node:util';
import type {
  AlertRuleCheckInInput,
  AlertRuleCreateInput,
  AlertRuleDeleteInput,
  AlertRuleUpdateInput,
} from '../../../../generated/graph/system.ts';
import type { Identity, RequestContext } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { refuseDeletedProject } from '../../../../platform/edge/projects.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseStale, refuseTaken, refuseUnknown } from '../../../../platform/input/refusals.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { conditionSpec, mostAlertRules } from '../../spec/alert-conditions.ts';
import { systemEvents } from '../events.ts';
import { readChannels } from '../stores/alert-channel-store.ts';
import type { AlertRule } from '../stores/alert-rule.ts';
import type { AlertRuleStore } from '../stores/alert-rule-store.ts';
import { lockScope } from '../stores/alert-scope.ts';
import { certificatesTopic } from './certificate-expiry.ts';
import { channelIdsOf, checkDurations, checkNewRule } from './rule-input.ts';
import { requireRoleIn, requireSeen, scopeOfNew } from './scope.ts';

interface RuleServiceOptions {
  readonly rules: AlertRuleStore;
  readonly mutations: Mutations;
  readonly wake: Wake;
}

type RuleState = 'ENABLED' | 'DISABLED';

export class AlertRuleService {
  readonly #rules: AlertRuleStore;
  readonly #mutations: Mutations;
  readonly #wake: Wake;

  constructor({ rules, mutations, wake }: RuleServiceOptions) {
    this.#rules = rules;
    this.#mutations = mutations;
    this.#wake = wake;
  }

  create(context: RequestContext, input: AlertRuleCreateInput): Promise<MutationOutcome<AlertRule>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'alertRuleCreate',
      context,
      input,
      subject: 'AlertRule',
      prepare: (attempt) => {
        const { check } = attempt;
        const projectId = scopeOfNew(identity, input.projectId);
        attempt.projectId = projectId;
        requireRoleIn(identity, { projectId }, 'MEMBER', 'alertRuleCreate');
        const { lastsMs, withinMs, subject } = checkNewRule(check, input, projectId === null);
        const given = input.channelIds ?? [];
        const channelIds = channelIdsOf(check, given);
        check.throwIfAny();
        return async (tx) => {
          if (projectId !== null) await refuseDeletedProject(tx, projectId);
          await lockScope(tx, projectId);
          if ((await this.#rules.count(tx, projectId)) >= mostAlertRules)
            refuse('LIMIT_REACHED', `there are ${mostAlertRules} alert rules, the most: delete one first`);
          await requireChannels(tx, projectId, channelIds, given);
          const id = newUuid();
          const { name, condition, severity = 'WARNING', enabled = true } = input;
          // Null means that the alert is sent once, so it can't stand for the default.
          const { resolveAfterMs = 60_000, repeatMs = 14_400_000 } = input;
          const rule = {
            ...{ id, projectId, name, condition, severity, enabled, lastsMs, withinMs, resolveAfterMs, repeatMs },
            ...{ subjectType: subject?.type ?? null, subjectId: subject?.id ?? null },
          };
          await refuseTaken('alert rule', name, this.#rules.insert(tx, rule));
          await this.#rules.setChannels(tx, id, channelIds);
          await this.#tell(tx, { id, projectId, name, version: 1 }, null, stateOf(enabled));
          return id;
        };
      },
      read: (id) => this.#read(id),
    });
  }

  update(context: RequestContext, input: AlertRuleUpdateInput): Promise<MutationOutcome<AlertRule>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'alertRuleUpdate',
      context,
      input,
      subject: 'AlertRule',
      prepare: async (attempt) => {
        const { check } = attempt;
        const { id, condition, projectId } = await this.#named(identity, attempt, input.id, 'alertRuleUpdate');
        checkDurations(check, condition, input);
        if (input.withinMs === null && conditionSpec(condition).within !== undefined)
          check.fault('withinMs', `withinMs is null, but ${condition} needs it: leave it out to keep its value`);
        const channelIds = input.channelIds == null ? undefined : channelIdsOf(check, input.channelIds);
        check.throwIfAny();
        return async (tx) => {
          const rule = (await this.#rules.lock(tx, id)) ?? refuseUnknown('AlertRule', 'id', input.id);
          refuseStale(input.expectedVersion, rule);
          await requireChannels(tx, projectId, channelIds ?? [], input.channelIds ?? []);
          const changed: AlertRule = {
            ...rule,
            ...{ severity: input.severity ?? rule.severity, enabled: input.enabled ?? rule.enabled },
            ...{
              lastsMs: input.lastsMs ?? rule.lastsMs,
              withinMs: input.withinMs === undefined ? rule.withinMs : input.withinMs,
            },
            resolveAfterMs: input.resolveAfterMs ?? rule.resolveAfterMs,
            repeatMs: input.repeatMs === undefined ? rule.repeatMs : input.repeatMs,
          };
          const own = (await this.#rules.channelsInside(tx, [id])).get(id);
          const keepsChannels = channelIds === undefined || isDeepStrictEqual(new Set(channelIds), new Set(own));
          if (keepsChannels && isDeepStrictEqual(changed, rule)) return id;
          await this.#rules.update(tx, changed);
          if (channelIds !== undefined) await this.#rules.setChannels(tx, id, channelIds);
          const next = { ...rule, version: rule.version + 1 };
          await this.#tell(tx, next, stateOf(rule.enabled), stateOf(changed.enabled));
          return id;
        };
      },
      read: (id) => this.#read(id),
    });
  }

  delete(context: RequestContext, input: AlertRuleDeleteInput): Promise<MutationOutcome<null>> {
    const identity = caller(context);
    return this.#mutations.run<null>({
      name: 'alertRuleDelete',
      context,
      input,
      subject: 'AlertRule',
      prepare: async (attempt) => {
        const { id } = await this.#named(identity, attempt, input.id, 'alertRuleDelete');
        return async (tx) => {
          const rule = (await this.#rules.lock(tx, id)) ?? refuseUnknown('AlertRule', 'id', input.id);
          refuseStale(input.expectedVersion, rule);
          await this.#rules.delete(tx, id);
          await this.#tell(tx, { ...rule, version: rule.version + 1 }, stateOf(rule.enabled), 'DELETED');
          return id;
        };
      },
      read: async () => null,
    });
  }

  checkIn(context: RequestContext, input: AlertRuleCheckInInput): Promise<MutationOutcome<AlertRule>> {
    const identity = caller(context);
    return this.#mutations.run({
      name: 'alertRuleCheckIn',
      context,
      input,
      subject: 'AlertRule',
      prepare: async (attempt) => {
        const { id, condition } = await this.#named(identity, attempt, input.id, 'alertRuleCheckIn');
        if (condition !== 'CHECK_IN_LATE')
          refuse('WRONG_STATE', `the rule watches ${condition}; only rules with CHECK_IN_LATE take check-ins`, {
            field: ['input', 'id'],
          });
        return async (tx) => {
          const rule = (await this.#rules.lock(tx, id)) ?? refuseUnknown('AlertRule', 'id', input.id);
          await this.#checkIn(tx, rule);
          return id;
        };
      },
      read: (id) => this.#read(id),
    });
  }

  /** At the rules with CHECK_IN_LATE of the installation that have the name. Returns their number: one, or none. */
  async checkInNamed(tx: Transaction, name: string): Promise<number> {
    const rules = (await this.#rules.all(tx)).filter(
      (rule) => rule.name === name && rule.projectId === null && rule.condition === 'CHECK_IN_LATE',
    );
    for (const { id } of rules) {
      const rule = await this.#rules.lock(tx, id);
      if (rule !== undefined) await this.#checkIn(tx, rule);
    }
    return rules.length;
  }

  async #checkIn(tx: Transaction, rule: AlertRule): Promise<void> {
    await this.#rules.checkIn(tx, rule.id);
    const state = stateOf(rule.enabled);
    const event = { ...eventOf({ ...rule, version: rule.version + 1 }), from: state, to: state };
    await appendStatus(tx, systemEvents, [{ ...event, kind: 'alertRule.checkedIn' }], this.#wake);
  }

  async #named(identity: Identity, attempt: Attempt, globalId: string, what: string): Promise<AlertRule> {
    const named = { type: 'AlertRule', id: globalId };
    const id = attempt.check.id('id', globalId, 'AlertRule');
    attempt.check.throwIfAny();
    const row = id === undefined ? undefined : await this.#read(id);
    const rule = requireSeen(identity, attempt.check, named, row);
    attempt.projectId = rule.projectId;
    requireRoleIn(identity, rule, 'MEMBER', what);
    return rule;
  }

  async #read(id: string): Promise<AlertRule | undefined> {
    return (await this.#rules.byIds([id])).get(id);
  }

  async #tell(
    tx: Transaction,
    rule: Pick<AlertRule, 'id' | 'projectId' | 'name' | 'version'>,
    from: RuleState | null,
    to: RuleState | 'DELETED',
  ): Promise<void> {
    await appendStatus(tx, systemEvents, [{ ...eventOf(rule), kind: 'alertRule.state', from, to }], this.#wake);
    tx.afterCommit(() => this.#wake.notify(certificatesTopic));
  }
}

function eventOf({ id, projectId, name, version }: Pick<AlertRule, 'id' | 'projectId' | 'name' | 'version'>) {
  return { projectId, subjectId: id, subjectName: name, subjectVersion: version, reason: name };
}

function stateOf(enabled: boolean): RuleState {
  return enabled ? 'ENABLED' : 'DISABLED';
}

/** Refuses NOT_FOUND for a channel of another project. The others stay until the transaction ends. */
async function requireChannels(
  tx: Transaction,
  projectId: string | null,
  ids: readonly string[],
  given: readonly string[],
): Promise<void> {
  const check = new InputCheck();
  const known = await readChannels(tx, ids);
  for (const [at, id] of ids.entries())
    if (known.get(id)?.projectId !== projectId)
      check.fault(`channelIds.${at}`, unknownId('AlertChannel', given[at] ?? ''), 'NOT_FOUND');
  check.throwIfAny();
}
