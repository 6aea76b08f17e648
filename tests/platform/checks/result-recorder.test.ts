import { expect, test } from '@jest/globals';
import type { CheckedStatus, CheckObservation } from '../../../platform/checks/check-tenant.ts';
import { ResultRecorder } from '../../../platform/checks/result-recorder.ts';
import type { HeldLease } from '../../../platform/leases/leases.ts';
import { createLogger } from '../../../platform/log/log.ts';

function seen(
  statusBefore: CheckedStatus,
  status: CheckedStatus,
  other: Partial<CheckObservation> = {},
): CheckObservation {
  const outcome = status === 'DOWN' ? 'DOWN' : 'UP';
  return {
    targetId: 't',
    outcome,
    status,
    statusBefore,
    message: null,
    detail: null,
    latencyMs: 1,
    lateMs: 0,
    at: new Date(),
    ...other,
  };
}

function subject() {
  const recorded: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const recorder = new ResultRecorder({
    tenant: {
      name: 'test',
      async record(batch) {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        await gate.promise;
        recorded.push(...batch.map(({ statusBefore, status }) => `${statusBefore} ${status}`));
      },
    },
    leaseOf: () => ({}) as HeldLease,
    log: createLogger({ level: 'silent', pretty: false }),
    everyMs: 60_000,
  });
  const flush = async (end: (gate: PromiseWithResolvers<void>) => void) => {
    const flushed = recorder.flush();
    const gate = gates.at(-1);
    if (gate !== undefined) end(gate);
    await flushed;
  };
  return { recorder, recorded, flush };
}

test('a result that arrives while an earlier one is being recorded gets its status before, and a change is recorded once', async () => {
  const { recorder, recorded, flush } = subject();
  recorder.add(seen('UNKNOWN', 'UP'), 0);
  await flush((gate) => {
    recorder.add(seen('UP', 'UP'), 0);
    gate.resolve();
  });
  await flush((gate) => gate.resolve());
  expect(recorded).toEqual(['UNKNOWN UP', 'UP UP']);
});

test('while recording fails, the newest result is kept with the recorded status before', async () => {
  const { recorder, recorded, flush } = subject();
  recorder.add(seen('UNKNOWN', 'UP'), 0);
  await expect(flush((gate) => gate.reject(new Error('lost')))).rejects.toThrow('lost');
  recorder.add(seen('UP', 'DOWN'), 0);
  await flush((gate) => gate.resolve());
  expect(recorded).toEqual(['UNKNOWN DOWN']);
});

test('doubts are recorded before DOWN results, whichever shard is first', async () => {
  const recorded: string[] = [];
  const recorder = new ResultRecorder({
    tenant: {
      name: 'test',
      record: async (batch) => void recorded.push(...batch.map(({ targetId, status }) => `${targetId} ${status}`)),
    },
    leaseOf: () => ({}) as HeldLease,
    log: createLogger({ level: 'silent', pretty: false }),
    everyMs: 60_000,
  });
  recorder.add(seen('UP', 'UP', { targetId: 'fine' }), 0);
  recorder.add(seen('UP', 'DOWN', { targetId: 'fallen' }), 0);
  recorder.add(seen('UP', 'UP', { targetId: 'doubted', outcome: 'DOWN' }), 1);
  await recorder.flush();
  expect(recorded).toEqual(['doubted UP', 'fine UP', 'fallen DOWN']);
});
