// A process that does nothing but sequence, to be paused and killed. Where to connect comes as its first message.
import { pino } from 'pino';
import { Database, type DatabaseLocation } from '../../../platform/database/database.ts';
import { Sequencer } from '../../../platform/events/sequencer.ts';
import { newUuid } from '../../../platform/ids.ts';
import { Leases } from '../../../platform/leases.ts';
import { createRedisWake } from '../../../platform/wake.ts';

export interface SequencerOrder {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
}

process.on('disconnect', () => process.exit(0));
process.once('message', (order: SequencerOrder) => {
  const log = pino({ level: 'silent' });
  const db = new Database({ connection: order.connection, connectionLimit: 3 });
  const leases = new Leases({ db, owner: newUuid(), log });
  const wake = createRedisWake({ path: order.redisPath }, { prefix: 'trials', log });
  new Sequencer({ db, wake, log, leases }).start();
  process.send?.('started');
});
