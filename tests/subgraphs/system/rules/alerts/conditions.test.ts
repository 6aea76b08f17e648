// The table of conditions matches the declared status events and the graph. A word that no event has would never fire.
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { allEventKinds } from '../../../../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../../../../subgraphs/rows.ts';
import {
  endedSubjects,
  eventsThatMatter,
  signalChanges,
} from '../../../../../subgraphs/system/rules/alerts/signals.ts';
import { alertConditionNames, conditionSpec } from '../../../../../subgraphs/system/spec/alert-conditions.ts';

const kinds = allEventKinds(subgraphRows);

test.each(alertConditionNames)('%s follows events that exist', (condition) => {
  const { signals, departures } = conditionSpec(condition);
  for (const { kind, subjectType, begins, ends } of signals) {
    expect(kinds[kind]?.subject).toBe(subjectType);
    expect(kinds[kind]?.values).toEqual(expect.arrayContaining([...begins, ...ends]));
    expect(begins.filter((value) => ends.includes(value))).toEqual([]);
  }
  for (const { kind, subjectType, value } of departures) {
    expect(kinds[kind]?.subject).toBe(subjectType);
    if (value !== undefined) expect(kinds[kind]?.values).toContain(value);
  }
  // One kind of event puts a subject into a condition. Two kinds would contradict each other.
  const types = signals.map(({ subjectType }) => subjectType);
  expect(new Set(types).size).toBe(types.length);
});

test.each(alertConditionNames)('the defaults of %s are within its bounds', (condition) => {
  const { lasts, within } = conditionSpec(condition);
  for (const { minMs, defaultMs, maxMs } of within === undefined ? [lasts] : [lasts, within]) {
    expect(minMs).toBeLessThanOrEqual(defaultMs);
    expect(defaultMs).toBeLessThanOrEqual(maxMs);
    // The limits of GraphQL's Int and of the column.
    expect(maxMs).toBeLessThan(2 ** 31);
  }
});

test('the graph has the same conditions', async () => {
  const sdl = await readFile(new URL('../../../../../schema/system.graphql', import.meta.url), 'utf8');
  const words = /enum AlertCondition \{([^}]*)\}/.exec(sdl)?.[1]?.match(/^ {2}[A-Z_]+$/gm);
  expect(words?.map((word) => word.trim()).sort()).toEqual([...alertConditionNames].sort());
});

const subject = { subjectType: 'Gslb', subjectId: 'a' };

test('an event begins a condition, ends it, or does not affect it', () => {
  const told = (kind: string, to: string) => signalChanges({ ...subject, kind, to, reason: 'why' });
  expect(told('gslb.operatingStatus', 'DEGRADED')).toEqual([
    { ...subject, condition: 'NAME_DEGRADED', to: 'ON', status: 'DEGRADED', reason: 'why', subjectName: null },
  ]);
  expect(told('gslb.operatingStatus', 'ONLINE')).toMatchObject([{ condition: 'NAME_DEGRADED', to: 'OFF' }]);
  expect(told('gslb.provisioningStatus', 'DELETED')).toMatchObject([{ condition: 'NAME_DEGRADED', to: 'OFF' }]);
  expect(told('gslb.provisioningStatus', 'PENDING')).toEqual([]);
  expect(told('gslb.unheardOf', 'DEGRADED')).toEqual([]);
});

test('a half-open circuit changes nothing', () => {
  const circuit = (to: string) =>
    signalChanges({ subjectType: 'Backend', subjectId: 'b', kind: 'backend.circuit', to, reason: null });
  expect(circuit('OPEN')).toMatchObject([{ to: 'ON' }]);
  expect(circuit('HALF_OPEN')).toEqual([]);
  expect(circuit('CLOSED')).toMatchObject([{ to: 'OFF' }]);
});

test('a disabled backend is not checked, and therefore no longer offline', () => {
  const status = (to: string) =>
    signalChanges({ subjectType: 'Backend', subjectId: 'b', kind: 'backend.operatingStatus', to, reason: null });
  expect(status('OFFLINE')).toMatchObject([{ condition: 'BACKEND_OFFLINE', to: 'ON' }]);
  expect(status('UNKNOWN')).toMatchObject([{ condition: 'BACKEND_OFFLINE', to: 'OFF' }]);
});

test('a removed host is no longer absent, and a cordoned one is unchanged', () => {
  const changed = (reason: string) =>
    signalChanges({
      ...{ subjectType: 'LoadBalancerHost', subjectId: 'h', kind: 'loadBalancerHost.changed', to: 'ABSENT' },
      reason,
    });
  expect(changed('removed')).toMatchObject([{ condition: 'MACHINE_ABSENT', to: 'OFF' }]);
  expect(changed('cordoned')).toEqual([]);
});

test('a copy of a machine stands until the machine is revoked', () => {
  const event = (kind: string, to: string, reason: string | null) =>
    signalChanges({ subjectType: 'Machine', subjectId: 'm', kind, to, reason });
  expect(event('machine.copyRefused', 'REFUSED', 'eu-1: a second process has its credentials')).toMatchObject([
    { condition: 'MACHINE_COPIED', to: 'ON', subjectName: 'eu-1', reason: 'a second process has its credentials' },
  ]);
  expect(event('machine.joined', 'JOINED', 'eu-1')).toEqual([]);
  expect(event('machine.revoked', 'REVOKED', 'eu-1')).toMatchObject([{ condition: 'MACHINE_COPIED', to: 'OFF' }]);
});

test('an end matters only to a subject in the condition, even if it has just entered it', () => {
  const call = (subjectId: string, to: string) => ({
    ...{ subjectType: 'RelayOperation', subjectId, kind: 'relayOperation.state', to, reason: null },
  });
  const events = [
    call('sent', 'SENT'),
    call('known', 'SUCCEEDED'),
    call('standing', 'FAILED'),
    call('brief', 'UNKNOWN'),
    call('brief', 'SUCCEEDED'),
    { subjectType: 'Project', subjectId: 'p', kind: 'project.deleted', to: 'DELETED', reason: null },
    { subjectType: 'AlertRule', subjectId: 'r', kind: 'alertRule.checkedIn', to: 'CHECKED_IN', reason: null },
    { subjectType: 'AlertRule', subjectId: 'r', kind: 'alertRule.state', to: 'ENABLED', reason: null },
  ];
  expect(endedSubjects(events).map(({ subjectId }) => subjectId)).toEqual(['known', 'standing', 'brief']);
  expect(eventsThatMatter(events, new Set(['standing']))).toEqual(events.slice(2));
  expect(eventsThatMatter(events, new Set())).toEqual(events.slice(3));
  expect(eventsThatMatter(events.slice(3, 5).toReversed(), new Set())).toEqual([call('brief', 'UNKNOWN')]);
});
