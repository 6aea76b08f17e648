// The stages of an admission, and which hosts count as failed if they do not acknowledge.
import { expect, test } from '@jest/globals';
import { Admissions } from '../../../../ha/agent/state/admissions.ts';

let nowMs = 0;
const hosts = ['a', 'b', 'c'];
const begun = () => {
  nowMs = 1_000;
  return new Admissions(hosts, () => nowMs);
};
const invited = () => {
  const admissions = begun();
  admissions.invited({ host: 'b', id: '1' }, true);
  return admissions;
};
const armed = () => {
  const admissions = invited();
  const { current } = admissions;
  if (current === undefined) throw new Error('nobody is invited');
  nowMs = 2_000;
  admissions.waitFor('b');
  admissions.armed(current, 'b', 'of-b');
  return admissions;
};

test('an admission goes from stage to stage, and each stage with a limit has its own time', () => {
  const admissions = invited();
  expect(admissions.current).toEqual({ host: 'b', id: '1', sinceMs: 1_000, stage: 'invited', early: true });
  const { current } = armed();
  expect(current).toEqual({ host: 'b', id: '1', incarnation: 'of-b', sinceMs: 2_000, stage: 'armed' });
});

test('a proof counts only for its own admission, not for a later one', () => {
  const admissions = armed();
  const proving = admissions.prove();
  expect(admissions.current).toMatchObject({ host: 'b', sinceMs: 2_000, stage: 'proving' });
  if (proving === undefined) throw new Error('nothing is proved');
  admissions.proved(proving);
  expect(admissions.current).toMatchObject({ host: 'b', incarnation: 'of-b', stage: 'proved' });

  const again = armed();
  const old = again.prove();
  if (old === undefined) throw new Error('nothing is proved');
  again.end();
  again.proved(old);
  expect(again.current).toBeUndefined();
  again.invited({ host: 'b', id: '1' }, false);
  again.proved(old);
  expect(again.current).toMatchObject({ stage: 'invited' });
});

test('without an admission there is no proof', () => {
  const admissions = begun();
  expect(admissions.prove()).toBeUndefined();
  expect(admissions.current).toBeUndefined();
});

test('a refused host counts as failed, unless it makes room for another one', () => {
  const made = invited();
  made.refused(true);
  expect([made.current, made.failedAtMs]).toEqual([undefined, {}]);
  made.invited({ host: 'b', id: '2' }, false);
  nowMs = 5_000;
  made.refused(false);
  expect([made.current, made.failedAtMs]).toEqual([undefined, { b: 5_000 }]);
});

test('when waiting commits are released, the host that they waited for counts as failed, even after its admission', () => {
  const admissions = armed();
  admissions.end();
  nowMs = 6_000;
  admissions.letGo();
  expect(admissions.failedAtMs).toEqual({ b: 6_000 });
  admissions.waitFor('c');
  nowMs = 7_000;
  admissions.letGo();
  expect(admissions.failedAtMs).toEqual({ b: 6_000, c: 7_000 });
});

test('an agent that does not know which host commits waited for counts all of them as failed', () => {
  const admissions = begun();
  admissions.letGo();
  expect(admissions.failedAtMs).toEqual({ a: 1_000, b: 1_000, c: 1_000 });
});
