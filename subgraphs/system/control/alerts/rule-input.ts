// Checks the input of alert rules.
import type { AlertRuleCreateInput, AlertRuleUpdateInput } from '../../../../generated/graph/system.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { decodeId, decodeUuid } from '../../../../platform/values/ids.ts';
import { type AlertCondition, conditionSpec, mostChannelsOfRule, ruleDurations } from '../../spec/alert-conditions.ts';

type Given = Partial<Pick<AlertRuleUpdateInput, 'lastsMs' | 'withinMs' | 'resolveAfterMs' | 'repeatMs' | 'channelIds'>>;

interface CheckedRule {
  readonly lastsMs: number;
  readonly withinMs: number | null;
  readonly subject: { readonly type: string; readonly id: string } | null;
}

/** Adds a fault for each value out of its bounds. */
export function checkDurations(check: InputCheck, condition: AlertCondition, given: Given): void {
  const { lasts, within } = conditionSpec(condition);
  check.integer('lastsMs', given.lastsMs, { min: lasts.minMs, max: lasts.maxMs });
  if (within !== undefined) check.integer('withinMs', given.withinMs, { min: within.minMs, max: within.maxMs });
  else if (given.withinMs != null)
    check.fault('withinMs', `withinMs is ${given.withinMs}, but subjects of ${condition} have no end: leave it out`);
  for (const [field, { minMs: min, maxMs: max }] of Object.entries(ruleDurations))
    check.integer(field, given[field as keyof typeof ruleDurations], { min, max });
  if (given.channelIds != null) check.count('channelIds', given.channelIds, { max: mostChannelsOfRule });
}

/** UUIDs, each once. Ids of another type are NOT_FOUND. */
export function channelIdsOf(check: InputCheck, channelIds: readonly string[]): readonly string[] {
  const ids = channelIds.map((id, at) => check.id(`channelIds.${at}`, id, 'AlertChannel') ?? '');
  return [...new Set(ids)];
}

export function checkNewRule(check: InputCheck, input: AlertRuleCreateInput, isInstallation: boolean): CheckedRule {
  const { condition } = input;
  const spec = conditionSpec(condition);
  check.name('name', input.name);
  if (!isInstallation && !spec.ofProjects)
    check.fault(
      'condition',
      `condition is ${condition}, which only rules of the installation can watch: have an administrator create it without projectId`,
    );
  checkDurations(check, condition, input);
  return {
    lastsMs: input.lastsMs ?? spec.lasts.defaultMs,
    withinMs: input.withinMs ?? spec.within?.defaultMs ?? null,
    subject: subjectOf(check, input),
  };
}

function subjectOf(check: InputCheck, { watchedSubjectId, condition }: AlertRuleCreateInput): CheckedRule['subject'] {
  if (watchedSubjectId == null) return null;
  const types = subjectTypesOf(condition);
  const type = decodeId(watchedSubjectId)?.type ?? '';
  const id = types.includes(type) ? decodeUuid(type, watchedSubjectId) : undefined;
  if (id !== undefined) return { type, id };
  const known = types.length === 0 ? 'which has no other subject than the rule: leave it out' : types.join(' or ');
  check.fault('watchedSubjectId', `watchedSubjectId is not the id of a subject of ${condition}: ${known}`);
  return null;
}

function subjectTypesOf(condition: AlertCondition): readonly string[] {
  if (condition === 'CERTIFICATE_EXPIRES') return ['TlsCertificate'];
  return [...new Set(conditionSpec(condition).signals.map(({ subjectType }) => subjectType))];
}
