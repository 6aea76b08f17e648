// The number of alerts that a project's rules may fire, on a clock that the test sets.
import { expect, test } from '@jest/globals';
import { FireAllowance } from '../../../../subgraphs/system/control/alerts/fire-allowance.ts';
import type { AlertAction, OpenAlert, WatchedRule } from '../../../../subgraphs/system/rules/alerts/evaluate.ts';
import { mostOpenAlertsOfOwner } from '../../../../subgraphs/system/spec/alert-conditions.ts';

function fires(projectId: string | null, count: number): readonly AlertAction[] {
  const rule: WatchedRule = {
    ...{ id: 'r', projectId, condition: 'NAME_DEGRADED', enabled: true, lastsMs: 0, withinMs: null },
    ...{ resolveAfterMs: 0, repeatMs: null, subjectId: null },
  };
  return Array.from({ length: count }, (_, at) => ({
    kind: 'FIRE',
    rule,
    signal: {
      ...{
        condition: 'NAME_DEGRADED',
        subjectType: 'Gslb',
        subjectId: `s${at}`,
        projectId,
        sinceMs: 0,
        endsAtMs: null,
      },
    },
  }));
}

test('a project fires as many as may be open at once, then one a second; other projects and resolutions are not delayed', () => {
  let nowMs = 0;
  const allowance = new FireAllowance(() => nowMs);
  const many = fires('p', mostOpenAlertsOfOwner + 100);
  expect(allowance.choose(many, 200)).toEqual({ some: many.slice(0, 200), isMore: true });
  const rest = allowance.choose(many.slice(200), 1_000_000);
  expect(rest.isMore).toBe(false);
  expect(rest.some).toHaveLength(mostOpenAlertsOfOwner - 200);
  const alert: OpenAlert = {
    ...{ id: 'a', ruleId: 'r', subjectType: 'Gslb', subjectId: 's', state: 'FIRING', clearSinceMs: null, toldMs: 0 },
  };
  const others = [...fires('q', 1), ...fires(null, 1), { kind: 'RESOLVE', alert, reason: null } as const];
  expect(allowance.choose([...fires('p', 5), ...others], 200)).toEqual({ some: others, isMore: false });
  nowMs += 60_000;
  expect(allowance.choose(fires('p', 100), 200).some).toHaveLength(60);
});
