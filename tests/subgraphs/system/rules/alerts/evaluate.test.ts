// The life of alerts, on a clock that the test sets: waiting, firing, flapping, repeating, resolving, and ended
// subjects.
import { describe, expect, test } from '@jest/globals';
import {
  type AlertAction,
  endedKey,
  evaluate,
  type OpenAlert,
  type StandingSignal,
  type WatchedRule,
} from '../../../../../subgraphs/system/rules/alerts/evaluate.ts';
import {
  mostOpenAlerts,
  mostOpenAlertsOfOwner,
  mostOpenAlertsOfProject,
} from '../../../../../subgraphs/system/spec/alert-conditions.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

const rule: WatchedRule = {
  ...{ id: 'rule', projectId: 'p', condition: 'NAME_DEGRADED', enabled: true, lastsMs: 2 * minuteMs, withinMs: null },
  ...{ resolveAfterMs: minuteMs, repeatMs: 10 * minuteMs, subjectId: null },
};
const signal: StandingSignal = {
  ...{ condition: 'NAME_DEGRADED', subjectType: 'Gslb', subjectId: 's', projectId: 'p', sinceMs: 0, endsAtMs: null },
};

/** Applies the results of evaluations, like the watch. */
class World {
  steadyMs = 0;
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  rules: readonly WatchedRule[];
  signals: readonly StandingSignal[] = [];
  readonly alerts = new Map<string, OpenAlert>();
  readonly ended = new Set<string>();
  nextMs = 0;

  constructor(...rules: readonly WatchedRule[]) {
    this.rules = rules;
  }

  /** Kinds of the actions after this time. */
  after(ms: number): readonly AlertAction['kind'][] {
    this.steadyMs += ms;
    this.nowMs += ms;
    const { rules, signals, ended, steadyMs, nowMs } = this;
    const alerts = [...this.alerts.values()];
    const { actions, nextMs } = evaluate({ rules, signals, alerts, ended, steadyMs, nowMs });
    this.nextMs = nextMs;
    for (const action of actions) this.#apply(action);
    return actions.map(({ kind }) => kind);
  }

  #apply(action: AlertAction): void {
    const { steadyMs } = this;
    if (action.kind === 'FIRE') {
      const { subjectType, subjectId } = action.signal;
      const id = `${action.rule.id}/${subjectId}`;
      expect(this.alerts.has(id)).toBe(false);
      const open = { id, ruleId: action.rule.id, subjectType, subjectId, clearSinceMs: null, toldMs: steadyMs };
      this.alerts.set(id, { ...open, state: 'FIRING' });
      return;
    }
    const { alert } = action;
    if (action.kind === 'RESOLVE') this.alerts.delete(alert.id);
    else if (action.kind === 'REPEAT') this.alerts.set(alert.id, { ...alert, toldMs: steadyMs });
    else this.alerts.set(alert.id, { ...alert, clearSinceMs: action.kind === 'CLEAR' ? steadyMs : null });
  }
}

describe('one subject', () => {
  test('an alert fires once its condition has lasted, and gives the time of the next evaluation', () => {
    const world = new World(rule);
    world.signals = [signal];
    expect(world.after(0)).toEqual([]);
    expect(world.nextMs).toBe(2 * minuteMs);
    expect(world.after(2 * minuteMs - 1)).toEqual([]);
    expect(world.after(1)).toEqual(['FIRE']);
    expect(world.after(1)).toEqual([]);
  });

  test('a subject that recovers in time does not fire', () => {
    const world = new World(rule);
    world.signals = [signal];
    world.after(minuteMs);
    world.signals = [];
    expect(world.after(5 * minuteMs)).toEqual([]);
    expect(world.nextMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('it is resolved after a while out of the condition', () => {
    const world = new World(rule);
    world.signals = [signal];
    world.after(2 * minuteMs);
    world.signals = [];
    expect(world.after(0)).toEqual(['CLEAR']);
    expect(world.nextMs).toBe(world.steadyMs + minuteMs);
    expect(world.after(minuteMs - 1)).toEqual([]);
    expect(world.after(1)).toEqual(['RESOLVE']);
  });

  test('it does not fire again for the rule whose alert was ended by hand', () => {
    const world = new World({ ...rule, lastsMs: 0 }, { ...rule, id: 'other', lastsMs: 0 });
    world.signals = [signal];
    expect(world.after(0)).toEqual(['FIRE', 'FIRE']);
    world.alerts.delete(`rule/${signal.subjectId}`);
    world.ended.add(endedKey('rule', signal));
    expect(world.after(minuteMs)).toEqual([]);
    world.ended.clear();
    expect(world.after(minuteMs)).toEqual(['FIRE']);
  });

  test('a flapping subject has one alert, which is sent once', () => {
    const world = new World({ ...rule, lastsMs: 0, repeatMs: null });
    const seen: string[] = [];
    for (let flip = 0; flip < 100; flip += 1) {
      world.signals = flip % 2 === 0 ? [{ ...signal, sinceMs: world.steadyMs }] : [];
      seen.push(...world.after(1_000));
    }
    expect(seen.filter((kind) => kind === 'FIRE')).toHaveLength(1);
    expect(seen).not.toContain('RESOLVE');
    expect(new Set(seen)).toEqual(new Set(['FIRE', 'CLEAR', 'RETURN']));
    world.signals = [];
    world.after(0);
    expect(world.after(minuteMs)).toEqual(['RESOLVE']);
  });

  test('it is sent again while it fires, but not after a user has acknowledged it', () => {
    const world = new World(rule);
    world.signals = [signal];
    world.after(2 * minuteMs);
    expect(world.after(10 * minuteMs)).toEqual(['REPEAT']);
    const [alert] = world.alerts.values();
    world.alerts.set('rule/s', { ...(alert as OpenAlert), state: 'ACKNOWLEDGED' });
    expect(world.after(dayMs)).toEqual([]);
    world.signals = [];
    world.after(0);
    expect(world.after(minuteMs)).toEqual(['RESOLVE']);
  });

  test('without resolveAfterMs it is resolved at once', () => {
    const world = new World({ ...rule, resolveAfterMs: 0 });
    world.signals = [signal];
    world.after(2 * minuteMs);
    world.signals = [];
    expect(world.after(0)).toEqual(['RESOLVE']);
  });
});

describe('rules', () => {
  test('a rule of a project sees only its own subjects, one of the installation all', () => {
    const world = new World(rule, { ...rule, id: 'all', projectId: null });
    world.signals = [signal, { ...signal, subjectId: 't', projectId: 'q' }];
    expect(world.after(2 * minuteMs)).toEqual(['FIRE', 'FIRE', 'FIRE']);
    expect([...world.alerts.keys()].sort()).toEqual(['all/s', 'all/t', 'rule/s']);
  });

  test('a rule for one subject does not see the others', () => {
    const world = new World({ ...rule, subjectId: 't' });
    world.signals = [signal, { ...signal, subjectId: 't' }];
    world.after(2 * minuteMs);
    expect([...world.alerts.keys()]).toEqual(['rule/t']);
  });

  test('a new rule fires for conditions that already hold', () => {
    const world = new World();
    world.signals = [signal];
    world.after(minuteMs * 60);
    world.rules = [rule];
    expect(world.after(0)).toEqual(['FIRE']);
  });

  test('a disabled or deleted rule resolves its alerts', () => {
    const world = new World(rule, { ...rule, id: 'other' });
    world.signals = [signal];
    world.after(2 * minuteMs);
    world.rules = [{ ...rule, enabled: false }];
    expect(world.after(0)).toEqual(['RESOLVE', 'RESOLVE']);
    expect(world.after(dayMs)).toEqual([]);
  });

  test('a rule has a bounded number of open alerts; more fire when some are resolved', () => {
    const world = new World({ ...rule, lastsMs: 0, resolveAfterMs: 0 });
    const all = Array.from({ length: mostOpenAlerts + 5 }, (_, at) => ({ ...signal, subjectId: `s${at}` }));
    world.signals = all;
    expect(world.after(0)).toHaveLength(mostOpenAlerts);
    world.signals = all.slice(3);
    expect(world.after(0)).toEqual(['RESOLVE', 'RESOLVE', 'RESOLVE']);
    expect(world.after(0)).toEqual(['FIRE', 'FIRE', 'FIRE']);
  });
});

describe('projects', () => {
  const subjects = (projectId: string, count: number): readonly StandingSignal[] =>
    Array.from({ length: count }, (_, at) => ({ ...signal, projectId, subjectId: `${projectId}${at}` }));

  test('a project gets no more than its share of a rule of the installation', () => {
    const world = new World({ ...rule, projectId: null, lastsMs: 0, resolveAfterMs: 0 });
    const many = subjects('p', mostOpenAlerts + 5);
    world.signals = [...many, ...subjects('q', 1)];
    expect(world.after(0)).toHaveLength(mostOpenAlertsOfProject + 1);
    expect([...world.alerts.keys()]).toContain('rule/q0');
    world.signals = [...many.slice(1), ...subjects('q', 1)];
    expect(world.after(0).toSorted()).toEqual(['FIRE', 'RESOLVE']);
    expect(world.after(0)).toEqual([]);
  });

  test('each project has a limited number of open alerts in all of its rules', () => {
    const rules = [1, 2, 3, 4, 5, 6].map((at) => ({ ...rule, id: `p${at}`, lastsMs: 0, resolveAfterMs: 0 }));
    const world = new World(...rules, { ...rule, id: 'q', projectId: 'q', lastsMs: 0 });
    const many = subjects('p', mostOpenAlerts);
    world.signals = [...many, ...subjects('q', 1)];
    expect(world.after(0)).toHaveLength(mostOpenAlertsOfOwner + 1);
    expect(world.after(0)).toEqual([]);
    world.signals = [...many.slice(1), ...subjects('q', 1)];
    expect(world.after(0)).toEqual(Array(5).fill('RESOLVE'));
    expect(world.after(0)).toEqual(Array(5).fill('FIRE'));
  });

  test('projects take turns, however many alerts one of them has', () => {
    const ended: OpenAlert = {
      ...{ id: 'ended', ruleId: 'deleted', subjectType: 'Gslb', subjectId: 'e', state: 'FIRING' },
      ...{ clearSinceMs: null, toldMs: 0 },
    };
    const { actions } = evaluate({
      rules: [1, 2, 3]
        .map((at) => ({ ...rule, id: `p${at}`, lastsMs: 0 }))
        .concat({ ...rule, id: 'q', projectId: 'q' }),
      signals: [...subjects('p', 100), ...subjects('q', 2)],
      alerts: [ended],
      ended: new Set(),
      steadyMs: 2 * minuteMs,
      nowMs: 0,
    });
    expect(actions).toHaveLength(303);
    const first = actions.slice(0, 5);
    expect(first.map((action) => (action.kind === 'FIRE' ? action.rule.projectId : action.kind))).toEqual([
      ...['p', 'q', 'RESOLVE', 'p', 'q'],
    ]);
  });
});

describe('time-based conditions', () => {
  const expiry: WatchedRule = { ...rule, condition: 'CERTIFICATE_EXPIRES', lastsMs: 0, withinMs: 14 * dayMs };
  const certificate = (endsAtMs: number): StandingSignal => ({
    ...{ ...signal, condition: 'CERTIFICATE_EXPIRES', subjectType: 'TlsCertificate' },
    endsAtMs,
  });

  test('a certificate fires in time, and a renewed one is resolved', () => {
    const world = new World(expiry);
    world.signals = [certificate(world.nowMs + 15 * dayMs)];
    expect(world.after(0)).toEqual([]);
    expect(world.nextMs).toBe(dayMs);
    expect(world.after(dayMs)).toEqual(['FIRE']);
    world.signals = [certificate(world.nowMs + 20 * dayMs)];
    expect(world.after(0)).toEqual(['CLEAR']);
    expect(world.after(minuteMs)).toEqual(['RESOLVE']);
  });

  test('an expired certificate fires at once', () => {
    const world = new World(expiry);
    world.signals = [certificate(world.nowMs - dayMs)];
    expect(world.after(0)).toEqual(['FIRE']);
  });

  test('a check-in starts the wait again, and resolves the alert', () => {
    const late: WatchedRule = { ...rule, condition: 'CHECK_IN_LATE', lastsMs: 60 * minuteMs };
    const world = new World(late);
    const waits = (sinceMs: number): StandingSignal => ({
      ...{ ...signal, condition: 'CHECK_IN_LATE', subjectType: 'AlertRule', subjectId: 'rule' },
      sinceMs,
    });
    world.signals = [waits(0), { ...waits(0), subjectId: 'of another rule' }];
    world.after(50 * minuteMs);
    world.signals = [waits(world.steadyMs)];
    expect(world.after(59 * minuteMs)).toEqual([]);
    expect(world.after(minuteMs)).toEqual(['FIRE']);
    world.signals = [waits(world.steadyMs)];
    expect(world.after(0)).toEqual(['CLEAR']);
    expect(world.after(minuteMs)).toEqual(['RESOLVE']);
  });
});
