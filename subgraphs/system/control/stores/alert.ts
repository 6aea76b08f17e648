// An alert as stored.
import type { CmpObjectKey } from '../../../../platform/pages/cmp-object.ts';
import type { AlertCondition, AlertSeverity, AlertState } from '../../spec/alert-conditions.ts';

export interface Acknowledgement {
  readonly at: Date;
  readonly kind: string;
  readonly id: string;
  readonly name: string;
}

export interface Alert {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  /** UUID. Null if only administrators see it. */
  readonly projectId: string | null;
  /** UUID. The rule may be deleted. */
  readonly ruleId: string;
  readonly ruleName: string;
  readonly condition: AlertCondition;
  readonly severity: AlertSeverity;
  readonly state: AlertState;
  readonly subjectType: string;
  /** UUID. */
  readonly subjectId: string;
  readonly subjectName: string | null;
  readonly cmpObject: CmpObjectKey | null;
  readonly status: string;
  readonly reason: string | null;
  readonly since: Date;
  readonly cursor: string;
  readonly acknowledgement: Acknowledgement | null;
  readonly resolvedAt: Date | null;
  readonly lastNotifiedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
