// The subjects that rules and open alerts name. They are evaluated even if there are many others.
import type { AlertCondition } from '../../spec/alert-conditions.ts';
import type { OpenAlert } from './evaluate.ts';

interface NamingRule {
  readonly id: string;
  readonly condition: AlertCondition;
  readonly subjectType: string | null;
  readonly subjectId: string | null;
}

interface NamedSubject {
  readonly condition: AlertCondition;
  readonly subjectType: string;
  readonly subjectId: string;
}

export function namedSubjects(rules: readonly NamingRule[], alerts: readonly OpenAlert[]): readonly NamedSubject[] {
  const conditions = new Map(rules.map(({ id, condition }) => [id, condition]));
  return [
    ...rules.flatMap(({ condition, subjectType, subjectId }) =>
      subjectType === null || subjectId === null ? [] : [{ condition, subjectType, subjectId }],
    ),
    ...alerts.flatMap(({ ruleId, subjectType, subjectId }) => {
      const condition = conditions.get(ruleId);
      return condition === undefined ? [] : [{ condition, subjectType, subjectId }];
    }),
  ];
}
