// An alert rule as stored.
import type { AlertCondition, AlertSeverity } from '../../spec/alert-conditions.ts';

export interface AlertRule {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  /** Version after the last change of its settings. */
  readonly settingsVersion: number;
  /** UUID. Null if it watches the installation. */
  readonly projectId: string | null;
  readonly name: string;
  readonly condition: AlertCondition;
  readonly severity: AlertSeverity;
  readonly enabled: boolean;
  readonly lastsMs: number;
  readonly withinMs: number | null;
  readonly resolveAfterMs: number;
  readonly repeatMs: number | null;
  /** Type of the only subject that it watches. */
  readonly subjectType: string | null;
  readonly subjectId: string | null;
  readonly checkedInAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
