// A process that only sequences, to be paused and killed. Its first message contains the servers' addresses.
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { LocalContext } from '../../tests/support/product/test-context.ts';

export interface SequencerOrder {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
}

toleratesBrokenConnects(process);
process.on('disconnect', () => process.exit(0));
process.once('message', ({ connection, redisPath }: SequencerOrder) => {
  const redis = { path: redisPath, prefix: 'trials' };
  new LocalContext({ connection, connectionLimit: 3 }, { redis, elected: true }).sequencer.start();
  process.send?.('started');
});
