// A process whose connections break. It reports the consequences.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mariadb';
import { toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { Database } from '../../../platform/database/database.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const [kind, location = '{}', loss] = process.argv.slice(2);
if (kind !== 'unguarded') toleratesBrokenConnects(process);
if (loss !== undefined) await lose(loss);
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
// An unhandled rejection would end the process in a later turn.
await sleep(200);
await db.close().catch(() => undefined);
process.stdout.write(failed ? 'alive' : 'answered');
process.exit(0);

/** Loses a connection in one of the ways for which the connector has no error listener. The server at `port` resets idle connections. */
async function lose(how: string): Promise<never> {
  const { port, ...account } = JSON.parse(location);
  if (how === 'idle') {
    // Without a listener, and without a command that could receive the error.
    const idle = await createConnection({ ...account, host: '127.0.0.1', port });
    await waitFor('the reset', () => !idle.isValid());
  } else {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await once(socket, 'data');
    socket.removeAllListeners();
    for (let tries = 0; !socket.destroyed && tries < 500; tries += 1) {
      socket.write('login');
      await sleep(10);
    }
  }
  process.stdout.write('alive');
  process.exit(0);
}
