// Writes single rows from the client's network, as fast as acknowledgements arrive. Arguments: the trial's settings' file, the host, the
// connections, the milliseconds
import { readFile } from 'node:fs/promises';
import { createConnection } from 'mariadb';
import { closedLoop } from '../../measure/closed-loop.ts';
import { percentile } from '../../measure/statistics.ts';
import { type DataHost, places } from '../../trials/ha/network.ts';
import { account, database, mariadbPort, type TrialSettings } from '../../trials/ha/settings.ts';

const [, , file = '', host = '', clients = '', forMs = ''] = process.argv;
const { applicationPassword } = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
const free = await Promise.all(
  Array.from({ length: Number(clients) }, () =>
    createConnection({
      ...{ host: places[host as DataHost], port: mariadbPort, user: account, password: applicationPassword, database },
    }),
  ),
);
const write = async () => {
  const connection = free.pop();
  if (connection === undefined) throw new Error('there are more clients than connections');
  await connection.query('INSERT INTO ha_bench (text) VALUES (?)', ['x'.repeat(200)]);
  free.push(connection);
};
const { latenciesMs, elapsedMs } = await closedLoop({ clients: Number(clients), forMs: Number(forMs) }, write);
const figures = { writes: latenciesMs.length, elapsedMs, p50Ms: percentile(latenciesMs, 0.5) };
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit(0);
