// A process with a pool whose connections break while their sessions are set up; it reports what happened.
import { setTimeout as sleep } from 'node:timers/promises';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { Database } from '../../../platform/database/database.ts';

const [kind, location = '{}'] = process.argv.slice(2);
if (kind !== 'unguarded') toleratesBrokenConnects(process);
if (kind === 'thrown')
  setImmediate(() => {
    throw new Error('a bug of a listener');
  });
if (kind === 'other') void Promise.reject(new Error('a bug'));

const db = new Database({ connection: JSON.parse(location), acquireTimeoutMs: 500 });
const failed = await db.query('SELECT 1').then(
  () => false,
  () => true,
);
await sleep(200);
await db.close().catch(() => undefined);
process.stdout.write(failed ? 'alive' : 'answered');
process.exit(0);
