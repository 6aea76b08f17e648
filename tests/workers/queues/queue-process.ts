// A worker process that reports when it is in the middle of a job, to be killed there.
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { Database, type DatabaseLocation } from '../../../platform/database/database.ts';
import { createLocalWake } from '../../../platform/wake.ts';
import { carrier, effectsQueue } from './effects-queue.ts';

toleratesBrokenConnects(process);
const options = JSON.parse(process.argv[2] ?? '') as {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  readonly jobMs: number;
};
const db = new Database({ connection: options.connection, connectionLimit: 4 });
const queue = effectsQueue({
  db,
  worker: 'process',
  jobMs: options.jobMs,
  deadlineMs: 1_000,
  onStart: (job) => void process.send?.({ started: job.key }),
});
carrier({ db, queue, redis: { path: options.redisPath }, wake: createLocalWake() }).start();
process.on('disconnect', () => process.exit(0));
