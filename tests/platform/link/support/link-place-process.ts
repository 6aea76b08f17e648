// A process at the deciding end of links, for tests that kill it or make it hang. Arguments: its name, and its TLS texts as JSON. It prints
// its port on a line. Each machine gets one document with its name, and each report is stored.
import { pino } from 'pino';
import { LinkServer } from '../../../../platform/link/link-server.ts';
import { Peers } from '../../../../platform/machines/peers.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { testHistory } from '../../../support/stores/histories.ts';

const [, , name = '', texts = ''] = process.argv;
const log = pino({ level: 'silent' });
const tls: MutualTls = { ...(JSON.parse(texts) as Pick<MutualTls, 'cert' | 'key' | 'ca'>), peers: new Peers(log) };
let epoch = 0;
const server = await LinkServer.listen({
  ...{ host: '127.0.0.1', port: 0, tls, role: 'lbhost', log },
  open: async (peer) => {
    epoch += 1;
    return {
      epoch,
      begin: () =>
        peer.send({
          type: 'document',
          key: 'place',
          position: { history: testHistory, number: epoch },
          document: { name },
        }),
      resend: () => undefined,
      report: async () => undefined,
      closed: async () => undefined,
    };
  },
});
process.stdout.write(`${server.port}\n`);
