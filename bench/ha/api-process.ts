// A small API on one data host in place of the whole product. It offers the product's list of database servers over HTTP, and closes its
// connections before the address moves, as the gateway does. Arguments: the trial's settings' file, the host, the port
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteServed } from '../../ha/served-process.ts';
import { writeCommitRecord } from '../../platform/database/commit-record.ts';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { Database } from '../../platform/database/database.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { places } from '../../trials/ha/network.ts';
import { dataHosts } from '../../trials/ha/pair.ts';
import { account, mariadbPort, database as name, servedFile, type TrialSettings } from '../../trials/ha/settings.ts';

const [, , file = '', host = '', port = ''] = process.argv;
const settings = JSON.parse(await readFile(file, 'utf8')) as TrialSettings;
toleratesBrokenConnects(process);
const handOverMs = 1_000;
const database = new Database({
  connection: dataHosts.map((each) => ({
    ...{ host: places[each], port: mariadbPort, user: account, password: settings.applicationPassword, database: name },
  })),
});
const active = new Set<ServerResponse>();
let isHandingOver = false;
const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  if (isHandingOver) response.setHeader('connection', 'close');
  active.add(response);
  const key = (request.url ?? '').slice(1);
  const work = request.method === 'POST' ? write(key) : read(key);
  work
    .then(
      (found) => response.writeHead(200).end(String(found)),
      (error: unknown) => response.writeHead(503).end(String(error)),
    )
    .finally(() => active.delete(response));
});

/** One transaction, like a mutation. A repeated key is executed only once. */
async function write(key: string): Promise<number> {
  return database.transaction(async (tx) => {
    await tx.execute('INSERT INTO ha_request (id) VALUES (?) ON DUPLICATE KEY UPDATE id = id', [key]);
    await writeCommitRecord(tx, newUuid());
    return 1;
  });
}

async function read(key: string): Promise<number> {
  const rows = await database.query('SELECT id FROM ha_request WHERE id = ?', [key]);
  return rows.length;
}

async function handOver(): Promise<void> {
  isHandingOver = true;
  for (const response of active) if (!response.headersSent) response.setHeader('connection', 'close');
  const untilMs = performance.now() + handOverMs;
  const connections = () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count ?? 0)));
  while (performance.now() < untilMs && (await connections()) > 0) await sleep(10);
  server.closeIdleConnections();
  isHandingOver = false;
}

process.on('SIGUSR2', () => void handOver());
server.listen(Number(port));
await once(server, 'listening');
await noteServed(servedFile(settings, host));
process.stdout.write('ready\n');
