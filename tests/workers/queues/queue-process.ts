// A worker process that reports when it is in the middle of a job. Tests kill it there, or stop it with the message
// `stop`: it then exits by itself, unless something keeps it running.
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { Database, type DatabaseLocation } from '../../../platform/database/database.ts';
import type { OwedQueue } from '../../../platform/owed/owed-queue.ts';
import { createLocalWake } from '../../../platform/work/wake.ts';
import { carrier, effectsQueue } from './effects-queue.ts';

toleratesBrokenConnects(process);
const options = JSON.parse(process.argv[2] ?? '') as {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  readonly jobMs: number;
  /** Default 1000. */
  readonly deadlineMs?: number;
};
const db = new Database({ connection: options.connection, connectionLimit: 4 });
const queue = effectsQueue({
  db,
  worker: 'process',
  jobMs: options.jobMs,
  deadlineMs: options.deadlineMs ?? 1_000,
  onStart: (job) => void process.send?.({ started: job.key }),
});
const told: OwedQueue = {
  ...queue,
  run: (job, how) =>
    queue.run(job, how).then(
      () => void process.send?.({ ended: 'done' }),
      (error: Error) => {
        process.send?.({ ended: error.name });
        throw error;
      },
    ),
};
const subject = carrier({ db, queue: told, redis: { path: options.redisPath }, wake: createLocalWake() });
subject.start();
const orphaned = () => process.exit(0);
process.on('disconnect', orphaned);
process.on('message', async () => {
  await subject.stop();
  await db.close();
  process.off('disconnect', orphaned);
  process.disconnect();
});
