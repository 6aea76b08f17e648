// The duration of GET /export/mappings.ndjson for very many mappings, through a gateway and a relay in separate processes. The mappings are
// inserted by SQL, because only reading is measured.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createConnection } from 'mariadb';
import { request } from 'undici';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { GraphClient, type MutationAnswer, notRefused } from '../measure/graph-client.ts';
import { median, rounded } from '../measure/statistics.ts';
import { startWholeSystem, type WholeSystem } from '../measure/whole-system.ts';
import type { DatabaseLocation } from '../platform/database/database.ts';
import { forgetPeak, peakMib } from './support/peak-memory.ts';

const exportDeadlineMs = 600_000;

const counts = {
  mappings: { help: 'mappings', usual: 100_000 },
  backends: { help: 'backends that they are on', usual: 10 },
  rounds: { help: 'exports', usual: 3 },
};

export const benchMappingExport = defineBench({ counts, run });

async function run({
  counts: { mappings, backends, rounds },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // The folder is accessible to the user of the embedded servers.
  await chmod(folder, 0o711);
  const system = await startWholeSystem({ folder, lab: false, relays: 1, signal });
  stack.defer(() => system.stop());
  const client = new GraphClient(system.url, 4);
  stack.defer(() => client.close());
  for (let index = 1; index <= backends; index += 1) await register(client, system.token, index);
  await putMappings(system.connection, Math.ceil(mappings / backends));
  progress(`${mappings} mappings inserted`);

  const pids = { gateway: system.part('control').current.pid, relay: system.part('relay-1').current.pid };
  for (const pid of Object.values(pids)) forgetPeak(pid);
  const idleMib = peakMib(pids.gateway);
  const seconds: number[] = [];
  let told = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const startMs = performance.now();
    told = await countExported(system, signal);
    seconds.push((performance.now() - startMs) / 1000);
    progress(`round ${round} of ${rounds}: ${told} in ${rounded(seconds.at(-1) ?? 0, 2)} s`);
  }
  const took = median(seconds);
  const figures = {
    mappings: told,
    seconds: rounded(took, 2),
    perSecond: Math.round(told / took),
    residentMiB: peakMib(pids.gateway),
    idleResidentMiB: idleMib,
    relayResidentMiB: peakMib(pids.relay),
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures };
}

async function register(client: GraphClient, token: string, index: number): Promise<void> {
  const query =
    'mutation ($input: BackendCreateInput!) { made: backendCreate(input: $input) { userErrors { code message } } }';
  const credentials = { username: 'bench', password: 'bench' };
  const name = `bench-${index}`;
  // Each device has one backend.
  const input = { name, driver: 'linux-nftables', host: '127.0.0.1', port: 8 + index, credentials };
  notRefused((await client.ask<{ made: MutationAnswer }>(query, { input }, token)).made);
}

/** In the state that calls leave, with every second mapping verified. */
async function putMappings(connection: DatabaseLocation, perBackend: number): Promise<void> {
  const sql = await createConnection({ ...connection, connectTimeout: 5_000 });
  try {
    await sql.query(
      `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, role, backend_id, resource, scope, object_key,
        object_hash, owner_slot, uuid, state, desired, verified_at, verify_result)
      SELECT UUID(), b.project_id, 'default', 'tenant', n.seq, 'rule', b.id, 'rule', 'inet filter forward',
        CONCAT('rule-', n.seq), SHA2(CONCAT(b.id, n.seq), 256), '', n.seq, 'ACTIVE',
        JSON_OBJECT('name', CONCAT('rule-', n.seq), 'action', 'ACCEPT', 'protocol', 'TCP', 'destinationPort', 443,
          'source', JSON_OBJECT('address', '192.0.2.0/24')),
        IF(n.seq MOD 2 = 0, UTC_TIMESTAMP(3), NULL), IF(n.seq MOD 2 = 0, 'MATCHES', NULL)
      FROM backend b JOIN seq_1_to_${perBackend} n`,
    );
  } finally {
    await sql.end();
  }
}

/** Reads an export line by line, like a CMP would. Throws if it was truncated, or if a line is repeated. */
async function countExported({ url, token }: WholeSystem, signal: AbortSignal): Promise<number> {
  const response = await request(`${url}/export/mappings.ndjson`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(exportDeadlineMs)]),
  });
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${await response.body.text()}`);
  const ids = new Set<string>();
  let after: string | undefined;
  for await (const text of createInterface({ input: response.body })) {
    const line = JSON.parse(text) as { readonly id?: string; readonly after?: string };
    if (line.id !== undefined) {
      if (ids.has(line.id)) throw new Error(`${line.id} came twice, and nothing changed`);
      ids.add(line.id);
    }
    after = line.after;
  }
  if (after === undefined) throw new Error('the export was truncated');
  return ids.size;
}
